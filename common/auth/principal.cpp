#include "common/auth/principal.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace tokenrail::auth {
namespace {

constexpr int unauthenticated = 401;
constexpr int forbidden = 403;
constexpr int not_found = 404;

Decision allow(std::string reason) {
  return {.allowed = true, .status = 0, .reason = std::move(reason)};
}
Decision refuse(int status, std::string reason) {
  return {.allowed = false, .status = status, .reason = std::move(reason)};
}

template <class Enum, std::size_t Count>
std::optional<Enum> value_of(const std::array<std::string_view, Count>& names, std::string_view name) {
  const auto* const found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(std::distance(names.begin(), found));
}

bool within_scopes(const Principal& principal, Permission permission) {
  return !principal.scopes || principal.scopes->contains(permission);
}

Decision decide_for_platform(const Principal& principal, Permission permission) {
  const auto name = name_of(permission);
  if (!principal.platform_admin) return refuse(forbidden, fmt::format("no platform admin, so no {}", name));
  if (!within_scopes(principal, permission))
    return refuse(forbidden, fmt::format("{} is not among the token's scopes", name));
  return allow(fmt::format("platform admin has {}", name));
}

}  // namespace

std::optional<Permission> permission_of(std::string_view name) {
  return value_of<Permission>(permission_names, name);
}

std::optional<Role> role_of(std::string_view name) {
  return value_of<Role>(role_names, name);
}

Decision decide(const Principal& principal, Permission permission, std::string_view org,
                std::optional<std::string_view> target_user) {
  if (principal.subject.empty()) return refuse(unauthenticated, "no subject");
  if (is_platform(permission)) return decide_for_platform(principal, permission);

  const auto name = name_of(permission);
  const auto membership = principal.roles.find(org);
  const bool member = membership != principal.roles.end();
  if (!member && !principal.platform_admin)
    return refuse(not_found, fmt::format("no membership in the organisation '{}'", org));
  const auto denied = principal.denied.find(org);
  if (!principal.platform_admin && denied != principal.denied.end() && denied->second.contains(permission))
    return refuse(forbidden, fmt::format("{} is denied by name in '{}'", name, org));
  if (!within_scopes(principal, permission))
    return refuse(forbidden, fmt::format("{} is not among the token's scopes", name));
  if (principal.platform_admin) return allow(fmt::format("platform admin has {} in '{}'", name, org));

  const Role role = membership->second;
  const bool own_row = target_user && principal.kind == Principal::Kind::user && *target_user == principal.subject;
  if (target_user && !own_row && role != Role::org_admin)
    return refuse(not_found,
                  fmt::format("the row belongs to another user, and {} of '{}' is no org_admin", name_of(role), org));
  if (permissions_of(role).contains(permission))
    return allow(fmt::format("{} of '{}' has {}", name_of(role), org, name));
  if (own_row && owner_permissions_of(role).contains(permission))
    return allow(fmt::format("{} of '{}' has {} on own rows", name_of(role), org, name));
  return refuse(forbidden, fmt::format("{} of '{}' has no {}", name_of(role), org, name));
}

}  // namespace tokenrail::auth
