// Work on many things of which only a few run at a time. On the loop's thread.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/wakeable_timer.hpp"

namespace tokenrail::async {

/// Used once, and kept alive until run() has returned.
class BoundedParallel {
 public:
  using Work = std::function<boost::asio::awaitable<void>(std::size_t)>;

  /// `step`: as for WakeableTimer.
  BoundedParallel(boost::asio::io_context& loop, std::size_t at_once, const char* step)
      : loop_(loop), at_once_(at_once), done_(loop, step) {}

  /// Runs `work(index)` for every index below `count` and returns when all are done. When one of them throws, no
  /// further one starts, and the exception is thrown here once those that run have ended.
  boost::asio::awaitable<void> run(std::size_t count, Work work);

 private:
  boost::asio::awaitable<void> lane();

  boost::asio::io_context& loop_;
  std::size_t at_once_;
  WakeableTimer done_;
  Work work_;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
  std::exception_ptr failure_{};
};

}  // namespace tokenrail::async
