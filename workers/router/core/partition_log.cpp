// The owner's side of the audit log while it owns, the hand-over, and what is continued after it (protocol R9, R20,
// R21).
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

using events::AuditFacts;
using Verdict = events::AuditFold::Verdict;

// A lease is renewed this often before it would run out.
constexpr int renewals_per_lease = 3;

}  // namespace

bool Partition::owns() const {
  return phase_ == Phase::committing || phase_ == Phase::running || phase_ == Phase::releasing;
}

void Partition::read_log(Log log, std::int64_t from) {
  reading_.started(log, services_.environment.now().steady);
  io_.read(log, number_, from);
}

void Partition::stop_log(Log log) {
  if (reading_.stop(log)) io_.stop_reading(log, number_);
}

void Partition::stop_logs() {
  for (const auto log : {Log::chunks, Log::audit, Log::requests}) stop_log(log);
}

void Partition::fold_known() {
  while (owns()) {
    const auto entry = account_.take();
    if (!entry) break;
    apply(*entry);
  }
  follow();
}

// In quiet times every event is our own and nothing is read. A gap has to be read, and so has the log as long as
// somebody else writes to it by right.
void Partition::follow() {
  const bool wanted = owns() && (account_.gap() || fold_.any_continued());
  if (wanted && !reading_.reads(Log::audit)) {
    services_.metrics.gaps_read.add();
    read_log(Log::audit, account_.position().value());
  } else if (!wanted && phase_ != Phase::reading_audit) {
    stop_log(Log::audit);
  }
}

void Partition::apply(const AuditAccount::Entry& entry) {
  expect({Phase::committing, Phase::running, Phase::releasing}, "an event of the audit log");
  const auto& facts = entry.facts;
  const auto verdict = fold_.apply(entry.offset, facts);
  positions_.event(entry.offset, Millis(entry.at_ms), entry.bytes);
  identity_.of(Log::audit).note(entry.offset.value(), entry.stamp_ms);
  const bool ours = facts.epoch == epoch_ && facts.instance == instance_;
  if (verdict == Verdict::is_void) services_.metrics.void_events.add();
  if (verdict != Verdict::counts) return;
  if (ours && entry.own) positions_.own_event_counts(entry.chunks_acknowledged_before);

  switch (facts.kind) {
    case AuditFacts::Kind::claimed:
      superseded();
      break;
    case AuditFacts::Kind::request:
      if (!ours) break;
      // Its call is made after this, so its chunks come behind all that have been acknowledged.
      positions_.begun(facts.ids.source_offset, facts.ids.attempt, positions_.chunks_acknowledged());
      if (auto* const job = with_attempt(facts.ids.source_offset, facts.ids.attempt)) announced(*job);
      break;
    case AuditFacts::Kind::response:
      response_counts(facts);
      break;
    case AuditFacts::Kind::released:
      if (ours && phase_ == Phase::releasing) {
        hand_over();
      } else {
        leases_read(facts);
      }
      break;
    case AuditFacts::Kind::continuing:
      leases_read(facts);
      break;
    case AuditFacts::Kind::lost:
      forget_lost(facts);
      if (ours) loss_counts(facts.lost_from, facts.lost_to);
      break;
    case AuditFacts::Kind::unknown:
      break;
  }
}

void Partition::superseded() {
  fail(fmt::format("epoch {} has claimed it over epoch {}", fold_.epoch(), epoch_));
}

void Partition::response_counts(const AuditFacts& facts) {
  const auto offset = facts.ids.source_offset;
  positions_.answered(offset, facts.ids.attempt);
  takeover_.answers().forget(offset, facts.ids.attempt);
  leases_.answered({offset, facts.ids.attempt});
  if (facts.cause == cause_refused || (facts.cause == events::cause_restart && !planted(Bug::restart_forgotten))) {
    // The attempt is over; decide() begins the next: it answers with the error, or runs the request again.
    if (auto* const job = with_attempt(offset, facts.ids.attempt)) attempt_gone(*job);
  }
  if (!fold_.any_open(offset)) {
    const auto origin = takeover_.take_origin(offset);
    // Where the log of requests is another one, a request of another key may be at that offset.
    const auto* const job = jobs_.find(offset);
    if (origin && (job == nullptr || job->key != origin->key)) {
      if (const auto next = order_.leave(origin->key, offset)) look_at(*next);
    }
  }
  look_at(offset);
  if (!gaps_.empty()) end_gaps();
}

void Partition::leases_read(const AuditFacts& facts) {
  const auto now = services_.environment.now().steady;
  for (const auto& [offset, number] : facts.continuing) {
    const auto* const attempt = fold_.find(offset, number);
    if (attempt != nullptr && attempt->open() && attempt->continued && attempt->continued->epoch == facts.epoch &&
        attempt->continued->instance == facts.instance)
      leases_.set({offset, number}, now + Millis(facts.lease_ms));
  }
}

// --- leases that run out --------------------------------------------------------------------------------------------

void Partition::check_leases() {
  if (!owns()) return;
  const auto expired = leases_.expire(services_.environment.now().steady);
  for (const auto& [offset, number] : expired) {
    services_.metrics.leases_expired.add();
    spdlog::warn("partition {}: attempt {} of offset {} was continued elsewhere, and its lease has run out", number_,
                 number, offset.value());
  }
  if (expired.empty()) return;
  // Its terminal chunk may have come into the log since the claim.
  if (planted(Bug::no_tail_after_lease)) {
    close_expired();
  } else {
    read_chunks_from(takeover_.chunks_read_to());
  }
}

