// The producer's account of records that are not reported yet: how many and how large, a partition and in all, and
// since when the oldest waits. One slot a record, reused, so that nothing is allocated a record; the slots hang in one
// list in the order of producing, so that the oldest is at hand whatever order the reports come in. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tokenrail::kafka::detail {

class Unreported {
 public:
  using Slot = std::uint32_t;

  struct Limits {
    std::size_t records_max = 0;
    std::size_t bytes_max = 0;
  };

  /// What is waiting for one partition, or for one topic where the partitioner chooses.
  struct Lane {
    std::size_t records = 0;
    std::size_t bytes = 0;
    bool full = false;  ///< a record was refused, and there has not been room enough since
  };

  struct Released {
    std::uint64_t token = 0;
    bool space = false;  ///< a lane that had been full has room again
  };

  explicit Unreported(Limits lane) : limits_(lane) {}

  /// false: no room; the lane is marked full. One record of any size fits into an empty lane.
  bool has_room(Lane& lane, std::size_t bytes) const;
  Slot add(Lane& lane, std::size_t bytes, std::uint64_t token, std::int64_t now_ms);
  Released release(Slot slot);

  [[nodiscard]] std::size_t records() const { return records_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// When the oldest was added; meaningless while there is none.
  [[nodiscard]] std::int64_t oldest_ms() const { return entries_[oldest_].added_ms; }

 private:
  struct Entry {
    Lane* lane;
    std::uint64_t token;
    std::int64_t added_ms;
    std::size_t bytes;
    Slot older;
    Slot newer;  ///< of a free slot: the next free one
  };
  static constexpr Slot none = 0xffffffff;

  Limits limits_;
  std::vector<Entry> entries_;
  Slot oldest_ = none;
  Slot newest_ = none;
  Slot free_ = none;
  std::size_t records_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace tokenrail::kafka::detail
