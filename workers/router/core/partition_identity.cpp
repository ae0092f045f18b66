// When a log turns out to be another one than was read: its topic was created again, or it went back (an unclean leader
// election). Its offsets mean other records then, and nothing that was concluded from the old ones holds.
//
// chat.requests: what waited or ran is dropped, what nobody answered is told by requests.lost, and the new log is read
// from its own beginning. llm.audit, chat.chunks: the partition is claimed again, and its tails begin at a time, as
// where no commit says anything. In both cases through fail(): there is no second repair path.
#include <algorithm>
#include <limits>
#include <utility>

#include <spdlog/spdlog.h>

#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

constexpr Millis looks_awaited{3'000};

constexpr std::size_t index_of(Log log) {
  return static_cast<std::size_t>(log);
}

void note_same(kafka::WitnessTrail& trail, const std::optional<kafka::WitnessAnswer>& look) {
  if (look && look->verdict == kafka::LogVerdict::same) trail.same(look->next);
}

bool is_another(const std::optional<kafka::WitnessAnswer>& look) {
  return look && look->verdict == kafka::LogVerdict::another;
}

}  // namespace

void Partition::inherit_witnesses() {
  if (!inherited_) return;
  identity_.requests.inherit(inherited_->requests_log);
  identity_.audit.inherit(inherited_->audit_log);
  identity_.chunks.inherit(inherited_->chunks_log);
  identity_.awaited = identity_.requests.knows() || identity_.audit.knows() || identity_.chunks.knows();
  identity_.awaited_to = services_.environment.now().steady + looks_awaited;
}

bool Partition::waits_for_looks() const {
  return identity_.awaited && services_.environment.now().steady < identity_.awaited_to;
}

Partition::Witnesses Partition::witnesses() {
  Witnesses all;
  all[index_of(Log::requests)] = identity_.requests.ask();
  all[index_of(Log::audit)] = identity_.audit.ask();
  all[index_of(Log::chunks)] = identity_.chunks.ask();
  return all;
}

void Partition::bear_witness(events::CommitMetadata& metadata) {
  metadata.requests_log = identity_.older ? *identity_.older : identity_.requests.below(commit_.sent_offset);
  constexpr auto any = std::numeric_limits<std::int64_t>::max();
  metadata.audit_log = identity_.audit.below(any);
  metadata.chunks_log = identity_.chunks.below(any);
}

/// A record below what has been read: read twice, or of another log. Nothing is said of where no witness is known.
bool Partition::witnessed(const kafka::Record& record) {
  if (record.offset >= identity_.requests.position()) return false;
  services_.hub.look_soon();
  return true;
}

void Partition::on_looks(const Looks& looks) {
  if (phase_ == Phase::releasing || phase_ == Phase::continuing || phase_ == Phase::over) return;
  identity_.awaited = false;
  const auto& requests = looks[index_of(Log::requests)];
  const bool requests_other = is_another(requests) && !planted(Bug::believes_old_log);
  const bool audit_other = is_another(looks[index_of(Log::audit)]) && !planted(Bug::believes_old_log);
  const bool chunks_other = is_another(looks[index_of(Log::chunks)]) && !planted(Bug::believes_old_log);
  note_same(identity_.requests, requests);
  note_same(identity_.audit, looks[index_of(Log::audit)]);
  note_same(identity_.chunks, looks[index_of(Log::chunks)]);
  if (!requests_other && !audit_other && !chunks_other) {
    if (phase_ == Phase::claiming && identity_.claimed) claim_reported();
    return;
  }
  ++identity_.version;
  if (audit_other || chunks_other) outputs_are_others(audit_other, chunks_other);
  if (requests_other) requests_are_others(*requests);
  // A commit that is on its way says what is not true any more.
  if (phase_ == Phase::settling) return;
  fail("a log of it is another one than was read");
}

void Partition::outputs_are_others(bool audit, bool chunks) {
  if (audit) identity_.audit.clear();
  if (chunks) identity_.chunks.clear();
  inherited_.reset();
  locating_ = {};
  positions_.clear();
  commit_.metadata.clear();
  start_ = ledger_.committable();
}

void Partition::requests_are_others(const kafka::WitnessAnswer& now) {
  const auto committable = ledger_.committable();
  const auto end = end_of_older(now);
  if (committable < end) {
    spdlog::error("partition {}: the requests from offset {} to {} of the log that is gone were not answered", number_,
                  committable, end - 1);
    const auto from = identity_.lost ? std::min(identity_.lost->first, committable) : committable;
    identity_.lost = std::pair(from, identity_.lost ? std::max(identity_.lost->second, end) : end);
    if (!identity_.older) identity_.older = identity_.requests.below(committable);
    identity_.older->position = std::max(identity_.older->position, end);
    identity_.told = false;
  }
  recent_.log_began([&](std::int64_t offset) { return offset >= ledger_.next() || ledger_.is_incomplete(offset); });
  forget_requests();
  // What is left of a log that went back, and was not answered yet, is still to be answered.
  start_ = std::min({now.newer_from, now.next, std::max(committable, now.first)});
  start_committed_ = true;
  anything_delivered_ = false;
  ledger_ = kafka::OffsetLedger(start_);
  commit_.offset = start_;
  if (inherited_) {
    inherited_->dead_letters.clear();
    inherited_->requests_log = identity_.older.value_or(kafka::LogWitness{});
    commit_.metadata = events::encode(*inherited_);
  }
  identity_.requests.clear();
  wire_.seek(number_, start_);
}

/// One past what is known to have been in the log before. What has been read since it was last known to be the same may
/// be of the new log already: its timestamps say so.
std::int64_t Partition::end_of_older(const kafka::WitnessAnswer& now) const {
  auto end = identity_.requests.end();
  const auto older = [&](std::int64_t time_ms) { return now.newer_from_ms < 0 || time_ms < now.newer_from_ms; };
  for (const auto& [offset, job] : jobs_) {
    if (older(job.source_ms)) end = std::max(end, offset + 1);
  }
  for (const auto& record : untouched_) {
    if (older(record.timestamp_ms)) end = std::max(end, record.offset + 1);
  }
  for (const auto& [offset, letter] : dead_letters_) {
    if (older(letter.record.timestamp_ms)) end = std::max(end, offset + 1);
  }
  return end;
}

void Partition::forget_requests() {
  while (!jobs_.empty()) drop_job(jobs_.begin()->first);
  drop_untouched();
  order_ = KeyOrder{};
  held_.clear();
  services_.hub.forget_waiting(number_);
  careful_.preparing.reset();
  careful_.waiting.clear();
  fetching_.wanted.clear();
  stop_log(Log::requests);
  gaps_.clear();
  gap_question_ = 0;
  dead_lettered_.clear();
  dead_lettered_news_ = false;
}

}  // namespace tokenrail::router
