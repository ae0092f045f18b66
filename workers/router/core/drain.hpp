// The end of the router in order: until when running attempts may finish, and what is still waited for.
//
// Owned by RouterCore, which leaves the group and interrupts the attempts. All times are steady. Pure.
#pragma once

#include <functional>
#include <utility>

#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

class Drain {
 public:
  /// Running attempts may finish until then. `done`: what is to be called at the end.
  void begin(Millis until, std::function<void()> done) {
    begun_ = true;
    until_ = until;
    done_ = std::move(done);
  }
  [[nodiscard]] bool begun() const { return begun_; }
  /// It was asked for once more: nothing may run any longer.
  void hurry(Millis now) { until_ = now; }
  /// This worker is no member of the group any more. Nothing follows where no drain has begun.
  void left_group() { left_ = begun_; }

  /// It has begun and its end has not been taken.
  [[nodiscard]] bool runs() const { return begun_ && done_; }
  /// The deadline has come. True once, for the one who interrupts what runs.
  [[nodiscard]] bool take_deadline(Millis now) {
    if (now < until_) return false;
    return !std::exchange(interrupted_, true);
  }
  /// `finished`: nothing is to be released and nothing runs. Beyond the deadline that is waited for during `grace`; the
  /// group's answer is, too.
  [[nodiscard]] bool is_over(Millis now, Millis grace, bool finished) const {
    return now >= until_ + grace || (left_ && finished);
  }
  /// What begin() was given.
  [[nodiscard]] std::function<void()> take_done() { return std::exchange(done_, nullptr); }

 private:
  bool begun_ = false;
  bool left_ = false;  ///< the group
  bool interrupted_ = false;
  Millis until_{0};
  std::function<void()> done_{};
};

}  // namespace tokenrail::router
