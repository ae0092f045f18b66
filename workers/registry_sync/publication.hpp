// What readers see of a part of the registry: learns which versions they hold, relays the outbox, and keeps the
// compacted topic whole. Each part goes on without the other: a topic of sealed credentials that is missing keeps no
// model from being published. One thread: the loop's; one coroutine at a time. Blocking work runs on the store's
// threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/kafka/admin.hpp"
#include "common/registry/store_pool.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/comparison_schedule.hpp"
#include "workers/registry_sync/publisher.hpp"

namespace tokenrail::registry_sync {

enum class Part {
  registry,     ///< models, pointers, grants and organisations, and the history
  credentials,  ///< sealed
};

struct PublicationOptions {
  Part part = Part::registry;
  topics::Names topics;
  std::chrono::milliseconds reconcile_interval;
  /// Whether this process may still publish. Asked before each batch: PostgreSQL fences what is written there, and
  /// nothing fences Kafka.
  std::function<bool()> leads;
};

class Publication {
 public:
  Publication(boost::asio::io_context& loop, const kafka::Properties& properties, PublicationOptions options,
              registry::StorePool& stores, telemetry::Metrics& metrics);

  /// Error invalid_input: a property that librdkafka refuses. Connects to nothing that answers.
  Result<void> check_properties();
  /// A leadership begins: what readers hold has to be learnt again.
  void begin();
  /// Raises the database's versions above those that readers hold, unless that is done. Errors of Kafka are noted,
  /// tried again later and not returned, here and in publish(); errors of the database are returned.
  boost::asio::awaitable<Result<void>> prepare();
  /// prepare(), relays the outbox, and reconciles the compacted topic where that is due. `complete`: the database
  /// holds what the connections had to say at first; before that the topic is not made whole.
  boost::asio::awaitable<Result<void>> publish(bool complete);
  /// The next publish() compares the compacted topic with the database. Returns the number of the comparison that
  /// answers: one that begins from now on.
  std::int64_t ask_for_comparison() { return comparisons_.ask(); }
  /// The number of the last comparison after which the topic held what the database held.
  [[nodiscard]] std::int64_t reconciled() const { return comparisons_.reconciled(); }

  /// The compacted topic has been made whole since begin().
  [[nodiscard]] bool whole() const { return comparisons_.whole(); }
  /// What Kafka's side lacks; empty: nothing.
  [[nodiscard]] std::string problem() const { return problem_.empty() ? publisher_.problem() : problem_; }

  /// Ends what waits; nothing more is published until begin().
  void stop();
  void close() { publisher_.close(); }

 private:
  using Clock = ComparisonSchedule::Clock;

  /// Whether all topics are there. Looked at before the first record, and again after each failure: a producer says of
  /// a missing topic only that time has run out, when the other one has got its records.
  boost::asio::awaitable<bool> topics_there();
  /// True: nothing is left to publish.
  boost::asio::awaitable<Result<bool>> relay();
  /// The topic that is kept whole.
  struct Kept {
    CompactedTopic topic;
    /// Where it ended when it was last read, without what this process had published until then.
    std::optional<std::int64_t> foreign_end{};
    bool whole = false;  ///< since begin()
  };
  /// Compares the whole topic with the database, and publishes what it lacks. True: it holds everything now.
  boost::asio::awaitable<Result<bool>> reconcile_topic();
  /// Whether the topic ends elsewhere than this process left it: it was created again or emptied, or another process
  /// wrote to it, such as an earlier leader whose batch came late.
  boost::asio::awaitable<bool> topic_moved();
  /// Whether the history is still the topic that it was, and how many partitions it has. Nothing depends on it.
  boost::asio::awaitable<void> look_at_history();
  /// Says it where the partition ends before it ended. `what_now`: for the log.
  void note_end(const kafka::TopicPartition& partition, std::int64_t next, std::string_view what_now);
  /// False: not all were acknowledged.
  boost::asio::awaitable<bool> send(std::vector<Outgoing> records);
  void note(const Error& error);
  void count_repairs(const Reconciliation& done, std::size_t records);

  kafka::Properties properties_;
  PublicationOptions options_;
  registry::StorePool& stores_;
  telemetry::Metrics& metrics_;
  Publisher publisher_;
  Kept kept_;
  std::shared_ptr<kafka::Admin> admin_;                 ///< used by one thread of the stores at a time
  std::map<kafka::TopicPartition, std::int64_t> ends_;  ///< as last seen
  std::int32_t history_partitions_ = 1;
  std::string problem_ = "not connected yet";
  bool stopping_ = false;
  bool topics_there_ = false;
  bool versions_known_ = false;  ///< of readers; before that nothing is relayed
  ComparisonSchedule comparisons_;
  Clock::time_point due_{};
  Clock::time_point watch_due_{};
};

}  // namespace tokenrail::registry_sync
