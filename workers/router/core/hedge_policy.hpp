// Whether a call whose first token is slow gets a second one beside it (a hedge), at another deployment. Pure.
#pragma once

#include <chrono>
#include <optional>

namespace tokenrail::router {

struct HedgeRules {
  std::chrono::milliseconds after{0};  ///< from the start of a call without a token; 0: no hedges
};

struct StartedCall {
  bool streamed = true;       ///< without a stream the first token comes with the last one, and says nothing
  bool continues = false;     ///< it goes on with an answer that broke off
  bool hedged = false;        ///< its attempt has had a hedge
  bool more_targets = false;  ///< the route has another deployment
  int calls_made = 1;         ///< of its attempt, this one included
  int calls_max = 1;          ///< of its attempt
  std::chrono::milliseconds started{0};
  std::chrono::milliseconds deadline{0};
};

/// When its hedge is due. Nothing: it gets none.
[[nodiscard]] constexpr std::optional<std::chrono::milliseconds> hedge_due(const HedgeRules& rules,
                                                                           const StartedCall& call) {
  if (rules.after.count() <= 0 || !call.streamed || call.continues || call.hedged || !call.more_targets) return {};
  if (call.calls_made >= call.calls_max) return {};
  const auto at = call.started + rules.after;
  return at < call.deadline ? std::optional(at) : std::nullopt;
}

}  // namespace tokenrail::router
