#include "workers/router/core/retry_policy.hpp"

#include <algorithm>

#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

std::chrono::milliseconds jittered(const RetryRules& rules, const FailedCall& call) {
  const int doublings = std::min(call.calls_on_target - 1, 16);
  const auto bound = std::min<std::chrono::milliseconds>(rules.delay_max, rules.delay_base * (1LL << doublings));
  const auto span = static_cast<std::uint64_t>(bound.count()) + 1;
  return std::chrono::milliseconds(static_cast<std::int64_t>(call.random % span));
}

/// Only where it is not too long, also by the jitter.
std::chrono::milliseconds delay_of(const RetryRules& rules, const FailedCall& call) {
  if (!call.retry_after) return jittered(rules, call);
  const auto asked = *call.retry_after;
  const auto more = static_cast<std::int64_t>(call.random % (static_cast<std::uint64_t>(asked.count() / 10) + 1));
  const auto spread = asked + std::chrono::milliseconds(more);
  return spread < call.until_deadline ? spread : asked;
}

}  // namespace

RetryDecision decide_retry(const RetryRules& rules, const FailedCall& call) {
  using Action = RetryDecision::Action;
  if (call.calls_made >= rules.calls_max) return {};

  const int calls_on_target_max = std::min(rules.calls_per_target_max, call.retries_max.value_or(rules.calls_max) + 1);
  if (call.retry && call.calls_on_target < calls_on_target_max) {
    const bool another = call.try_next && call.more_targets;
    const auto longest = another ? rules.retry_after_short : rules.retry_after_max;
    const bool too_long = call.retry_after && *call.retry_after > longest;
    const auto delay = delay_of(rules, call);
    if (!too_long && delay < call.until_deadline) return {.action = Action::same_target, .delay = delay};
  }
  // Another host does not share the trouble of this one, so there is nothing to wait for.
  if (planted(Bug::stays_with_host)) return {};
  if (call.try_next && call.more_targets && call.until_deadline > std::chrono::milliseconds(0)) {
    return {.action = Action::next_target, .delay = std::chrono::milliseconds(0)};
  }
  return {};
}

}  // namespace tokenrail::router
