#include "cli/verify/key_lines.hpp"

#include <iterator>

namespace tokenrail::verify {

std::optional<KeyLines::Conflict> KeyLines::compare(const Placed& earlier, const Placed& later) const {
  const auto& first = earlier.second;
  const auto& second = later.second;
  Conflict conflict{
      .earlier = earlier.first, .later = later.first, .earlier_answer = earlier.second, .later_answer = later.second};
  if (second.request_at < first.request_at) {
    conflict.disorder = Disorder::began;
  } else if (second.terminal_at < first.terminal_at) {
    conflict.disorder = Disorder::ended;
  } else if (second.request_ms >= 0 && first.terminal_ms >= 0 &&
             second.request_ms + clock_skew_ms_ < first.terminal_ms) {
    conflict.disorder = Disorder::overlap;
  } else {
    return std::nullopt;
  }
  return conflict;
}

std::optional<KeyLines::Conflict> KeyLines::add(std::size_t key, std::int64_t source_offset, const Answer& answer) {
  const auto [line, fresh] = lines_.try_emplace(key);
  if (fresh) {
    keys_.push_back(key);
    if (keys_.size() > keys_max_) {
      lines_.erase(keys_.front());
      keys_.pop_front();
    }
  }
  auto& answers = line->second;
  const auto here = answers.insert_or_assign(source_offset, answer).first;
  // Neighbours are enough: what is further away was compared with those between.
  std::optional<Conflict> conflict;
  if (here != answers.begin()) conflict = compare(*std::prev(here), *here);
  if (!conflict && std::next(here) != answers.end()) conflict = compare(*here, *std::next(here));
  if (answers.size() > answers_max_) answers.erase(answers.begin());
  return conflict;
}

}  // namespace tokenrail::verify
