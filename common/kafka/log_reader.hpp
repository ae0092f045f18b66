// Reads partitions outside any group: the registry's state topic, the tails of the router's own logs, tests, the CLI.
// Reads uncommitted records too, unless it is configured otherwise. One thread: the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "common/kafka/consumer.hpp"
#include "common/kafka/record.hpp"
#include "common/result.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::kafka {

class LogReaderListener {
 public:
  virtual ~LogReaderListener() = default;
  virtual void on_record(Record&& record) = 0;
  /// Everything that the partition contained when its end was last asked for has been handed on; `next_offset` is what
  /// comes next. Comes again each time the reader catches up.
  virtual void on_end(const TopicPartition& partition, std::int64_t next_offset) = 0;
  /// A partition cannot be read (it does not exist, no permission); transient trouble is not reported.
  virtual void on_failure(const TopicPartition& partition, const Error& error) = 0;
};

struct LogReaderOptions {
  Properties properties{};
  /// What it will read. Their leaders are looked up while it connects; those of any other topic are asked for when its
  /// first partition is started, which takes librdkafka up to a second and a half.
  std::vector<std::string> topics{};
  /// As a group's member reads: nothing of a transaction that was aborted, and an end that precedes the first that
  /// is still open.
  bool committed_only = false;
};

class LogReader {
 public:
  /// Errors: invalid_input for a property that librdkafka refuses.
  static Result<std::unique_ptr<LogReader>> make(boost::asio::io_context& loop, const LogReaderOptions& options,
                                                 LogReaderListener& listener, telemetry::Metrics& metrics);
  virtual ~LogReader() = default;

  /// Adds partitions, or moves those that are being read to the new offset (offset_beginning, offset_end or a number;
  /// a number outside the log reads from the earliest).
  virtual void start(const std::vector<StartingPoint>& points) = 0;
  virtual void stop(const std::vector<TopicPartition>& partitions) = 0;
  /// false: nothing is handed on, ends and failures included, until true.
  virtual void set_reading(bool reading) = 0;
};

}  // namespace tokenrail::kafka
