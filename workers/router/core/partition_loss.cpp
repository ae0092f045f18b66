// Requests that were deleted before they could be read: told by requests.lost and a metric (protocol R24).
//
// That offsets are missing in what the group hands out says nothing by itself: transaction markers and compaction leave
// gaps too. Only where the log begins does. It is asked for when offsets were skipped, at most once a commit interval,
// and until the answer is there, or the event that tells of the loss is known to count, no commit passes the gap: a
// successor would find the same one.
#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/events/audit.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

constexpr Millis ask_again{1'000};

}  // namespace

std::uint32_t Partition::ask(Log log, std::optional<Millis> at) {
  const auto question = reading_.next_question();
  io_.ask(number_, generation_, question, log, at);
  return question;
}

void Partition::on_answer(std::uint32_t sequence, const Result<LogPlaces>& answer) {
  if (phase_ == Phase::continuing || phase_ == Phase::closed) return;
  if (gaps_.awaits(sequence)) {
    gaps_answered(answer);
  } else if (phase_ == Phase::locating) {
    place_answered(sequence, answer);
  }
}

/// The record at `offset` is handed out; everything since the one before is not.
void Partition::note_gap(events::RequestOffset offset) {
  const auto from = ledger_.next();
  if (offset <= from || planted(Bug::loss_untold)) return;
  if (gaps_.note(from, offset)) ledger_.delivered(from);
}

void Partition::ask_about_gaps() {
  if (gaps_.empty()) return;
  const auto now = services_.environment.now().steady;
  // Transactions leave a gap each; a question for every one would be too many.
  if (gaps_.wants_question(now)) gaps_.asked(ask(Log::requests), now + services_.options.commit_interval);
}

void Partition::gaps_answered(const Result<LogPlaces>& answer) {
  if (!answer) {
    spdlog::warn(
        "partition {}: offsets of chat.requests are missing, and where it begins could not be asked ({}); "
        "asking again",
        number_, answer.error().detail);
    gaps_.unanswered(services_.environment.now().steady + ask_again);
    return;
  }
  const auto causes = gaps_.answered(events::RequestOffset(answer->first));
  for (const auto& [from, to] : causes.lost) {
    spdlog::error(
        "partition {}: the requests from offset {} to {} were deleted before they could be answered, and their senders "
        "get no answer; raise the retention of chat.requests or add workers",
        number_, from.value(), to.value() - 1);
  }
  for (const auto from : causes.harmless) {
    gaps_.end(from);
    complete(from);
  }
  tell_losses();
}

void Partition::tell_losses() {
  if (phase_ != Phase::running) return;
  for (const auto& [from, to] : gone_.to_report()) tell_loss(from, to);
  for (const auto& [from, to] : gaps_.to_report()) tell_loss(from, to);
}

void Partition::tell_loss(events::RequestOffset from, events::RequestOffset to) {
  expect({Phase::running}, "the report of a loss");
  const auto value = events::to_json(
      events::RequestsLost{.epoch = epoch_, .instance = instance_, .partition = number_, .from = from, .to = to});
  send_ownership(Purpose::loss, events::requests_lost_type, value,
                 {.kind = events::AuditFacts::Kind::lost,
                  .epoch = epoch_,
                  .instance = instance_,
                  .partition = number_,
                  .lost_from = from,
                  .lost_to = to});
}

/// The event that tells of it is known to count.
void Partition::loss_counts(events::RequestOffset from, events::RequestOffset to) {
  if (gone_.report_counts({.from = from, .to = to})) {
    services_.metrics.requests_lost.add(static_cast<std::uint64_t>(to - from));
    return;
  }
  const auto offsets = gaps_.report_counts(from);
  if (!offsets) return;
  services_.metrics.requests_lost.add(static_cast<std::uint64_t>(*offsets));
  end_gaps();
}

/// Of what was lost some may go on at the worker that gave the partition up. Until that is answered the offsets stay
/// incomplete, so that whoever comes next finds those attempts.
void Partition::end_gaps() {
  const auto& sources = fold_.sources();
  std::vector<events::RequestOffset> over;
  for (const auto& [from, to] : gaps_.reported()) {
    const auto begin = sources.lower_bound(from);
    const auto end = sources.lower_bound(to);
    const bool open = std::any_of(begin, end, [](const auto& entry) {
      return std::ranges::any_of(entry.second.attempts, &events::AuditFold::Attempt::open);
    });
    if (!open) over.push_back(from);
  }
  for (const auto from : over) {
    gaps_.end(from);
    complete(from);
  }
}

/// A request that was lost and is sent again is no duplicate: the first will never be answered. The second is the first
/// then, also where it has been run meanwhile.
void Partition::forget_lost(const events::AuditFacts& facts) {
  const auto gone = [&](std::string_view org_id, std::string_view request_id, events::RequestOffset offset) {
    return offset >= facts.lost_from && offset < facts.lost_to && !fold_.complete(offset, org_id, request_id);
  };
  const auto name_gone = [&](const events::RequestName& name, events::RequestOffset offset) {
    const auto* const attempts = fold_.attempts(offset);
    return attempts == nullptr || std::ranges::none_of(*attempts, [&](const auto& attempt) {
             const auto& ids = attempt.ids;
             return events::RequestName(ids.org_id, ids.request_id) == name &&
                    !gone(ids.org_id, ids.request_id, offset);
           });
  };
  if (!recent_.forget_in(facts.lost_from, facts.lost_to, name_gone)) return;
  for (const auto& [offset, source] : fold_.sources()) {
    for (const auto& [ids, request_offset, response, continued] : source.attempts) {
      const auto* const known = recent_.find(ids.org_id, ids.request_id);
      if (ids.attempt == 0 || known == nullptr || gone(ids.org_id, ids.request_id, offset)) continue;
      auto& seen = recent_.seen(ids.org_id, ids.request_id, offset, ids.source_ms >= 0 ? ids.source_ms : known->at_ms);
      if (seen.offset == offset) seen.attempt = std::max(seen.attempt, ids.attempt);
    }
  }
  for (const auto& [offset, job] : jobs_) {
    auto& seen = recent_.seen(job.org_id(), job.request_id(), offset, job.seen_ms());
    if (seen.offset == offset && job.attempt) seen.attempt = std::max(seen.attempt, job.attempt->number());
  }
}

bool Partition::may_be_lost(events::RequestOffset offset) const {
  return gone_.covers(offset) || gaps_.covers(offset);
}

}  // namespace tokenrail::router
