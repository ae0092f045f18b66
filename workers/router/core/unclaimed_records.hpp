// The records that a partition was handed while it was not running: nothing of them is looked at before its claim
// counts.
//
// Owned by Partition, one for each. They count in the process's window, and may fill a part of it only. What does not
// fit is dropped, and so is everything behind it: the partition reads again from the first that was dropped. It never
// reads a value, and never decides when to read again. The partition is not paused meanwhile, so its backlog is fetched
// twice: a pause throws away what was fetched too, and librdkafka before 2.4 may hand out records twice when a
// partition is resumed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "common/events/offsets.hpp"
#include "common/kafka/record.hpp"
#include "workers/router/core/window.hpp"

namespace tokenrail::router {

class UnclaimedRecords {
 public:
  explicit UnclaimedRecords(Window& window) : window_(window) {}
  ~UnclaimedRecords() { window_.claimed(records_.size(), bytes_); }
  UnclaimedRecords(const UnclaimedRecords&) = delete;
  UnclaimedRecords& operator=(const UnclaimedRecords&) = delete;

  /// A record of that size may be kept.
  [[nodiscard]] bool has_room(std::size_t bytes) const {
    return !dropped_from_ && window_.has_room_for_unclaimed(records_.size(), bytes_ + bytes);
  }
  /// `bytes`: what it counts in the window.
  void keep(kafka::Record&& record, std::size_t bytes) {
    window_.unclaimed(bytes);
    bytes_ += bytes;
    records_.push_back(std::move(record));
  }
  /// The record at that offset is not kept.
  void drop(events::RequestOffset offset) {
    dropped_from_ = std::min(dropped_from_.value_or(offset), offset);
    seen_to_ = std::max(seen_to_, offset + 1);
  }

  [[nodiscard]] const std::deque<kafka::Record>& records() const { return records_; }
  /// One past the highest that was dropped; 0: none was.
  [[nodiscard]] events::RequestOffset seen_to() const { return seen_to_; }

  /// Hands out what was kept, in its order.
  [[nodiscard]] std::deque<kafka::Record> take() {
    window_.claimed(records_.size(), std::exchange(bytes_, 0));
    return std::exchange(records_, {});
  }
  /// Where the partition has to read again, if anywhere; asked once.
  [[nodiscard]] std::optional<events::RequestOffset> read_again_from() {
    return std::exchange(dropped_from_, std::nullopt);
  }
  /// The log is another one: what was dropped is of no interest.
  void forget_dropped() {
    dropped_from_.reset();
    seen_to_ = {};
  }

 private:
  Window& window_;
  std::deque<kafka::Record> records_{};
  std::size_t bytes_ = 0;
  std::optional<events::RequestOffset> dropped_from_{};
  events::RequestOffset seen_to_{};
};

}  // namespace tokenrail::router
