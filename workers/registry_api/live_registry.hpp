// The registry as routers hold it now: what the state topic says, followed. Answers what a request would get, by the
// routers' own rules. On the loop.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/kafka/admin_thread.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/kafka/log_watch.hpp"
#include "common/kafka/topic_follower.hpp"
#include "common/registry/projection.hpp"
#include "common/result.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::registry_api {

class LiveRegistry final : private kafka::LogReaderListener {
 public:
  /// `topic`: the state topic's name.
  LiveRegistry(boost::asio::io_context& loop, std::string topic);
  ~LiveRegistry() override;
  LiveRegistry(const LiveRegistry&) = delete;
  LiveRegistry& operator=(const LiveRegistry&) = delete;

  /// Begins to read; Kafka may be away. Errors: invalid_input for a property that librdkafka refuses.
  Result<void> start(const kafka::Properties& properties, telemetry::Metrics& metrics);
  /// Reads no more, so that the loop can end.
  void stop();

  /// Why nothing can be answered yet, as a sentence for people without its full stop; empty: a whole registry is held.
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] const registry::Projection& projection() const { return projection_; }

 private:
  // kafka::LogReaderListener
  void on_record(kafka::Record&& record) override;
  void on_end(const kafka::TopicPartition& partition, std::int64_t next_offset) override;
  void on_failure(const kafka::TopicPartition& partition, const Error& error) override;

  /// What a topic that was created again does not name.
  void forget_unnamed();
  /// Asks for the topic's partitions and whether they are still the same logs, and again after a while.
  void look();
  void look_later();
  /// Whether the topic is not there, or may not be seen.
  void ask_why_missing();

  boost::asio::io_context& loop_;
  kafka::TopicFollower topic_;
  registry::Projection projection_{};
  boost::asio::steady_timer timer_;
  std::unique_ptr<kafka::LogReader> reader_;
  std::unique_ptr<kafka::LogWatch> watch_;
  std::unique_ptr<kafka::AdminThread> asking_;
  std::string problem_ = "the registry has not been read from Kafka yet";
};

}  // namespace tokenrail::registry_api
