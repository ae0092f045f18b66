// The reading of the tails (takeover.hpp) and what follows from it: attempts of former owners are closed, or left to
// their leases, and the first commit under the new claim is sent (protocol R17, R18).
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/events/audit.hpp"
#include "common/events/cloud_events.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

// Claims with nothing else said between them after which requests are prepared one at a time, and how many of them.
constexpr int silent_claims_max = 3;
constexpr int isolated_requests = 100;

}  // namespace

void Partition::read_tails() {
  enter(Phase::reading_audit);
  read_log(Log::audit, audit_tail_begin().value());
}

void Partition::on_log_record(Log log, const kafka::Record& record) {
  if (log == Log::requests) {
    if (phase_ == Phase::locating) {
      stop_log(Log::requests);
      begins_at(events::RequestOffset(record.offset));
      look_back_from(record.log_append_time ? std::optional(Millis(record.timestamp_ms)) : std::nullopt);
    } else {
      on_reloaded(record);
    }
    return;
  }
  reading_.heard(services_.environment.now().steady);
  if (log == Log::chunks) {
    if (takeover_.end_is_known() || planted(Bug::chunk_end_early)) {
      chunk_tail_record(record);
      // While another router goes on writing there may be no moment without a record behind it.
      if (takeover_.is_whole(events::ChunkOffset(record.offset + 1))) on_log_end(Log::chunks, record.offset + 1);
    } else {
      on_log_end(Log::chunks, record.offset);  // behind the end that was asked for there was only this record
    }
    return;
  }
  if (phase_ == Phase::reading_audit) {
    audit_tail_record(record);
  } else if (owns()) {
    auto facts = events::parse_audit(record.value.value_or(""));
    if (!facts || events::source_partition(*facts) != number_) {
      account_.read_foreign(events::AuditOffset(record.offset));
    } else {
      takeover_.note_origin(*facts, record);
      account_.read({.offset = events::AuditOffset(record.offset),
                     .facts = std::move(*facts),
                     .at_ms = record.timestamp_ms,
                     .stamp_ms = record.timestamp_ms,
                     .bytes = record.value->size()});
    }
    fold_known();
  }
}

void Partition::on_log_end(Log log, std::int64_t next_offset) {
  if (log == Log::requests) {
    if (phase_ == Phase::locating) {
      stop_log(Log::requests);
      begins_at(events::RequestOffset(next_offset));
      if (next_offset == 0 && !gone_.tails_by_time()) {
        // No request was ever read here: the logs contain claims at most, so the brokers are not asked for a place.
        located({.audit = events::AuditOffset(kafka::offset_beginning),
                 .chunk = events::ChunkOffset(kafka::offset_beginning)});
      } else {
        look_back_from(services_.environment.now().wall);
      }
    } else {
      reloaded_to(events::RequestOffset(next_offset));
    }
    return;
  }
  reading_.heard(services_.environment.now().steady);
  if (log == Log::chunks) {
    const events::ChunkOffset end(next_offset);
    const bool wanted = phase_ == Phase::reading_chunks || leases_.any_expired();
    if (wanted && !takeover_.end_is_known()) {
      if (const auto from = takeover_.ends_at(end)) {
        read_log(Log::chunks, from->value());
        return;
      }
    }
    if (wanted && !takeover_.is_whole(end)) return;
    if (phase_ == Phase::reading_chunks) {
      chunk_tail_read(end);
    } else if (phase_ == Phase::claiming && planted(Bug::chunk_end_early)) {
      takeover_.end_early(end);
      stop_log(Log::chunks);
    } else if (leases_.any_expired()) {
      takeover_.read_to(end);
      stop_log(Log::chunks);
      close_expired();
    }
    return;
  }
  if (owns()) {
    account_.read_to(events::AuditOffset(next_offset));
    fold_known();
  }
}

void Partition::note_seen(const events::AuditFacts& facts, std::int64_t at_ms) {
  using Kind = events::AuditFacts::Kind;
  if (facts.kind != Kind::request && facts.kind != Kind::response) return;
  if (facts.ids.attempt == 0) return;  // the answer to a duplicate: its first is spoken of elsewhere
  // Every owner has to judge by the same time; only an older writer does not say it.
  auto& seen = recent_.seen(facts.ids.org_id, facts.ids.request_id, facts.ids.source_offset,
                            facts.ids.source_ms >= 0 ? facts.ids.source_ms : at_ms);
  if (seen.offset == facts.ids.source_offset) seen.attempt = std::max(seen.attempt, facts.ids.attempt);
}

