// Publishing to one topic of the registry and waiting until the brokers have acknowledged. One thread: the loop's; one
// coroutine at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/wakeable_timer.hpp"
#include "common/kafka/producer.hpp"
#include "common/result.hpp"
#include "common/telemetry/metrics.hpp"
#include "common/topics/names.hpp"
#include "workers/registry_sync/records.hpp"

namespace tokenrail::registry_sync {

[[nodiscard]] inline const std::string& topic_of(const topics::Names& names, Destination to) {
  return to == Destination::state    ? names.registry
         : to == Destination::events ? names.registry_events
                                     : names.credentials;
}

[[nodiscard]] Error missing_topic(const std::string& topic);

struct PublishedTopic {
  Destination to = Destination::state;
  std::string topic{};
};

class Publisher final : public kafka::ProducerListener {
 public:
  Publisher(boost::asio::io_context& loop, kafka::Properties properties, PublishedTopic topic,
            telemetry::Metrics& metrics);
  ~Publisher() override;
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// Returns once every record is acknowledged. All are records of this topic. An error: some may be in the log all the
  /// same; publish all that are not settled() again. A record that is too large, or that the brokers refuse for good,
  /// is left out, logged and counted: it would stop all others for ever. A topic that takes nothing ends it before the
  /// time, with the cause.
  boost::asio::awaitable<Result<void>> publish(std::vector<Outgoing> records, std::chrono::milliseconds time_max);
  /// Whether that record of the last publish() is acknowledged or left out.
  [[nodiscard]] bool settled(std::size_t index) const { return index < settled_.size() && settled_[index]; }

  /// The last known trouble of the brokers; empty: none.
  [[nodiscard]] std::string problem() const;
  /// Records that the brokers have acknowledged so far.
  [[nodiscard]] std::int64_t acknowledged() const { return acknowledged_; }
  /// Ends a publish() that waits, as timed out, and all that come until begin().
  void stop();
  void begin() { stopped_ = false; }
  /// Makes the producer, so that problem() can report. Errors: a property that librdkafka refuses.
  Result<void> prepare() { return ensure_producer(); }
  void close() { producer_.reset(); }

 private:
  void on_report(const kafka::Report& report) override;
  void on_space() override { changed_.wake(); }
  void on_fatal(const Error& error) override;
  Result<void> ensure_producer();
  [[nodiscard]] std::string blocked() const;  ///< the cause, or empty
  boost::asio::awaitable<Result<void>> hand_over(const std::vector<Outgoing>* records,
                                                 std::chrono::steady_clock::time_point deadline);

  boost::asio::io_context& loop_;
  kafka::Properties properties_;
  PublishedTopic topic_;
  telemetry::Metrics& metrics_;
  telemetry::Counter& published_;
  telemetry::Counter& too_large_;
  telemetry::Counter& refused_;
  async::WakeableTimer changed_;
  std::unique_ptr<kafka::Producer> producer_;
  kafka::TopicHandle handle_{};
  std::uint64_t batch_ = 0;  ///< reports of an earlier batch count for nothing
  std::int64_t acknowledged_ = 0;
  std::size_t waiting_for_ = 0;
  const std::vector<Outgoing>* being_published_ = nullptr;
  std::vector<bool> settled_;  ///< by record of the last publish()
  std::string failure_;
  bool stopped_ = false;
};

/// Reads a compacted topic to its end. It has one partition.
class CompactedTopic {
 public:
  struct Name {
    Destination kind = Destination::state;
    std::string topic{};
  };
  CompactedTopic(boost::asio::io_context& loop, kafka::Properties properties, Name name, telemetry::Metrics& metrics)
      : loop_(loop), properties_(std::move(properties)), name_(std::move(name)), metrics_(metrics) {}

  [[nodiscard]] const Name& name() const { return name_; }

  struct Read {
    TopicContent content;
    std::int64_t end = 0;  ///< offset of what comes next
  };
  /// Errors: unavailable, timed_out, not_found, as they come from the brokers.
  boost::asio::awaitable<Result<Read>> read(std::chrono::milliseconds time_max);
  /// Error invalid_input: a property that librdkafka refuses.
  Result<void> check() const;
  /// Ends a read() that waits, and all that come until begin().
  void stop() { stopped_ = true; }
  void begin() { stopped_ = false; }

 private:
  boost::asio::io_context& loop_;
  kafka::Properties properties_;
  Name name_;
  telemetry::Metrics& metrics_;
  bool stopped_ = false;
};

}  // namespace tokenrail::registry_sync
