// A partition's account of which offsets are complete. Pure: facts in, decisions out. Requests end out of order; what
// may be committed is the lowest offset that is delivered and not complete. Offsets that were never delivered
// (compaction, transaction markers) count as complete. Memory grows with the incomplete offsets only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

namespace tokenrail::kafka {

/// `Offset`: std::int64_t, or a type of its own that counts like it.
template <class Offset>
class BasicOffsetLedger {
 public:
  /// `start`: the offset reading starts at.
  explicit BasicOffsetLedger(Offset start) : next_(start) {}

  /// Offsets come in growing order; one below what was delivered already is refused (false): it is being handled.
  bool delivered(Offset offset) {
    if (offset < next_) return false;
    incomplete_.insert(incomplete_.end(), offset);
    next_ = offset + 1;
    return true;
  }
  /// Returns false where the offset is not an incomplete one (twice complete, never delivered).
  bool complete(Offset offset) { return incomplete_.erase(offset) == 1; }

  /// The lowest incomplete offset; nothing incomplete: highest delivered + 1; nothing delivered yet: the start.
  [[nodiscard]] Offset committable() const { return incomplete_.empty() ? next_ : *incomplete_.begin(); }
  /// From the lowest incomplete offset to the highest delivered, both included; 0: nothing incomplete.
  [[nodiscard]] std::int64_t span() const { return incomplete_.empty() ? 0 : next_ - *incomplete_.begin(); }
  [[nodiscard]] std::size_t incomplete() const { return incomplete_.size(); }
  [[nodiscard]] bool is_incomplete(Offset offset) const { return incomplete_.contains(offset); }
  [[nodiscard]] Offset next() const { return next_; }

 private:
  Offset next_;  ///< highest delivered + 1; the start before that
  std::set<Offset> incomplete_;
};

using OffsetLedger = BasicOffsetLedger<std::int64_t>;

}  // namespace tokenrail::kafka
