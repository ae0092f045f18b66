// The leader's work for Kafka: relays the outbox to the topics of the state, of the history and of the sealed
// credentials, and keeps the compacted ones whole. Each topic has a coroutine and a thread for the database of its own:
// none waits for another. One thread: the loop's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/wakeable_timer.hpp"
#include "common/registry/store_pool.hpp"
#include "common/telemetry/health.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/database_notes.hpp"
#include "workers/registry_sync/history.hpp"
#include "workers/registry_sync/leadership.hpp"
#include "workers/registry_sync/publication.hpp"
#include "workers/registry_sync/settings.hpp"

namespace tokenrail::registry_sync {

class TopicKeeper {
 public:
  struct Hooks {
    std::function<bool()> connections_made;  ///< the database has the platform's connections
    std::function<void()> prepared;          ///< prepared() is true now
    std::function<void()> published;         ///< a pass over a topic has ended
  };
  /// What is given by reference outlives it.
  TopicKeeper(boost::asio::io_context& loop, const kafka::Properties& properties, const Options& options,
              const registry::DatabaseOptions& database, const Leadership& leadership, DatabaseNotes& notes,
              telemetry::Metrics& metrics, Hooks hooks);

  /// Error invalid_input: a property that librdkafka refuses. Connects to nothing that answers.
  Result<void> check_properties() { return state_.check_properties(); }
  /// A leadership begins.
  void begin();
  // Parts of a leadership: each returns when it is over.
  boost::asio::awaitable<void> keep_state();
  boost::asio::awaitable<void> keep_history();
  boost::asio::awaitable<void> keep_credentials();
  /// Ends what waits; nothing more is published until begin().
  void stop();
  void close();

  /// The versions that readers have are known, or Kafka does not answer.
  [[nodiscard]] bool prepared() const { return prepared_; }
  /// The compacted topics have been made whole since begin().
  [[nodiscard]] bool whole() const { return state_.whole() && credentials_.whole(); }
  /// As /readyz has them while this process leads.
  [[nodiscard]] std::vector<telemetry::Condition> conditions() const;

  /// The numbers of comparisons of the compacted topics with the database.
  struct Comparisons {
    std::int64_t registry = 0;
    std::int64_t credentials = 0;
  };
  /// The next passes compare; the numbers are of those that begin from now on.
  Comparisons ask_for_comparison();
  [[nodiscard]] bool reconciled(const Comparisons& asked) const;
  /// The number of a pass over the state's topic that begins from now on.
  std::int64_t ask_for_pass();
  [[nodiscard]] bool passed(std::int64_t pass) const { return passes_ended_ >= pass; }
  /// The outbox may have something new for the state.
  void wake() { state_wait_.wake(); }
  void wake_all();

 private:
  using Clock = std::chrono::steady_clock;
  struct OutboxGauges {
    registry::Store::OutboxPart part;
    telemetry::Gauge& rows;
    telemetry::Gauge& age;
  };

  [[nodiscard]] RelayOptions relay_options(Destination to) const;
  /// Whether the connections had their turn to say at first what they have, or took too long.
  boost::asio::awaitable<bool> first_round_over();
  /// How much waits for each topic: one that takes nothing delays its own part alone.
  boost::asio::awaitable<Result<void>> measure_outbox();

  const Options& options_;
  const Leadership& leadership_;
  DatabaseNotes& notes_;
  Hooks hooks_;
  registry::StorePool state_thread_;
  registry::StorePool history_thread_;
  registry::StorePool credentials_thread_;
  Publication state_;
  History history_;
  Publication credentials_;
  async::WakeableTimer state_wait_;
  async::WakeableTimer history_wait_;
  async::WakeableTimer credentials_wait_;
  std::vector<OutboxGauges> outbox_gauges_{};
  Clock::time_point measure_due_{};
  bool prepared_ = false;
  bool first_round_over_ = false;
  Clock::time_point first_round_until_{};
  std::int64_t passes_begun_ = 0;
  std::int64_t passes_ended_ = 0;
};

}  // namespace tokenrail::registry_sync
