// Requests that cannot be answered, on their way to the dead-letter topic. One that the topic does not take, or not
// yet, waits and is tried again; nothing else waits for it.
//
// Owned by Partition, one for each, which counts the records in the window and completes their offsets. It sends on its
// own, beside RecordOutput: no report of a dead letter fails a partition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka/producer.hpp"
#include "common/kafka/record.hpp"
#include "workers/router/core/partition_io.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

class DeadLetters {
 public:
  /// What it uses of its surroundings.
  struct Context {
    Hub& hub;
    Environment& environment;
    RouterMetrics& metrics;
    PartitionIo& io;
  };
  DeadLetters(const Context& context, std::int32_t partition, std::uint64_t generation)
      : hub_(context.hub),
        environment_(context.environment),
        metrics_(context.metrics),
        io_(context.io),
        partition_(partition),
        generation_(generation) {}

  /// Sends it, now or later.
  void add(kafka::Record&& record, std::string reason);
  /// Sends those that wait and whose time has come.
  void send();

  /// A dead letter that is in the topic.
  struct Written {
    std::uint32_t digest = 0;  ///< events::dead_letter_digest()
    std::size_t bytes = 0;     ///< of the request, as it counts in the window
  };
  /// The report of one has come. Nothing: it is to be tried again, or is none of these.
  std::optional<Written> reported(std::int64_t offset, const kafka::Report& report);
  /// The producer is gone, and with it all reports.
  void forget_reports();

  struct Waiting {
    std::size_t count = 0;
    std::string why{};  ///< of one of them
  };
  /// Those that were not taken, or not within a while.
  [[nodiscard]] Waiting waiting() const;
  /// Timestamps of the requests (Unix, ms), by offset.
  [[nodiscard]] std::map<std::int64_t, std::int64_t> timestamps() const;
  /// Forgets all; returns what each counts in the window.
  [[nodiscard]] std::vector<std::size_t> drop();

 private:
  struct Letter {
    kafka::Record record;
    std::string reason;
    bool on_its_way = false;
    Millis sent_at{0};      ///< steady
    std::size_t bytes = 0;  ///< of the letter as it was sent
    int tries = 0;          ///< that came to nothing
    Millis retry_at{0};     ///< steady
    std::string why{};      ///< the newest came to nothing
  };
  void send(std::int64_t offset, Letter& letter);
  void wait(std::int64_t offset, Letter& letter, std::string_view why);

  Hub& hub_;
  Environment& environment_;
  RouterMetrics& metrics_;
  PartitionIo& io_;
  const std::int32_t partition_;
  const std::uint64_t generation_;
  std::map<std::int64_t, Letter> letters_{};  ///< by offset
};

}  // namespace tokenrail::router
