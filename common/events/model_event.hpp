// model_registry.upserted: a whole model as routers need it, and the `_registry` mark
// (schemas/model-registry-upserted.schema.json). Never holds a secret. Version numbers come from one sequence for the
// whole registry, so a purged and remade model still grows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/call_defaults.hpp"
#include "common/price.hpp"
#include "common/rare.hpp"
#include "common/result.hpp"

namespace tokenrail::events {

/// The `type` field of each record and the ce_type header of each event.
inline constexpr std::string_view model_upserted_type = "model_registry.upserted";
inline constexpr std::string_view registry_mark_type = "model_registry.mark";
inline constexpr std::string_view sync_completed_type = "model_registry.sync.completed";
inline constexpr std::string_view sync_held_type = "model_registry.sync.held";  ///< the same record, of status `held`

enum class Support { unknown, supported, unsupported };

/// In integer micro-dollars per million tokens. Nothing means unknown, which is not free.
struct ModelPrices {
  std::optional<std::int64_t> input_micros{};   ///< whatever the size of the prompt and the time of day
  std::optional<std::int64_t> output_micros{};  ///< the same
  std::vector<Price> others{};                  ///< of other dimensions, tiers, sizes and times
  std::int64_t version = 0;                     ///< grows with each change of a price; 0: none is known
  friend bool operator==(const ModelPrices&, const ModelPrices&) = default;
};

struct DeploymentState {
  std::string id;
  std::string connection_id;
  std::string connection_name;
  std::string connection_org_id{};         ///< whose connection it is; empty: the platform's
  std::string connection_owner_user_id{};  ///< empty: not personal
  std::string provider;                    ///< of the connection: "ollama"
  std::string adapter;                     ///< which wire format: "ollama"
  std::string base_url;                    ///< without user, password and trailing slash
  std::string auth_type;                   ///< none | bearer | header | query | basic | oauth
  std::string auth_name{};  ///< of the header or the query parameter; with `basic` the user. Empty: the provider's own
  std::optional<std::string> credential_id{};
  std::int64_t credential_version = 0;
  std::string upstream_name;  ///< what to call the model there, exact bytes
  std::int64_t priority = 0;  ///< lower first
  std::int64_t weight = 1;
  bool enabled = true;
  std::optional<std::int64_t> requests_per_minute{};
  std::optional<std::int64_t> tokens_per_minute{};
  CallDefaults parameters{};   ///< of calls whose request is silent
  Rare<ModelPrices> prices{};  ///< where they are not the model's
  /// Parameters that were left out when they were read, and why. Not written.
  std::vector<InvalidDefault> invalid_parameters{};
};

/// A model by the names that are unique in a scope.
struct ModelName {
  std::string provider;
  std::string name;
  friend bool operator==(const ModelName&, const ModelName&) = default;
};

struct ModelState {
  std::string id;
  std::string org_id{};         ///< empty: platform
  std::string owner_user_id{};  ///< empty: not personal
  std::string provider;
  std::string model_name;
  std::string slug;
  std::string kind = "generation";
  std::string display_name{};
  std::string description{};
  std::string family{};
  std::string digest{};
  std::string lifecycle = "active";  ///< preview | active | deprecated | retired
  bool enabled = true;
  bool platform_blocked = false;
  std::string availability = "listed";  ///< listed | missing | unreachable
  std::optional<std::int64_t> missing_since_ms{};
  bool routable = true;  ///< as the writer saw it; grace of a missing model included
  std::optional<std::int64_t> context_window{};
  std::optional<std::int64_t> input_tokens_max{};
  std::optional<std::int64_t> output_tokens_max{};
  std::optional<std::int64_t> embedding_dimensions{};
  std::map<std::string, Support> capabilities{};
  bool is_default = false;  ///< the default of its scope and kind
  std::int64_t version = 0;
  std::vector<DeploymentState> deployments{};

  // Written only where they are set, so that records without them stay as they were.
  /// The row has no value of its own for `enabled`: the next row above it counts. `enabled` is then what was effective
  /// when the record was written, for readers that do not know this field. `routable` is as if the row were enabled.
  bool inherits = false;
  bool hidden = false;  ///< left out of lists and of automatic selection; usable by its name
  std::optional<std::int64_t> maintenance_until_ms{};  ///< not usable before that time
  std::string maintenance_reason{};
  std::vector<std::string> tags{};
  std::optional<ModelName> replacement{};        ///< the successor of a deprecated or retired model
  std::optional<double> quality_score{};         ///< 0 to 1
  Rare<std::map<std::string, double>> scores{};  ///< by metric, such as "coding", 0 to 1; their mean is quality_score
  ModelPrices prices{};
  std::optional<std::int64_t> first_token_ms{};  ///< median of what was measured lately
};

struct ModelUpserted {
  std::string key;  ///< the record key: {org or _}/{user or _}/{provider}/{modelName}
  std::int64_t version = 0;
  std::optional<std::int64_t> before_version{};
  std::vector<std::string> changed_fields{};
  std::string cause;  ///< api | sync | import | seed | rollback
  std::string actor;
  ModelState model;
};
/// {org or _}/{user or _}/{provider}/{modelName}. The model name is the rest of the key and may hold slashes; in the
/// other three '/' is %2F and '%' is %25, and an id that is "_" itself is %5F, so that no two models share a key.
[[nodiscard]] std::string model_key(const ModelState& model);
[[nodiscard]] std::string to_json(const ModelUpserted& event);
/// Errors: invalid_input, for what is not JSON, is of another type, or lacks version, model, its provider or its name.
[[nodiscard]] Result<ModelUpserted> parse_model_upserted(std::string_view value);

/// A warning for each default parameter that was left out when the model was read; names model, deployment and key.
[[nodiscard]] std::vector<std::string> invalid_parameters(const ModelState& model);

/// The record with key `_registry`: says that the whole state has been published up to `version`.
struct RegistryMark {
  std::int64_t version = 0;
  std::int64_t models = 0;
};
inline constexpr std::string_view registry_mark_key = "_registry";
[[nodiscard]] std::string to_json(const RegistryMark& mark);
[[nodiscard]] Result<RegistryMark> parse_registry_mark(std::string_view value);

/// model_registry.sync.completed, one a run and connection where something changed or failed.
struct SyncCompleted {
  std::string connection_id;
  std::string connection_name;
  std::string trigger;  ///< start | schedule | manual | event
  std::string status;   ///< ok | held | failed
  std::int64_t listed = 0, added = 0, updated = 0, unchanged = 0, missing = 0, failed = 0;
  std::int64_t held = 0;  ///< changes that wait for a person; written where there are any
  std::string error_class{};
};
[[nodiscard]] std::string to_json(const SyncCompleted& event);

}  // namespace tokenrail::events
