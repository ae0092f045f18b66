#include "workers/router/core/gone_requests.hpp"

#include <algorithm>
#include <utility>

#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

void GoneRequests::log_gone(OldLog old, const kafka::LogWitness& witness) {
  LogComparison comparison(std::move(old));
  if (comparing_) comparison.add(*comparing_);
  if (!witness_) witness_ = witness;
  witness_->position = std::max(witness_->position, comparison.end().value());
  comparing_ = std::move(comparison);
}

std::optional<LogComparison::Outcome> GoneRequests::read(events::RequestOffset offset, std::int64_t timestamp_ms) {
  if (planted(Bug::kept_is_lost)) return LogComparison::Outcome{.unread_from = comparing_->until()};
  return comparing_->read(offset, timestamp_ms);
}

std::optional<GoneRequests::Range> GoneRequests::compared(const LogComparison::Outcome& outcome) {
  auto gone = std::exchange(comparing_, std::nullopt)->gone(outcome);
  if (planted(Bug::lost_log_untold)) gone.reset();
  if (gone) {
    if (lost_.size() < ranges_max) {
      lost_.push_back({.range = *gone});
    } else {
      const auto& newest = lost_.back().range;
      lost_.back() = {.range = {.from = std::min(newest.from, gone->from), .to = std::max(newest.to, gone->to)}};
    }
  }
  if (lost_.empty()) witness_.reset();
  return gone;
}

std::vector<GoneRequests::Range> GoneRequests::to_report() {
  std::vector<Range> ranges;
  for (auto& lost : lost_) {
    if (!std::exchange(lost.reported, true)) ranges.push_back(lost.range);
  }
  return ranges;
}

void GoneRequests::report_all_again() {
  for (auto& lost : lost_) lost.reported = false;
}

bool GoneRequests::report_counts(const Range& range) {
  const auto it = std::ranges::find_if(lost_, [&](const Lost& lost) { return lost.reported && lost.range == range; });
  if (it == lost_.end()) return false;
  lost_.erase(it);
  if (lost_.empty() && !comparing_) witness_.reset();
  return true;
}

bool GoneRequests::covers(events::RequestOffset offset) const {
  return std::ranges::any_of(lost_,
                             [&](const Lost& lost) { return offset >= lost.range.from && offset < lost.range.to; });
}

}  // namespace tokenrail::router
