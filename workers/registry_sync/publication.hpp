// What readers see of a part of the registry: learns which versions they hold, relays the outbox, and keeps the
// compacted topic whole. Each part goes on without the others: a topic of sealed credentials that is missing keeps no
// model from being published. One thread: the loop's; one coroutine at a time. Blocking work runs on the store's
// threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/registry/store_pool.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/comparison_schedule.hpp"
#include "workers/registry_sync/log_ends.hpp"
#include "workers/registry_sync/publisher.hpp"
#include "workers/registry_sync/relay.hpp"

namespace tokenrail::registry_sync {

class Publication {
 public:
  /// `options.to` names a compacted topic: the state, or the sealed credentials.
  Publication(boost::asio::io_context& loop, const kafka::Properties& properties, const RelayOptions& options,
              std::chrono::milliseconds reconcile_interval, registry::StorePool& stores, telemetry::Metrics& metrics);

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
  [[nodiscard]] std::string problem() const { return relay_.problem(); }

  /// Ends what waits; nothing more is published until begin().
  void stop();
  void close() { relay_.close(); }

 private:
  using Clock = ComparisonSchedule::Clock;

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
  void note_read_failure(const Error& error);
  void count_repairs(const Reconciliation& done, std::size_t records);

  registry::StorePool& stores_;
  telemetry::Metrics& metrics_;
  Relay relay_;
  Kept kept_;
  LogEnds ends_;
  bool stopping_ = false;
  bool versions_known_ = false;  ///< of readers; before that nothing is relayed
  ComparisonSchedule comparisons_;
  Clock::time_point watch_due_{};
};

}  // namespace tokenrail::registry_sync
