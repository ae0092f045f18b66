// The shell of registry-sync: one leader asks the connections, applies plans, relays the outbox and keeps the state
// topic whole; the others stand by. One thread runs the loop; database calls run on a small pool.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/config/settings.hpp"
#include "common/http/client.hpp"
#include "common/registry/store_pool.hpp"
#include "common/telemetry/health.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/catalogue.hpp"
#include "workers/registry_sync/fetcher.hpp"
#include "workers/registry_sync/publication.hpp"
#include "workers/registry_sync/settings.hpp"
#include "workers/registry_sync/waiter.hpp"

namespace tokenrail::registry_sync {

class Worker {
 public:
  Worker(boost::asio::io_context& loop, const config::Values& values);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Binds the health port and starts to work; loop.run() returns when all is done. Errors: the port is taken.
  Result<void> start();
  /// Ends what waits, finishes what is being written, gives up the leadership.
  void stop();
  [[nodiscard]] int exit_code() const { return exit_code_; }

  /// This process holds the leadership.
  [[nodiscard]] bool leading() const { return leading_; }
  /// It leads, and the state topic is known to say what the database says.
  [[nodiscard]] bool published_whole() const { return leading_ && publication_.whole(); }
  /// stop() has done its work.
  [[nodiscard]] bool ended() const { return ended_; }
  /// As /readyz has them.
  [[nodiscard]] std::vector<telemetry::Condition> conditions() const;
  [[nodiscard]] const telemetry::Metrics& metrics() const { return metrics_; }

 private:
  using Clock = std::chrono::steady_clock;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<bool> migrate();
  boost::asio::awaitable<Result<bool>> acquire_leadership();
  boost::asio::awaitable<void> lead();

  boost::asio::awaitable<Result<void>> sync_when_due();
  boost::asio::awaitable<Result<void>> serve_requests();
  /// Empty `connection_id`: all.
  boost::asio::awaitable<Result<void>> sync_connections(std::string trigger, registry::SyncRequest request);
  boost::asio::awaitable<Result<void>> sync_connection(registry::Connection connection, std::string trigger,
                                                       registry::SyncRequest request);
  /// sync_connection(), with the first error of several kept in `outcome`.
  boost::asio::awaitable<void> sync_beside_others(registry::Connection connection, std::string trigger,
                                                  registry::SyncRequest request, Result<void>* outcome);
  boost::asio::awaitable<Result<registry::SyncRun>> sync_once(registry::Connection connection, registry::SyncRun run,
                                                              bool accept_held);
  boost::asio::awaitable<Result<void>> record_failure(registry::Connection connection, registry::SyncRun run);
  void told(const registry::Connection& connection, const registry::SyncRun& run);

  /// Publication's publish(), with the database's errors noted.
  boost::asio::awaitable<Result<void>> publish();
  boost::asio::awaitable<Result<void>> look_after();

  void note_database(const Error& error);
  [[nodiscard]] Clock::duration jittered(std::chrono::milliseconds interval);
  void await_stop();
  void await_hang_up();
  void finish();

  boost::asio::io_context& loop_;
  const config::Values& values_;
  Options options_;
  registry::DatabaseOptions database_;
  telemetry::Metrics metrics_;
  registry::StorePool stores_;
  registry::LeaderLock leadership_;
  std::unique_ptr<http::Client> http_;
  Fetcher fetcher_;
  CatalogueReader catalogues_;
  Publication publication_;
  std::unique_ptr<telemetry::HealthServer> health_;
  boost::asio::signal_set stop_signals_;
  boost::asio::signal_set hang_up_;
  Waiter idle_;
  std::minstd_rand random_;

  std::string database_problem_ = "not connected yet";
  std::map<std::string, std::string> connection_words_;  ///< by name: how the last list went
  bool stopping_ = false;
  bool ended_ = false;
  int stops_ = 0;
  int exit_code_ = 0;
  bool leading_ = false;
  std::string due_trigger_ = "start";
  Clock::time_point sync_due_{};
  Clock::time_point leadership_due_{};
  Clock::time_point prune_due_{};

  telemetry::Gauge& leader_gauge_;
  telemetry::Gauge& outbox_rows_;
  telemetry::Gauge& outbox_age_;
  telemetry::Histogram& sync_ms_;
};

}  // namespace tokenrail::registry_sync
