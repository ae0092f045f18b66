// This process's share of the connections: claims what is due while it has room, renews what it holds, and gives back
// what is synced. Leadership is not needed for it. One thread: the loop's.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/wakeable_timer.hpp"
#include "common/registry/connection_leases.hpp"
#include "common/registry/work_pool.hpp"
#include "workers/registry_sync/settings.hpp"
#include "workers/registry_sync/syncs.hpp"

namespace tokenrail::registry_sync {

/// The adapters whose connections can be synced.
[[nodiscard]] std::vector<std::string> listing_adapters();

/// How long after a sync of the connection the next one is due: its own interval, else `interval`, a tenth earlier or
/// later. Many connections and installations must not all ask at the same moment for ever. `random`: from 0 to 1.
[[nodiscard]] std::chrono::milliseconds due_after(const registry::Connection& connection,
                                                  std::chrono::milliseconds interval, double random);

class Sharing {
 public:
  /// `noted`: how a call of the database went; true: well.
  Sharing(boost::asio::io_context& loop, const registry::DatabaseOptions& database, const std::string& holder,
          const Options& options, ConnectionSyncs& syncs, std::function<bool(const Result<void>&)> noted);

  /// Returns after stop(), when nothing runs any more and all is given back. Throws what a sync has thrown.
  boost::asio::awaitable<void> run();
  /// A sync has ended; from ConnectionSyncs.
  void ended(const SyncOrder& order, bool well);
  /// There may be something to claim.
  void wake() { wait_.wake(); }
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  using Held = registry::ConnectionLeases::Held;

  boost::asio::awaitable<bool> claim();
  boost::asio::awaitable<bool> renew_when_due();
  boost::asio::awaitable<bool> release_ended();
  [[nodiscard]] std::vector<Held> held() const;

  const Options& options_;
  ConnectionSyncs& syncs_;
  std::function<bool(const Result<void>&)> noted_;
  registry::WorkPool<registry::ConnectionLeases> leases_;
  async::WakeableTimer wait_;
  std::minstd_rand random_;
  std::map<std::string, std::int64_t> held_;  ///< epochs by connection id
  struct Ended {
    registry::Connection connection;
    bool well = false;
  };
  std::vector<Ended> ended_;
  Clock::time_point renew_due_{};
  bool stopped_ = false;
};

}  // namespace tokenrail::registry_sync
