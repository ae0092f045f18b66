// Which of its own logs a partition reads now, whether they give anything, and the numbers of its questions about them.
//
// Owned by Partition, one for each, which starts and stops the reading. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "workers/router/core/environment.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

class LogReading {
 public:
  /// A log that gives neither a record nor its end for so long is silent.
  static constexpr Millis patience{30'000};

  void started(Log log, Millis now) {
    reads_[static_cast<std::size_t>(log)] = true;
    heard_at_ = now;
  }
  /// Returns whether it was read.
  bool stop(Log log) { return std::exchange(reads_[static_cast<std::size_t>(log)], false); }
  [[nodiscard]] bool reads(Log log) const { return reads_[static_cast<std::size_t>(log)]; }

  /// A log that is read gave a record, or its end.
  void heard(Millis now) { heard_at_ = now; }
  [[nodiscard]] bool is_silent(Millis now) const { return now - heard_at_ >= patience; }

  /// Never 0.
  [[nodiscard]] std::uint32_t next_question() { return ++questions_; }

 private:
  std::array<bool, 3> reads_{};  ///< by Log
  Millis heard_at_{0};           ///< steady
  std::uint32_t questions_ = 0;
};

}  // namespace tokenrail::router
