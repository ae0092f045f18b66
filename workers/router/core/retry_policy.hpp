// Whether a call that failed before its first token is made again, where and when. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace tokenrail::router {

struct RetryRules {
  int calls_max = 4;             ///< of one attempt, over all deployments
  int calls_per_target_max = 2;  ///< of one attempt on one deployment
  std::chrono::milliseconds delay_base{500};
  std::chrono::milliseconds delay_max{8'000};
  std::chrono::milliseconds retry_after_max{60'000};   ///< a longer Retry-After is not waited for
  std::chrono::milliseconds retry_after_short{5'000};  ///< nor one above this where another deployment is left
};

struct FailedCall {
  int calls_made = 1;                ///< this one included
  int calls_on_target = 1;           ///< this one included
  bool retry = false;                ///< the same deployment may be tried again
  std::optional<int> retries_max{};  ///< of this kind of failure on one deployment; nothing: the rules bound it alone
  bool try_next = false;             ///< another deployment may help
  bool more_targets = false;         ///< the route has one
  std::optional<std::chrono::milliseconds> retry_after{};
  std::chrono::milliseconds until_deadline{0};
  std::uint64_t random = 0;  ///< fresh random bits, for the jitter
};

struct RetryDecision {
  enum class Action { give_up, same_target, next_target };
  Action action = Action::give_up;
  std::chrono::milliseconds delay{0};
};

/// Full jitter (a delay between zero and an exponentially growing bound). A Retry-After is waited for, and up to a
/// tenth more, so that those who were refused together do not come back together. When it is too long the next
/// deployment is tried at once; where there is none the call is given up, since one before that time would be refused
/// again. Never decides for a delay that would pass the deadline.
[[nodiscard]] RetryDecision decide_retry(const RetryRules& rules, const FailedCall& call);

}  // namespace tokenrail::router
