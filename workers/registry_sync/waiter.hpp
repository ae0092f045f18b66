// Waiting that can be cut short, and work on many things of which only a few run at a time. On the loop's thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::registry_sync {

/// One coroutine waits at a time. A wake() that comes before the wait is not lost.
class Waiter {
 public:
  explicit Waiter(boost::asio::io_context& loop) : timer_(loop) {}

  boost::asio::awaitable<void> wait(std::chrono::milliseconds time_max) {
    if (!woken_) {
      timer_.expires_after(time_max);
      co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
      telemetry::loop_step("registry sync");
    }
    woken_ = false;
  }
  void wake() {
    woken_ = true;
    timer_.cancel();
  }

 private:
  boost::asio::steady_timer timer_;
  bool woken_ = false;
};

/// Work on many things of which only a few run at a time. Used once, and kept alive until run() has returned.
class Lanes {
 public:
  using Work = std::function<boost::asio::awaitable<void>(std::size_t)>;
  Lanes(boost::asio::io_context& loop, std::size_t at_once) : loop_(loop), at_once_(at_once), done_(loop) {}

  /// Runs `work(index)` for every index below `count` and returns when all are done. What one of them throws is thrown
  /// here, once the others that run have ended.
  boost::asio::awaitable<void> run(std::size_t count, Work work) {
    count_ = count;
    work_ = std::move(work);
    for (std::size_t i = 0; i < std::min(count_, at_once_); ++i) {
      ++running_;
      boost::asio::co_spawn(loop_, lane(), [this](const std::exception_ptr& failure) {
        if (failure && !failure_) failure_ = failure;
        if (--running_ == 0) done_.wake();
      });
    }
    while (running_ > 0) co_await done_.wait(std::chrono::hours(1));
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  boost::asio::awaitable<void> lane() {
    while (next_ < count_ && !failure_) {
      const auto index = next_++;
      co_await work_(index);
    }
  }

  boost::asio::io_context& loop_;
  std::size_t at_once_;
  Waiter done_;
  Work work_;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
  std::exception_ptr failure_{};
};

}  // namespace tokenrail::registry_sync
