// The syncs of the connections: each runs as a coroutine of its own, so that one which takes long delays no other, and
// its result is applied when it is there. One thread: the loop's. Database calls run on a small pool.
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/wakeable_timer.hpp"
#include "common/http/fetcher.hpp"
#include "common/registry/store_pool.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/catalogue.hpp"
#include "workers/registry_sync/settings.hpp"

namespace tokenrail::registry_sync {

/// A connection that this process is to sync now.
struct SyncOrder {
  registry::Connection connection;     ///< with the claim under which it is synced
  std::string trigger;                 ///< start | schedule | manual | event
  registry::SyncRequest request = {};  ///< its id is empty where the run was not asked for
};

/// What opens the keys of connections.
struct Keys {
  const providers::Credentials& open;    ///< with `stored`
  providers::StoredCredentials& stored;  ///< brought up to date before each sync of a connection that has one
};

class ConnectionSyncs {
 public:
  /// On the loop, when a sync has ended. An error is the database's: nothing is known of what the sync has done.
  using Ended = std::function<void(const SyncOrder& order, const Result<void>& result)>;

  /// `failed`: a sync threw, which wait() throws again; nothing goes on.
  ConnectionSyncs(boost::asio::io_context& loop, http::Client& client, const Keys& keys, const Options& options,
                  registry::StorePool& stores, telemetry::Metrics& metrics, Ended ended, std::function<void()> failed);

  void begin();
  /// Not more than room() of them, and each connection once at a time.
  void start(SyncOrder order);
  /// How many syncs more may run.
  [[nodiscard]] std::size_t room() const {
    return options_.connection_concurrency - std::min(options_.connection_concurrency, active_);
  }
  /// Connections that are not among these are no longer named in words().
  void keep_words(const std::vector<registry::Connection>& connections);
  /// The gauge registry_connection_health says what these say, and nothing else.
  void show_health(const std::vector<registry::Connection>& connections);
  /// Cancels what is being asked. What runs ends soon, and applies nothing more.
  void cancel();
  /// Returns when nothing runs any more. Throws what a sync has thrown.
  boost::asio::awaitable<void> wait();

  /// How the last list of each connection went, by its name.
  [[nodiscard]] const std::map<std::string, std::string>& words() const { return words_; }

 private:
  using Clock = std::chrono::steady_clock;

  boost::asio::awaitable<void> run(SyncOrder order);
  boost::asio::awaitable<Result<void>> sync(SyncOrder order);
  boost::asio::awaitable<Result<registry::SyncRun>> sync_once(registry::Connection connection, registry::SyncRun run,
                                                              bool accept_held);
  boost::asio::awaitable<Result<void>> record_failure(registry::Connection connection, registry::SyncRun run);
  /// Reads the connection's stored credential, if it has one.
  struct KnownModels {
    std::vector<registry::StoredModel> models{};
    std::set<std::string> above{};  ///< names in the scopes above the connection's
  };
  boost::asio::awaitable<Result<KnownModels>> known_models(registry::Connection connection);
  boost::asio::awaitable<Result<void>> read_credential(registry::Connection connection);
  boost::asio::awaitable<Result<std::vector<registry::HeldChange>>> held_changes(registry::Connection connection);
  void note_held(const registry::Connection& connection, const Result<std::vector<registry::HeldChange>>& changes);
  void told(const registry::Connection& connection, const registry::SyncRun& run);

  boost::asio::io_context& loop_;
  const Options& options_;
  registry::StorePool& stores_;
  providers::StoredCredentials& stored_credentials_;
  telemetry::Metrics& metrics_;
  Ended ended_;
  std::function<void()> failed_;
  http::Fetcher fetcher_;
  ListThreads lists_;
  CatalogueReader catalogues_;
  async::WakeableTimer changed_;
  std::size_t active_ = 0;  ///< coroutines that have not ended
  bool cancelled_ = false;
  std::exception_ptr failure_{};
  std::map<std::string, std::string> words_;
  std::map<std::string, std::string> held_words_;  ///< by connection id: what waits for a decision
  std::map<std::string, std::string> said_held_;   ///< by connection id: what of it was logged last
  telemetry::Histogram& sync_ms_;
  telemetry::Gauge& running_gauge_;
  std::vector<telemetry::Gauge*> shown_health_;  ///< those that are 1
};

}  // namespace tokenrail::registry_sync
