// Waiting that can be cut short, and work on many things of which only a few run at a time. On the loop's thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tokenrail::registry_sync {

/// One coroutine waits at a time. A wake() that comes before the wait is not lost.
class Waiter {
 public:
  explicit Waiter(boost::asio::io_context& loop) : timer_(loop) {}

  boost::asio::awaitable<void> wait(std::chrono::milliseconds time_max) {
    if (!woken_) {
      timer_.expires_after(time_max);
      co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
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

/// Runs `work(index)` for every index below `count`, at most `at_once` of them at the same time, and returns when all
/// are done. What one of them throws is thrown here, once the others have ended.
inline boost::asio::awaitable<void> for_each_bounded(boost::asio::io_context& loop, std::size_t count,
                                                     std::size_t at_once,
                                                     std::function<boost::asio::awaitable<void>(std::size_t)> work) {
  struct Shared {
    std::size_t next = 0;
    std::size_t running = 0;
    std::exception_ptr failure{};
  } shared;
  Waiter done(loop);
  const auto lane = [](Shared& state, std::size_t total,
                       std::function<boost::asio::awaitable<void>(std::size_t)>& task) -> boost::asio::awaitable<void> {
    while (state.next < total && !state.failure) {
      const auto index = state.next++;
      co_await task(index);
    }
  };
  for (std::size_t i = 0; i < std::min(count, at_once); ++i) {
    ++shared.running;
    boost::asio::co_spawn(loop, lane(shared, count, work), [&shared, &done](std::exception_ptr failure) {
      if (failure && !shared.failure) shared.failure = failure;
      if (--shared.running == 0) done.wake();
    });
  }
  while (shared.running > 0) co_await done.wait(std::chrono::hours(1));
  if (shared.failure) std::rethrow_exception(shared.failure);
}

}  // namespace tokenrail::registry_sync
