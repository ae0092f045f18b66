// Which offloaded requests are read again from chat.requests, and where the reading of that log is. Pure.
//
// Owned by Partition, one for each. One reading serves all that are wanted: it begins at the lowest, and begins anew
// where the next one is far away. ReloadQueue says from where; the partition starts and stops it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

#include "common/events/offsets.hpp"

namespace tokenrail::router {

class ReloadQueue {
 public:
  /// Records in between that are read and thrown away rather than skipped by starting anew.
  static constexpr std::int64_t read_through_max = 500;

  /// Returns from where to read, where the reading has to begin elsewhere.
  std::optional<events::RequestOffset> want(events::RequestOffset offset) {
    const bool behind = offset < position_;
    const bool first = wanted_.empty();
    wanted_.insert(offset);
    return first || behind ? std::optional(restart()) : std::nullopt;
  }
  void forget(events::RequestOffset offset) { wanted_.erase(offset); }
  void clear() { wanted_.clear(); }

  /// The record at `offset` has been read.
  void read(events::RequestOffset offset) { position_ = offset + 1; }
  /// Takes out the lowest that lies below `next_offset`: reading has passed it, so it has been deleted.
  std::optional<events::RequestOffset> take_passed(events::RequestOffset next_offset) {
    if (wanted_.empty() || *wanted_.begin() >= next_offset) return std::nullopt;
    return wanted_.extract(wanted_.begin()).value();
  }
  /// Returns from where to read on, where the next one is too far away to read on to it.
  std::optional<events::RequestOffset> skip() {
    if (wanted_.empty() || *wanted_.begin() - position_ <= read_through_max) return std::nullopt;
    return restart();
  }

  [[nodiscard]] bool empty() const { return wanted_.empty(); }
  [[nodiscard]] std::size_t size() const { return wanted_.size(); }

 private:
  events::RequestOffset restart() { return position_ = *wanted_.begin(); }

  std::set<events::RequestOffset> wanted_{};
  events::RequestOffset position_{};
};

}  // namespace tokenrail::router
