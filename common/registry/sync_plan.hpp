// What the registry holds of a connection's models, and what a sync means to change about them. Values, made by the
// pure diff of registry-sync and carried out by the store in one transaction.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/model_event.hpp"
#include "common/registry/held_values.hpp"

namespace tokenrail::registry {

struct Connection {
  std::string id;
  std::string org_id{};         ///< empty: the platform's
  std::string owner_user_id{};  ///< empty: not personal
  std::string provider;
  std::string adapter;
  std::string name;
  std::string base_url;
  std::string auth_type = "none";
  std::string auth_name{};  ///< of the header or the query parameter; with `basic` the user
  std::string credential_id{};
  std::int64_t credential_version = 0;
  std::int64_t priority = 0;
  std::int64_t weight = 1;
  bool enabled = true;
  bool sync_enabled = true;
  std::vector<std::string> include_globs{};  ///< empty: everything
  std::vector<std::string> exclude_globs{};
  bool new_models_enabled = false;
  std::string slug_prefix{};
  std::string health = "unknown";          ///< unknown | healthy | degraded | down
  std::string health_reason{};             ///< class of the failure; empty: none
  std::string last_sync_status = "never";  ///< never | ok | held | failed
  std::string last_error_class{};
  std::optional<std::int64_t> sync_interval_s{};  ///< nothing: that of the process
  std::int64_t lease_epoch = 0;                   ///< of the claim under which it is synced; 0: of none
};

/// A model as one connection serves it.
struct StoredDeployment {
  std::string id{};  ///< empty: to be made
  std::string upstream_name;
  std::string digest{};
  std::optional<std::int64_t> missing_since_ms{};  ///< nothing: listed
  std::int64_t missing_runs = 0;
  bool enabled = true;          ///< by a person; no sync changes it
  std::vector<Price> prices{};  ///< what the connection's list says it costs there, in the order of their keys
  /// In hex, of what the provider said of the model when that was kept last; empty: it never was.
  std::string answer_sha256{};
};

/// What catalogues say of a model, and what follows from its name: it counts where neither a person nor the provider
/// says anything.
struct FactsElsewhere {
  std::string display_name{};
  std::string family{};
  std::string lifecycle{};  ///< empty also where a person has set it
  std::optional<std::int64_t> context_window{};
  std::optional<std::int64_t> input_tokens_max{};
  std::optional<std::int64_t> output_tokens_max{};
  std::optional<std::int64_t> embedding_dimensions{};
  std::map<std::string, events::Support> capabilities{};
  void fill(events::ModelState& state) const;
};

/// A model of a connection's scope and provider, as last written.
struct StoredModel {
  events::ModelState state;                     ///< what people and providers say
  FactsElsewhere elsewhere{};                   ///< what readers see besides
  std::set<std::string> overridden{};           ///< fields (wire names) that a person set: no sync changes them
  std::string details_digest{};                 ///< what the row's details go with, in the words of registry-sync
  std::optional<std::int64_t> details_at_ms{};  ///< when they were asked for
  bool missing_expired = false;                 ///< missing past the grace
  std::optional<StoredDeployment> here{};       ///< on the connection that was asked about; nothing: not served by it
  bool listed_elsewhere = false;                ///< another connection lists it
  /// Another one of the connections that list it comes first (priority, then id), and its facts are used.
  bool told_elsewhere = false;
};

struct PlannedModel {
  enum class Kind {
    added,    ///< a model that the scope does not have yet
    linked,   ///< one that it has, served by this connection for the first time
    updated,  ///< its facts changed
    missing,  ///< the connection lists it no longer
    back,     ///< missing before, listed again
    expired,  ///< missing past the grace
    noted,    ///< bookkeeping that no reader sees: written without version, revision and event
  };
  Kind kind = Kind::updated;
  std::int64_t before_version = 0;
  std::vector<std::string> changed_fields{};  ///< wire names; empty exactly for `noted`
  events::ModelState after;                   ///< the whole; its id is empty for `added`
  std::string details_digest{};
  std::optional<std::int64_t> details_at_ms{};
  bool missing_expired = false;
  std::string raw{};     ///< what the provider said, in words of our own, as JSON; empty: as it was
  std::string answer{};  ///< what it said, as it came: {"list": …, "details": …}; empty: as it was
  StoredDeployment here;
  bool prices_changed = false;  ///< those of `here`
};
[[nodiscard]] std::string_view name_of(PlannedModel::Kind kind);

struct SyncPlan {
  std::vector<PlannedModel> models{};
  /// Look wrong, are not part of `models`, and wait for a person. Those without an id are new.
  std::vector<HeldChange> held{};
  /// Look wrong, and are part of `models` since a person accepted the whole list. Their id is of the row that waited.
  std::vector<HeldChange> accepted{};
  std::vector<std::string> ended{};  ///< ids of held changes and decisions that the list no longer repeats
  std::int64_t listed = 0;
  std::int64_t added = 0;
  std::int64_t updated = 0;
  std::int64_t unchanged = 0;
  std::int64_t missing = 0;  ///< known models of the connection that the list does not have
  std::int64_t failed = 0;   ///< entries that could not be read or stored

  /// The plan changes nothing, not even a held change.
  [[nodiscard]] bool idle() const;
};

/// One run of a sync over one connection, as it is recorded.
struct SyncRun {
  std::string connection_id;
  std::string connection_name{};
  std::string request_id{};  ///< of `tokenrail registry sync`; empty: it was not asked for
  std::string trigger;       ///< start | schedule | manual | event
  std::string status;        ///< ok | held | failed
  std::int64_t listed = 0;
  std::int64_t added = 0;
  std::int64_t updated = 0;
  std::int64_t unchanged = 0;
  std::int64_t missing = 0;
  std::int64_t held = 0;  ///< changes that wait for a person
  std::int64_t failed = 0;
  std::string error_class{};
  std::string detail{};
  std::int64_t started_ms = 0;
};

/// The error class of a run that lost its changes to other writers again and again, and is to be tried again. It does
/// not concern the provider.
inline constexpr std::string_view conflict_class = "conflict";
/// The error class of a run whose list the database refused to store, and of one that no adapter could make.
inline constexpr std::string_view refused_class = "refused";
inline constexpr std::string_view no_adapter_class = "no_adapter";
/// Whether the connection's provider did its part in a run, whatever became of its list.
[[nodiscard]] bool provider_answered(const SyncRun& run);

/// Whether a model may be routed to at all, as its event says: enabled, not blocked, not retired, not missing past the
/// grace, and served by an enabled deployment.
[[nodiscard]] bool routable(const events::ModelState& state, bool missing_expired);

/// Wire names of what differs, for `changedFields`; version numbers apart.
[[nodiscard]] std::vector<std::string> changed_fields(const events::ModelState& before,
                                                      const events::ModelState& after);

}  // namespace tokenrail::registry
