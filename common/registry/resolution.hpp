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
  std::vector<std::string> warnings{};  ///< what was left out or chosen among several, and why
};

struct ResolutionRules {
  /// Off: a request that names no model, where nobody set a default, gets the first routable generation model by slug.
  bool strict_default = false;
  /// The wire formats that this process speaks (deployments of others are left out); empty: not checked here.
  std::vector<std::string> adapters{};
};

/// A prompt is refused as too long only where its text has more bytes than this for each token of the model's limit:
/// tokenisers differ, and a provider's own answer is exact where ours would be a guess.
inline constexpr std::int64_t prompt_bytes_per_token_max = 8;

/// `random`: 64 fresh random bits; decides among deployments of the same priority by weight.
///
/// A model that fails these rules is replaced by the first fallback that passes them, with a warning; nothing rescues
/// INVALID_REQUEST (maxTokens above the model's limit; modelName "auto"), which is the sender's to mend.
/// Failures: INVALID_REQUEST, MODEL_NOT_FOUND, MODEL_NOT_ENABLED, INVALID_MODEL_CONFIG, UNSUPPORTED_PROVIDER,
/// CAPABILITY_UNSUPPORTED, CONTEXT_TOO_LONG; each message names the model and says what to do.
[[nodiscard]] std::expected<Route, events::Failure> resolve(const Projection& projection,
                                                            const events::ChatRequest& request,
                                                            const ResolutionRules& rules, std::uint64_t random);

}  // namespace tokenrail::registry
