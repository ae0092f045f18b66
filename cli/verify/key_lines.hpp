// Order of answers within a key: of called attempts that ended well, a later request's must not begin before an earlier
// one's, nor end before it. Pure. Bounded: of each key the newest few, and the keys that were seen last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace tokenrail::verify {

class KeyLines {
 public:
  struct Answer {
    std::int64_t request_at = 0;   ///< offset of its llm.request
    std::int64_t terminal_at = 0;  ///< offset of its terminal chunk
    // When each was appended, by the brokers' clock; -1: they do not say.
    std::int64_t request_ms = -1;
    std::int64_t terminal_ms = -1;
  };
  enum class Disorder {
    began,    ///< the later one began first
    ended,    ///< it ended first
    overlap,  ///< it began before the earlier one had ended
  };
  struct Conflict {
    std::int64_t earlier = 0;  ///< source offset of the request that should have been first
    std::int64_t later = 0;
    Disorder disorder = Disorder::began;
    Answer earlier_answer{};
    Answer later_answer{};
  };

  explicit KeyLines(std::int64_t clock_skew_ms = 0, std::size_t keys_max = 50'000, std::size_t answers_max = 16)
      : clock_skew_ms_(clock_skew_ms), keys_max_(keys_max), answers_max_(answers_max) {}

  /// The answer of the request at that source offset. Says with which neighbour it is in the wrong order.
  std::optional<Conflict> add(std::size_t key, std::int64_t source_offset, const Answer& answer);

 private:
  using Placed = std::pair<const std::int64_t, Answer>;
  [[nodiscard]] std::optional<Conflict> compare(const Placed& earlier, const Placed& later) const;

  std::int64_t clock_skew_ms_;
  std::size_t keys_max_;
  std::size_t answers_max_;
  std::unordered_map<std::size_t, std::map<std::int64_t, Answer>> lines_{};
  std::deque<std::size_t> keys_{};
};

}  // namespace tokenrail::verify
