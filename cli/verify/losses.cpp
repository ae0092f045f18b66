#include "cli/verify/losses.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "cli/verify/subject.hpp"

namespace tokenrail::verify {
namespace {

constexpr std::size_t newest_max = 1'000;

}  // namespace

std::int64_t Losses::add(const Loss& loss) {
  newest_.push_back(loss);
  if (newest_.size() > newest_max) newest_.pop_front();
  auto from = loss.from;
  auto to = loss.to;
  std::int64_t known = 0;
  auto next = ranges_.upper_bound(from);
  if (next != ranges_.begin() && std::prev(next)->second >= from) --next;
  while (next != ranges_.end() && next->first <= to) {
    from = std::min(from, next->first);
    to = std::max(to, next->second);
    known += next->second - next->first;
    next = ranges_.erase(next);
  }
  ranges_.emplace(from, to);
  return to - from - known;
}

bool Losses::has(std::int64_t source_offset) const {
  const auto after = ranges_.upper_bound(source_offset);
  return after != ranges_.begin() && source_offset < std::prev(after)->second;
}

bool Losses::has(const Subject& about, std::int64_t source_offset) const {
  const auto entry = about.asked.find(source_offset);
  return (entry == about.asked.end() || !entry->second.read) && has(source_offset);
}

const Losses::Loss* Losses::told_before(std::int64_t source_offset, std::int64_t audit_offset) const {
  const auto found = std::ranges::find_if(
      newest_, [&](const Loss& told) { return told.names(source_offset) && told.at < audit_offset; });
  return found == newest_.end() ? nullptr : &*found;
}

const Losses::Loss* Losses::contradicted_by(std::int64_t source_offset, std::int64_t broker_ms) const {
  const auto found = std::ranges::find_if(
      newest_, [&](const Loss& told) { return told.names(source_offset) && told.broker_ms >= broker_ms; });
  return found == newest_.end() ? nullptr : &*found;
}

}  // namespace tokenrail::verify
