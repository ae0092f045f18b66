// After several workers in a row were lost on a partition before they could write anything, one of its requests may be
// what ends them. So many requests are prepared one at a time then, each only after its llm.request: the log names the
// one that ends its worker. Pure.
//
// Owned by Partition, one for each. It never looks at a request; it says whose turn it is.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "common/events/offsets.hpp"

namespace tokenrail::router {

class PoisonIsolation {
 public:
  /// So many requests are to be prepared one at a time; 0: none.
  void begin(int requests) { left_ = requests; }
  [[nodiscard]] bool active() const { return left_ > 0; }
  [[nodiscard]] int left() const { return left_; }

  /// One is being prepared, and others have to wait for it.
  [[nodiscard]] bool busy() const { return active() && preparing_; }
  void preparing(events::RequestOffset offset) { preparing_ = offset; }
  /// Its value has been read, and this worker is still there. Returns whether it was the one that others wait for.
  bool prepared(events::RequestOffset offset) {
    if (preparing_ != offset) return false;
    preparing_.reset();
    if (left_ > 0) --left_;
    return true;
  }
  /// Nobody waits for that one any more: its llm.request cannot be written now.
  void give_up(events::RequestOffset offset) {
    if (preparing_ == offset) preparing_.reset();
  }

  /// It waits for its turn.
  void wait(events::RequestOffset offset) { waiting_.push_back(offset); }
  [[nodiscard]] bool has_next() const { return !preparing_ && !waiting_.empty(); }
  /// Whose turn it is; nothing while another is being prepared.
  std::optional<events::RequestOffset> next() {
    if (waiting_.empty() || busy()) return std::nullopt;
    const auto offset = waiting_.front();
    waiting_.pop_front();
    return offset;
  }
  /// Those that wait, and the one that is being prepared, are forgotten; how many are left stays.
  void clear() {
    preparing_.reset();
    waiting_.clear();
  }

 private:
  int left_ = 0;
  std::optional<events::RequestOffset> preparing_{};
  std::deque<events::RequestOffset> waiting_{};
};

}  // namespace tokenrail::router
