// The shell of registry-sync: every process syncs its share of the connections, and one leader relays the outbox and
// keeps the compacted topics whole. One thread runs the loop; database calls run on small pools. A leader's work runs
// in coroutines beside each other: the lease, the topics, the timetable, and what people asked for.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "common/async/wakeable_timer.hpp"
#include "common/config/settings.hpp"
#include "common/http/client.hpp"
#include "common/http/health_server.hpp"
#include "common/registry/lease.hpp"
#include "common/registry/store_pool.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/history.hpp"
#include "workers/registry_sync/publication.hpp"
#include "workers/registry_sync/settings.hpp"
#include "workers/registry_sync/sharing.hpp"
#include "workers/registry_sync/syncs.hpp"

namespace tokenrail::registry_sync {

class Worker {
 public:
  Worker(boost::asio::io_context& loop, const config::Values& values);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Binds the health port and starts to work; loop.run() returns when all is done. Errors: the port is taken, or
  /// librdkafka refuses a property.
  Result<void> start();
  /// Ends what waits, finishes what is being written, gives up the leadership.
  void stop();
  [[nodiscard]] int exit_code() const { return exit_code_; }

  /// This process holds the leadership.
  [[nodiscard]] bool leading() const { return leading_; }
  /// It leads, and the compacted topics are known to contain what the database contains.
  [[nodiscard]] bool published_whole() const {
    return leading_ && publication_.whole() && credential_publication_.whole();
  }
  /// stop() has done its work.
  [[nodiscard]] bool ended() const { return ended_; }
  /// As /readyz has them.
  [[nodiscard]] std::vector<telemetry::Condition> conditions() const;
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }

 private:
  using Clock = std::chrono::steady_clock;

  boost::asio::awaitable<void> run();
  /// One of the process's coroutines: leadership when it can be had, and the share of the connections.
  boost::asio::awaitable<void> process_part(std::size_t index);
  boost::asio::awaitable<void> lead_when_possible();
  boost::asio::awaitable<bool> migrate();
  /// Takes or renews the lease.
  boost::asio::awaitable<Result<bool>> hold_lease();
  boost::asio::awaitable<void> lead();
  /// One of the leader's coroutines; none goes on without the others.
  boost::asio::awaitable<void> part(std::size_t index);
  boost::asio::awaitable<void> keep_lease();
  boost::asio::awaitable<void> keep_topics();
  boost::asio::awaitable<void> keep_history_topic();
  boost::asio::awaitable<void> keep_credentials_topic();
  boost::asio::awaitable<void> keep_timetable();
  boost::asio::awaitable<void> keep_requests();

  /// The leadership is over, or the clock says that it may be: another process may lead.
  [[nodiscard]] bool over() const { return stopping_ || term_over_ || Clock::now() >= lease_until_; }
  void end_term();
  boost::asio::awaitable<Result<void>> take_requests();
  boost::asio::awaitable<Result<void>> finish_requests();
  boost::asio::awaitable<void> prune_when_due();
  boost::asio::awaitable<void> note_connections();
  /// How much waits for each topic: one that takes nothing delays its own part alone.
  boost::asio::awaitable<Result<void>> measure_outbox();
  RelayOptions relay_options(Destination to);
  void on_synced(const SyncOrder& order, const Result<void>& result);
  /// Whether the connections had their turn to say at first what they have, or took too long.
  boost::asio::awaitable<bool> first_round_over();
  boost::asio::awaitable<void> make_due(std::string trigger);

  /// Notes how a part of the work got on with the database. True: well.
  template <class T>
  bool noted(const char* part, const Result<T>& result) {
    note_database(part, result ? std::string() : result.error().detail);
    // Another leader's mark on the lease shows here first.
    if (!result && result.error().kind == ErrorKind::rejected) lease_wait_.wake();
    return result.has_value();
  }
  void note_database(const std::string& part, const std::string& problem);
  void await_stop();
  void await_hang_up();
  void finish();

  /// After a call that failed.
  static constexpr auto retry_after = std::chrono::seconds(2);

  boost::asio::io_context& loop_;
  const config::Values& values_;
  Options options_;
  registry::DatabaseOptions database_;
  telemetry::Metrics metrics_;
  const std::string holder_;
  std::shared_ptr<registry::Fence> fence_;
  // Threads of their own: none of the five waits for another's calls.
  registry::StorePool lease_thread_;
  registry::StorePool topic_thread_;
  registry::StorePool history_topic_thread_;
  registry::StorePool credentials_topic_thread_;
  registry::StorePool stores_;
  registry::Lease lease_;
  std::unique_ptr<http::Client> http_;
  providers::StoredCredentials stored_credentials_;
  const providers::Credentials credentials_;
  ConnectionSyncs syncs_;
  Sharing sharing_;
  Publication publication_;
  History history_;
  Publication credential_publication_;
  std::unique_ptr<http::Server> health_;
  boost::asio::signal_set stop_signals_;
  boost::asio::signal_set hang_up_;
  async::WakeableTimer idle_;
  async::WakeableTimer lease_wait_;
  async::WakeableTimer topic_wait_;
  async::WakeableTimer history_topic_wait_;
  async::WakeableTimer credentials_topic_wait_;
  async::WakeableTimer timetable_wait_;
  async::WakeableTimer request_wait_;

  std::map<std::string, std::string> database_problems_{{"leadership", "not connected yet"}};  ///< by part of the work
  bool stopping_ = false;
  bool ended_ = false;
  int stops_ = 0;
  int exit_code_ = 0;
  bool leading_ = false;

  // Of one leadership.
  bool term_over_ = false;
  Clock::time_point lease_until_{};  ///< by our clock, from before the renewal was asked for
  bool versions_looked_at_ = false;  ///< of readers: done, or Kafka does not answer
  bool connections_made_ = false;
  bool first_round_over_ = false;
  std::string held_{};  ///< what waits for a person, with the command that decides it; for people
  Clock::time_point first_round_until_{};
  Clock::time_point prune_due_{};
  /// Requests of people by id: the pass of the relay that finishes each; nothing: not all connections are synced yet.
  std::map<std::string, std::optional<std::int64_t>> taken_{};
  struct Comparisons {
    std::int64_t registry = 0;
    std::int64_t credentials = 0;
  };
  std::map<std::string, Comparisons> republishing_{};  ///< by request: the comparisons that finish it
  std::int64_t passes_begun_ = 0;                      ///< of the relay
  std::int64_t passes_ended_ = 0;

  telemetry::Gauge& leader_gauge_;
  struct OutboxGauges {
    registry::Store::OutboxPart part;
    telemetry::Gauge& rows;
    telemetry::Gauge& age;
  };
  std::vector<OutboxGauges> outbox_gauges_;
  Clock::time_point measure_due_{};
};

}  // namespace tokenrail::registry_sync