void Partition::audit_tail_record(const kafka::Record& record) {
  expect({Phase::reading_audit}, "a record of the audit tail");
  const events::AuditOffset offset(record.offset);
  if (const auto begin = audit_tail_begin(); takeover_.audit_begins_late(offset, begin)) {
    services_.metrics.tails_cut.add();
    spdlog::warn("partition {}: the audit log begins at {}, its tail was to be read from {}: retention has cut it",
                 number_, record.offset, begin.value());
  }
  identity_.of(Log::audit).note(record.offset, record.timestamp_ms);
  const auto facts = events::parse_audit(record.value.value_or(""));
  if (!facts || events::source_partition(*facts) != number_) return;
  const auto verdict = fold_.apply(offset, *facts);
  positions_.event(offset, Millis(record.timestamp_ms), record.value->size());
  if (takeover_.note_event(*facts, record, fold_)) fold_.forget_below(start_);
  note_seen(*facts, record.timestamp_ms);
  if (facts->kind == events::AuditFacts::Kind::lost) forget_lost(*facts);

  if (facts->kind != events::AuditFacts::Kind::claimed || facts->instance != instance_) {
    takeover_.note_epoch(facts->epoch);
    return;
  }
  stop_log(Log::audit);
  // Under an epoch that was claimed before the tail begins: ours has to be higher, or it is void.
  if (takeover_.epoch_seen() >= epoch_ && !planted(Bug::epoch_reused)) {
    epoch_ = takeover_.epoch_seen();
    fail(fmt::format("epoch {} was claimed before", takeover_.epoch_seen()));
    return;
  }
  const bool equal_taken = planted(Bug::epoch_reused) && facts->epoch == fold_.epoch();
  if (verdict == events::AuditFold::Verdict::counts || equal_taken) {
    isolation_.begin(fold_.claims_in_a_row() >= silent_claims_max ? isolated_requests : 0);
    audit_tail_read(offset);
    return;
  }
  // Another claim before ours is as high or higher: the coordinator says who owns the partition before we claim again.
  fail(fmt::format("epoch {} was claimed before", fold_.epoch()));
}

void Partition::audit_tail_read(events::AuditOffset claim_offset) {
  expect({Phase::reading_audit}, "the end of the audit tail");
  spdlog::debug("partition {}: the audit log is read up to the claim at {}", number_, claim_offset.value());
  account_ = AuditAccount(claim_offset + 1);
  enter(Phase::reading_chunks);
  const auto open = fold_.open();
  for (const auto* const attempt : open) takeover_.answers().expect(attempt->ids);
  // Nobody's answer is open: only the end of the chunk log is wanted.
  const bool wanted = !open.empty();
  read_chunks_from(wanted ? chunk_tail_begin() : events::ChunkOffset(kafka::offset_end));
}

// The end is asked for first, by itself: a leader that has just become one may hand out less than it has, and takes the
// end of that for the end of the log, until its followers have caught up; asked for the log's end it waits for them.
void Partition::read_chunks_from(events::ChunkOffset from) {
  takeover_.read_chunks_from(from);
  read_log(Log::chunks, kafka::offset_end);
}

void Partition::check_reading() {
  expect({Phase::reading_audit, Phase::reading_chunks}, "a check of the tails");
  if (!reading_.is_silent(services_.environment.now().steady)) return;
  fail("one of its logs gives neither a record nor its end");
}

void Partition::chunk_tail_record(const kafka::Record& record) {
  if (phase_ == Phase::reading_chunks) {
    if (!takeover_.tail_chunk(record, chunk_tail_starts_late(events::ChunkOffset(record.offset)))) return;
  } else if (leases_.any_expired()) {
    takeover_.later_chunk(record);
  } else {
    return;
  }
  identity_.of(Log::chunks).note(record.offset, record.timestamp_ms);
}

