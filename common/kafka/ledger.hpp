// A partition's account of which offsets are complete. Pure: facts in, decisions out. Requests end out of order; what
// may be committed is the lowest offset that is delivered and not complete. Offsets that were never delivered
// (compaction, transaction markers) count as complete. Memory grows with the incomplete offsets only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

namespace tokenrail::kafka {

class OffsetLedger {
 public:
  /// `start`: the offset reading starts at.
  explicit OffsetLedger(std::int64_t start) : next_(start) {}

  /// Offsets come in growing order; one below what was delivered already is refused (false): it is being handled.
  bool delivered(std::int64_t offset);
  /// Returns false where the offset is not an incomplete one (twice complete, never delivered).
  bool complete(std::int64_t offset);

  /// The lowest incomplete offset; nothing incomplete: highest delivered + 1; nothing delivered yet: the start.
  [[nodiscard]] std::int64_t committable() const { return incomplete_.empty() ? next_ : *incomplete_.begin(); }
  /// From the lowest incomplete offset to the highest delivered, both included; 0: nothing incomplete.
  [[nodiscard]] std::int64_t span() const { return incomplete_.empty() ? 0 : next_ - *incomplete_.begin(); }
  [[nodiscard]] std::size_t incomplete() const { return incomplete_.size(); }
  [[nodiscard]] bool is_incomplete(std::int64_t offset) const { return incomplete_.contains(offset); }
  [[nodiscard]] std::int64_t next() const { return next_; }

 private:
  std::int64_t next_;  ///< highest delivered + 1; the start before that
  std::set<std::int64_t> incomplete_;
};

}  // namespace tokenrail::kafka
