// When a log turns out to be another one than was read: its topic was created again, or it went back (an unclean leader
// election). Its offsets mean other records then, and nothing that was concluded from the old ones holds.
//
// chat.requests: what waited or ran is dropped, what nobody answered is told by requests.lost, and the new log is read
// from its own beginning. llm.audit, chat.chunks: the partition is claimed again, and its tails begin at a time, as
// where no commit says anything. In both cases through fail(): there is no second repair path.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"

namespace tokenrail::router {

namespace {

constexpr std::size_t index_of(Log log) {
  return static_cast<std::size_t>(log);
}

}  // namespace

bool Partition::waits_for_looks() const {
  return identity_.waits_for_answer(services_.environment.now().steady);
}

void Partition::bear_witness(events::CommitMetadata& metadata, events::RequestOffset committed) {
  metadata.requests_log = gone_.witness() ? *gone_.witness() : identity_.of(Log::requests).below(committed.value());
  identity_.name_outputs(metadata);
}

/// A record below what has been read: read twice, or of another log. Nothing is said of where no witness is known.
bool Partition::witnessed(const kafka::Record& record) {
  if (record.offset >= identity_.of(Log::requests).position()) return false;
  services_.hub.look_soon();
  return true;
}

void Partition::on_looks(const LogIdentity::Answers& looks) {
  if (phase_ == Phase::releasing || phase_ == Phase::continuing || phase_ == Phase::closed) return;
  const auto others = identity_.answered(looks);
  const auto& requests = looks[index_of(Log::requests)];
  // It may end below where it ended when the reading began.
  const bool requests_same = requests && requests->verdict == kafka::LogVerdict::same;
  if (gone_.comparing() && requests_same && ledger_.next() >= events::RequestOffset(requests->next))
    compared({.unread_from = events::RequestOffset(requests->next)});
  if (!others.any()) {
    if (phase_ == Phase::claiming && takeover_.claim_is_in_log()) claim_reported();
    // Nothing comes that would make it forget, but everything that was there has been read.
    if (phase_ == Phase::running && requests_same && ledger_.next() >= events::RequestOffset(requests->next))
      forget_requests(services_.environment.now().wall);
    return;
  }
  identity_.changed();
  if (others.audit || others.chunks) outputs_are_others(others.audit, others.chunks);
  if (others.requests) requests_are_others(*requests);
  // A commit that is on its way says what is not true any more.
  if (phase_ == Phase::draining_reports) return;
  fail("a log of it is another one than was read");
}

// An event of ours lies where we know another: no answer of the brokers could say it more clearly, and once the log has
// grown beyond what was known they say that it is the same.
void Partition::audit_went_back(events::AuditOffset offset) {
  services_.hub.log_replaced(Log::audit, number_);
  identity_.changed();
  outputs_are_others(true, false);
  // What is being given up is not claimed again here, so the next owner has to hear that the positions of the last
  // commit are of another log (commit_well()). Once the log has grown to where it was, it could not find out.
  fail(fmt::format("an event was written to offset {} of {}, where another one was before", offset.value(),
                   services_.hub.topic(Output::audit)));
}

void Partition::outputs_are_others(bool audit, bool chunks) {
  if (audit) identity_.of(Log::audit).clear();
  if (chunks) identity_.of(Log::chunks).clear();
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
             .seen_to = std::max(events::RequestOffset(identity_.of(Log::requests).end()), untouched_.seen_to()),
             .until = events::RequestOffset(now.next),
             .witness = identity_.of(Log::requests).ask()};
  for (const auto& [offset, job] : jobs_) old.unanswered.emplace(offset, job.source_ms);
  for (const auto& record : untouched_.records())
    old.unanswered.emplace(events::RequestOffset(record.offset), record.timestamp_ms);
  old.unanswered.merge(dead_letters_.timestamps());
  gone_.log_gone(std::move(old),
                 inherited_older(committable).value_or(identity_.of(Log::requests).below(committable.value())));
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
    inherited_->requests_log = gone_.witness().value_or(kafka::LogWitness{});
    committer_.replace_metadata(events::encode(*inherited_));
  }
  // What is read again may have been answered before the audit tail that was committed begins.
  gone_.set_tails_by_time(true);
  locator_.clear();
  identity_.of(Log::requests).clear();
  io_.seek(number_, start_);
  if (events::RequestOffset next(now.next); start_ >= next) compared({.unread_from = next});
}

/// A predecessor that had gone back to read a log again could only commit a lower offset than it had reached. The
/// record that it names may be there still, and is of the log that is gone all the same.
std::optional<kafka::LogWitness> Partition::inherited_older(events::RequestOffset committable) const {
  if (!inherited_ || inherited_->requests_log.offset < committable.value()) return std::nullopt;
  return inherited_->requests_log;
}

void Partition::compared(const LogComparison::Outcome& outcome) {
  if (const auto gone = gone_.compared(outcome)) {
    spdlog::error("partition {}: the requests from offset {} to {} of the log that is gone were not answered", number_,
                  gone->from.value(), gone->to.value() - 1);
  }
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
