// Coroutines that wait on the event loop for one thing together. On the loop's thread.
#pragma once

#include <functional>
#include <set>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/wakeable_timer.hpp"

namespace tokenrail::async {

/// Outlives what waits: each waiting coroutine keeps whatever owns this.
class Waiters {
 public:
  /// `step`: what the loop does when a wait has ended (telemetry::loop_step()); a string literal.
  Waiters(boost::asio::io_context& loop, const char* step) : loop_(loop), step_(step) {}
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;

  /// Returns once `over` is true. It is asked at first, and after each wake_all().
  boost::asio::awaitable<void> wait_until(std::function<bool()> over);
  void wake_all();

 private:
  boost::asio::io_context& loop_;
  const char* step_;
  std::set<WakeableTimer*> timers_{};
};

}  // namespace tokenrail::async
