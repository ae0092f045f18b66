// The records of `model_registry` beside models: default pointers, aliases, views, grants and organisations
// (schemas/model-registry-{default,alias,view,grants,organization}.schema.json).
//
// Their keys begin with a word that begins with an underscore, so a reader that knows models only ignores them. As with
// models, the record with the highest version of a key is the newest, and a null value says that it was purged.
//
// Every parser's errors are invalid_input: what is not JSON, is of another type, or lacks a field without which the
// record cannot be used. Values that this version does not know are read as the stricter meaning where they limit
// access.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/model_event.hpp"
#include "common/result.hpp"

namespace tokenrail::events {

inline constexpr std::string_view registry_default_type = "model_registry.default";
inline constexpr std::string_view registry_alias_type = "model_registry.alias";
inline constexpr std::string_view registry_view_type = "model_registry.view";
inline constexpr std::string_view registry_grants_type = "model_registry.grants";
inline constexpr std::string_view registry_organization_type = "model_registry.organization";

inline constexpr std::string_view default_key_prefix = "_default/";
inline constexpr std::string_view alias_key_prefix = "_alias/";
inline constexpr std::string_view view_key_prefix = "_view/";
inline constexpr std::string_view grants_key_prefix = "_grants/";
inline constexpr std::string_view organization_key_prefix = "_org/";

/// Which model a scope uses for requests of a kind that name none.
struct RegistryDefault {
  std::int64_t version = 0;
  std::string org_id{};         ///< empty: platform
  std::string owner_user_id{};  ///< empty: not personal
  std::string kind = "generation";
  std::string provider{};  ///< empty: of any provider; else the default among that provider's models
  std::string purpose{};   ///< empty: general
  std::string model_id{};
  ModelName model{};
  std::string cause{};
  std::string actor{};
};

struct AliasTarget {
  std::string model_id{};
  ModelName model{};
  std::int64_t weight = 1;  ///< share of requests; 0: only when no other target can be used
};

/// What keeps requests on the target that was chosen first.
enum class Sticky { none, conversation, user };
[[nodiscard]] std::string_view name_of(Sticky sticky);

/// A name that leads to a model, or to one of several by weight. Targets are models, never other aliases.
struct RegistryAlias {
  std::int64_t version = 0;
  std::string org_id{};         ///< empty: platform
  std::string owner_user_id{};  ///< empty: not personal
  std::string alias{};
  std::vector<AliasTarget> targets{};
  Sticky sticky = Sticky::none;
  std::string description{};
  std::string cause{};
  std::string actor{};
};

/// What a view's filter asks of a model; what is empty asks nothing.
struct ViewFilter {
  std::string kind{};
  std::string provider{};
  std::string status{};
  std::string scope{};   ///< platform | organization
  std::string search{};  ///< part of the slug or the display name, whatever the case
  std::vector<std::string> capabilities{};
  std::vector<std::string> tags{};
  std::optional<bool> free{};
  std::optional<std::int64_t> context_min{};
  /// It asks something that this version does not know, so that no model is known to match.
  bool unknown = false;
  friend bool operator==(const ViewFilter&, const ViewFilter&) = default;
};

/// A saved filter with a name, and models that it has whatever the filter says.
struct RegistryView {
  std::int64_t version = 0;
  std::string org_id{};         ///< empty: platform
  std::string owner_user_id{};  ///< empty: not personal
  std::string name{};
  ViewFilter filter{};
  std::vector<std::string> pins{};  ///< ids of models
  bool for_auto = false;            ///< the view of its scope that "auto" selects from, unless a request names one
  std::string cause{};
  std::string actor{};
};

enum class SubjectKind { org, group, user, other };
enum class ObjectKind { model, connection, view, alias, other };
[[nodiscard]] std::string_view name_of(SubjectKind kind);
[[nodiscard]] std::string_view name_of(ObjectKind kind);

struct Grant {
  SubjectKind subject_kind = SubjectKind::other;
  std::string subject{};  ///< id of the organisation, the group or the user
  ObjectKind object_kind = ObjectKind::other;
  std::string object{};  ///< id of the model, connection or view; an alias by its name
  bool allow = false;
};

/// All grants of one organisation.
struct RegistryGrants {
  std::int64_t version = 0;
  std::string org_id{};
  bool restricted = false;  ///< members use only what is granted to them
  std::vector<Grant> grants{};
  std::string cause{};
  std::string actor{};
};

struct RegistryOrganization {
  std::int64_t version = 0;
  std::string org_id{};
  std::string slug{};
  /// Off: every enabled model of the platform is usable. On: only those that the organisation has a row of its own for,
  /// or that are granted.
  bool allow_list = false;
  bool strict_default = false;  ///< a request that names no model, where no default is set, is refused
  bool deleted = false;
  std::string cause{};
  std::string actor{};
};

/// {prefix}{org or _}/{user or _}/{kind}/{provider or _}/{purpose or _}, {prefix}{org or _}/{user or _}/{alias or
/// view}, {prefix}{org}. In every part '/' is %2F and '%' is %25, and a part that is "_" itself is %5F.
[[nodiscard]] std::string record_key(const RegistryDefault& record);
[[nodiscard]] std::string record_key(const RegistryAlias& record);
[[nodiscard]] std::string record_key(const RegistryView& record);
[[nodiscard]] std::string record_key(const RegistryGrants& record);
[[nodiscard]] std::string record_key(const RegistryOrganization& record);

[[nodiscard]] std::string to_json(const RegistryDefault& record);
[[nodiscard]] std::string to_json(const RegistryAlias& record);
[[nodiscard]] std::string to_json(const RegistryView& record);
[[nodiscard]] std::string to_json(const RegistryGrants& record);
[[nodiscard]] std::string to_json(const RegistryOrganization& record);

[[nodiscard]] Result<RegistryDefault> parse_registry_default(std::string_view value);
[[nodiscard]] Result<RegistryAlias> parse_registry_alias(std::string_view value);
[[nodiscard]] Result<RegistryView> parse_registry_view(std::string_view value);
[[nodiscard]] Result<RegistryGrants> parse_registry_grants(std::string_view value);
[[nodiscard]] Result<RegistryOrganization> parse_registry_organization(std::string_view value);

}  // namespace tokenrail::events
