// What the router's deciding code needs of the world, injected: time, chance and a wake-up call. With these, the HTTP
// client, the producer and the group consumer being interfaces, the whole core runs unchanged on a simulated world.
#pragma once

#include <chrono>
#include <cstdint>

namespace tokenrail::router {

using Millis = std::chrono::milliseconds;

/// Two clocks: one that only grows, for intervals, and the calendar, for what is written into records. Both since an
/// epoch of their own.
struct Now {
  Millis steady{0};
  Millis wall{0};  ///< Unix
};

class Environment {
 public:
  virtual ~Environment() = default;
  [[nodiscard]] virtual Now now() const = 0;
  /// 64 random bits; for jitter, weights and instance ids, never for secrets.
  virtual std::uint64_t random() = 0;
  /// Asks for one call of RouterCore::on_wake() at or soon after `at` (steady), from the loop, never from inside this
  /// call. A later call replaces an earlier one.
  virtual void wake_at(Millis at) = 0;
};

}  // namespace tokenrail::router
