// A wait on the event loop that can be cut short. On the loop's thread.
#pragma once

#include <chrono>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tokenrail::async {

/// One coroutine waits at a time. A wake() that comes before the wait is not lost.
class WakeableTimer {
 public:
  /// `step`: what the loop does when a wait has ended (telemetry::loop_step()); a string literal.
  WakeableTimer(boost::asio::io_context& loop, const char* step) : timer_(loop), step_(step) {}

  /// Returns after `time_max`, or as soon as wake() is called.
  boost::asio::awaitable<void> wait(std::chrono::milliseconds time_max);
  void wake();

 private:
  boost::asio::steady_timer timer_;
  const char* step_;
  bool woken_ = false;
};

}  // namespace tokenrail::async
