// The leadership: one process at a time publishes the registry, by a lease in the database. It takes the lease, renews
// it, and says when the leadership is over. One thread: the loop's; database calls run on a thread of their own, so
// that no other call delays a renewal.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/wakeable_timer.hpp"
#include "common/registry/lease.hpp"
#include "common/registry/store_pool.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/database_notes.hpp"

namespace tokenrail::registry_sync {

class Leadership {
 public:
  /// `notes` outlives it.
  Leadership(boost::asio::io_context& loop, const registry::DatabaseOptions& database, telemetry::Metrics& metrics,
             DatabaseNotes& notes);

  /// Runs `lead` whenever this process has the lease; `lead` returns when over(). Returns after stop(), and gives the
  /// lease back.
  boost::asio::awaitable<void> run(std::function<boost::asio::awaitable<void>()> lead);
  /// A part of `lead`: renews the lease until it is lost or over().
  boost::asio::awaitable<void> keep();
  /// Another leader's mark on the lease was seen: asks for the lease at once.
  void look() { renewal_.wake(); }
  void end_term();
  void stop();
  /// Waits for that long, or until stop().
  boost::asio::awaitable<void> pause(std::chrono::milliseconds duration) { return idle_.wait(duration); }

  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] bool leading() const { return leading_; }
  /// The leadership is over, or the clock says that it may be: another process may lead.
  [[nodiscard]] bool over() const { return stopping_ || term_over_ || Clock::now() >= lease_until_; }
  [[nodiscard]] const std::string& holder() const { return holder_; }
  /// The lease's number, which the transactions of a leader check.
  [[nodiscard]] const std::shared_ptr<registry::Fence>& fence() const { return fence_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// Takes or renews the lease.
  boost::asio::awaitable<Result<bool>> hold();

  DatabaseNotes& notes_;
  const std::string holder_;
  std::shared_ptr<registry::Fence> fence_;
  registry::StorePool thread_;
  registry::Lease lease_;
  async::WakeableTimer idle_;
  async::WakeableTimer renewal_;
  telemetry::Gauge& gauge_;
  bool stopping_ = false;
  bool leading_ = false;
  bool term_over_ = false;
  Clock::time_point lease_until_{};  // by our clock, from before the renewal was asked for
};

}  // namespace tokenrail::registry_sync