void Partition::close_expired() {
  for (const auto& [offset, number] : leases_.take_expired(services_.environment.now().steady)) {
    const auto* const attempt = fold_.find(offset, number);
    if (attempt == nullptr || !attempt->open()) continue;
    close(plan_closing(*attempt, takeover_.answers(), well_workers_));
    if (planted(Bug::runs_again_on_lease_end)) {
      if (auto* const job = jobs_.find(offset); job != nullptr && !job->attempt) ready(*job);
    }
  }
}

// --- giving up in order ---------------------------------------------------------------------------------------------

std::vector<events::ContinuedAttempt> Partition::running_attempts() const {
  std::vector<events::ContinuedAttempt> all;
  for (const auto& [offset, job] : jobs_) {
    if (!job.attempt || job.attempt->number() == 0) continue;
    if (planted(Bug::release_lists_too_few) && job.attempt->ended()) continue;
    all.push_back({.offset = offset, .attempt = job.attempt->number()});
  }
  return all;
}

void Partition::release() {
  if (phase_ != Phase::running) {
    give_up();
    return;
  }
  enter(Phase::releasing);
  stop_log(Log::requests);
  const auto lease = services_.options.lease.count();
  auto continuing = running_attempts();
  const auto value = events::to_json(events::RouterReleased{
      .epoch = epoch_, .instance = instance_, .partition = number_, .continuing = continuing, .lease_ms = lease});
  spdlog::info("partition {}: released, {} attempts are finished here", number_, continuing.size());
  services_.metrics.releases.add();
  send_ownership(Purpose::released, events::router_released_type, value,
                 {.kind = AuditFacts::Kind::released,
                  .epoch = epoch_,
                  .instance = instance_,
                  .partition = number_,
                  .continuing = std::move(continuing),
                  .lease_ms = lease});
  if (planted(Bug::release_unconfirmed)) hand_over();
}

// `released` is known to count: the partition is no longer ours, what we listed is.
void Partition::hand_over() {
  expect({Phase::releasing}, "the hand-over");
  if (ledger_.committable() != committer_.newest_offset() || committer_.has_news()) send_commit();
  enter(Phase::continuing);
  stop_logs();
  renew_at_ = services_.environment.now().steady + services_.options.lease / renewals_per_lease;
  std::vector<events::RequestOffset> not_begun;
  for (const auto& [offset, job] : jobs_) {
    if (!job.attempt) not_begun.push_back(offset);
  }
  for (const auto offset : not_begun) drop_job(offset);
  drop_untouched();
  held_.clear();
  gaps_.clear();
  leases_.clear();
  // What only an owner asks for may be megabytes, and some answers take long.
  recent_ = RecentRequests(services_.options.dedupe_requests_max, services_.options.dedupe_window.count());
  takeover_.forget_origins();
  committer_.forget_dead_letters();
  // Events of ours that were delivered behind `released`, before we knew that it counts.
  for (const auto& entry : account_.delivered_beyond()) {
    if (!entry.own || entry.facts.instance != instance_) continue;
    const bool request = entry.facts.kind == AuditFacts::Kind::request;
    const bool response = entry.facts.kind == AuditFacts::Kind::response;
    if (request || response)
      acknowledged_elsewhere(request ? Purpose::request_event : Purpose::response_event, entry.facts.ids.source_offset,
                             entry.facts.ids.attempt);
  }
  if (jobs_.empty()) enter(Phase::closed);
}

// A report while continuing: no account is kept, an acknowledged response ends the matter.
void Partition::acknowledged_elsewhere(Purpose purpose, events::RequestOffset offset, std::int64_t attempt) {
  auto* const job = with_attempt(offset, attempt);
  if (job == nullptr) return;
  if (purpose == Purpose::request_event) {
    announced(*job);
  } else if (purpose == Purpose::response_event || purpose == Purpose::interrupted_event) {
    finish_continued(offset);
  }
}

void Partition::finish_continued(events::RequestOffset offset) {
  expect({Phase::continuing}, "the end of a continued attempt");
  drop_job(offset);
  if (jobs_.empty() && phase_ == Phase::continuing) enter(Phase::closed);
}

void Partition::renew_leases() {
  const auto now = services_.environment.now().steady;
  if (now < renew_at_) return;
  renew_at_ = now + services_.options.lease / renewals_per_lease;
  auto continuing = running_attempts();
  if (!continuing.empty()) send_renewal(std::move(continuing));
}

/// Those that were listed before and are not now are not finished here.
void Partition::send_renewal(std::vector<events::ContinuedAttempt> continuing) {
  expect({Phase::continuing}, "the renewal of leases");
  const auto lease = services_.options.lease.count();
  const auto value = events::to_json(events::RouterContinuing{
      .epoch = epoch_, .instance = instance_, .partition = number_, .continuing = continuing, .lease_ms = lease});
  send_ownership(Purpose::renewal, events::router_continuing_type, value,
                 {.kind = AuditFacts::Kind::continuing,
                  .epoch = epoch_,
                  .instance = instance_,
                  .partition = number_,
                  .continuing = std::move(continuing),
                  .lease_ms = lease});
}

void Partition::interrupt_all(std::string_view cause) {
  for (auto& [offset, job] : jobs_) {
    if (job.attempt && job.attempt->interrupt(cause)) over(job);
  }
}

}  // namespace tokenrail::router
