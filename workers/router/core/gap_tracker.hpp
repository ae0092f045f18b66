// Offsets of chat.requests that the group passed over, until it is known why they are missing: compaction and
// transaction markers leave gaps that mean nothing, retention leaves requests without an answer. Pure.
//
// Owned by Partition, one for each. The partition counts the first offset of a gap as delivered and incomplete until
// the gap ends, so that no commit passes it. GapTracker never asks, writes or completes anything.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/events/offsets.hpp"
#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

class GapTracker {
 public:
  struct Range {
    events::RequestOffset from{};
    events::RequestOffset to{};  ///< one past the last
    bool operator==(const Range&) const = default;
  };

  /// The offsets from `from` to one below `to` were passed over. Returns whether that is a gap of its own: beyond a
  /// thousand the newest one grows, and may hold offsets that were handed out.
  bool note(events::RequestOffset from, events::RequestOffset to);

  // Where the log begins says why they are missing; one question at a time asks about all gaps of unknown cause.
  /// There is something to ask about, nothing is being asked, and it is time for it.
  [[nodiscard]] bool wants_question(Millis now) const;
  /// Asked under that number (never 0). `not_before`: when the next question may be asked.
  void asked(std::uint32_t question, Millis not_before);
  [[nodiscard]] bool awaits(std::uint32_t question) const { return question_ != 0 && question == question_; }
  /// The question could not be answered.
  void unanswered(Millis not_before);
  struct Causes {
    std::vector<events::RequestOffset> harmless{};  ///< first offsets of gaps; each to be ended
    std::vector<Range> lost{};                      ///< deleted before they were handed out
  };
  /// The log begins at `first`.
  [[nodiscard]] Causes answered(events::RequestOffset first);

  // What was lost is reported by an event each. It has ended when that is known to count and nothing of it runs.
  /// Those that have not been reported yet; they count as reported now.
  [[nodiscard]] std::vector<Range> to_report();
  /// The event about a gap that begins there is known to count. Returns how many offsets it reports; nothing: it was
  /// none of ours.
  std::optional<std::int64_t> report_counts(events::RequestOffset from);
  /// Events whose fate is not known are of no use: after a repair, all that was lost is reported again.
  void report_all_again();
  /// Those that were refused are.
  void report_uncounted_again();
  /// Lost, and the event that reports them counts.
  [[nodiscard]] std::vector<Range> reported() const;

  /// The gap that begins there is over.
  void end(events::RequestOffset from) { gaps_.erase(from); }
  void clear();
  [[nodiscard]] bool empty() const { return gaps_.empty(); }
  [[nodiscard]] bool covers(events::RequestOffset offset) const;

 private:
  struct Gap {
    events::RequestOffset to{};                      ///< one past the last
    bool asked = false;                              ///< a question about it is on its way
    std::optional<events::RequestOffset> lost_to{};  ///< up to there they were deleted
    bool told = false;                               ///< the event that reports it is on its way
    bool counted = false;                            ///< and is known to count
  };
  std::map<events::RequestOffset, Gap> gaps_{};  ///< by first offset
  std::uint32_t question_ = 0;                   ///< the one that is on its way; 0: none
  Millis not_before_{0};                         ///< steady; the next question
};

}  // namespace tokenrail::router
