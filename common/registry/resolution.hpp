// From what a request asks for to the deployments that may answer it. Pure.
//
// Scope: user, then org, then platform; the nearest that has the model wins, but a platform block beats them all and an
// org block beats the user's. Then limits and capabilities, then the route: deployments by priority and weight, then
// the request's fallbacks.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/events/errors.hpp"
#include "common/registry/projection.hpp"

namespace tokenrail::registry {

struct RouteTarget {
  events::ModelState model;
  events::DeploymentState deployment;
};

struct Route {
  std::vector<RouteTarget> targets;     ///< never empty; in the order to try
  std::vector<std::string> warnings{};  ///< a fallback that was left out, and why
};

struct ResolutionRules {
  /// Off: a request that names no model, where nobody set a default, gets the first routable generation model by slug.
  bool strict_default = false;
};

/// `random`: 64 fresh random bits; decides among deployments of the same priority by weight.
/// Failures: MODEL_NOT_FOUND, MODEL_NOT_ENABLED, INVALID_MODEL_CONFIG, UNSUPPORTED_PROVIDER, CAPABILITY_UNSUPPORTED,
/// CONTEXT_TOO_LONG; each message names the model and says what to do.
[[nodiscard]] std::expected<Route, events::Failure> resolve(const Projection& projection,
                                                            const events::ChatRequest& request,
                                                            const ResolutionRules& rules, std::uint64_t random);

}  // namespace tokenrail::registry
