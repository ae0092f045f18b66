#include "workers/registry_api/access.hpp"

#include <fmt/format.h>

#include "common/telemetry/text_escape.hpp"
#include "workers/registry_api/call.hpp"

namespace tokenrail::registry_api {

namespace {

AccessDecision from(const auth::Decision& decision, auth::Permission permission, std::string_view org) {
  if (decision.allowed) return {.reason = decision.reason};
  if (decision.status == 401)
    return {.refusal = Problem{.fault = Fault::unauthenticated, .detail = "A valid access token is needed."},
            .reason = decision.reason};
  if (decision.status == 404) return {.refusal = no_such_organisation(org), .reason = decision.reason};
  return {.refusal = Problem{.fault = Fault::forbidden,
                             .detail = fmt::format("This needs the permission {}.", name_of(permission))},
          .reason = decision.reason};
}

}  // namespace

auth::Permission platform_permission(auth::Permission permission) {
  using enum auth::Permission;
  switch (permission) {
    case connections_read:
    case connections_write:
    case sync_run:
      return platform_connections_write;
    case credentials_read:
    case credentials_write:
      return platform_credentials_write;
    case audit_read:
      return platform_audit_read;
    case members_read:
    case members_write:
    case settings_write:
      return platform_orgs_write;
    default:
      return is_platform(permission) ? permission : platform_models_write;
  }
}

Problem no_such_organisation(std::string_view org) {
  return {.fault = Fault::not_found,
          .detail = fmt::format("There is no organisation {}.", telemetry::one_line(org.substr(0, 128)))};
}

AccessDecision decide_access(const Route& route, const auth::Principal& principal, std::string_view org,
                             bool personal) {
  switch (route.access) {
    case Access::open:
      return {.reason = "open to everyone"};
    case Access::caller:
      if (!principal.subject.empty()) return {.reason = "any caller"};
      return {.refusal = Problem{.fault = Fault::unauthenticated, .detail = "A valid access token is needed."},
              .reason = "no subject"};
    case Access::platform:
    case Access::org:
      break;
  }
  const auto permission = auth::permission_of(route.permission);
  // The table of routes is checked at the start: a name that is no permission never serves a request.
  if (!permission) return {.refusal = Problem{.fault = Fault::internal}, .reason = "the route has no permission"};
  if (route.access == Access::platform || org == platform_org) {
    const auto needed = platform_permission(*permission);
    return from(auth::decide(principal, needed, {}), needed, org);
  }
  const auto owner = personal ? std::optional(std::string_view(principal.subject)) : std::nullopt;
  return from(auth::decide(principal, *permission, org, owner), *permission, org);
}

std::optional<Problem> lacks_permission(const Call& call, std::string_view permission) {
  auto route = *call.route;
  route.permission = permission;
  return decide_access(route, call.principal, call.path["org"], call.personal()).refusal;
}

}  // namespace tokenrail::registry_api
