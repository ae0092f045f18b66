// What the benchmark's programs share: clocks, percentiles, command lines, and the plainest possible Kafka clients.
// Everything throws std::runtime_error where it cannot go on: a measurement that limps is worth nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace tokenrail::bench {

/// CLOCK_MONOTONIC, the same for all processes of the machine; the simulator's stamps are made of it.
[[nodiscard]] std::int64_t now_ns();
/// User and system time of this process, all threads.
[[nodiscard]] std::int64_t own_cpu_ns();
[[nodiscard]] std::int64_t own_resident_bytes();

/// `{"count":…,"p50":…,"p90":…,"p99":…,"p999":…,"max":…}` in microseconds. Sorts the samples.
[[nodiscard]] std::string percentiles_json(std::vector<std::int64_t>& samples_ns);

/// `--name value` pairs. Those that are not in `known` are refused.
class Arguments {
 public:
  Arguments(int argc, char** argv, const std::vector<std::string_view>& known);
  [[nodiscard]] std::string text(const std::string& name) const;  ///< must be there
  [[nodiscard]] std::string text(const std::string& name, std::string otherwise) const;
  [[nodiscard]] std::int64_t number(const std::string& name, std::int64_t otherwise) const;
  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }

 private:
  std::map<std::string, std::string> values_{};
};

struct EndClient {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using Client = std::unique_ptr<rd_kafka_t, EndClient>;
struct EndTopic {
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
using Topic = std::unique_ptr<rd_kafka_topic_t, EndTopic>;
struct EndMessage {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using Message = std::unique_ptr<rd_kafka_message_t, EndMessage>;

/// Idempotent, acks=all, Nagle off, queue bounds as the router's. Waits until the topic's metadata is there.
[[nodiscard]] Client make_producer(const std::string& bootstrap, std::string_view linger_ms);
/// Made once the topic is known to the client, so that the first record does not wait for it.
[[nodiscard]] Topic open_topic(rd_kafka_t* client, const std::string& name);
/// Reads the topics from their ends on, outside any group; the ends are known when this returns.
[[nodiscard]] Client make_consumer(const std::string& bootstrap, const std::vector<std::string>& topics);
/// Nothing within `timeout_ms`: null.
[[nodiscard]] Message poll(rd_kafka_t* consumer, int timeout_ms);

enum class Produced { accepted, queue_full };
Produced produce(rd_kafka_topic_t* topic, std::int32_t partition, std::string_view key, std::string_view value);
[[nodiscard]] std::int32_t partition_count(rd_kafka_t* client, rd_kafka_topic_t* topic);

/// The time of sending that the simulator put into a text (`stamp=on`), wherever in the record it stands.
[[nodiscard]] std::optional<std::int64_t> stamp_of(std::string_view record);

/// Commands of the one who plays the instruments, a line each on standard input; read by a thread of its own.
class Commands {
 public:
  Commands();
  /// How many lines equal to `word` have come.
  [[nodiscard]] int count(const std::string& word) const;
  [[nodiscard]] bool over() const;  ///< standard input has ended

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tokenrail::bench
