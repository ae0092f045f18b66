// What a partition asks of the clients: records and commits out, its logs and its requests read again, questions about
// logs. RouterCore carries it out and gives the answers to the partition that asked, if that is still there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/events/offsets.hpp"
#include "common/kafka/producer.hpp"
#include "common/kafka/record.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

/// A record on its way, so that its report can be dealt with.
struct Sent {
  std::int32_t partition = 0;
  std::uint64_t generation = 0;
  Purpose purpose = Purpose::chunk;
  events::RequestOffset offset{-1};  ///< of the request it is about
  std::int64_t attempt = 0;
  std::uint64_t unit = 0;   ///< of chunks: Attempt::unit()
  std::uint32_t bytes = 0;  ///< of the value
};

/// What of an attempt's unit comes back with the report of a chunk.
[[nodiscard]] constexpr std::uint64_t low_unit(std::uint64_t unit) {
  return unit & ((1ULL << 28U) - 1);
}

class PartitionIo {
 public:
  virtual ~PartitionIo() = default;
  virtual kafka::Produced send(Output output, const std::optional<std::string>& key,
                               std::optional<std::string_view> value, const kafka::Headers* headers,
                               const Sent& sent) = 0;
  /// `sequence` comes back with the outcome.
  virtual void commit(std::int32_t partition, std::uint64_t generation, std::uint32_t sequence,
                      events::RequestOffset offset, const std::string& metadata) = 0;
  /// Reads this partition's own log from an offset on: on_log_record(), on_log_end() follow, until stop_reading().
  virtual void read(Log log, std::int32_t partition, std::int64_t from) = 0;
  virtual void stop_reading(Log log, std::int32_t partition) = 0;
  /// Hands out this partition's requests from there on.
  virtual void seek(std::int32_t partition, events::RequestOffset offset) = 0;
  /// `sequence` comes back with the answer.
  virtual void ask(std::int32_t partition, std::uint64_t generation, std::uint32_t sequence, Log log,
                   std::optional<Millis> at) = 0;
  /// A producer that works is there.
  [[nodiscard]] virtual bool usable() const = 0;
  /// How long the oldest record that this partition of the topic has not acknowledged has been waiting.
  [[nodiscard]] virtual Millis unreported_age(Output output, std::int32_t partition) const = 0;
};

}  // namespace tokenrail::router
