// Order of answers within a key: of called attempts that ended well, a later request's must not begin before an earlier
// one's, nor end before it. Pure. Bounded: of each key the newest few, and the keys that were seen last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>

namespace tokenrail::verify {

class KeyLines {
 public:
  struct Answer {
    std::int64_t request_at = 0;   ///< offset of its llm.request
    std::int64_t terminal_at = 0;  ///< offset of its terminal chunk
  };
  struct Conflict {
    std::int64_t earlier = 0;  ///< source offset of the request that should have been first
    std::int64_t later = 0;
    bool began = false;  ///< the later one began first; else it ended first
    Answer earlier_answer{};
    Answer later_answer{};
  };

  explicit KeyLines(std::size_t keys_max = 50'000, std::size_t answers_max = 16)
      : keys_max_(keys_max), answers_max_(answers_max) {}

  /// The answer of the request at that source offset. Says with which neighbour it stands in the wrong order.
  std::optional<Conflict> add(std::size_t key, std::int64_t source_offset, const Answer& answer);

 private:
  std::size_t keys_max_;
  std::size_t answers_max_;
  std::unordered_map<std::size_t, std::map<std::int64_t, Answer>> lines_{};
  std::deque<std::size_t> keys_{};
};

}  // namespace tokenrail::verify
