// Requests that cannot be answered, on their way to the dead-letter topic. One that the topic does not take, or not
// yet, waits and is tried again; nothing else waits for it.
//
// The requests count in the window. Where too many wait there, a letter is put back as a request is
// (partition_reload.cpp): its record is dropped, and read again before it is sent once more.
//
// Owned by Partition, one for each, which reads the records again and completes their offsets. It sends on its own,
// beside RecordOutput: no report of a dead letter fails a partition.
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
#include "workers/router/core/in_flight.hpp"
#include "workers/router/core/partition_io.hpp"
#include "workers/router/core/services.hpp"
#include "workers/router/core/window.hpp"

namespace tokenrail::router {

class DeadLetters {
 public:
  /// What it uses of its surroundings.
  struct Context {
    Hub& hub;
    Environment& environment;
    RouterMetrics& metrics;
    PartitionIo& io;
    Window& window;
    const InFlight& in_flight;
  };
  DeadLetters(const Context& context, std::int32_t partition, std::uint64_t generation)
      : hub_(context.hub),
        environment_(context.environment),
        metrics_(context.metrics),
        io_(context.io),
        window_(context.window),
        in_flight_(context.in_flight),
        partition_(partition),
        generation_(generation) {}

  /// Records that are being read again at a time.
  static constexpr std::size_t reloads_max = 16;

  /// Sends it, now or later. The record counts in the window already.
  void add(kafka::Record&& record, std::string reason);
  /// Sends those that wait and whose time has come, unless their records have to be read again.
  void send();
  /// Drops the records of all, where too many requests wait in the window.
  void put_back();

  /// Whose records have to be read again, because their time has come: reloaded() or deleted() is expected of each.
  [[nodiscard]] std::vector<events::RequestOffset> to_reload();
  /// That record has been read again. false: it is not one of those.
  bool reloaded(const kafka::Record& record);
  /// The record at that offset is there no more: the letter is sent without it. false: it is not one of those.
  bool deleted(events::RequestOffset offset);
  /// None is being read any more.
  void forget_reloads();
  [[nodiscard]] std::size_t reloading() const { return reloading_; }

  /// A dead letter that is in the topic.
  struct Written {
    std::uint32_t digest = 0;  ///< events::dead_letter_digest()
  };
  /// The report of one has come. Nothing: it is to be tried again, or is none of these.
  std::optional<Written> reported(events::RequestOffset offset, const kafka::Report& report);
  /// The producer is gone, and with it all reports.
  void forget_reports();

  struct Waiting {
    std::size_t count = 0;
    std::string why{};  ///< of one of them
  };
  /// Those that were not taken, or not within a while.
  [[nodiscard]] Waiting waiting() const;
  /// Timestamps of the requests (Unix, ms), by offset.
  [[nodiscard]] std::map<events::RequestOffset, std::int64_t> timestamps() const;
  /// Forgets all.
  void drop();

 private:
  struct Letter {
    kafka::Record record;  ///< put back: without key, value and headers
    std::string reason;
    std::size_t counted = 0;   ///< bytes in the window
    std::uint32_t digest = 0;  ///< of the whole record
    bool put_back = false;
    bool reloading = false;
    bool deleted = false;  ///< the record is there no more
    std::size_t kept = 0;  ///< put back: bytes that remain of it
    bool on_its_way = false;
    Millis sent_at{0};      ///< steady
    std::size_t bytes = 0;  ///< of the letter as it was sent
    int tries = 0;          ///< that came to nothing
    Millis retry_at{0};     ///< steady
    std::string why{};      ///< the newest came to nothing
  };
  void send(events::RequestOffset offset, Letter& letter);
  void put_back(Letter& letter);
  void leave_window(const Letter& letter);
  /// Of what the window counts for it, the record is there again.
  void back(Letter& letter);
  void wait(events::RequestOffset offset, Letter& letter, std::string_view why);

  Hub& hub_;
  Environment& environment_;
  RouterMetrics& metrics_;
  PartitionIo& io_;
  Window& window_;
  const InFlight& in_flight_;
  const std::int32_t partition_;
  const std::uint64_t generation_;
  std::map<events::RequestOffset, Letter> letters_{};  ///< by offset
  std::size_t reloading_ = 0;
};

}  // namespace tokenrail::router
