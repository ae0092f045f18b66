// The simulated time: a queue of what happens when. The clock jumps to the next event; what is due at the same moment
// happens in the order in which it was scheduled.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace tokenrail::simulation {

using Micros = std::chrono::microseconds;
using Action = std::move_only_function<void()>;

class Scheduler {
 public:
  [[nodiscard]] Micros now() const { return now_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  void after(Micros delay, Action action) {
    std::size_t slot = actions_.size();
    if (free_.empty()) {
      actions_.push_back(std::move(action));
    } else {
      slot = free_.back();
      free_.pop_back();
      actions_[slot] = std::move(action);
    }
    queue_.push({.at = now_ + std::max(delay, Micros(0)), .order = ++order_, .slot = slot});
  }

  /// Lets the next event happen; false: there is none.
  bool step() {
    if (queue_.empty()) return false;
    const auto next = queue_.top();
    queue_.pop();
    now_ = next.at;
    ++steps_;
    auto action = std::move(actions_[next.slot]);
    actions_[next.slot] = nullptr;
    free_.push_back(next.slot);
    action();
    return true;
  }

 private:
  struct Due {
    Micros at;
    std::uint64_t order;
    std::size_t slot;
    bool operator>(const Due& other) const { return std::pair(at, order) > std::pair(other.at, other.order); }
  };

  Micros now_{0};
  std::uint64_t order_ = 0;
  std::uint64_t steps_ = 0;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> queue_{};
  std::vector<Action> actions_{};
  std::vector<std::size_t> free_{};
};

}  // namespace tokenrail::simulation
