// Who asks, and what they may do. Pure: no clock, no I/O. docs/explanation/authorisation.md has the table for people,
// and a test compares it with this code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokenrail::auth {

/// Roles in one organisation, from the least to the most.
enum class Role : std::uint8_t { viewer, member, model_admin, org_admin };

enum class Permission : std::uint8_t {
  models_read,
  models_use,
  models_write,
  models_test,
  connections_read,
  connections_write,
  credentials_read,
  credentials_write,
  defaults_write,
  aliases_write,
  grants_write,
  audit_read,
  sync_run,
  members_read,
  members_write,
  settings_write,
  platform_models_write,
  platform_connections_write,
  platform_orgs_write,
  platform_blocks_write,
  platform_credentials_write,
  platform_audit_read,
};
inline constexpr std::size_t permission_count = 22;

/// The names as tokens, grants and logs have them, in the order of the enumeration.
inline constexpr std::array<std::string_view, permission_count> permission_names{
    "org:models:read",      "org:models:use",        "org:models:write",
    "org:models:test",      "org:connections:read",  "org:connections:write",
    "org:credentials:read", "org:credentials:write", "org:defaults:write",
    "org:aliases:write",    "org:grants:write",      "org:audit:read",
    "org:sync:run",         "org:members:read",      "org:members:write",
    "org:settings:write",   "platform:models:write", "platform:connections:write",
    "platform:orgs:write",  "platform:blocks:write", "platform:credentials:write",
    "platform:audit:read",
};
inline constexpr std::array<std::string_view, 4> role_names{"viewer", "member", "model_admin", "org_admin"};
inline constexpr std::string_view platform_admin_name = "platform_admin";

[[nodiscard]] constexpr std::string_view name_of(Permission permission) {
  return permission_names.at(static_cast<std::size_t>(permission));
}
[[nodiscard]] constexpr std::string_view name_of(Role role) {
  return role_names.at(static_cast<std::size_t>(role));
}
[[nodiscard]] std::optional<Permission> permission_of(std::string_view name);
/// Nothing for `platform_admin`, which is no role in an organisation.
[[nodiscard]] std::optional<Role> role_of(std::string_view name);
/// Whether it concerns the platform and no organisation.
[[nodiscard]] constexpr bool is_platform(Permission permission) {
  return permission >= Permission::platform_models_write;
}

class PermissionSet {
 public:
  constexpr PermissionSet() = default;
  constexpr PermissionSet(std::initializer_list<Permission> permissions) {
    for (const auto permission : permissions) insert(permission);
  }
  constexpr void insert(Permission permission) { bits_ |= bit(permission); }
  [[nodiscard]] constexpr bool contains(Permission permission) const { return (bits_ & bit(permission)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr PermissionSet operator|(PermissionSet other) const {
    PermissionSet both;
    both.bits_ = bits_ | other.bits_;
    return both;
  }
  bool operator==(const PermissionSet&) const = default;

 private:
  [[nodiscard]] static constexpr std::uint32_t bit(Permission permission) {
    return std::uint32_t{1} << static_cast<unsigned>(permission);
  }
  std::uint32_t bits_ = 0;
};

/// What each role has in its own organisation.
[[nodiscard]] constexpr PermissionSet permissions_of(Role role) {
  using enum Permission;
  constexpr PermissionSet viewer{models_read, connections_read};
  constexpr PermissionSet member = viewer | PermissionSet{models_use, models_test};
  constexpr PermissionSet model_admin =
      member | PermissionSet{models_write, defaults_write, aliases_write, grants_write, sync_run};
  constexpr PermissionSet org_admin =
      model_admin | PermissionSet{connections_write, credentials_read, credentials_write, audit_read,
                                  members_read,      members_write,    settings_write};
  switch (role) {
    case Role::viewer:
      return viewer;
    case Role::member:
      return member;
    case Role::model_admin:
      return model_admin;
    case Role::org_admin:
      return org_admin;
  }
  return {};
}

/// What a role may do beside that on rows of the user who asks (personal models, connections and keys).
[[nodiscard]] constexpr PermissionSet owner_permissions_of(Role role) {
  using enum Permission;
  constexpr PermissionSet reads{models_read, connections_read, credentials_read};
  constexpr PermissionSet all =
      reads | PermissionSet{models_use,        models_test,    models_write, connections_write,
                            credentials_write, defaults_write, aliases_write};
  return role == Role::viewer ? reads : all;
}

/// Who asks: what a token, once verified, says of its bearer.
struct Principal {
  enum class Kind : std::uint8_t { user, service };

  std::string issuer{};
  std::string subject{};  ///< unique for its issuer; empty: no one is known
  Kind kind = Kind::user;
  bool platform_admin = false;
  std::map<std::string, Role, std::less<>> roles{};            ///< by organisation
  std::map<std::string, PermissionSet, std::less<>> denied{};  ///< by organisation; what is denied by name
  /// A service token has these at most, whatever its role. Nothing: no restriction.
  std::optional<PermissionSet> scopes{};

  [[nodiscard]] bool is_member_of(std::string_view org) const { return roles.contains(org); }
};

struct Decision {
  bool allowed = false;
  int status = 0;        ///< 0 where it is allowed; else 401, 403 or 404
  std::string reason{};  ///< for the log, never for the client

  explicit operator bool() const { return allowed; }
};

/// Whether `principal` may do this. `org`: the organisation that it concerns; ignored for platform permissions.
/// `target_user`: the user that the row belongs to, where it is a personal one.
///
/// The first rule that holds decides:
/// 1. No subject: 401.
/// 2. A platform permission: platform admins have it within their scopes, others get 403.
/// 3. No membership in the organisation, and no platform admin: 404, which is the answer for an unknown organisation.
/// 4. Denied by name in this organisation: 403. An organisation denies nothing to a platform admin.
/// 5. Not among the scopes of a service token: 403.
/// 6. A platform admin may do everything.
/// 7. A personal row of another user: 404, but for an org_admin.
/// 8. The role has it, or has it on the user's own rows; else 403.
[[nodiscard]] Decision decide(const Principal& principal, Permission permission, std::string_view org,
                              std::optional<std::string_view> target_user = std::nullopt);

}  // namespace tokenrail::auth
