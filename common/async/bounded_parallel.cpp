#include "common/async/bounded_parallel.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/co_spawn.hpp>

namespace tokenrail::async {

boost::asio::awaitable<void> BoundedParallel::run(std::size_t count, Work work) {
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

boost::asio::awaitable<void> BoundedParallel::lane() {
  while (next_ < count_ && !failure_) {
    const auto index = next_++;
    co_await work_(index);
  }
}

}  // namespace tokenrail::async
