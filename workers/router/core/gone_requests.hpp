// A log of chat.requests that is gone, because its topic was created again or went back: which of its requests nobody
// answered, until an event that reports them is known to count. Until then commits go on to name a witness of that log,
// so that a successor would find the same.
//
// Owned by Partition, one for each. It never reads or writes: it says what is to be reported. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/events/offsets.hpp"
#include "common/kafka/log_identity.hpp"
#include "workers/router/core/log_comparison.hpp"

namespace tokenrail::router {

class GoneRequests {
 public:
  /// Of logs that were replaced one after the other. Beyond so many the newest range grows, and may hold what is not
  /// lost.
  static constexpr std::size_t ranges_max = 100;
  using Range = LogComparison::Range;

  /// That log was replaced. `witness`: of one of its records. A log that was not read to its end since it replaced
  /// another one is compared together with that one.
  void log_gone(OldLog old, const kafka::LogWitness& witness);
  /// The witness that commits name; nothing: the log that is there now names its own.
  [[nodiscard]] const std::optional<kafka::LogWitness>& witness() const { return witness_; }

  /// The log that is there now is compared with the one that is gone.
  [[nodiscard]] bool comparing() const { return comparing_.has_value(); }
  /// Its next record. Returns what the comparison comes to; nothing: more is to be read.
  [[nodiscard]] std::optional<LogComparison::Outcome> read(events::RequestOffset offset, std::int64_t timestamp_ms);
  /// The comparison is over. Returns the requests that are lost; nothing: none is.
  std::optional<Range> compared(const LogComparison::Outcome& outcome);

  /// Ranges whose report has not been sent. They count as sent.
  [[nodiscard]] std::vector<Range> to_report();
  /// The reports that were sent may not have been written.
  void report_all_again();
  /// The report of that range is known to count. Returns whether it is one of these.
  bool report_counts(const Range& range);
  /// The request was lost, and its report is not known to count.
  [[nodiscard]] bool covers(events::RequestOffset offset) const;

  /// The tails of answers that were committed belong to the log that is gone: they are located by time.
  [[nodiscard]] bool tails_by_time() const { return tails_by_time_; }
  void set_tails_by_time(bool by_time) { tails_by_time_ = by_time; }

 private:
  struct Lost {
    Range range{};
    bool reported = false;  ///< the event that reports it is on its way
  };
  std::vector<Lost> lost_{};
  std::optional<kafka::LogWitness> witness_{};
  std::optional<LogComparison> comparing_{};
  bool tails_by_time_ = false;
};

}  // namespace tokenrail::router
