#include "cli/verify/letters.hpp"

#include <algorithm>

namespace tokenrail::verify {

bool Letters::take(std::int64_t source_offset, std::int64_t ms) {
  const auto [first, last] = early_.equal_range(source_offset);
  const bool found = std::any_of(first, last, [&](const auto& entry) { return entry.second.is_at(ms); });
  early_.erase(first, last);
  return found;
}

bool Letters::settle(const DeadLetter& letter) {
  const auto it = open_.find(letter.offset);
  if (it == open_.end() || !letter.is_at(it->second.ms)) return false;
  open_.erase(it);
  return true;
}

}  // namespace tokenrail::verify
