// The settings of the login at an OpenID Connect provider, and what of them does not work together. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/auth/claims.hpp"
#include "common/config/settings.hpp"
#include "common/result.hpp"
#include "common/secret.hpp"

namespace tokenrail::auth {

/// What the members of a group may do: a role in an organisation, or everything.
struct GroupRole {
  std::string group{};
  std::string org{};  ///< empty: platform_admin
  Role role = Role::viewer;

  bool operator==(const GroupRole&) const = default;
};

struct OidcSettings {
  std::string issuer{};
  std::string client_id{};
  Secret client_secret{};  ///< empty: a public client
  std::vector<std::string> scopes{};
  std::string groups_claim{};
  std::vector<GroupRole> group_roles{};  ///< empty: roles are in `claims`
  ClaimNames claims{};
};

/// Of auth.oidc_…; nothing: there is no such login. Errors (invalid_input) say what to set: there is no issuer, it is
/// reached by http on another machine, a mapping has another form or names an unknown role, or the scope openid is
/// missing.
[[nodiscard]] Result<std::optional<OidcSettings>> read_oidc_settings(const config::Values& values);

}  // namespace tokenrail::auth
