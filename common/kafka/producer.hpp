// An idempotent producer on the event loop (acks=all). on_report() reports each accepted record once, in the order of
// produce() for each partition. A full queue is an answer of produce(), never a dropped record. A record or a topic
// that the brokers refuse harms no other record, partition or topic. One thread: the loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "common/kafka/record.hpp"
#include "common/result.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::kafka {

enum class Produced {
  accepted,
  queue_full,     ///< of the process or of the partition: try again after on_space()
  too_large,      ///< above message.max.bytes; nothing was produced
  unknown_topic,  ///< the topic has no such partition, as far as is known; a topic that does not exist is waited for
  failed,         ///< the producer is fatal; make a new one
};

enum class Refusal : std::uint8_t {
  none,
  /// The brokers refuse this record for good (too large for the topic, invalid, against a policy), or it belongs to a
  /// unit of which an earlier record was refused. It is not in the log, and nothing else is harmed.
  record,
};

/// Neither ok, nor fate_unknown, nor refused: the record is not in the log. It was not written because the fate of one
/// before it in its partition is unknown, or because of purge().
struct Report {
  std::uint64_t token = 0;
  bool ok = false;
  bool fate_unknown = false;  ///< not ok, and the record may be in the log all the same
  Refusal refused = Refusal::none;
  std::int64_t offset = -1;        ///< -1: librdkafka did not learn it (a duplicate batch)
  std::int64_t timestamp_ms = -1;  ///< ok: as the log has it (Unix), the brokers' where the topic says so
  std::string_view detail{};  ///< of a failure: the topic and what the broker or librdkafka said; dies with the call
};

/// A topic of which the brokers refuse every record at present. Its records are kept and sent again, first after 100
/// ms, then at intervals that double up to 5 s. produce() answers queue_full once the limits of the partition are
/// reached.
struct BlockedTopic {
  std::string topic;
  std::string cause;  ///< in words, with what to do
  std::chrono::milliseconds since{0};
};

class ProducerListener {
 public:
  virtual ~ProducerListener() = default;
  /// Exactly once for every accepted record.
  virtual void on_report(const Report& report) = 0;
  /// After a queue_full: there is room again.
  virtual void on_space() = 0;
  /// The producer can no longer work, for a cause that it cannot repair by itself.
  virtual void on_fatal(const Error& error) = 0;
};

/// A topic this producer writes to; made once, cheap to copy.
enum class TopicHandle : std::uint32_t {};

/// Room: each topic has a client of its own with `queue.buffering.max.messages` (200,000 unless set) and
/// `queue.buffering.max.kbytes` (128 MiB). A partition may hold a quarter of what is still free of it, and no more than
/// below: 40,000 records and 25 MiB while it is alone. With four partitions that take nothing half of the room is free
/// for the others, with twelve a quarter. One record of any size fits into an empty partition.
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
  ///
  /// Records of one `unit` (in one partition) are in the log as a prefix without gaps: once one of them is refused,
  /// those accepted behind it are reported as refused too and never written. 0: a record on its own. A unit is
  /// forgotten when none of its records is unreported: do not go on with one that has been refused.
  virtual Produced produce(TopicHandle topic, std::int32_t partition, std::optional<std::string_view> key,
                           std::optional<std::string_view> value, const Headers* headers, std::uint64_t token,
                           std::uint64_t unit = 0) = 0;

  /// The topic's limit on a record batch (max.message.bytes). Batches stay below it, whatever kafka.batch.size says.
  /// Takes effect when the topic's client is next opened, at once while nothing of the topic is unreported.
  virtual void set_topic_bytes_max(TopicHandle topic, std::size_t bytes) = 0;

  /// Records produced and not reported yet.
  [[nodiscard]] virtual std::size_t unreported() const = 0;
  /// How long the oldest of one partition has been waiting; zero: none. For partition_by_key, of what was produced so.
  [[nodiscard]] virtual std::chrono::milliseconds oldest_unreported_age(TopicHandle topic,
                                                                        std::int32_t partition) const = 0;
  /// Topics that take no record at present, because of the topic itself and not of a record.
  [[nodiscard]] virtual std::vector<BlockedTopic> blocked() const = 0;

  /// Fails everything that is unreported (fate unknown where it was in flight); their reports follow.
  virtual void purge() = 0;

  /// The largest record value + key that produce() accepts.
  [[nodiscard]] virtual std::size_t message_bytes_max() const = 0;

  /// Whether the brokers answered when last heard of: for readiness, not for decisions.
  [[nodiscard]] virtual bool connected() const { return true; }
};

}  // namespace tokenrail::kafka
