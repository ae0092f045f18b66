// Logs that are replaced, whole or from an offset on. Offsets then mean other records, so the oracle counts requests
// and places on chat.chunks through all logs that a topic has had, and translates what the records say.
//
// What is gone with a log is not judged any more: its requests end unanswered, and what llm.audit or chat.chunks said
// about earlier requests is not held against anybody. All requests that come later are judged like those of any
// history.
#include <algorithm>

#include "tests/simulation/oracle.hpp"

namespace tokenrail::simulation {

namespace {

// A router looks every five seconds; then it claims again, and cancels what runs.
constexpr Micros noticed{15'000'000};

}  // namespace

void Oracle::went_back(Part& p, Micros now) {
  ++figures_.replaced;
  if (!p.struck || p.struck_until != Micros::max()) p.struck_until = now + noticed;
  p.struck = true;
  for (auto& [who, attempt] : p.attempts) attempt.excused = true;
}

void Oracle::requests_went_back(int partition, std::int64_t to, Micros now) {
  auto& p = part(partition);
  const auto kept = static_cast<std::size_t>(to);
  if (kept >= p.here.size()) return;
  went_back(p, now);
  p.requests_replaced = true;
  p.requests_noticed_at = now + noticed;
  p.commits_doubtful = p.audit_from > 0;
  p.read_to = 0;
  for (auto at = kept; at < p.here.size(); ++at) {
    auto& source = p.sources[p.here[at]];
    source.gone = source.deleted = true;
    if (source.read) p.read_to = source.offset + 1;
  }
  p.here.resize(kept);
  p.judged = std::min(p.judged, to);
}

void Oracle::audit_went_back(int partition, std::int64_t to, Micros now) {
  auto& p = part(partition);
  if (to >= static_cast<std::int64_t>(p.audit_log.ms.size())) return;
  went_back(p, now);
  p.audit_log.unknown_to = p.fold.epoch();
  p.audit_log.noticed_at = now + noticed;
  p.fold = p.uncut = events::AuditFold();
  p.audit_log.ms.resize(static_cast<std::size_t>(to));
  p.audit_from = p.sources.size();
  // Until it is noticed that chat.requests is another log, nobody has committed what is left of it.
  p.commits_doubtful = now < p.requests_noticed_at;
  p.released.clear();
  p.out_of_order.clear();
  std::erase_if(p.claims, [&](const auto& claim) { return claim.second.at >= to; });
}

void Oracle::chunks_went_back(int partition, std::int64_t to, Micros now) {
  auto& p = part(partition);
  if (to >= static_cast<std::int64_t>(p.chunks_log.ms.size())) return;
  went_back(p, now);
  const auto kept = p.chunks_base + to;
  for (auto& [who, attempt] : p.attempts) {
    if (attempt.last_at < kept) continue;
    attempt.torn = true;
    attempt.terminal_at = -1;
  }
  p.chunks_log.unknown_to = p.fold.epoch();
  p.chunks_log.noticed_at = now + noticed;
  p.chunks_log.ms.resize(static_cast<std::size_t>(to));
  p.chunks_base = p.chunks_end - to;
  p.chunks_replaced = true;
}

bool Oracle::is_torn(int partition, const std::string& org_id, const std::string& request_id,
                     std::int64_t number) const {
  const auto id = ids_.find({org_id, request_id});
  if (id == ids_.end()) return false;
  const auto attempt = part(partition).attempts.find({id->second, number});
  return attempt != part(partition).attempts.end() && attempt->second.torn;
}

void Oracle::request_read(int partition, std::int64_t offset, bool mistaken) {
  auto& p = part(partition);
  const auto at = static_cast<std::size_t>(offset);
  if (at >= p.here.size()) return;
  auto& source = p.sources[p.here[at]];
  source.read = true;
  source.mistaken = source.mistaken || mistaken;
}

void Oracle::request_dropped(int partition, std::int64_t offset) {
  for (auto& source : part(partition).sources) {
    if (source.offset >= offset && !answered(source)) source.read = false;
  }
}

void Oracle::unnoticed(int partition, std::int64_t position) {
  auto& p = part(partition);
  const auto end = std::min(static_cast<std::size_t>(position), p.here.size());
  for (std::size_t at = 0; at < end; ++at) p.sources[p.here[at]].passed_over = true;
}

std::int64_t Oracle::source_of(const Part& p, std::int64_t offset, std::int64_t at_ms) const {
  std::int64_t found = -1;
  for (auto i = static_cast<std::int64_t>(p.sources.size()) - 1; i >= 0; --i) {
    const auto& source = p.sources[static_cast<std::size_t>(i)];
    if (source.offset != offset) continue;
    if (at_ms < 0 || source.request.at_ms == at_ms) return i;
    if (found < 0) found = i;
  }
  return found;
}

std::int64_t Oracle::source_of(const Part& p, const events::Chunk& chunk) const {
  const auto id = ids_.find({chunk.org_id, chunk.request_id});
  if (id != ids_.end() && chunk.attempt != 0) {
    const auto attempt = p.attempts.find({id->second, chunk.attempt});
    if (attempt != p.attempts.end() && attempt->second.offset >= 0 &&
        p.sources[static_cast<std::size_t>(attempt->second.offset)].offset == chunk.source_offset)
      return attempt->second.offset;
  }
  for (auto i = static_cast<std::int64_t>(p.sources.size()) - 1; i >= 0; --i) {
    const auto& source = p.sources[static_cast<std::size_t>(i)];
    if (source.offset == chunk.source_offset && id != ids_.end() && source.id == id->second) return i;
  }
  return source_of(p, chunk.source_offset, -1);
}

void Oracle::translate(const Part& p, events::AuditFacts& event) const {
  using Kind = events::AuditFacts::Kind;
  if (event.kind == Kind::request || event.kind == Kind::response) {
    event.ids.source_offset = events::RequestOffset(source_of(p, event.ids.source_offset.value(), event.ids.source_ms));
  }
  for (auto& [offset, number] : event.continuing) {
    auto place = source_of(p, offset.value(), -1);
    for (std::size_t i = 0; i < p.sources.size(); ++i) {
      if (p.sources[i].offset != offset.value()) continue;
      if (p.fold.find(events::RequestOffset(static_cast<std::int64_t>(i)), number) != nullptr)
        place = static_cast<std::int64_t>(i);
    }
    offset = events::RequestOffset(place);
  }
}

/// Where the offset beside such a witness is one of a log that is gone, or may be, it is not judged.
bool Oracle::speaks_of(const std::vector<std::int64_t>& log_ms, const kafka::LogWitness& witness) {
  const auto offset = static_cast<std::size_t>(witness.offset);
  return witness.offset < 0 ||
         (witness.position <= static_cast<std::int64_t>(log_ms.size()) && log_ms[offset] == witness.time_ms);
}

bool Oracle::speaks_of(const Part::Log& log, const kafka::LogWitness& witness, std::int64_t epoch, Micros now) {
  // The log may have grown beyond its old end already, and the commit was on its way before its owner could know.
  const bool may_not_know = epoch <= log.unknown_to && (witness.offset < 0 || now < log.noticed_at);
  return !may_not_know && speaks_of(log.ms, witness);
}

bool Oracle::answered(const Source& source) {
  return source.told || source.passed_over || (source.request.garbage ? source.dead_lettered : source.done);
}

/// What a router had in its hands it has to answer or to tell, wherever it is well. Else nobody may have known of it.
bool Oracle::over(const Source& source) const {
  return answered(source) || (source.gone && !(excuses_.alone && source.read));
}

}  // namespace tokenrail::simulation
