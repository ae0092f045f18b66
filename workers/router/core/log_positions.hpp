// Where a successor has to start reading the partition's own logs: the two offsets of the commit metadata (design
// §6.4). Pure. A position that is too low only lengthens the successor's tail; one that is too high would hide an event
// from it, so everything here errs downwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>

#include "common/events/audit_fold.hpp"
#include "common/events/offsets.hpp"
#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

class LogPositions {
 public:
  /// `window`, `window_bytes`: how far back a successor's tail shall reach, so that it knows the requests of late.
  LogPositions(Millis window, std::size_t window_bytes) : window_(window), window_bytes_(window_bytes) {}

  /// The logs are others than before: nothing that is known of them holds.
  void clear();

  /// The tails have been read under a new claim; the chunk log ended there.
  void recovered(events::ChunkOffset chunk_end);

  /// An event of the audit log, in its order. `bytes`: of the record.
  void event(events::AuditOffset audit_offset, Millis at, std::size_t bytes);
  /// An own event of the present claim is known to count.
  void own_event_counts(events::ChunkOffset chunks_acknowledged_when_sent);
  /// -1: delivered nobody knows where.
  void chunk_acknowledged(events::ChunkOffset chunk_offset);
  /// The attempt exists, no response counts yet, and its first chunk lies at `chunk_offset` or behind it: a successor
  /// takes its answer for whole only if it has read all of it.
  void begun(events::RequestOffset source_offset, std::int64_t attempt, events::ChunkOffset chunk_offset);
  /// A terminal chunk lies at `chunk_offset` (-1: at or behind the last one acknowledged); no response counts yet.
  void terminal(events::RequestOffset source_offset, std::int64_t attempt, events::ChunkOffset chunk_offset);
  /// A response of that attempt counts.
  void answered(events::RequestOffset source_offset, std::int64_t attempt);

  /// One past the last chunk acknowledged so far; to be remembered with every audit event when it is sent.
  [[nodiscard]] events::ChunkOffset chunks_acknowledged() const { return chunks_acknowledged_; }

  struct Positions {
    events::AuditOffset audit{};
    events::ChunkOffset chunk{};
  };
  /// For a commit of `committed`. `accounted`: the position that the owner's account has come to.
  [[nodiscard]] Positions at(events::RequestOffset committed, const events::AuditFold& fold,
                             events::AuditOffset accounted, Millis now);
  /// How often the window was cut shorter than its time because of its bytes.
  [[nodiscard]] std::uint64_t windows_cut() const { return windows_cut_; }

 private:
  struct Mark {
    events::AuditOffset audit_offset;
    Millis at;
    std::uint64_t bytes_before;
  };

  const Millis window_;
  const std::size_t window_bytes_;
  events::ChunkOffset chunk_cap_{};
  events::ChunkOffset chunks_acknowledged_{};
  /// (source, attempt) -> chunk offset, of those without a response that counts: nothing of them lies before it.
  std::map<std::pair<events::RequestOffset, std::int64_t>, events::ChunkOffset> open_{};
  std::deque<Mark> marks_{};
  events::AuditOffset audit_end_{};  ///< one past the last event told
  std::uint64_t bytes_ = 0;
  std::uint64_t windows_cut_ = 0;
};

}  // namespace tokenrail::router
