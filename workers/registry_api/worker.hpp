// The registry API as a process: settings, the database, authentication, the API's server and the health server, and an
// end that lets running requests finish. One thread: the loop's; the database has threads of its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "common/async/wakeable_timer.hpp"
#include "common/auth/authenticator.hpp"
#include "common/auth/oidc_client.hpp"
#include "common/config/settings.hpp"
#include "common/http/client.hpp"
#include "common/http/server.hpp"
#include "common/registry/database.hpp"
#include "common/result.hpp"
#include "common/telemetry/health.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_api/chats.hpp"
#include "workers/registry_api/connection_tester.hpp"
#include "workers/registry_api/context.hpp"
#include "workers/registry_api/database_keeper.hpp"
#include "workers/registry_api/database_pool.hpp"
#include "workers/registry_api/live_registry.hpp"
#include "workers/registry_api/memberships.hpp"
#include "workers/registry_api/routes.hpp"
#include "workers/registry_api/service.hpp"

namespace tokenrail::registry_api {

class Worker {
 public:
  Worker(boost::asio::io_context& loop, const config::Values& values);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Binds both ports and begins to serve; loop.run() returns when all is done. Errors: a port is taken, settings of
  /// authentication that do not work together, or dev mode on an address that is not loopback.
  Result<void> start();
  /// Accepts no more requests, lets running ones finish for api.drain_timeout, and ends.
  void stop();
  [[nodiscard]] int exit_code() const { return exit_code_; }

  /// As /readyz has them.
  [[nodiscard]] std::vector<telemetry::Condition> conditions() const;
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }

 private:
  using Clock = std::chrono::steady_clock;

  Result<void> start_authentication();
  Result<void> start_logins();
  Result<void> start_servers();
  /// Applies migrations, and then looks at the database again and again, for /readyz.
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> drain();
  boost::asio::awaitable<Result<auth::Identity>> authenticate(auth::Presented presented);
  void note_database(const std::string& problem);
  void await_stop();
  void finish();

  boost::asio::io_context& loop_;
  const config::Values& values_;
  registry::DatabaseOptions database_options_;
  telemetry::Metrics metrics_;
  DatabasePool database_;
  Context context_;
  RouteTable routes_;
  DatabaseKeeper keeper_;
  KnownCallers known_callers_{};
  std::unique_ptr<http::Client> http_;
  std::unique_ptr<ConnectionTester> connection_tester_;
  LiveRegistry live_registry_;
  std::unique_ptr<Chats> chats_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<auth::OidcClient> oidc_;
  std::shared_ptr<ApiService> service_;
  std::unique_ptr<http::Server> api_;
  std::unique_ptr<http::Server> health_;
  boost::asio::signal_set stop_signals_;
  async::WakeableTimer idle_;

  std::string database_problem_ = "not connected yet";
  bool stopping_ = false;
  int stops_ = 0;
  int exit_code_ = 0;
};

}  // namespace tokenrail::registry_api
