// The owner's account of its audit log: which offsets are known, so that what stands behind them is known to count
// (protocol R9). Pure.
//
// An offset is known if it is that of an own delivery report, or if reading has passed it. In quiet times every record
// of the log is the owner's own, the reports alone move the position, and nothing is read; a second writer leaves a
// gap, which has to be read. Events come out in the order of the log, own ones and read ones alike.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "common/events/audit.hpp"
#include "common/events/offsets.hpp"

namespace tokenrail::router {

class AuditAccount {
 public:
  struct Entry {
    events::AuditOffset offset{-1};
    events::AuditFacts facts{};
    bool own = false;                                  ///< told by a report, not read
    bool read = false;                                 ///< own, on its way: reading has come by it before its report
    events::ChunkOffset chunks_acknowledged_before{};  ///< own: what was acknowledged when it was sent
    std::int64_t at_ms = 0;                            ///< Unix; when it was sent, or the record's timestamp
    std::int64_t stamp_ms = -1;                        ///< Unix; the record's timestamp; -1: not known
    std::size_t bytes = 0;                             ///< of the record's value
  };

  /// `position`: the first offset that is not known.
  explicit AuditAccount(events::AuditOffset position = {}) : position_(position) {}

  /// An own event is on its way. Reports come in this order.
  void produced(Entry entry);
  /// The oldest own event on its way was delivered; `offset` -1: the report does not say where (BatchNumbers). Returns
  /// whether that can be: false, where it lies below what is known and was not read.
  bool reported(events::AuditOffset offset, std::int64_t stamp_ms = -1);
  /// The oldest own event on its way was refused for good: it is not in the log.
  void refused() {
    if (!on_the_way_.empty()) on_the_way_.pop_front();
  }
  /// A record was read, at its offset, by reading that began at or before position().
  void read(Entry entry);
  /// A record there could not be understood: it is nobody's event.
  void read_foreign(events::AuditOffset offset);
  /// Reading has come to `next` and there was nothing else below it.
  void read_to(events::AuditOffset next);

  /// The next event in the order of the log, once everything before it is known.
  std::optional<Entry> take();

  /// What is missing has to be read, from position() on.
  [[nodiscard]] bool gap() const { return !beyond_.empty() || unplaced_ > 0; }
  [[nodiscard]] events::AuditOffset position() const { return position_; }
  /// Own events that were delivered and lie behind a gap; for who stops looking at the log.
  [[nodiscard]] std::deque<Entry> delivered_beyond();

 private:
  void advance();

  events::AuditOffset position_;
  std::deque<Entry> on_the_way_{};
  std::map<events::AuditOffset, Entry> beyond_{};  ///< own, reported, behind a gap
  std::deque<Entry> unplaced_events_{};            ///< own, delivered at an offset that is not known
  std::size_t unplaced_ = 0;
  std::deque<Entry> ready_{};
};

}  // namespace tokenrail::router
