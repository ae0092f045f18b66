// The clocks, the random numbers and the timer that the router's core uses in production.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <random>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

/// Not thread-safe; used on the loop.
class SystemEnvironment final : public Environment {
 public:
  explicit SystemEnvironment(boost::asio::io_context& loop);
  [[nodiscard]] Now now() const override;
  std::uint64_t random() override { return random_(); }
  void wake_at(Millis at) override;
  std::function<void()> on_wake;

 private:
  mutable std::chrono::nanoseconds calendar_ahead_{0};  ///< of the steady clock
  mutable std::chrono::nanoseconds calendar_until_{0};  ///< steady: then they are compared again
  boost::asio::steady_timer timer_;
  std::mt19937_64 random_;
};

}  // namespace tokenrail::router
