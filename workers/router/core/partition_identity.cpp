// When a log turns out to be another one than was read: its topic was created again, or it went back (an unclean leader
// election). Its offsets mean other records then, and nothing that was concluded from the old ones holds.
//
// chat.requests: what waited or ran is dropped, what nobody answered is told by requests.lost, and the new log is read
// from its own beginning. llm.audit, chat.chunks: the partition is claimed again, and its tails begin at a time, as
// where no commit says anything. In both cases through fail(): there is no second repair path.
#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

constexpr Millis looks_awaited{3'000};
// Of logs that were replaced one after the other; beyond so many the newest range grows, and may hold what is not lost.
constexpr std::size_t lost_ranges_max = 100;

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

void Partition::bear_witness(events::CommitMetadata& metadata, events::RequestOffset committed) {
  metadata.requests_log = identity_.older ? *identity_.older : identity_.requests.below(committed.value());
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
  if (phase_ == Phase::releasing || phase_ == Phase::continuing || phase_ == Phase::closed) return;
  identity_.awaited = false;
  const auto& requests = looks[index_of(Log::requests)];
  const bool requests_other = is_another(requests) && !planted(Bug::believes_old_log);
  const bool audit_other = is_another(looks[index_of(Log::audit)]) && !planted(Bug::believes_old_log);
  const bool chunks_other = is_another(looks[index_of(Log::chunks)]) && !planted(Bug::believes_old_log);
  note_same(identity_.requests, requests);
  note_same(identity_.audit, looks[index_of(Log::audit)]);
  note_same(identity_.chunks, looks[index_of(Log::chunks)]);
  // It may end below where it ended when the reading began.
  const bool requests_same = requests && requests->verdict == kafka::LogVerdict::same;
  if (identity_.comparing && requests_same && ledger_.next() >= events::RequestOffset(requests->next))
    compared({.unread_from = events::RequestOffset(requests->next)});
  if (!requests_other && !audit_other && !chunks_other) {
    if (phase_ == Phase::claiming && identity_.claimed) claim_reported();
    // Nothing comes that would make it forget, but everything that was there has been read.
    if (phase_ == Phase::running && requests_same && ledger_.next() >= events::RequestOffset(requests->next))
      forget_requests(services_.environment.now().wall);
    return;
  }
  ++identity_.version;
  if (audit_other || chunks_other) outputs_are_others(audit_other, chunks_other);
  if (requests_other) requests_are_others(*requests);
  // A commit that is on its way says what is not true any more.
  if (phase_ == Phase::draining_reports) return;
  fail("a log of it is another one than was read");
}

// An event of ours lies where we know another: no answer of the brokers could say it more clearly, and once the log has
// grown beyond what was known they say that it is the same.
void Partition::audit_went_back(events::AuditOffset offset) {
  services_.hub.log_replaced(Log::audit, number_);
  ++identity_.version;
  outputs_are_others(true, false);
  // What is being given up is not claimed again here, so the next owner has to hear that the positions of the last
  // commit are of another log (commit_well()). Once the log has grown to where it was, it could not find out.
  fail(fmt::format("an event was written to offset {} of {}, where another one was before", offset.value(),
                   services_.hub.topic(Output::audit)));
}

void Partition::outputs_are_others(bool audit, bool chunks) {
  if (audit) identity_.audit.clear();
  if (chunks) identity_.chunks.clear();
  inherited_.reset();
  locator_.clear();
  positions_.clear();
  committer_.replace_metadata({});
  start_ = ledger_.committable();
}

void Partition::requests_are_others(const kafka::WitnessAnswer& now) {
  const auto committable = ledger_.committable();
  OldLog old{.from = committable,
             .delivered_to = ledger_.next(),
             .seen_to = std::max(events::RequestOffset(identity_.requests.end()), untouched_.seen_to()),
             .until = events::RequestOffset(now.next),
             .witness = identity_.requests.ask()};
  for (const auto& [offset, job] : jobs_) old.unanswered.emplace(offset, job.source_ms);
  for (const auto& record : untouched_.records())
    old.unanswered.emplace(events::RequestOffset(record.offset), record.timestamp_ms);
  old.unanswered.merge(dead_letters_.timestamps());
  LogComparison older(std::move(old));
  if (identity_.comparing) older.add(*identity_.comparing);
  if (!identity_.older)
    identity_.older = inherited_older(committable).value_or(identity_.requests.below(committable.value()));
  identity_.older->position = std::max(identity_.older->position, older.end().value());
  identity_.comparing = std::move(older);
  recent_.log_began(
      [&](events::RequestOffset offset) { return offset >= ledger_.next() || ledger_.is_incomplete(offset); });
  forget_requests();
  // What is left of a log that went back, and was not answered yet, is still to be answered.
  start_ = events::RequestOffset(std::min({now.newer_from, now.next, std::max(committable.value(), now.first)}));
  start_committed_ = true;
  anything_delivered_ = false;
  ledger_ = Ledger(start_);
  committer_.restart_from(start_);
  if (inherited_) {
    inherited_->dead_letters.clear();
    inherited_->requests_log = identity_.older.value_or(kafka::LogWitness{});
    committer_.replace_metadata(events::encode(*inherited_));
  }
  // What is read again may have been answered before the audit tail that was committed begins.
  identity_.tails_by_time = true;
  locator_.clear();
  identity_.requests.clear();
  io_.seek(number_, start_);
  if (events::RequestOffset next(now.next); start_ >= next) compared({.unread_from = next});
}

/// A predecessor that had gone back to read a log again could only commit a lower offset than it had reached. The
/// record that it names may be there still, and is of the log that is gone all the same.
std::optional<kafka::LogWitness> Partition::inherited_older(events::RequestOffset committable) const {
  if (!inherited_ || inherited_->requests_log.offset < committable.value()) return std::nullopt;
  return inherited_->requests_log;
}

void Partition::compare(const kafka::Record& record) {
  auto& comparison = *identity_.comparing;
  if (planted(Bug::kept_is_lost)) {
    compared({.unread_from = comparison.until()});
  } else if (const auto outcome = comparison.read(events::RequestOffset(record.offset), record.timestamp_ms)) {
    compared(*outcome);
  }
}

void Partition::compared(const LogComparison::Outcome& outcome) {
  const auto gone = std::exchange(identity_.comparing, std::nullopt)->gone(outcome);
  if (gone && !planted(Bug::lost_log_untold)) {
    const auto [from, to] = *gone;
    spdlog::error("partition {}: the requests from offset {} to {} of the log that is gone were not answered", number_,
                  from.value(), to.value() - 1);
    if (identity_.lost.size() < lost_ranges_max) {
      identity_.lost.push_back({.from = from, .to = to});
    } else {
      auto& newest = identity_.lost.back();
      newest = {.from = std::min(newest.from, from), .to = std::max(newest.to, to)};
    }
  }
  if (identity_.lost.empty()) identity_.older.reset();
  tell_losses();
}

void Partition::forget_requests() {
  while (!jobs_.empty()) drop_job(jobs_.begin()->first);
  drop_untouched();
  untouched_.forget_dropped();
  order_ = KeyOrder{};
  held_.clear();
  services_.hub.forget_waiting(number_);
  isolation_.clear();
  reloads_.clear();
  stop_log(Log::requests);
  gaps_.clear();
  committer_.forget_dead_letters();
}

}  // namespace tokenrail::router
