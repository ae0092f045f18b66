#include "workers/router/core/log_positions.hpp"

#include <algorithm>

namespace tokenrail::router {

void LogPositions::audit_event(std::int64_t source_offset, std::int64_t audit_offset) {
  const auto [it, fresh] = first_event_.try_emplace(source_offset, audit_offset);
  if (!fresh) it->second = std::min(it->second, audit_offset);
}

void LogPositions::audit_acknowledged(std::int64_t audit_offset, std::int64_t chunks_acknowledged_when_sent) {
  audit_next_ = std::max(audit_next_, audit_offset + 1);
  chunk_cap_ = std::max(chunk_cap_, chunks_acknowledged_when_sent);
}

void LogPositions::chunk_acknowledged(std::int64_t chunk_offset) {
  chunks_acknowledged_ = std::max(chunks_acknowledged_, chunk_offset + 1);
}

void LogPositions::terminal(std::int64_t source_offset, std::int64_t chunk_offset) {
  // After a repair a second attempt may have ended too; the lower one stands until a response counts.
  const auto [it, fresh] = terminals_.try_emplace(source_offset, chunk_offset);
  if (!fresh) it->second = std::min(it->second, chunk_offset);
}

void LogPositions::answered(std::int64_t source_offset) {
  terminals_.erase(source_offset);
}

LogPositions::Positions LogPositions::at(std::int64_t committed) {
  first_event_.erase(first_event_.begin(), first_event_.lower_bound(committed));

  Positions positions{.audit = audit_next_, .chunk = chunk_cap_};
  for (const auto& [source, audit] : first_event_) positions.audit = std::min(positions.audit, audit);
  for (const auto& [source, chunk] : terminals_) positions.chunk = std::min(positions.chunk, chunk);
  if (inherited_until_ < 0 || committed < inherited_until_) {
    positions.audit = std::min(positions.audit, inherited_audit_);
    positions.chunk = std::min(positions.chunk, inherited_chunk_);
  }
  return positions;
}

}  // namespace tokenrail::router
