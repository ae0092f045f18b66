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

#include "common/kafka/log_identity.hpp"
#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

/// What was known of the log that is gone.
struct OldLog {
  std::int64_t from = 0;                              ///< what lies below is answered, or is still there
  std::int64_t delivered_to = 0;                      ///< what lies below and is not listed has been answered
  std::int64_t seen_to = 0;                           ///< where the log ended when it was last known to be the same
  std::int64_t until = 0;                             ///< where the log ends that is there now
  std::map<std::int64_t, std::int64_t> unanswered{};  ///< timestamps by offset, of what was read
  kafka::LogWitness witness{};                        ///< of one of its records; may be of an answered one
};

class LogComparison {
 public:
  explicit LogComparison(OldLog old) : old_(std::move(old)) {}

  /// The log was replaced once more before all of it had been read: what was not found again so far is added.
  void add(const LogComparison& before);
  /// One past what is known to have been in it.
  [[nodiscard]] std::int64_t end() const;
  /// Where the log ends that is there now.
  [[nodiscard]] std::int64_t until() const { return old_.until; }

  struct Range {
    std::int64_t from = 0;
    std::int64_t to = 0;  ///< one past the last
    bool operator==(const Range&) const = default;
  };
  /// What the comparison comes to.
  struct Outcome {
    std::optional<Millis> newer{};  ///< what was read before and is not older than that is of the log that is there now
    std::int64_t unread_from = 0;   ///< from there on no record that was not read is left
  };
  /// A record of the log that is there now has been read. Nothing: it may be an old one, and more is to be read.
  std::optional<Outcome> read(std::int64_t offset, std::int64_t timestamp_ms);
  /// The first and one past the last offset of requests that nobody answered and that are gone. Nothing: there are
  /// none.
  [[nodiscard]] std::optional<Range> gone(const Outcome& outcome) const;

 private:
  OldLog old_;
};

}  // namespace tokenrail::router
