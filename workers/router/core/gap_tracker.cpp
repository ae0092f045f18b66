#include "workers/router/core/gap_tracker.hpp"

#include <algorithm>
#include <utility>

namespace tokenrail::router {

namespace {

// Memory is bounded.
constexpr std::size_t gaps_max = 1'000;

}  // namespace

bool GapTracker::note(events::RequestOffset from, events::RequestOffset to) {
  if (gaps_.size() >= gaps_max) {
    auto& newest = gaps_.rbegin()->second;
    if (!newest.asked && !newest.lost_to) {
      newest.to = to;
      return false;
    }
  }
  gaps_.emplace(from, Gap{.to = to});
  return true;
}

bool GapTracker::wants_question(Millis now) const {
  return question_ == 0 && now >= not_before_ &&
         std::ranges::any_of(gaps_, [](const auto& entry) { return !entry.second.lost_to; });
}

void GapTracker::asked(std::uint32_t question, Millis not_before) {
  for (auto& [from, gap] : gaps_) gap.asked = gap.asked || !gap.lost_to;
  question_ = question;
  not_before_ = not_before;
}

void GapTracker::unanswered(Millis not_before) {
  question_ = 0;
  for (auto& [from, gap] : gaps_) gap.asked = false;
  not_before_ = not_before;
}

GapTracker::Causes GapTracker::answered(events::RequestOffset first) {
  question_ = 0;
  Causes causes;
  for (auto& [from, gap] : gaps_) {
    if (!std::exchange(gap.asked, false)) continue;
    if (first <= from) {
      causes.harmless.push_back(from);
      continue;
    }
    gap.lost_to = std::min(gap.to, first);
    causes.lost.push_back({.from = from, .to = *gap.lost_to});
  }
  return causes;
}

std::vector<GapTracker::Range> GapTracker::to_report() {
  std::vector<Range> ranges;
  for (auto& [from, gap] : gaps_) {
    if (!gap.lost_to || std::exchange(gap.told, true)) continue;
    ranges.push_back({.from = from, .to = *gap.lost_to});
  }
  return ranges;
}

std::optional<std::int64_t> GapTracker::report_counts(events::RequestOffset from) {
  const auto gap = gaps_.find(from);
  if (gap == gaps_.end() || !gap->second.told) return std::nullopt;
  gap->second.counted = true;
  return *gap->second.lost_to - from;
}

void GapTracker::report_all_again() {
  for (auto& [from, gap] : gaps_) gap.told = gap.counted = false;
}

void GapTracker::report_uncounted_again() {
  for (auto& [from, gap] : gaps_) gap.told = gap.counted;
}

std::vector<GapTracker::Range> GapTracker::reported() const {
  std::vector<Range> ranges;
  for (const auto& [from, gap] : gaps_) {
    if (gap.counted) ranges.push_back({.from = from, .to = *gap.lost_to});
  }
  return ranges;
}

void GapTracker::clear() {
  gaps_.clear();
  question_ = 0;
}

bool GapTracker::covers(events::RequestOffset offset) const {
  auto gap = gaps_.upper_bound(offset);
  if (gap == gaps_.begin()) return false;
  --gap;
  return offset < gap->second.to;
}

}  // namespace tokenrail::router
