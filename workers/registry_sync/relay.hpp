// From the outbox to one topic of the registry. Each topic has a relay with a producer and a thread of its own, so that
// one that is missing or takes nothing delays no other. One thread: the loop's; one coroutine at a time. Blocking work
// runs on the store's threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/kafka/admin.hpp"
#include "common/registry/store_pool.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/publisher.hpp"

namespace tokenrail::registry_sync {

struct RelayOptions {
  Destination to = Destination::state;
  topics::Names topics;
  /// Whether this process may still publish. Asked before each batch: PostgreSQL fences what is written there, and
  /// nothing fences Kafka.
  std::function<bool()> leads;
};

/// The rows of the outbox that `to` does not have.
[[nodiscard]] registry::Store::OutboxPart outbox_part(Destination to);

class Relay {
 public:
  using Clock = std::chrono::steady_clock;

  Relay(boost::asio::io_context& loop, const kafka::Properties& properties, RelayOptions options,
        registry::StorePool& stores, telemetry::Metrics& metrics);

  /// Makes the producer, so that problem() can report. Error invalid_input: a property that librdkafka refuses.
  /// Connects to nothing that answers.
  Result<void> make_producer() { return publisher_.prepare(); }
  void begin();
  /// Ends what waits; nothing more is published until begin().
  void stop();
  void close() { publisher_.close(); }

  /// Whether the pause after a failure is over and the topic is there. Looked at before the first record, and again
  /// after each failure: a producer says of a missing topic only that time has run out.
  boost::asio::awaitable<bool> ready();
  /// Publishes what the outbox has for this topic, in order. A row is marked once the brokers have acknowledged its
  /// record; after a failure too, so that only the others are sent again. True: nothing is left. Errors of Kafka are
  /// noted and not returned; errors of the database are returned.
  boost::asio::awaitable<Result<bool>> outbox();
  /// Nothing is sent by a process that no longer leads. False: not all were acknowledged.
  boost::asio::awaitable<bool> send(std::vector<Outgoing> records);
  /// A client that asks about topics, or nothing.
  boost::asio::awaitable<std::shared_ptr<kafka::Admin>> admin();

  /// A failure: nothing is tried until a pause is over.
  void note(const Error& error);
  /// It is looked for again before anything is published.
  void doubt_topic();
  void note_well() { problem_.clear(); }

  [[nodiscard]] const std::string& topic() const { return topic_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  /// What Kafka's side lacks; empty: nothing.
  [[nodiscard]] std::string problem() const { return problem_.empty() ? publisher_.problem() : problem_; }
  /// Records that the brokers have acknowledged so far.
  [[nodiscard]] std::int64_t acknowledged() const { return publisher_.acknowledged(); }

 private:
  boost::asio::awaitable<bool> publish(std::vector<Outgoing> records);

  kafka::Properties properties_;
  RelayOptions options_;
  std::string topic_;
  registry::StorePool& stores_;
  Publisher publisher_;
  std::shared_ptr<kafka::Admin> admin_;  ///< used by one thread of the stores at a time
  std::string problem_ = "not connected yet";
  bool stopping_ = false;
  bool topic_there_ = false;
  Clock::time_point due_{};
};

}  // namespace tokenrail::registry_sync
