// Follows a compacted topic: reads every partition from its beginning, goes on reading, and reads again what was
// created again, went back or grew. The owner passes on what its LogReader and its LogWatch report, and keeps what the
// records say until newer ones say otherwise. No clock and no I/O of its own; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/kafka/log_identity.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/kafka/record.hpp"

namespace tokenrail::kafka {

class TopicFollower {
 public:
  /// `content`: what the records are about, for the log ("models").
  TopicFollower(std::string topic, std::string content) : topic_(std::move(topic)), content_(std::move(content)) {}

  [[nodiscard]] const std::string& topic() const { return topic_; }
  /// Partitions that are being read.
  [[nodiscard]] std::int32_t partitions() const { return partitions_; }
  /// Every partition has been read to its end once.
  [[nodiscard]] bool whole() const {
    return partitions_ > 0 && static_cast<std::int32_t>(ended_.size()) >= partitions_;
  }

  /// The topic has so many partitions: those that are not being read yet are read from their beginning.
  void read(LogReader& reader, std::int32_t partitions);
  void on_record(const Record& record) { trails_[record.partition].note(record.offset, record.timestamp_ms); }
  void on_end(std::int32_t partition, std::int64_t next_offset);

  /// Adds to `questions` whether the partitions' logs are still those that were read. Returns which partitions it asked
  /// about, in that order.
  [[nodiscard]] std::vector<std::int32_t> ask(std::vector<WitnessQuestion>& questions);
  /// `asked`: of ask(), answered in the survey from `first` on.
  void on_survey(LogReader& reader, const LogSurvey& survey, std::size_t first, const std::vector<std::int32_t>& asked);

 private:
  void read(LogReader& reader, std::int32_t first, std::int32_t end);

  std::string topic_;
  std::string content_;
  std::int32_t partitions_ = 0;
  std::map<std::int32_t, WitnessTrail> trails_{};
  std::set<std::int32_t> ended_{};
};

}  // namespace tokenrail::kafka
