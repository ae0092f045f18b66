// The producer's account of records that are not reported yet: how many and how large, a partition and a topic, and
// since when. One slot a record, reused, so that nothing is allocated a record; the slots of a partition form a list in
// the order of producing. Pure.
//
// A topic's room is shared by a rule that needs no knowledge of who is stuck: a partition may hold a quarter of what is
// still free. If K partitions take nothing, each ends at 1/(K + 4) of the topic's room, and 4/(K + 4) stay free for
// the others, whatever K is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tokenrail::kafka::detail {

class Unreported {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot none = 0xffffffff;

  struct Limits {
    std::size_t records_max = 0;
    std::size_t bytes_max = 0;
  };

  /// What is waiting for one topic, and its room.
  struct Pool {
    Limits limits{};
    std::size_t records = 0;
    std::size_t bytes = 0;
    bool full = false;  ///< a record of some partition was refused
  };

  /// What is waiting for one partition, or for one topic where the partitioner chooses.
  struct Lane {
    explicit Lane(Pool& shared) : pool(&shared) {}
    Pool* pool;
    std::size_t records = 0;
    std::size_t bytes = 0;
    Slot oldest = none;
    Slot newest = none;
    bool full = false;  ///< a record was refused, and there has not been room enough since
  };

  struct Released {
    std::uint64_t token = 0;
    bool space = false;  ///< a lane that had been full has room again
  };

  explicit Unreported(Limits lane) : limits_(lane) {}

  /// false: no room; the lane is marked full. One record of any size fits into an empty lane.
  bool has_room(Lane& lane, std::size_t bytes) const;
  Slot add(Lane& lane, std::size_t bytes, std::uint64_t token, std::uint64_t unit, std::int64_t now_ms);
  Released release(Slot slot);
  /// Whether a lane that was full has room again because others have drained; it is no longer marked then.
  bool regained(Lane& lane) const;

  [[nodiscard]] std::size_t records() const { return records_; }
  [[nodiscard]] Lane& lane(Slot slot) const { return *entries_[slot].lane; }
  [[nodiscard]] std::uint64_t unit(Slot slot) const { return entries_[slot].unit; }
  /// The next younger one of the same lane, or none.
  [[nodiscard]] Slot next(Slot slot) const { return entries_[slot].newer; }
  /// When the oldest was added; nothing must be asked of an empty lane.
  [[nodiscard]] std::int64_t oldest_ms(const Lane& lane) const { return entries_[lane.oldest].added_ms; }

 private:
  struct Entry {
    Lane* lane;
    std::uint64_t token;
    std::uint64_t unit;
    std::int64_t added_ms;
    std::size_t bytes;
    Slot older;
    Slot newer;  ///< of a free slot: the next free one
  };

  /// What the lane may hold at present.
  [[nodiscard]] Limits room(const Lane& lane) const;
  /// Room for a quarter, not for one: or the caller would stop and go with every report.
  [[nodiscard]] bool roomy(const Lane& lane) const;

  Limits limits_;
  std::vector<Entry> entries_;
  Slot free_ = none;
  std::size_t records_ = 0;
};

}  // namespace tokenrail::kafka::detail
