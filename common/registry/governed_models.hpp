// Models as people govern them: what an organisation sees is the platform's row with its own row over it, field by
// field. Blocking; see governed_database.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/registry/model_filter.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

/// The names of what Models::change() takes.
[[nodiscard]] std::span<const std::string_view> model_fields();

/// In which order a list has its models. Those that are equal in it are in the order of their ids.
enum class ModelOrder : std::uint8_t {
  name,     ///< by slug
  updated,  ///< the latest change first
  context,  ///< the largest context window first, an unknown one last
};

class Models {
 public:
  explicit Models(GovernedDatabase& database) : database_(database) {}

  /// Errors: not_found for a view of that name. A model that changes between two pages may move to the other one.
  Result<DocumentPage> list(const Actor& actor, const Scope& scope, const ModelFilter& filter, const PageRequest& page,
                            ModelOrder order = ModelOrder::name);
  /// `id`: of the platform's row or of the scope's own row, the slug, or provider/name.
  Result<Document> get(const Actor& actor, const Scope& scope, const std::string& id);
  /// A model that no list has. `fields`: provider, modelName, and optionally what change() takes, and `deployments`:
  /// [{connectionId, upstreamName?, priority?, weight?, enabled?, params?, requestsPerMinute?, tokensPerMinute?}]. A
  /// limit that is not named stays.
  /// Errors: conflict where the scope has that model already; invalid_input for a kind that the provider does not have.
  Result<Document> create(const Actor& actor, const Scope& scope, std::string_view fields);
  /// `patch`: enabled, blocked, hidden, displayName, description, family, license, kind, lifecycle, deprecatesAt,
  /// retiresAt, replacementId, maintenanceUntil, maintenanceReason, contextWindow, inputTokensMax, outputTokensMax,
  /// embeddingDimensions, capabilities, tags, metadata, params, deployments. No sync changes what is set here. Null
  /// gives a field back to the provider's value, and in an organisation's row to the platform's. An organisation's
  /// change of a platform model makes a row of its own over it. `capabilities`, `metadata` and `params` are merged into
  /// what is there (RFC 7396): null gives one capability back, and removes one entry of the others. `params` are
  /// default parameters of the row's own deployments, whose own ones count before them. Errors: conflict where the
  /// platform's deployments serve the model.
  Result<Document> change(const Actor& actor, const Scope& scope, const std::string& id, std::string_view patch,
                          const std::optional<std::int64_t>& expected_version);
  struct Change {
    std::string model;
    std::string patch;
    std::optional<std::int64_t> expected_version{};
  };
  /// Each as change() makes it, one after the other; a change that is refused keeps no other one from being made.
  /// Transactions have many of them, so this takes a small part of the time.
  std::vector<Result<Document>> change_all(const Actor& actor, const Scope& scope, std::span<const Change> changes);
  /// All of them in one transaction, one after the other, or none: then `refused` is the index of the change that the
  /// error is about, or their number where the transaction as a whole failed.
  Result<std::vector<Document>> change_all_or_none(const Actor& actor, const Scope& scope,
                                                   std::span<const Change> changes, std::size_t& refused);
  /// The same as change(), but `capabilities`, `metadata` and `params` become what the patch says.
  Result<Document> replace(const Actor& actor, const Scope& scope, const std::string& id, std::string_view patch,
                           const std::optional<std::int64_t>& expected_version);
  /// Removes the scope's own row: a model, or what an organisation set over the platform's. Errors: conflict with the
  /// dependents by name, unless `force`.
  Result<void> remove(const Actor& actor, const Scope& scope, const std::string& id, bool force,
                      const std::optional<std::int64_t>& expected_version);

  /// Newest first: version, cause, actor, changedFields, at and the model as it was.
  Result<DocumentPage> revisions(const Actor& actor, const Scope& scope, const std::string& id,
                                 const PageRequest& page);
  /// One of them. Errors: not_found.
  Result<Document> revision(const Actor& actor, const Scope& scope, const std::string& id, std::int64_t version);
  /// Sets what a person may set as it was in that revision.
  Result<Document> roll_back(const Actor& actor, const Scope& scope, const std::string& id, std::int64_t version,
                             const std::optional<std::int64_t>& expected_version);

  /// What would break without it: profiles, knowledge bases, aliases, defaults, views.
  Result<DocumentPage> dependents(const Actor& actor, const Scope& scope, const std::string& id,
                                  const PageRequest& page);
  struct Dependent {
    std::string ref_type;  ///< profile | knowledge_base | conversation | view | other
    std::string ref_id;
    std::string label{};
  };
  Result<void> add_dependent(const Actor& actor, const Scope& scope, const std::string& id, const Dependent& dependent);
  Result<void> remove_dependent(const Actor& actor, const Scope& scope, const std::string& id,
                                const Dependent& dependent);

  /// Counts by provider, kind and status of what the scope sees.
  Result<Document> statistics(const Actor& actor, const Scope& scope);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
