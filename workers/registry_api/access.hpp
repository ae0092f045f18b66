// Whether a caller may carry out an operation. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/auth/principal.hpp"
#include "workers/registry_api/problem.hpp"
#include "workers/registry_api/routes.hpp"

namespace tokenrail::registry_api {

struct AccessDecision {
  std::optional<Problem> refusal{};  ///< nothing: the caller may
  std::string reason{};              ///< for the log
};

/// `org`: of the path; "_" is the platform's scope, which takes the platform's permissions.
/// `personal`: the row belongs to the caller, so that what owners may do counts.
[[nodiscard]] AccessDecision decide_access(const Route& route, const auth::Principal& principal, std::string_view org,
                                           bool personal);

/// Why the caller may not do what needs another permission than the call's route; nothing: the caller may.
[[nodiscard]] std::optional<Problem> lacks_permission(const Call& call, std::string_view permission);

/// The permission for the platform's rows that corresponds to one for an organisation's.
[[nodiscard]] auth::Permission platform_permission(auth::Permission permission);

/// The body of every 404 for an organisation that is unknown, or unknown to the caller.
[[nodiscard]] Problem no_such_organisation(std::string_view org);

}  // namespace tokenrail::registry_api
