// The shell of registry-sync: every process syncs its share of the connections, and one leader relays the outbox and
// keeps the compacted topics whole. One thread runs the loop; database calls run on small pools. A leader's work runs
// in coroutines beside each other: the lease, each topic, the timetable, and what people asked for.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "common/config/settings.hpp"
#include "common/http/client.hpp"
#include "common/http/health_server.hpp"
#include "common/registry/store_pool.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/database_notes.hpp"
#include "workers/registry_sync/leadership.hpp"
#include "workers/registry_sync/people_requests.hpp"
#include "workers/registry_sync/settings.hpp"
#include "workers/registry_sync/sharing.hpp"
#include "workers/registry_sync/syncs.hpp"
#include "workers/registry_sync/timetable.hpp"
#include "workers/registry_sync/topic_keeper.hpp"

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
  [[nodiscard]] bool leading() const { return leadership_.leading(); }
  /// It leads, and the compacted topics are known to contain what the database contains.
  [[nodiscard]] bool published_whole() const { return leading() && topics_.whole(); }
  /// stop() has done its work.
  [[nodiscard]] bool ended() const { return ended_; }
  /// As /readyz has them.
  [[nodiscard]] std::vector<telemetry::Condition> conditions() const;
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }

 private:
  /// How connections are asked.
  struct Providers {
    std::unique_ptr<http::Client> http;
    providers::StoredCredentials stored;
    const providers::Credentials open;
  };
  struct Signals {
    boost::asio::signal_set stop;
    boost::asio::signal_set hang_up;
  };

  boost::asio::awaitable<void> run();
  /// One of the process's coroutines: leadership when it can be had, and the share of the connections.
  boost::asio::awaitable<void> process_part(std::size_t index);
  boost::asio::awaitable<bool> migrate();
  boost::asio::awaitable<void> lead();
  /// One of the leader's coroutines; none goes on without the others.
  boost::asio::awaitable<void> part(std::size_t index);
  void end_term();
  /// Ends the leadership and the process's share of the connections.
  void end_all();
  void on_synced(const SyncOrder& order, const Result<void>& result);
  boost::asio::awaitable<void> make_due(std::string trigger);
  void await_stop();
  void await_hang_up();
  void finish();

  boost::asio::io_context& loop_;
  const config::Values& values_;
  Options options_;
  registry::DatabaseOptions database_;
  telemetry::Metrics metrics_;
  DatabaseNotes notes_;
  Leadership leadership_;
  registry::StorePool stores_;
  Providers providers_;
  ConnectionSyncs syncs_;
  Sharing sharing_;
  TopicKeeper topics_;
  Timetable timetable_;
  PeopleRequests requests_;
  std::unique_ptr<http::Server> health_;
  Signals signals_;
  bool ended_ = false;
  int stops_ = 0;
  int exit_code_ = 0;
};

}  // namespace tokenrail::registry_sync
