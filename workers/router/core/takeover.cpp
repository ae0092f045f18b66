#include "workers/router/core/takeover.hpp"

#include <algorithm>
#include <utility>

#include "common/kafka/consumer.hpp"

namespace tokenrail::router {

namespace {

// Between the clocks of two routers, which stamp chunks and events.
constexpr Millis clock_skew_max{60'000};

}  // namespace

void Takeover::begin() {
  claim_is_in_log_ = false;
  answers_.clear();
  origins_.clear();
  first_event_.reset();
  first_chunk_.reset();
  chunks_cut_ = false;
  events_ = 0;
  epoch_seen_ = 0;
}

// --- the tail of llm.audit ------------------------------------------------------------------------------------------

bool Takeover::audit_begins_late(events::AuditOffset offset, events::AuditOffset begin) {
  if (first_event_) return false;
  first_event_ = offset;
  return begin >= events::AuditOffset(0) && offset > begin;
}

bool Takeover::note_event(const events::AuditFacts& facts, const kafka::Record& record, const events::AuditFold& fold) {
  note_origin(facts, record);
  // Of a long tail only what is open, or not complete yet, is kept.
  if (facts.kind == events::AuditFacts::Kind::response && !fold.any_open(facts.ids.source_offset))
    origins_.erase(facts.ids.source_offset);
  return ++events_ % forget_every == 0;
}

void Takeover::note_epoch(std::int64_t epoch) {
  epoch_seen_ = std::max(epoch_seen_, epoch);
}

// --- the tail of chat.chunks ----------------------------------------------------------------------------------------

void Takeover::read_chunks_from(events::ChunkOffset from) {
  chunks_from_ = from;
  chunks_end_.reset();
}

std::optional<events::ChunkOffset> Takeover::ends_at(events::ChunkOffset next_offset) {
  chunks_end_ = next_offset;
  if (chunks_from_.value() == kafka::offset_end || chunks_from_ == next_offset) return std::nullopt;
  return chunks_from_;
}

bool Takeover::tail_chunk(const kafka::Record& record, bool late) {
  const events::ChunkOffset offset(record.offset);
  if (!first_chunk_) {
    first_chunk_ = offset;
    first_chunk_at_ = Millis(record.timestamp_ms);
    chunks_cut_ = late;
  }
  if (early_end_ && offset >= *early_end_) return false;
  if (record.value) answers_.read(offset, *record.value);
  return true;
}

events::ChunkOffset Takeover::tail_read(events::ChunkOffset end, bool late) {
  if (late && !first_chunk_) {
    chunks_cut_ = true;
    first_chunk_at_ = Millis::max();
  }
  return chunks_read_to_ = early_end_.value_or(end);
}

void Takeover::later_chunk(const kafka::Record& record) {
  const events::ChunkOffset offset(record.offset);
  read_to(offset + 1);
  if (record.value) answers_.read(offset, *record.value);
}

void Takeover::read_to(events::ChunkOffset next_offset) {
  chunks_read_to_ = std::max(chunks_read_to_, next_offset);
}

bool Takeover::may_have_ended_in_the_cut(events::RequestOffset source_offset) const {
  if (!chunks_cut_) return false;
  const auto* const known = origin(source_offset);
  return known == nullptr || first_chunk_at_ > known->at - clock_skew_max;
}

// --- origins --------------------------------------------------------------------------------------------------------

void Takeover::note_origin(const events::AuditFacts& facts, const kafka::Record& record) {
  if (facts.kind != events::AuditFacts::Kind::request) return;
  auto& origin = origins_[facts.ids.source_offset];
  origin.key = record.key;
  origin.at = Millis(record.timestamp_ms);
  origin.model = facts.routed_to;
  if (const auto trace = kafka::header(record.headers, "traceparent")) origin.traceparent = std::string(*trace);
}

const Takeover::Origin* Takeover::origin(events::RequestOffset source_offset) const {
  const auto it = origins_.find(source_offset);
  return it == origins_.end() ? nullptr : &it->second;
}

std::optional<Takeover::Origin> Takeover::take_origin(events::RequestOffset source_offset) {
  auto known = origins_.extract(source_offset);
  return known ? std::optional(std::move(known.mapped())) : std::nullopt;
}

}  // namespace tokenrail::router
