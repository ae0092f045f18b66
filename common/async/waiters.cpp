#include "common/async/waiters.hpp"

#include <chrono>

namespace tokenrail::async {
namespace {

/// Listed for as long as the coroutine lives, which may end in the middle of its wait.
class Listed {
 public:
  Listed(std::set<WakeableTimer*>& timers, WakeableTimer& timer) : timers_(timers), timer_(timer) {
    timers_.insert(&timer_);
  }
  ~Listed() { timers_.erase(&timer_); }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

 private:
  std::set<WakeableTimer*>& timers_;
  WakeableTimer& timer_;
};

}  // namespace

boost::asio::awaitable<void> Waiters::wait_until(std::function<bool()> over) {
  WakeableTimer timer(loop_, step_);
  const Listed listed(timers_, timer);
  while (!over()) co_await timer.wait(std::chrono::hours(1));
}

void Waiters::wake_all() {
  for (auto* timer : timers_) timer->wake();
}

}  // namespace tokenrail::async
