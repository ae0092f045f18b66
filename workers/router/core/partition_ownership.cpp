// Claiming a partition and recovering it from its logs: the same steps at a start, at a rebalance and after a report
// that is not OK (protocol R16 to R19).
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

void Partition::begin(const kafka::Committed& committed) {
  inherited_ = events::decode_commit_metadata(committed.metadata);
  if (!committed.metadata.empty() && !inherited_) {
    spdlog::warn(
        "partition {}: the commit metadata at offset {} is not ours or is damaged; the logs are read from the time of "
        "its record instead",
        number_, committed.offset.value_or(0));
  }
  start_ = events::RequestOffset(committed.offset.value_or(0));
  if (inherited_) {
    gone_.set_tails_by_time(inherited_->tails_by_time);
    for (const auto& letter : inherited_->dead_letters) committer_.inherit_dead_letter(letter);
    well_workers_.inherit(inherited_->well_workers);
  }
  start_committed_ = committed.offset.has_value();
  waiting_since_ = services_.environment.now().steady;
  if (inherited_) identity_.inherit(*inherited_, services_.environment.now().steady);
  ledger_ = Ledger(start_);
  committer_.begin(events::RequestOffset(committed.offset.value_or(-1)), committed.metadata);
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

void Partition::expect(std::initializer_list<Phase> phases, std::string_view step) const {
  require_phase(number_, phase_, phases, step);
}

void Partition::claim() {
  expect({Phase::claiming}, "a claim");
  instance_ = services_.hub.next_instance();
  ownership_events_ = 0;
  fold_ = events::AuditFold(tails_inherited() ? inherited_->epoch_at_audit_offset : 0);
  takeover_.begin();
  leases_.clear();
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
  takeover_.claim_reported();
  // Positions of another log mean nothing.
  if (waits_for_looks()) return;
  spdlog::debug("partition {}: the claim of epoch {} is in the log", number_, epoch_);
  if (tails_inherited() || locator_.found()) {
    read_tails();
  } else {
    locate();
  }
}

void Partition::run() {
  enter(Phase::running);
  well_workers_.runs(epoch_);
  spdlog::info("partition {}: running under epoch {} from offset {} ({} requests waiting)", number_, epoch_,
               ledger_.committable().value(), jobs_.size());
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
                 from->value());
    io_.seek(number_, *from);
  }
  std::vector<events::RequestOffset> waiting;
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
  refused_.clear();
  gaps_.report_all_again();
  gone_.report_all_again();
  for (auto& [offset, job] : jobs_) {
    over(job);
    reload_ended(job);
    job.attempt.reset();
    if (job.deadline_known) schedule(job, job.deadline);
    job.stage = Job::Stage::in_line;
    order_.enter(job.key, offset);
  }
  jobs_.forget_attempts();
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
  expect({Phase::draining_reports, Phase::verifying_ownership}, "the end of a repair");
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
    gone_.set_tails_by_time(false);
    run();
  } else if (phase_ == Phase::verifying_ownership) {
    epoch_ = next_epoch(std::max(epoch_, fold_.epoch()));
    enter(Phase::claiming);
    claim();
  }
}

}  // namespace tokenrail::router
