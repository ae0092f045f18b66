#include "workers/router/shell/system_environment.hpp"

#include <algorithm>
#include <ctime>

#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::router {

namespace {

std::chrono::nanoseconds clock_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

Millis ms(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<Millis>(time);
}

// Every chunk asks for the time several times. A clock that was set is noticed after this long.
constexpr std::chrono::milliseconds clocks_compared_each{100};

}  // namespace

SystemEnvironment::SystemEnvironment(boost::asio::io_context& loop) : timer_(loop), random_(std::random_device{}()) {}

Now SystemEnvironment::now() const {
  // BOOTTIME goes on while the machine is suspended: leases and sessions do too.
  const auto steady = clock_ns(CLOCK_BOOTTIME);
  if (steady >= calendar_until_) {
    calendar_ahead_ = clock_ns(CLOCK_REALTIME) - steady;
    calendar_until_ = steady + clocks_compared_each;
  }
  return {.steady = ms(steady), .wall = ms(steady + calendar_ahead_)};
}

void SystemEnvironment::wake_at(Millis at) {
  const auto delay = std::max(Millis(0), at - ms(clock_ns(CLOCK_BOOTTIME)));
  timer_.expires_after(delay);
  timer_.async_wait([this](boost::system::error_code error) {
    telemetry::loop_step("router timers");
    if (!error && on_wake) on_wake();
  });
}

}  // namespace tokenrail::router
