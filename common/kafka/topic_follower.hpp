// Follows a compacted topic: reads every partition from its beginning, goes on reading, and reads again what was
// created again, went back or grew. The owner passes on what its LogReader and its LogWatch report, and keeps what the
// records say until newer ones say otherwise, or until a log that replaced theirs turns out not to name them. No clock
// and no I/O of its own; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/kafka/log_identity.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/kafka/record.hpp"

namespace tokenrail::kafka {

class TopicFollower {
 public:
  using Keys = std::set<std::string, std::less<>>;

  /// `content`: what the records are about, for the log ("models"). `mark_key`: of the record that the topic's writer
  /// writes behind the others once the topic holds everything.
  TopicFollower(std::string topic, std::string content, std::string mark_key)
      : topic_(std::move(topic)), content_(std::move(content)), mark_key_(std::move(mark_key)) {}

  [[nodiscard]] const std::string& topic() const { return topic_; }
  /// Partitions that are being read.
  [[nodiscard]] std::int32_t partitions() const { return partitions_; }
  /// Every partition has been read to its end once.
  [[nodiscard]] bool whole() const {
    return partitions_ > 0 && static_cast<std::int32_t>(ended_.size()) >= partitions_;
  }

  /// The topic has so many partitions: those that are not being read yet are read from their beginning.
  void read(LogReader& reader, std::int32_t partitions);
  void on_record(const Record& record);
  void on_end(std::int32_t partition, std::int64_t next_offset);
  /// The keys of the log that replaced the one read before, once that log has been read to its ends and its mark was
  /// among it. The owner forgets all others: their tombstones may have been in the log that is gone. Given once for
  /// each replacement; ask after each record and each end.
  ///
  /// A new log without its mark proves nothing: its writer may still be filling it. Until the mark comes, what is known
  /// stays in use.
  [[nodiscard]] std::optional<Keys> take_keys();

  /// Adds to `questions` whether the partitions' logs are still those that were read. Returns which partitions it asked
  /// about, in that order.
  [[nodiscard]] std::vector<std::int32_t> ask(std::vector<WitnessQuestion>& questions);
  /// `asked`: of ask(), answered in the survey from `first` on.
  void on_survey(LogReader& reader, const LogSurvey& survey, std::size_t first, const std::vector<std::int32_t>& asked);

 private:
  /// What a log that replaced another one has shown so far.
  struct Replacement {
    Keys keys{};
    std::set<std::int32_t> ended{};
    bool marked = false;
  };
  void read(LogReader& reader, std::int32_t first, std::int32_t end);
  void read_again(LogReader& reader, std::int32_t partitions);

  std::string topic_;
  std::string content_;
  std::string mark_key_;
  std::int32_t partitions_ = 0;
  std::map<std::int32_t, WitnessTrail> trails_{};
  std::set<std::int32_t> ended_{};
  std::optional<Replacement> replacement_{};
};

}  // namespace tokenrail::kafka
