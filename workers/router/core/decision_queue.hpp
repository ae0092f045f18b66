// The requests about which something has become known, in that order: each is decided about after the one at hand. One
// that is complete lets the next of its line be decided about, and a line may be long, so that must not be a recursion.
//
// Owned by Partition, one for each, which decides. Pure.
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "common/events/offsets.hpp"

namespace tokenrail::router {

class DecisionQueue {
 public:
  /// Returns whether the caller has to serve the queue: call next() until it is empty. Else it is being served.
  [[nodiscard]] bool add(events::RequestOffset offset) {
    offsets_.push_back(offset);
    return !std::exchange(served_, true);
  }
  /// Nothing: the queue is empty, and has been served.
  [[nodiscard]] std::optional<events::RequestOffset> next() {
    if (offsets_.empty()) {
      served_ = false;
      return std::nullopt;
    }
    const auto offset = offsets_.front();
    offsets_.pop_front();
    return offset;
  }

 private:
  std::deque<events::RequestOffset> offsets_{};
  bool served_ = false;
};

}  // namespace tokenrail::router
