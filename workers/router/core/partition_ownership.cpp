// Claiming a partition and recovering it from its logs: the same steps at a start, at a rebalance and after a report
// that is not OK (design §6.5).
#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/events/audit.hpp"
#include "common/events/cloud_events.hpp"
#include "common/events/epochs.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/invariant.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

// Between the clocks of two routers, which stamp chunks and events.
constexpr Millis clock_skew_max{60'000};
// A log that gives neither a record nor its end for so long is asked for again.
constexpr Millis reading_patience{30'000};
// Events of the audit tail after which what lies below the committed offset is forgotten.
constexpr std::int64_t forget_every = 4'096;
// Claims with nothing else said between them after which requests are prepared one at a time, and how many of them.
constexpr int silent_claims_max = 3;
constexpr int isolated_requests = 100;

}  // namespace

void Partition::begin(const kafka::Committed& committed) {
  inherited_ = events::decode_commit_metadata(committed.metadata);
  if (!committed.metadata.empty() && !inherited_) {
    spdlog::warn(
        "partition {}: the commit metadata at offset {} is not ours or is damaged; the logs are read from the time of "
        "its record instead",
        number_, committed.offset.value_or(0));
  }
  start_ = committed.offset.value_or(0);
  if (inherited_) {
    identity_.tails_by_time = inherited_->tails_by_time;
    for (const auto& letter : inherited_->dead_letters) committer_.inherit_dead_letter(letter);
    well_workers_.inherit(inherited_->well_workers);
  }
  start_committed_ = committed.offset.has_value();
  waiting_since_ = services_.environment.now().steady;
  inherit_witnesses();
  ledger_ = kafka::OffsetLedger(start_);
  committer_.begin(committed.offset.value_or(-1), committed.metadata);
  // A partition that nobody has claimed starts at a number above any that a lost history could have used.
  const auto unix_seconds = std::chrono::duration_cast<std::chrono::seconds>(services_.environment.now().wall).count();
  epoch_ = inherited_ ? next_epoch(inherited_->epoch) : events::first_epoch(unix_seconds, number_);
  claim();
}

std::int64_t Partition::next_epoch(std::int64_t epoch) const {
  return planted(Bug::epoch_reused) ? epoch : events::epoch_above(epoch, number_);
}

void Partition::enter(Phase next) {
  if (!may_follow(phase_, next))
    invariant_broken(fmt::format("partition {} goes from {} to {}", number_, name_of(phase_), name_of(next)));
  phase_ = next;
}

void Partition::claim() {
  identity_.claimed = false;
  instance_ = services_.hub.next_instance();
  ownership_events_ = 0;
  fold_ = events::AuditFold(tails_inherited() ? inherited_->epoch_at_audit_offset : 0);
  tail_.clear();
  origins_.clear();
  leases_.clear();
  reading_.first.reset();
  reading_.chunks_cut = false;
  reading_.audit_events = 0;
  reading_.epoch_seen = 0;
  const auto value =
      events::to_json(events::RouterClaimed{.epoch = epoch_, .instance = instance_, .partition = number_});
  const auto headers =
      events::cloud_event_headers({.id = events::ownership_event_id(number_, epoch_, instance_, ++ownership_events_),
                                   .source = fmt::format("/router/{}", number_),
                                   .type = std::string(events::router_claimed_type),
                                   .time_ms = services_.environment.now().wall.count(),
                                   .traceparent = {}});
  send(Output::audit, std::nullopt, value, &headers, {.purpose = Purpose::claim});
  services_.metrics.claims.add();
  if (planted(Bug::chunk_end_early)) read_log(Log::chunks, kafka::offset_end);
}

// The claim is in the log. Only now is it known what had been said before it: first the audit log up to the claim, then
// the end of the chunk log, so that whatever an earlier owner published before it could know of the claim is seen.
void Partition::claim_reported() {
  if (phase_ != Phase::claiming) return;
  identity_.claimed = true;
  // Positions of another log mean nothing.
  if (waits_for_looks()) return;
  spdlog::debug("partition {}: the claim of epoch {} is in the log", number_, epoch_);
  if (tails_inherited() || locator_.found()) {
    read_tails();
  } else {
    locate();
  }
}

void Partition::read_tails() {
  enter(Phase::reading_audit);
  read_log(Log::audit, audit_tail_begin());
}

void Partition::on_log_record(Log log, const kafka::Record& record) {
  if (log == Log::requests) {
    if (phase_ == Phase::locating) {
      stop_log(Log::requests);
      begins_at(record.offset);
      look_back_from(record.log_append_time ? std::optional(Millis(record.timestamp_ms)) : std::nullopt);
    } else {
      on_reloaded(record);
    }
    return;
  }
  reading_.heard_at = services_.environment.now().steady;
  if (log == Log::chunks) {
    if (reading_.chunks_end || planted(Bug::chunk_end_early)) {
      chunk_tail_record(record);
      // Where somebody goes on writing there may be no moment without a record behind it.
      if (reading_.chunks_end && record.offset + 1 >= *reading_.chunks_end) on_log_end(Log::chunks, record.offset + 1);
    } else {
      on_log_end(Log::chunks, record.offset);  // nothing stood behind the end that was asked for but this
    }
    return;
  }
  if (phase_ == Phase::reading_audit) {
    audit_tail_record(record);
  } else if (owns()) {
    auto facts = events::parse_audit(record.value.value_or(""));
    if (!facts || events::source_partition(*facts) != number_) {
      account_.read_foreign(record.offset);
    } else {
      note_origin(*facts, record);
      account_.read({.offset = record.offset,
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
      begins_at(next_offset);
      if (next_offset == 0 && !identity_.tails_by_time) {
        // Nothing was ever asked here: what lies in the logs is no more than claims, and not worth a question.
        located({.audit = kafka::offset_beginning, .chunk = kafka::offset_beginning});
      } else {
        look_back_from(services_.environment.now().wall);
      }
    } else {
      reloaded_to(next_offset);
    }
    return;
  }
  reading_.heard_at = services_.environment.now().steady;
  if (log == Log::chunks) {
    const bool wanted = phase_ == Phase::reading_chunks || leases_.any_expired();
    if (wanted && !reading_.chunks_end) {
      reading_.chunks_end = next_offset;
      if (reading_.chunks_from != kafka::offset_end && reading_.chunks_from != next_offset) {
        read_log(Log::chunks, reading_.chunks_from);
        return;
      }
    }
    if (wanted && next_offset < *reading_.chunks_end) return;
    if (phase_ == Phase::reading_chunks) {
      chunk_tail_read(next_offset);
    } else if (phase_ == Phase::claiming && planted(Bug::chunk_end_early)) {
      reading_.early_chunks_end = next_offset;
      stop_log(Log::chunks);
    } else if (leases_.any_expired()) {
      reading_.chunks_read_to = std::max(reading_.chunks_read_to, next_offset);
      stop_log(Log::chunks);
      close_expired();
    }
    return;
  }
  if (owns()) {
    account_.read_to(next_offset);
    fold_known();
  }
}

void Partition::note_origin(const events::AuditFacts& facts, const kafka::Record& record) {
  if (facts.kind != events::AuditFacts::Kind::request) return;
  auto& origin = origins_[facts.ids.source_offset];
  origin.key = record.key;
  origin.at = Millis(record.timestamp_ms);
  origin.model = facts.routed_to;
  if (const auto trace = kafka::header(record.headers, "traceparent")) origin.traceparent = std::string(*trace);
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
  if (!reading_.first) {
    reading_.first = record.offset;
    if (const auto begin = audit_tail_begin(); begin >= 0 && record.offset > begin) {
      services_.metrics.tails_cut.add();
      spdlog::warn("partition {}: the audit log begins at {}, its tail was to be read from {}: retention has cut it",
                   number_, record.offset, begin);
    }
  }
  identity_.audit.note(record.offset, record.timestamp_ms);
  const auto facts = events::parse_audit(record.value.value_or(""));
  if (!facts || events::source_partition(*facts) != number_) return;
  const auto verdict = fold_.apply(record.offset, *facts);
  positions_.event(record.offset, Millis(record.timestamp_ms), record.value->size());
  note_origin(*facts, record);
  note_seen(*facts, record.timestamp_ms);
  // Of a long tail only what is open, or not complete yet, is kept.
  if (facts->kind == events::AuditFacts::Kind::response && !fold_.any_open(facts->ids.source_offset))
    origins_.erase(facts->ids.source_offset);
  if (++reading_.audit_events % forget_every == 0) fold_.forget_below(start_);
  if (facts->kind == events::AuditFacts::Kind::lost) forget_lost(*facts);

  if (facts->kind != events::AuditFacts::Kind::claimed || facts->instance != instance_) {
    reading_.epoch_seen = std::max(reading_.epoch_seen, facts->epoch);
    return;
  }
  stop_log(Log::audit);
  // Under an epoch that was claimed before the tail begins: ours has to be higher, or it is void.
  if (reading_.epoch_seen >= epoch_ && !planted(Bug::epoch_reused)) {
    epoch_ = reading_.epoch_seen;
    fail(fmt::format("epoch {} was claimed before", reading_.epoch_seen));
    return;
  }
  const bool equal_taken = planted(Bug::epoch_reused) && facts->epoch == fold_.epoch();
  if (verdict == events::AuditFold::Verdict::counts || equal_taken) {
    isolation_.begin(fold_.claims_in_a_row() >= silent_claims_max ? isolated_requests : 0);
    audit_tail_read(record.offset);
    return;
  }
  // Somebody claimed as high or higher before us: the coordinator says whose the partition is before one claims again.
  fail(fmt::format("epoch {} was claimed before", fold_.epoch()));
}

void Partition::audit_tail_read(std::int64_t claim_offset) {
  spdlog::debug("partition {}: the audit log is read up to the claim at {}", number_, claim_offset);
  account_ = AuditAccount(claim_offset + 1);
  enter(Phase::reading_chunks);
  reading_.first.reset();
  const auto open = fold_.open();
  for (const auto* const attempt : open) tail_.expect(attempt->ids);
  // Nobody's answer is open: only the end of the chunk log is wanted.
  const bool wanted = !open.empty();
  read_chunks_from(wanted ? chunk_tail_begin() : kafka::offset_end);
}

// The end is asked for first, by itself: a leader that has just become one may hand out less than it has, and takes the
// end of that for the end of the log, until its followers have caught up; asked for the log's end it waits for them.
void Partition::read_chunks_from(std::int64_t from) {
  reading_.chunks_from = from;
  reading_.chunks_end.reset();
  read_log(Log::chunks, kafka::offset_end);
}

void Partition::check_reading() {
  if (services_.environment.now().steady - reading_.heard_at < reading_patience) return;
  fail("one of its logs gives neither a record nor its end");
}

void Partition::chunk_tail_record(const kafka::Record& record) {
  const bool tail = phase_ == Phase::reading_chunks;
  if (!tail && !leases_.any_expired()) return;
  if (tail && !reading_.first) {
    reading_.first = record.offset;
    reading_.first_chunk_at = Millis(record.timestamp_ms);
    reading_.chunks_cut = chunk_tail_starts_late(record.offset);
  }
  if (reading_.early_chunks_end && tail && record.offset >= *reading_.early_chunks_end) return;
  if (!tail) reading_.chunks_read_to = std::max(reading_.chunks_read_to, record.offset + 1);
  identity_.chunks.note(record.offset, record.timestamp_ms);
  if (record.value) tail_.read(record.offset, *record.value);
}

void Partition::chunk_tail_read(std::int64_t end) {
  stop_log(Log::chunks);
  identity_.chunks.reaches(end);
  if (!fold_.open().empty() && !reading_.first && chunk_tail_starts_late(end)) {
    reading_.chunks_cut = true;
    reading_.first_chunk_at = Millis::max();
  }
  if (reading_.early_chunks_end) end = *reading_.early_chunks_end;
  reading_.chunks_read_to = end;
  positions_.recovered(end);
  recovered();
}

void Partition::recovered() {
  const auto now = services_.environment.now();
  for (const auto* const attempt : fold_.open()) {
    const auto& ids = attempt->ids;
    if (tail_.terminal(ids.source_offset, ids.attempt) == nullptr && may_have_ended_in_the_cut(ids.source_offset)) {
      // Until a response says so whoever comes next has to find the log cut as well: its tail begins where there is
      // nothing any more.
      const auto first = reading_.first.value_or(reading_.chunks_read_to);
      positions_.begun(ids.source_offset, ids.attempt,
                       std::max<std::int64_t>(0, std::min(chunk_tail_begin(), first - 1)));
    } else if (!attempt->continued || !planted(Bug::continued_ignored)) {
      positions_.begun(ids.source_offset, ids.attempt,
                       tail_.first_chunk(ids.source_offset, ids.attempt).value_or(reading_.chunks_read_to));
    }
    if (!attempt->continued) continue;
    leases_.set({ids.source_offset, ids.attempt}, now.steady + Millis(attempt->continued->lease_ms));
    // Its record may have been deleted: the others of its key wait for it all the same.
    if (const auto origin = origins_.find(ids.source_offset); origin != origins_.end())
      order_.enter(origin->second.key, ids.source_offset);
  }
  enter(Phase::committing);
  if (!planted(Bug::forgets_attempts)) {
    for (const auto& closing : plan_recovery(fold_, tail_, well_workers_)) close(closing);
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
  const auto origin = origins_.find(offset);
  auto model = event.model;
  // Which model of the route answered is not known; the first one is tried first.
  if (!model && origin != origins_.end()) model = origin->second.model;
  services_.metrics.attempt_ended(
      model.value_or(RouterMetrics::unresolved()), event.ids.org_id, events::name_of(event.outcome),
      closing.terminal != nullptr ? std::optional(event.timing) : std::nullopt, event.usage, event.cost_micros);
  // Said in the log, because whoever comes next finds the rest of the chunk log whole.
  if (closing.terminal == nullptr && may_have_ended_in_the_cut(offset)) event.cause = cause_cut;
  events::AuditFacts facts{.kind = events::AuditFacts::Kind::response,
                           .ids = event.ids,
                           .epoch = epoch_,
                           .instance = instance_,
                           .outcome = std::string(events::name_of(event.outcome)),
                           .cause = event.cause,
                           .recovered = event.recovered,
                           .called = event.called};
  const auto id = events::audit_event_id(number_, offset, closing.ids.attempt, events::llm_response_type, epoch_);
  send_audit({.purpose = Purpose::closing_event, .offset = offset, .attempt = closing.ids.attempt},
             origin == origins_.end() ? std::nullopt : origin->second.key, events::llm_response_type, id,
             origin == origins_.end() ? "" : origin->second.traceparent,
             events::to_json(event, services_.hub.record_bytes_max(Output::audit)), std::move(facts));
  if (planted(Bug::closes_with_terminal) && closing.terminal == nullptr) {
    const events::ChunkWriter writer(closing.ids.request_id, closing.ids.org_id, closing.ids.attempt);
    writer.write(scratch_, events::TerminalChunk{.source_offset = offset});
    send(Output::chunks, origin == origins_.end() ? std::nullopt : origin->second.key, scratch_, nullptr,
         {.purpose = Purpose::chunk, .offset = offset});
  }
}

// Retention has cut the chunk log: the answer may have stood there, or its first chunks, and running it again could
// give a second one. Not where the oldest chunk left is older than the attempt.
bool Partition::may_have_ended_in_the_cut(std::int64_t source_offset) const {
  if (!reading_.chunks_cut) return false;
  const auto origin = origins_.find(source_offset);
  return origin == origins_.end() || reading_.first_chunk_at > origin->second.at - clock_skew_max;
}

void Partition::run() {
  enter(Phase::running);
  well_workers_.runs(epoch_);
  spdlog::info("partition {}: running under epoch {} from offset {} ({} requests waiting)", number_, epoch_,
               ledger_.committable(), jobs_.size());
  if (isolation_.active()) {
    spdlog::warn(
        "partition {}: the last {} workers that claimed it wrote nothing else; {} requests are prepared one at a time, "
        "so that one that ends its worker is found",
        number_, fold_.claims_in_a_row(), isolation_.left());
  }
  tell_losses();
  // Those of before a repair; what waited untouched sends its own.
  send_dead_letters();
  for (auto& record : untouched_.take()) take(std::move(record));
  if (const auto from = untouched_.read_again_from()) {
    spdlog::info("partition {}: reads again from offset {}, what lay there was dropped while it waited", number_,
                 *from);
    io_.seek(number_, *from);
  }
  std::vector<std::int64_t> waiting;
  for (const auto& [offset, job] : jobs_) waiting.push_back(offset);
  for (const auto offset : waiting) look_at(offset);
  tell_losses();
  ask_about_gaps();
  follow();
}

void Partition::fail(std::string_view why) {
  if (phase_ == Phase::draining_reports || phase_ == Phase::closed) return;
  failing_.clear();
  output_.drop_kept();
  committer_.forget_pending();
  stop_logs();
  // What was given up, or was about to be, is not claimed again for. Its attempts end; the next owner closes them when
  // their lease has run out, and learns that they are not lost with their worker.
  if (phase_ == Phase::continuing || phase_ == Phase::releasing) {
    spdlog::warn("partition {}: {}; {} attempts of a partition that was given up end here", number_, why, jobs_.size());
    if (phase_ == Phase::releasing) {
      give_up();
    } else {
      if (!running_attempts().empty()) send_renewal({});
      drop();
    }
    return;
  }
  spdlog::warn("partition {}: {}; what runs there is cancelled and the partition will be claimed again", number_, why);
  services_.metrics.repairs.add();
  const auto now = services_.environment.now().steady;
  repairs_.begin(now);
  if (phase_ == Phase::running) waiting_since_ = now;
  enter(Phase::draining_reports);
  order_ = KeyOrder{};
  held_.clear();
  services_.hub.forget_waiting(number_);
  isolation_.clear();
  account_ = AuditAccount{};
  reloads_.clear();
  dead_letters_.forget_reloads();
  held_events_.clear();
  refused_here_.clear();
  by_unit_.clear();
  gaps_.report_all_again();
  for (auto& range : identity_.lost) range.told = false;
  for (auto& [offset, job] : jobs_) {
    over(job);
    reload_ended(job);
    job.attempt.reset();
    if (job.deadline_known) schedule(job, job.deadline);
    job.stage = Job::Stage::in_line;
    order_.enter(job.key, offset);
  }
  attempts_ = 0;
  // They may wait for long. Whole they could fill the window, and nothing of other partitions would be read.
  if (!planted(Bug::unclaimed_fill_window)) {
    for (auto& [offset, job] : jobs_) offload(job);
  }
  dead_letters_.put_back();
  if (output_.all_reported()) settled();
}

void Partition::give_up() {
  commit_well();
  drop();
}

void Partition::drop() {
  enter(Phase::closed);
  output_.drop_kept();
  stop_logs();
  while (!jobs_.empty()) drop_job(jobs_.begin()->first);
  drop_untouched();
}

void Partition::drop_untouched() {
  for (const auto& record : untouched_.take()) leave_window(bytes_of(record));
  dead_letters_.drop();
}

void Partition::settled() {
  if (!io_.usable()) return;                                          // on_producer() goes on
  if (!repairs_.is_over(services_.environment.now().steady)) return;  // on_time() does
  // Ask the coordinator whether the partition is still ours: a commit of what is committed already changes nothing,
  // and only a member of the current generation is answered with yes.
  silence_.clear();
  enter(Phase::verifying_ownership);
  committer_.send_same(ledger_.committable());
}

void Partition::on_producer() {
  // Whatever the old one had not reported when it was destroyed never will be.
  output_.forget_reports();
  dead_letters_.forget_reports();
  if (phase_ == Phase::draining_reports) {
    settled();
    return;
  }
  on_space();
}

void Partition::on_committed(std::uint32_t sequence, kafka::CommitOutcome outcome) {
  switch (committer_.answered(sequence, outcome)) {
    case OffsetCommitter::Answer::stale:
      return;
    case OffsetCommitter::Answer::refused:
      services_.metrics.commits_refused.add();
      return;  // tried again by on_time(), unless the group takes the partition away first
    case OffsetCommitter::Answer::committed:
      break;
  }
  services_.metrics.commits.add();
  inherited_ = events::decode_commit_metadata(committer_.metadata());
  if (phase_ == Phase::committing) {
    identity_.tails_by_time = false;
    run();
  } else if (phase_ == Phase::verifying_ownership) {
    epoch_ = next_epoch(std::max(epoch_, fold_.epoch()));
    enter(Phase::claiming);
    claim();
  }
}

}  // namespace tokenrail::router
