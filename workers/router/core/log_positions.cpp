#include "workers/router/core/log_positions.hpp"

#include <algorithm>

#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

// How fine the way back is known: a mark each second or each quarter of a mebibyte, whichever comes first.
constexpr Millis mark_every{1'000};
constexpr std::uint64_t mark_every_bytes = 256 * 1024;

}  // namespace

void LogPositions::clear() {
  chunk_cap_ = chunks_acknowledged_ = {};
  open_.clear();
  marks_.clear();
  audit_end_ = {};
  bytes_ = 0;
}

void LogPositions::recovered(events::ChunkOffset chunk_end) {
  chunk_cap_ = chunk_end;
  chunks_acknowledged_ = std::max(chunks_acknowledged_, chunk_end);
  open_.clear();
}

void LogPositions::event(events::AuditOffset audit_offset, Millis at, std::size_t bytes) {
  // What is read twice (a tail after a repair) counts once.
  if (audit_offset < audit_end_) return;
  audit_end_ = audit_offset + 1;
  if (marks_.empty() || at - marks_.back().at >= mark_every || bytes_ - marks_.back().bytes_before >= mark_every_bytes)
    marks_.push_back({.audit_offset = audit_offset, .at = at, .bytes_before = bytes_});
  bytes_ += bytes;
}

void LogPositions::own_event_counts(events::ChunkOffset chunks_acknowledged_when_sent) {
  chunk_cap_ = std::max(chunk_cap_, chunks_acknowledged_when_sent);
}

void LogPositions::chunk_acknowledged(events::ChunkOffset chunk_offset) {
  chunks_acknowledged_ = std::max(chunks_acknowledged_, chunk_offset + 1);
}

void LogPositions::begun(events::RequestOffset source_offset, std::int64_t attempt, events::ChunkOffset chunk_offset) {
  if (!planted(Bug::answer_begins_before)) open_.try_emplace({source_offset, attempt}, chunk_offset);
}

void LogPositions::terminal(events::RequestOffset source_offset, std::int64_t attempt,
                            events::ChunkOffset chunk_offset) {
  constexpr events::ChunkOffset first{};
  open_.try_emplace({source_offset, attempt},
                    chunk_offset >= first ? chunk_offset : std::max(first, chunks_acknowledged_ - 1));
}

void LogPositions::answered(events::RequestOffset source_offset, std::int64_t attempt) {
  open_.erase({source_offset, attempt});
}

LogPositions::Positions LogPositions::at(events::RequestOffset committed, const events::AuditFold& fold,
                                         events::AuditOffset accounted, Millis now) {
  Positions positions{.audit = accounted, .chunk = planted(Bug::chunk_cap_too_far) ? chunks_acknowledged_ : chunk_cap_};
  if (const auto first = fold.first_event_from(committed)) positions.audit = std::min(positions.audit, *first);
  // What stands between a mark and the next is at most that much younger than the mark.
  while (!marks_.empty() && now - marks_.front().at >= window_ + mark_every) marks_.pop_front();
  while (marks_.size() > 1 && bytes_ - marks_.front().bytes_before > window_bytes_) {
    marks_.pop_front();
    ++windows_cut_;
  }
  if (!marks_.empty()) positions.audit = std::min(positions.audit, marks_.front().audit_offset);

  for (const auto& [attempt, chunk] : open_) positions.chunk = std::min(positions.chunk, chunk);
  if (planted(Bug::audit_offset_too_far)) positions.audit = std::min(accounted, positions.audit + 1);
  if (planted(Bug::chunk_offset_too_far)) ++positions.chunk;
  return positions;
}

}  // namespace tokenrail::router