void Partition::chunk_tail_read(events::ChunkOffset end) {
  expect({Phase::reading_chunks}, "the end of the chunk tail");
  stop_log(Log::chunks);
  identity_.of(Log::chunks).reaches(end.value());
  positions_.recovered(takeover_.tail_read(end, !fold_.open().empty() && chunk_tail_starts_late(end)));
  recovered();
}

void Partition::recovered() {
  expect({Phase::reading_chunks}, "the end of the recovery");
  const auto now = services_.environment.now();
  for (const auto* const attempt : fold_.open()) {
    const auto& ids = attempt->ids;
    if (takeover_.answers().terminal(ids.source_offset, ids.attempt) == nullptr &&
        takeover_.may_have_ended_in_the_cut(ids.source_offset)) {
      // Until a response says so whoever comes next has to find the log cut as well: its tail begins where there is
      // nothing any more.
      positions_.begun(
          ids.source_offset, ids.attempt,
          std::max(events::ChunkOffset(0), std::min(chunk_tail_begin(), takeover_.first_chunk_or_end() - 1)));
    } else if (!attempt->continued || !planted(Bug::continued_ignored)) {
      positions_.begun(
          ids.source_offset, ids.attempt,
          takeover_.answers().first_chunk(ids.source_offset, ids.attempt).value_or(takeover_.chunks_read_to()));
    }
    if (!attempt->continued) continue;
    leases_.set({ids.source_offset, ids.attempt}, now.steady + Millis(attempt->continued->lease_ms));
    // Its record may have been deleted: the others of its key wait for it all the same.
    if (const auto* const origin = takeover_.origin(ids.source_offset)) order_.enter(origin->key, ids.source_offset);
  }
  enter(Phase::committing);
  if (!planted(Bug::forgets_attempts)) {
    for (const auto& closing : plan_recovery(fold_, takeover_.answers(), well_workers_)) close(closing);
  }
  spdlog::info("partition {}: recovered under epoch {}: {} attempts closed, {} go on elsewhere", number_, epoch_,
               leases_.closed(), leases_.size());
  send_commit();
}

void Partition::close(const Closing& closing) {
  const auto offset = closing.ids.source_offset;
  if (!leases_.close({offset, closing.ids.attempt})) return;
  if (closing.terminal != nullptr) {
    services_.metrics.recovered.add();
  } else {
    services_.metrics.interrupted.add();
  }
  auto event = response_of(closing, epoch_, instance_);
  const auto* const known = takeover_.origin(offset);
  const auto origin = known != nullptr ? *known : Takeover::Origin{};
  auto model = event.model;
  // Which model of the route answered is not known; the first one is tried first.
  if (!model) model = origin.model;
  services_.metrics.attempt_ended(
      model.value_or(RouterMetrics::unresolved()), event.ids.org_id, events::name_of(event.outcome),
      closing.terminal != nullptr ? std::optional(event.timing) : std::nullopt, event.usage, event.cost_micros);
  // Said in the log, because whoever comes next finds the rest of the chunk log whole.
  if (closing.terminal == nullptr && takeover_.may_have_ended_in_the_cut(offset)) event.cause = cause_cut;
  events::AuditFacts facts{.kind = events::AuditFacts::Kind::response,
                           .ids = event.ids,
                           .epoch = epoch_,
                           .instance = instance_,
                           .outcome = std::string(events::name_of(event.outcome)),
                           .cause = event.cause,
                           .recovered = event.recovered,
                           .called = event.called};
  const auto id = events::audit_event_id(number_, offset, closing.ids.attempt, events::llm_response_type, epoch_);
  send_audit({.purpose = Purpose::closing_event, .offset = offset, .attempt = closing.ids.attempt}, origin.key,
             events::llm_response_type, id, origin.traceparent,
             events::to_json(event, services_.hub.record_bytes_max(Output::audit)), std::move(facts));
  if (planted(Bug::closes_with_terminal) && closing.terminal == nullptr) {
    const events::ChunkWriter writer(closing.ids.request_id, closing.ids.org_id, closing.ids.attempt);
    writer.write(scratch_, events::TerminalChunk{.source_offset = offset.value()});
    send(Output::chunks, origin.key, scratch_, nullptr, {.purpose = Purpose::chunk, .offset = offset});
  }
}

}  // namespace tokenrail::router
