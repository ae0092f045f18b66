#include "common/async/wakeable_timer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::async {

boost::asio::awaitable<void> WakeableTimer::wait(std::chrono::milliseconds time_max) {
  if (!woken_) {
    timer_.expires_after(time_max);
    co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    telemetry::loop_step(step_);
  }
  woken_ = false;
}

void WakeableTimer::wake() {
  woken_ = true;
  timer_.cancel();
}

}  // namespace tokenrail::async
