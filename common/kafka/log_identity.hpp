// Whether a log is still the one that was read. A topic that was deleted and created again has the same name, and a log
// that an unclean leader election has cut goes back; offsets then mean other records. The client library offers no
// topic id, so a reader keeps a witness of what it has read, and asks the brokers about it. Pure.
//
// With everything up to `offset` read, and `time_ms` the highest timestamp among it, the first record that is newer
// than `time_ms` is above `offset`, or there is none. In a log that was created again it is at or below, however
// long that log is by now. Clocks of brokers may differ, so that is a doubt only: the record at `offset` decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/kafka/record.hpp"

namespace tokenrail::kafka {

struct LogWitness {
  std::int64_t position = 0;  ///< the log has reached this offset: one past the highest that is known
  std::int64_t offset = -1;   ///< of a record below it; -1: none is known
  std::int64_t time_ms = -1;  ///< its timestamp, and the highest among the records up to it

  /// Whether there is anything to ask.
  [[nodiscard]] bool knows() const { return position > 0; }
  bool operator==(const LogWitness&) const = default;
};

/// What the brokers say of a log.
struct WitnessedLog {
  std::int64_t first = 0;               ///< lowest offset that has not been deleted
  std::int64_t next = 0;                ///< one past the highest
  std::optional<std::int64_t> newer{};  ///< first record newer than the witness; nothing: there is none
};

/// The first record found at or behind the witness's offset.
struct WitnessRecord {
  std::int64_t offset = -1;
  std::int64_t time_ms = -1;
};

enum class LogVerdict {
  same,
  doubtful,  ///< read the record at the witness's offset, and judge that
  another,
};

[[nodiscard]] LogVerdict judge(const LogWitness& witness, const WitnessedLog& log);
/// For a doubtful one. Nothing: that offset has no record.
[[nodiscard]] LogVerdict judge(const LogWitness& witness, const std::optional<WitnessRecord>& found);

/// A question, one of many that are asked at once, and its answer.
struct WitnessQuestion {
  TopicPartition partition{};
  LogWitness witness{};
};
struct WitnessAnswer {
  LogVerdict verdict = LogVerdict::doubtful;  ///< doubtful: the record could not be read now
  std::int64_t first = 0;
  std::int64_t next = 0;
  /// Another log: its first record that can be newer than the witness (clocks of brokers taken into account), or
  /// `next`.
  std::int64_t newer_from = 0;
  std::int64_t newer_from_ms = -1;  ///< that record's timestamp; -1: not known, or there is none
};
struct LogSurvey {
  std::map<std::string, std::int32_t> partitions{};     ///< of the topics that exist, as many as they have
  std::vector<std::optional<WitnessAnswer>> answers{};  ///< in the order of the questions; nothing: no leader now
};
/// How far the clocks of two brokers may differ.
inline constexpr std::int64_t broker_clocks_apart_ms = 60'000;

/// Witnesses of one log, as it is read. Offsets come in growing order; others are ignored. A record that was read since
/// the last good answer may be of another log already, so it bears no witness before the next one.
class WitnessTrail {
 public:
  /// There is a record at that offset. A timestamp below 0 says only that the log reaches so far.
  void note(std::int64_t offset, std::int64_t time_ms);
  /// What an earlier reader knew.
  void inherit(const LogWitness& witness);
  /// The log is known to reach that far.
  void reaches(std::int64_t position);
  void clear();

  /// What is to be asked about now.
  [[nodiscard]] LogWitness ask();
  /// It is the same log, and it ended there: what was known when ask() was called bears witness from now on.
  void same(std::int64_t next);
  [[nodiscard]] bool knows() const { return position_ > 0; }
  [[nodiscard]] std::int64_t position() const { return position_; }
  /// Where it ended when it was last known to be the same.
  [[nodiscard]] std::int64_t end() const { return end_; }
  /// The newest good one below `offset`. What is older is forgotten: ask in growing order.
  [[nodiscard]] LogWitness below(std::int64_t offset);

 private:
  struct Mark {
    std::int64_t offset;
    std::int64_t time_ms;
  };
  [[nodiscard]] LogWitness witness(const Mark* mark) const;

  std::vector<Mark> marks_{};  ///< offsets and timestamps grow
  std::int64_t apart_ = 1;     ///< offsets between two of them, at least, but for the newest
  std::int64_t position_ = 0;
  std::int64_t end_ = 0;
  std::int64_t asked_ = -1;  ///< the newest offset when it was last asked
  std::int64_t good_ = -1;   ///< up to there they bear witness; the oldest does in any case
};

}  // namespace tokenrail::kafka
