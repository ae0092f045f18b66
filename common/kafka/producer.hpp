// An idempotent producer on the event loop (acks=all, gapless: a record that fails makes all behind it of its
// partition fail). Delivery is told by on_report(), in the order of produce() a partition. A full queue is an answer of
// produce(), never a dropped record. One thread: the loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "common/kafka/record.hpp"
#include "common/result.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::kafka {

enum class Produced {
  accepted,
  queue_full,     ///< of the process or of the partition: try again after on_space()
  too_large,      ///< above message.max.bytes; nothing was produced
  unknown_topic,  ///< no such topic or partition
  failed,         ///< the producer is fatal; make a new one
};

struct Report {
  std::uint64_t token = 0;
  bool ok = false;
  bool fate_unknown = false;  ///< not ok, and the record may be in the log all the same
  std::int64_t offset = -1;   ///< -1: librdkafka did not learn it (a duplicate batch)
  std::string_view detail{};  ///< what librdkafka said; dies with the call
};

class ProducerListener {
 public:
  virtual ~ProducerListener() = default;
  /// Exactly once for every accepted record.
  virtual void on_report(const Report& report) = 0;
  /// After a queue_full: there is room again.
  virtual void on_space() = 0;
  virtual void on_fatal(const Error& error) = 0;
};

/// A topic this producer writes to; made once, cheap to copy.
enum class TopicHandle : std::uint32_t {};

struct ProducerOptions {
  Properties properties{};
  std::size_t partition_records_max = 50'000;  ///< unreported, a (topic, partition)
  std::size_t partition_bytes_max = 64 * 1024 * 1024;
};

inline constexpr std::int32_t partition_by_key = -1;  ///< let the partitioner choose (murmur2, as Java clients)

class Producer {
 public:
  static Result<std::unique_ptr<Producer>> make(boost::asio::io_context& loop, const ProducerOptions& options,
                                                ProducerListener& listener, telemetry::Metrics& metrics);
  virtual ~Producer() = default;

  [[nodiscard]] virtual TopicHandle topic(const std::string& name) = 0;

  /// The bytes are copied. `key`/`value` nothing: null. The token comes back in the report.
  virtual Produced produce(TopicHandle topic, std::int32_t partition, std::optional<std::string_view> key,
                           std::optional<std::string_view> value, const Headers* headers, std::uint64_t token) = 0;

  /// Records produced and not reported yet.
  [[nodiscard]] virtual std::size_t unreported() const = 0;
  /// How long the oldest of them has been waiting; zero: none.
  [[nodiscard]] virtual std::chrono::milliseconds oldest_unreported_age() const = 0;

  /// Fails everything that is unreported (fate unknown where it was in flight); their reports follow.
  virtual void purge() = 0;

  /// The largest record value + key that produce() accepts.
  [[nodiscard]] virtual std::size_t message_bytes_max() const = 0;

  /// Whether the brokers answered when last heard of: for readiness, not for decisions.
  [[nodiscard]] virtual bool connected() const { return true; }
};

}  // namespace tokenrail::kafka
