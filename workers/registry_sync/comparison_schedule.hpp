#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tokenrail::registry_sync {

/// When a compacted topic is compared with the database: at first, every interval, and as soon as a caller asks. The
/// comparisons of a process are numbered, so that the one who asked knows which of them answers the question. Pure; not
/// thread-safe.
class ComparisonSchedule {
 public:
  using Clock = std::chrono::steady_clock;

  explicit ComparisonSchedule(std::chrono::milliseconds interval) : interval_(interval) {}

  /// A leadership begins: nothing has been compared since then.
  void reset() {
    due_ = {};
    whole_ = false;
  }

  /// Returns the number of the comparison that answers: one that begins after this. A comparison that runs now does not
  /// count, because it may have read the database before what the caller has written.
  std::int64_t ask() { return asked_ = begun_ + 1; }

  [[nodiscard]] bool due(Clock::time_point now) const { return !whole_ || reconciled_ < asked_ || now >= due_; }

  /// Returns its number.
  std::int64_t begin() { return ++begun_; }

  /// Comparison `number` has ended, and the topic holds what the database held. One that fails is not noted.
  void succeeded(std::int64_t number, Clock::time_point now) {
    whole_ = true;
    reconciled_ = std::max(reconciled_, number);
    due_ = now + interval_;
  }

  /// At least one has succeeded since reset().
  [[nodiscard]] bool whole() const { return whole_; }
  /// The number of the last comparison that succeeded.
  [[nodiscard]] std::int64_t reconciled() const { return reconciled_; }

 private:
  std::chrono::milliseconds interval_;
  bool whole_ = false;
  std::int64_t asked_ = 0;
  std::int64_t begun_ = 0;
  std::int64_t reconciled_ = 0;
  Clock::time_point due_{};
};

}  // namespace tokenrail::registry_sync
