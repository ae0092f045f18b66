// Reading models out of the database, and announcing a change (revision and outbox row). Private to this module's .cpp
// files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/registry/session.hpp"
#include "common/registry/sync_plan.hpp"

namespace tokenrail::registry {

struct DeploymentRow {
  events::DeploymentState state;
  StoredDeployment stored;
  bool serves = false;       ///< it and its connection are enabled
  std::string own_params{};  ///< JSON; state.parameters are these over the model's
};

/// What the provider says, and people: without what a catalogue says or what follows from the name.
struct ListedFacts {
  std::string display_name{};
  std::string family{};
  std::string lifecycle{};
  std::optional<std::int64_t> context_window{};
  std::optional<std::int64_t> input_tokens_max{};
  std::optional<std::int64_t> output_tokens_max{};
  std::optional<std::int64_t> embedding_dimensions{};
  std::map<std::string, events::Support> capabilities{};

  ListedFacts() = default;
  explicit ListedFacts(const events::ModelState& state);
  /// What a sync compares its list with.
  void restore(events::ModelState& state) &&;
};

struct ModelRow {
  events::ModelState state;  ///< with its deployments as routers should see them
  ListedFacts listed{};
  FactsElsewhere elsewhere{};
  std::set<std::string> overridden{};
  std::string details_digest{};
  std::optional<std::int64_t> details_at_ms{};
  bool missing_expired = false;
  std::vector<DeploymentRow> deployments{};
  std::int64_t prices_version = 0;  ///< of all its prices; 0: it never had one
  std::string cause{};              ///< of the newest revision
  std::string actor{};
};

/// SQL: the default parameters of calls that the model `m` has, without what only readers of vectors have to know.
inline constexpr std::string_view call_params_of_model =
    "(m.params - ARRAY['normalize', 'distanceMetric', 'batchSize'])";

/// SQL: the deployment whose prices are shown as those of the model `id`. As tokenrail_first_deployment(), whose plan
/// PostgreSQL would make again in each statement.
[[nodiscard]] std::string first_deployment_of(std::string_view id);
/// SQL, what follows FROM: rows `name` of the prices that hold now of the model `id` on `deployment` (SQL too). A
/// function whose argument is a query is not made a part of the statement: PostgreSQL would plan its text again
/// whenever the statement runs.
[[nodiscard]] std::string prices_on(std::string_view id, std::string_view deployment, std::string_view name);

/// Which models: `where` is a condition over `m` (fixed text of ours) in which :first and :second may be used.
std::vector<ModelRow> read_models(soci::session& sql, const std::string& where, const std::string& first,
                                  const std::string& second);
std::vector<ModelRow> read_models(soci::session& sql, const std::vector<std::string>& ids);

/// Takes the models' rows for this transaction, in the one order that every writer keeps to: two that want the same
/// models then wait for each other instead of both for ever. Models that are to be added come after it, by name.
void lock_models(soci::session& sql, const std::vector<std::string>& ids);

/// What follows from the name of a model that was made in this transaction.
void write_inferred(soci::session& sql, const std::string& id, const std::string& model_name);

/// The event's text for a model as it is.
std::string event_text(const ModelRow& row, std::optional<std::int64_t> before_version,
                       const std::vector<std::string>& changed_fields, const std::string& cause,
                       const std::string& actor);

struct Change {
  std::string model_id;
  std::optional<std::int64_t> before_version{};
  std::vector<std::string> changed_fields{};  ///< those that the writer means to change
};
/// Writes revision and outbox row of models whose rows have been changed in this transaction, in the given order. An
/// event names every field in which it differs from the model's event before it, also those that the writer did not
/// mean.
void tell_changes(soci::session& sql, const std::vector<Change>& changes, const std::string& cause,
                  const std::string& actor);
/// The same, where the models have been read since they were changed.
void tell_changes(soci::session& sql, std::vector<Change> changes, const std::vector<ModelRow>& now,
                  const std::string& cause, const std::string& actor);

/// `payload` empty: a tombstone.
void write_outbox(soci::session& sql, const std::string& aggregate, const std::string& key, const std::string& type,
                  const std::string& payload);

/// Splits a text of unit-separated parts, as lists come out of the database.
std::vector<std::string> parts_of(const std::string& text);
std::string joined(const std::vector<std::string>& parts);

}  // namespace tokenrail::registry
