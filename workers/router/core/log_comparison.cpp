#include "workers/router/core/log_comparison.hpp"

#include <algorithm>

namespace tokenrail::router {

events::RequestOffset LogComparison::end() const {
  return old_.unanswered.empty() ? old_.seen_to : std::max(old_.seen_to, old_.unanswered.rbegin()->first + 1);
}

void LogComparison::add(const LogComparison& before) {
  for (auto it = before.old_.unanswered.lower_bound(before.old_.from); it != before.old_.unanswered.end(); ++it)
    old_.unanswered.emplace(it->first, it->second);
  old_.delivered_to = std::max(old_.delivered_to, before.old_.delivered_to);
  old_.seen_to = std::max(old_.seen_to, before.old_.seen_to);
  old_.witness = before.old_.witness;
}

std::optional<LogComparison::Outcome> LogComparison::read(events::RequestOffset offset, std::int64_t timestamp_ms) {
  const auto known = old_.unanswered.find(offset);
  const bool listed = known != old_.unanswered.end() && offset >= old_.from;
  if (listed && known->second == timestamp_ms) {
    old_.from = offset + 1;
  } else if (listed || (offset.value() == old_.witness.offset && old_.witness.time_ms != timestamp_ms)) {
    return Outcome{.newer = Millis(timestamp_ms), .unread_from = offset};
  }
  if (offset + 1 >= old_.until) return Outcome{.unread_from = old_.until};
  return std::nullopt;
}

std::optional<LogComparison::Range> LogComparison::gone(const Outcome& outcome) const {
  std::optional<Range> range;
  for (auto it = old_.unanswered.lower_bound(old_.from); it != old_.unanswered.end(); ++it) {
    if (outcome.newer && Millis(it->second) >= *outcome.newer) continue;
    range = Range{.from = range ? range->from : it->first, .to = it->first + 1};
  }
  const auto unread = std::max({old_.delivered_to, outcome.unread_from, old_.from});
  if (unread < old_.seen_to) range = Range{.from = range ? std::min(range->from, unread) : unread, .to = old_.seen_to};
  return range;
}

}  // namespace tokenrail::router
