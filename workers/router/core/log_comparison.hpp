// A log of requests that is gone, against the one that is there now, for as long as that is read again: which of the
// requests that nobody answered are not in it any more. A log that went back has kept its older records, and what is
// kept is not lost. Only timestamps tell an old record from one that took its place. Of a record that was not read
// before, the timestamp is not known: as long as no other record differs it counts as kept. Pure.
//
// Owned by Partition, one at a time. It never reports what is lost.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "common/events/offsets.hpp"
#include "common/kafka/log_identity.hpp"
#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

/// What was known of the log that is gone.
struct OldLog {
  events::RequestOffset from{};          ///< requests below it are answered, or still there
  events::RequestOffset delivered_to{};  ///< requests below it that are not listed are answered
  events::RequestOffset seen_to{};       ///< where the log ended when it was last known to be the same
  events::RequestOffset until{};         ///< where the log ends that is there now
  std::map<events::RequestOffset, std::int64_t> unanswered{};  ///< timestamps by offset, of what was read
  kafka::LogWitness witness{};                                 ///< of one of its records; may be of an answered one
};

class LogComparison {
 public:
  explicit LogComparison(OldLog old) : old_(std::move(old)) {}

  /// The log was replaced once more before all of it had been read: what was not found again so far is added.
  void add(const LogComparison& before);
  /// One past what is known to have been in it.
  [[nodiscard]] events::RequestOffset end() const;
  /// Where the log ends that is there now.
  [[nodiscard]] events::RequestOffset until() const { return old_.until; }

  struct Range {
    events::RequestOffset from{};
    events::RequestOffset to{};  ///< one past the last
    bool operator==(const Range&) const = default;
  };
  /// What the comparison comes to.
  struct Outcome {
    std::optional<Millis> newer{};  ///< what was read before and is not older than that is of the log that is there now
    events::RequestOffset unread_from{};  ///< from there on no record that was not read is left
  };
  /// A record of the log that is there now has been read. Nothing: it may be an old one, and more is to be read.
  std::optional<Outcome> read(events::RequestOffset offset, std::int64_t timestamp_ms);
  /// The first and one past the last offset of requests that nobody answered and that are gone. Nothing: there are
  /// none.
  [[nodiscard]] std::optional<Range> gone(const Outcome& outcome) const;

 private:
  OldLog old_;
};

}  // namespace tokenrail::router
