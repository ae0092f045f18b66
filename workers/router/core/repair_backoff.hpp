// Repairs of a partition that follow one another wait longer and longer: haste seldom fixes what breaks them. Pure.
#pragma once

#include <algorithm>

#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

class RepairBackoff {
 public:
  /// The second in a row waits this long, the third twice as long, and so on.
  static constexpr Millis wait{200};
  static constexpr Millis wait_max{10'000};
  /// After so much quiet the next one counts as the first, which begins at once.
  static constexpr Millis calm{60'000};

  /// A repair begins (steady).
  void begin(Millis now) {
    if (now - newest_at_ > calm) in_a_row_ = 0;
    newest_at_ = now;
    until_ = in_a_row_ == 0 ? now : now + std::min(wait_max, wait * (1 << (in_a_row_ - 1)));
    in_a_row_ = std::min(in_a_row_ + 1, doublings_max);
  }
  /// It may go on.
  [[nodiscard]] bool is_over(Millis now) const { return now >= until_; }

 private:
  static constexpr int doublings_max = 10;
  int in_a_row_ = 0;
  Millis newest_at_{0};
  Millis until_{0};
};

}  // namespace tokenrail::router
