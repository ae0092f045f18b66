#include "cli/verify/key_lines.hpp"

#include <iterator>

namespace tokenrail::verify {
namespace {

std::optional<KeyLines::Conflict> compare(const std::pair<const std::int64_t, KeyLines::Answer>& earlier,
                                          const std::pair<const std::int64_t, KeyLines::Answer>& later) {
  const bool began = later.second.request_at < earlier.second.request_at;
  if (!began && later.second.terminal_at > earlier.second.terminal_at) return std::nullopt;
  return KeyLines::Conflict{.earlier = earlier.first,
                            .later = later.first,
                            .began = began,
                            .earlier_answer = earlier.second,
                            .later_answer = later.second};
}

}  // namespace

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
  // Neighbours are enough: what stands further away was compared with those between.
  std::optional<Conflict> conflict;
  if (here != answers.begin()) conflict = compare(*std::prev(here), *here);
  if (!conflict && std::next(here) != answers.end()) conflict = compare(*here, *std::next(here));
  if (answers.size() > answers_max_) answers.erase(answers.begin());
  return conflict;
}

}  // namespace tokenrail::verify
