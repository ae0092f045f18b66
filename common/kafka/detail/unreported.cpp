#include "common/kafka/detail/unreported.hpp"

#include <algorithm>

namespace tokenrail::kafka::detail {
namespace {

std::size_t quarter_of_free(std::size_t limit, std::size_t taken) {
  return taken >= limit ? 0 : (limit - taken) / 4;
}

}  // namespace

Unreported::Limits Unreported::room(const Lane& lane) const {
  const Pool& pool = *lane.pool;
  return {.records_max = std::min(limits_.records_max, quarter_of_free(pool.limits.records_max, pool.records)),
          .bytes_max = std::min(limits_.bytes_max, quarter_of_free(pool.limits.bytes_max, pool.bytes))};
}

bool Unreported::roomy(const Lane& lane) const {
  const auto most = room(lane);
  return lane.records <= most.records_max / 4 * 3 && lane.bytes <= most.bytes_max / 4 * 3;
}

bool Unreported::has_room(Lane& lane, std::size_t bytes) const {
  if (lane.records == 0) return true;
  const auto most = room(lane);
  if (lane.records < most.records_max && lane.bytes + bytes <= most.bytes_max) return true;
  lane.full = true;
  lane.pool->full = true;
  return false;
}

Unreported::Slot Unreported::add(Lane& lane, std::size_t bytes, std::uint64_t token, std::uint64_t unit,
                                 std::int64_t now_ms) {
  Slot slot = free_;
  if (slot == none) {
    slot = static_cast<Slot>(entries_.size());
    entries_.emplace_back();
  } else {
    free_ = entries_[slot].newer;
  }
  entries_[slot] = {.lane = &lane,
                    .token = token,
                    .unit = unit,
                    .added_ms = now_ms,
                    .bytes = bytes,
                    .older = lane.newest,
                    .newer = none};
  (lane.newest == none ? lane.oldest : entries_[lane.newest].newer) = slot;
  lane.newest = slot;
  ++lane.records;
  lane.bytes += bytes;
  ++lane.pool->records;
  lane.pool->bytes += bytes;
  ++records_;
  return slot;
}

Unreported::Released Unreported::release(Slot slot) {
  Entry& entry = entries_[slot];
  Lane& lane = *entry.lane;
  (entry.older == none ? lane.oldest : entries_[entry.older].newer) = entry.newer;
  (entry.newer == none ? lane.newest : entries_[entry.newer].older) = entry.older;
  --lane.records;
  lane.bytes -= entry.bytes;
  --lane.pool->records;
  lane.pool->bytes -= entry.bytes;
  --records_;
  entry.newer = free_;
  free_ = slot;
  return {.token = entry.token, .space = regained(lane)};
}

bool Unreported::regained(Lane& lane) const {
  if (!lane.full || !(lane.records == 0 || roomy(lane))) return false;
  lane.full = false;
  return true;
}

}  // namespace tokenrail::kafka::detail
