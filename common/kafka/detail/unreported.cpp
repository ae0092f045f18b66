#include "common/kafka/detail/unreported.hpp"

namespace tokenrail::kafka::detail {

bool Unreported::has_room(Lane& lane, std::size_t bytes) const {
  if (lane.records == 0) return true;
  if (lane.records < limits_.records_max && lane.bytes + bytes <= limits_.bytes_max) return true;
  lane.full = true;
  return false;
}

Unreported::Slot Unreported::add(Lane& lane, std::size_t bytes, std::uint64_t token, std::int64_t now_ms) {
  Slot slot = free_;
  if (slot == none) {
    slot = static_cast<Slot>(entries_.size());
    entries_.emplace_back();
  } else {
    free_ = entries_[slot].newer;
  }
  entries_[slot] = {.lane = &lane, .token = token, .added_ms = now_ms, .bytes = bytes, .older = newest_, .newer = none};
  (newest_ == none ? oldest_ : entries_[newest_].newer) = slot;
  newest_ = slot;
  ++lane.records;
  lane.bytes += bytes;
  ++records_;
  bytes_ += bytes;
  return slot;
}

Unreported::Released Unreported::release(Slot slot) {
  Entry& entry = entries_[slot];
  (entry.older == none ? oldest_ : entries_[entry.older].newer) = entry.newer;
  (entry.newer == none ? newest_ : entries_[entry.newer].older) = entry.older;
  Lane& lane = *entry.lane;
  --lane.records;
  lane.bytes -= entry.bytes;
  --records_;
  bytes_ -= entry.bytes;
  entry.newer = free_;
  free_ = slot;
  // Room for a quarter, not for one: or the caller would stop and go with every report.
  const bool space =
      lane.full && lane.records <= limits_.records_max / 4 * 3 && lane.bytes <= limits_.bytes_max / 4 * 3;
  if (space) lane.full = false;
  return {.token = entry.token, .space = space};
}

}  // namespace tokenrail::kafka::detail
