// A partition's records on their way to the producer: sends them in their order, and keeps them while the producer has
// no room.
//
// Owned by Partition, one for each. Dead letters do not pass here. It never decides whether a record may be sent, and
// never what follows where the producer does not take one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "workers/router/core/partition_io.hpp"

namespace tokenrail::router {

class RecordOutput {
 public:
  RecordOutput(PartitionIo& io, std::int32_t partition, std::uint64_t generation)
      : io_(io), partition_(partition), generation_(generation) {}

  /// A record that the producer does not take, now or later.
  struct NotTaken {
    Sent sent;
    kafka::Produced why;
  };
  /// Sends the record behind those that are kept. `what`: partition, generation and bytes are filled in.
  std::optional<NotTaken> send(Output output, const std::optional<std::string>& key,
                               std::optional<std::string_view> value, const kafka::Headers* headers, const Sent& what);
  /// Sends what is kept until the producer is full again. Comes back earlier with a record that is not taken, which is
  /// not kept any more; call it again then.
  std::optional<NotTaken> send_kept();
  /// The producer has no room.
  [[nodiscard]] bool congested() const { return !kept_.empty(); }

  void drop_kept() { kept_.clear(); }
  void drop_kept_of(std::uint64_t unit);

  /// The report of a record has come.
  void reported() { --unreported_; }
  /// The producer is gone, and with it all reports.
  void forget_reports() { unreported_ = 0; }
  /// Each record that was sent has been reported.
  [[nodiscard]] bool all_reported() const { return unreported_ == 0; }

 private:
  struct Kept {
    Output output;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::optional<kafka::Headers> headers;
    Sent sent;
  };

  PartitionIo& io_;
  const std::int32_t partition_;
  const std::uint64_t generation_;
  std::deque<Kept> kept_{};
  std::size_t unreported_ = 0;
};

}  // namespace tokenrail::router
