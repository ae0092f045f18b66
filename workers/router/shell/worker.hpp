// The router as a process: the core put on an event loop between librdkafka and libcurl. Holds no decisions but those
// of starting and stopping.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/config/settings.hpp"
#include "common/http/client.hpp"
#include "common/http/egress.hpp"
#include "common/http/health_server.hpp"
#include "common/kafka/admin_thread.hpp"
#include "common/kafka/consumer.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/kafka/log_watch.hpp"
#include "common/kafka/producer.hpp"
#include "common/kafka/topic_follower.hpp"
#include "common/providers/environment.hpp"
#include "common/providers/stored_credentials.hpp"
#include "common/registry/projection.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/router/core/router_core.hpp"
#include "workers/router/shell/system_environment.hpp"
#include "workers/router/shell/topic_check.hpp"

namespace tokenrail::router {

class Worker final : private kafka::LogReaderListener, private LogQuestions {
 public:
  Worker(boost::asio::io_context& loop, const config::Values& values);
  ~Worker() override;

  /// Starts everything; returns at once. The loop ends when the worker has stopped.
  /// Error: the health server's address cannot be bound.
  Result<void> start();
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }
  /// After the loop has ended: 0, or 1 where the start was refused (what was wrong has been logged).
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  void await_hang_up();
  Result<void> make_readers();
  void check_topics();
  struct Described {
    Result<std::vector<kafka::TopicDescription>> needed;
    // The router works without these.
    Result<std::vector<kafka::TopicDescription>> cancellations;
    Result<std::vector<kafka::TopicDescription>> credentials;
  };
  void topics_checked(const Described& found);
  [[nodiscard]] bool goes_on_without_cancellations(const std::string& problem);
  void read_credentials(const Result<std::vector<kafka::TopicDescription>>& described);
  void join_when_read();
  void join();
  void renew_producer();
  void wait_for_old_producer(int rounds_left);
  void replace_producer(int rounds_left);
  void make_producer();
  void stop();
  void leave();
  void finish(int exit_code);
  static void later(boost::asio::steady_timer& timer, Millis delay, std::function<void()> what);
  [[nodiscard]] std::vector<telemetry::Condition> conditions() const;
  [[nodiscard]] kafka::Properties properties() const;

  // kafka::LogReaderListener: the registry's topics, and the cancellations
  void on_record(kafka::Record&& record) override;
  void on_registry_record(const kafka::Record& record);
  void on_credential_record(const kafka::Record& record);
  void warn_of_invalid_parameters(const std::string& key) const;
  void forget_unnamed(kafka::TopicFollower& topic);
  void on_end(const kafka::TopicPartition& partition, std::int64_t next_offset) override;
  void on_failure(const kafka::TopicPartition& partition, const Error& error) override;
  // LogQuestions
  void ask(std::uint64_t token, const LogQuestion& question) override;
  void look(std::uint64_t token, std::vector<kafka::WitnessQuestion> questions) override;
  void wait_for_cancellations();
  [[nodiscard]] telemetry::Condition credentials_condition() const;

  boost::asio::io_context& loop_;
  const config::Values& values_;
  const RouterOptions options_;
  kafka::TopicFollower registry_topic_;
  kafka::TopicFollower credentials_topic_;
  kafka::AdminThread asking_;               ///< about topics and logs
  std::unique_ptr<kafka::LogWatch> watch_;  ///< asks whether the logs are the same
  boost::asio::signal_set signals_;
  boost::asio::signal_set hang_up_;
  // A timer each: Kafka away takes consumer and producer together, and neither may cancel the other's return.
  boost::asio::steady_timer retry_;  ///< of the topic check, then of joining the group
  boost::asio::steady_timer producer_settling_;
  boost::asio::steady_timer waiting_;  ///< for the cancellations, before the group is joined

  telemetry::Metrics metrics_;
  RouterMetrics router_metrics_;
  SystemEnvironment environment_;
  registry::Projection projection_;
  std::unique_ptr<http::Client> http_;
  providers::StoredCredentials stored_credentials_;
  const http::Egress egress_;
  const providers::Credentials credentials_;
  RouterCore core_;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<kafka::LogReader> registry_reader_;
  std::unique_ptr<kafka::LogReader> tail_reader_;  ///< of the partitions' own logs
  std::unique_ptr<kafka::GroupConsumer> consumer_;
  std::unique_ptr<http::Server> health_;

  std::string start_problem_ = "starting";
  std::map<std::string, std::size_t> batch_bytes_max_{};  ///< by topic; batches must stay below it
  std::vector<std::string> topic_problems_{};             ///< found by the last check of the topics
  std::string credentials_problem_{};                     ///< why they are not read, where they are not
  std::optional<Millis> cancellations_until_{};           ///< steady; their topic is looked for until then at a start
  Millis credentials_until_{0};                           ///< steady; waited for until then
  bool stopping_ = false;
  bool leaving_ = false;
  int exit_code_ = 0;
};

}  // namespace tokenrail::router
