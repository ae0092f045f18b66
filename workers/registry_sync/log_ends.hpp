#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "common/kafka/record.hpp"

namespace tokenrail::registry_sync {

/// Where partitions ended when they were last looked at.
class LogEnds {
 public:
  /// Logs a warning where the partition ends before it ended. `what_now`: what happens now, for that line.
  void note(const kafka::TopicPartition& partition, std::int64_t next, std::string_view what_now);

 private:
  std::map<kafka::TopicPartition, std::int64_t> ends_;
};

}  // namespace tokenrail::registry_sync
