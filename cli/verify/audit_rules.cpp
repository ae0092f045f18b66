// Feeding llm.audit: what one event says, given all before it.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cli/verify/checker.hpp"
#include "cli/verify/texts.hpp"
#include "common/events/cloud_events.hpp"

namespace tokenrail::verify {
namespace {

using Kind = events::AuditFacts::Kind;
using Verdict = events::AuditFold::Verdict;

constexpr std::size_t losses_max = 1'000;

std::string attempt_text(const events::AttemptIds& ids) {
  return fmt::format("request {} of {} (source offset {}), attempt {}", ids.request_id, ids.org_id,
                     ids.source_offset.value(), ids.attempt);
}

/// When the broker's clock says that it was appended; -1: that clock did not stamp it.
std::int64_t broker_ms(const kafka::Record& record) {
  return record.log_append_time ? record.timestamp_ms : -1;
}

/// When its writer made it, by the writer's clock; -1: it does not say.
std::int64_t own_ms(const kafka::Record& record) {
  const auto said = kafka::header(record.headers, "ce_time");
  if (const auto ms = said ? events::rfc3339_ms(*said) : std::nullopt) return *ms;
  return record.log_append_time ? -1 : record.timestamp_ms;
}

/// The same where a producer has written one record twice.
std::size_t hash_of(const kafka::Record& record) {
  std::string all = record.value.value_or("");
  for (const auto& [name, content] : record.headers) all.append(name).append(content.value_or(""));
  return std::hash<std::string>{}(all);
}

}  // namespace

void Checker::on_audit(const kafka::Record& record) {
  ++figures_.audit_events;
  count_sender_time(record);
  audit_next_ = record.offset + 1;
  audit_window_.note(record);
  const auto facts = events::parse_audit(record.value.value_or(""));
  if (!facts) {
    ++figures_.unreadable;
    const auto type = kafka::header(record.headers, "ce_type").value_or("");
    if (events::audit_kind(type) != Kind::unknown)
      report(Promise::audited, options_.topics.audit, {record.offset},
             fmt::format("a record that says it is {} cannot be read: {}", type, facts.error().detail));
    return;
  }
  if (facts->kind == Kind::unknown) return;
  if (const auto named = events::source_partition(*facts); named != options_.partition) {
    // Routers pass over it, so it must not settle anything here either.
    report(about_attempt(*facts) ? Promise::audited : Promise::ownership, options_.topics.audit, {record.offset},
           fmt::format("{} about partition {} is in the log of partition {}, where it counts for nothing",
                       events::name_of(facts->kind), named, options_.partition));
    return;
  }

  admit_epoch(*facts, record);
  const auto previous_epoch = fold_.epoch();
  const Event event{
      .facts = *facts, .record = record, .verdict = fold_.apply(events::AuditOffset(record.offset), *facts)};
  if (facts->kind == Kind::claimed) {
    claimed(event, previous_epoch);
    return;
  }
  if (event.verdict == Verdict::is_void) {
    ++figures_.void_events;
  } else {
    check_instance(event);
  }
  switch (facts->kind) {
    case Kind::request:
      requested(event);
      break;
    case Kind::response:
      responded(event);
      break;
    case Kind::released:
      released(event);
      break;
    case Kind::lost:
      lost(event);
      break;
    default:
      continuing(event);
      break;
  }
}

// --- ownership ------------------------------------------------------------------------------------------------------

void Checker::admit_epoch(const events::AuditFacts& facts, const kafka::Record& record) {
  if (facts.kind == Kind::claimed || facts.epoch <= fold_.epoch()) return;
  if (options_.audit_from > 0 && !claims_.any()) {
    // A worker that writes under an epoch claimed it, so that claim precedes the start of the log. The events between
    // the two were void without our knowing.
    if (fold_.epoch() > 0) doubtful_before_ = record.offset;
    events::AuditFacts claim;
    claim.kind = Kind::claimed;
    claim.epoch = facts.epoch;
    claim.instance = facts.instance;
    fold_.apply(events::AuditOffset(record.offset), claim);
    return;
  }
  if (unclaimed_told_.insert(facts.epoch).second)
    report(Promise::ownership, options_.topics.audit, {record.offset},
           fmt::format("an event under epoch {}, which no router has claimed", facts.epoch));
}

void Checker::claimed(const Event& event, std::int64_t previous_epoch) {
  if (event.verdict != Verdict::counts) {
    ++figures_.claims_void;
    return;
  }
  ++figures_.claims;
  const auto& record = event.record;
  // The first claim in a log whose beginning is gone jumps over epochs that were claimed there, so the events between
  // may have been void.
  const auto epoch = event.facts.epoch;
  const bool next = epoch == previous_epoch + 1 || epoch == events::epoch_above(previous_epoch, options_.partition);
  if (options_.audit_from > 0 && !claims_.any() && previous_epoch > 0 && !next) doubtful_before_ = record.offset;
  const auto earlier = claims_.claimed(event.facts.epoch, previous_epoch,
                                       {.instance = event.facts.instance,
                                        .at = record.offset,
                                        .ms = record.timestamp_ms,
                                        .broker_ms = broker_ms(record)});
  if (claims_.find(event.facts.epoch)->upon_lost) ++figures_.owners_lost;
  if (earlier)
    report(Promise::ownership, options_.topics.audit, {*earlier, record.offset},
           fmt::format("instance {} claims epoch {} under the name of an earlier claim", event.facts.instance,
                       event.facts.epoch));
}

void Checker::check_instance(const Event& event) {
  const auto* const claim = claims_.find(event.facts.epoch);
  if (claim == nullptr || claim->instance == event.facts.instance) return;
  // Of a log whose beginning is gone: another worker may have claimed the same epoch there, so that this claim, which
  // is the first one left, did not take effect.
  if (options_.audit_from > 0 && claim->at == claims_.first_at()) return;
  report(Promise::ownership, options_.topics.audit, {claim->at, event.record.offset},
         fmt::format("instance {} writes under epoch {}, which instance {} has claimed", event.facts.instance,
                     event.facts.epoch, claim->instance));
}

// --- attempts -------------------------------------------------------------------------------------------------------

void Checker::note_event(Subject& about, const Event& event) {
  const auto& ids = event.facts.ids;
  if (about.first_audit < 0) about.first_audit = event.record.offset;
  auto& entry = asked(about, ids.source_offset.value());
  if (!entry.read && event.record.key) entry.key = std::hash<std::string>{}(*event.record.key);
  if (ids.attempt != 0) entry.told_ms = std::max(entry.told_ms, broker_ms(event.record));
  note_overlooked(event);
  if (event.verdict == Verdict::is_void && !whole_epoch(ids.attempt / attempts_per_epoch)) about.doubtful = true;
}

// A successor reads from the commit's auditOffset, and nothing about a request at or above the committed offset may
// precede that. If the topic was created again, that offset had another request, or none: the request shows which.
void Checker::note_overlooked(const Event& event) {
  const auto& ids = event.facts.ids;
  const auto at = event.record.offset;
  const auto offset = ids.source_offset.value();
  if (!options_.committed || offset < *options_.committed || at >= overlooked_below_ || first_overlooked_) return;
  if (offset < options_.requests_from) {
    first_overlooked_ = at;
    return;
  }
  if (options_.requests_end && offset >= *options_.requests_end) return;
  auto request = ids.org_id + '\0' + ids.request_id;
  // Of several about one request the newest: all before the topic was created again are older than that.
  overlooked_.insert_or_assign(offset, Overlooked{.at = at, .broker_ms = broker_ms(event.record), .request = request});
  if (offset >= requests_next_) return;
  if (const auto there = by_offset_.find(offset); there != by_offset_.end())
    look_again(offset, there->second->org_id + '\0' + there->second->request_id, there->second->asked.at(offset));
  overlooked_.erase(offset);
}

/// The topic has that request at that offset.
void Checker::look_again(std::int64_t source_offset, const std::string& request, const Asked& stands_there) {
  const auto event = overlooked_.find(source_offset);
  if (event == overlooked_.end() || event->second.request != request) return;
  const bool older = event->second.broker_ms >= 0 && stands_there.broker_ms >= 0 &&
                     event->second.broker_ms + options_.clock_skew_ms < stands_there.broker_ms;
  if (!older) first_overlooked_ = std::min(first_overlooked_.value_or(event->second.at), event->second.at);
}

void Checker::requested(const Event& event) {
  const auto& ids = event.facts.ids;
  const auto at = event.record.offset;
  auto& about = subject(ids.org_id, ids.request_id);
  note_event(about, event);
  unsettle(about);
  if (ids.attempt == 0) {
    report(Promise::dedupe, options_.topics.audit, {at},
           fmt::format("{}: a duplicate's answer has no llm.request", attempt_text(ids)));
    return;
  }

  auto& attempt = about.attempts[ids.attempt];
  if (event.verdict == Verdict::is_void) {
    if (attempt.void_request_at < 0) attempt.void_request_at = at;
    if (attempt.first_chunk >= 0 && attempt.request_at < 0 && !doubtful(about))
      report(Promise::audited, options_.topics.audit, {at},
             fmt::format("{}: its llm.request is void, and yet it publishes ({}:{})", attempt_text(ids),
                         options_.topics.chunks, attempt.first_chunk));
    touch(about);
    return;
  }
  if (event.verdict == Verdict::repeated || attempt.request_at >= 0) {
    report(Promise::audited, options_.topics.audit, {attempt.request_at, at},
           fmt::format("{}: a second llm.request", attempt_text(ids)));
    return;
  }

  ++figures_.attempts;
  if (ids.attempt / attempts_per_epoch != event.facts.epoch)
    report(Promise::audited, options_.topics.audit, {at},
           fmt::format("{}: its number is none of epoch {}", attempt_text(ids), event.facts.epoch));
  const auto offset = ids.source_offset.value();
  if (const auto there = by_offset_.find(offset); there != by_offset_.end() && there->second != &about)
    check_place(ids, at, broker_ms(event.record), there->second->asked[offset]);
  if (released_ && released_->first == event.facts.epoch)
    report(Promise::once, options_.topics.audit, {released_->second, at},
           fmt::format("{} begins behind the router.released by which its worker gave the partition up",
                       attempt_text(ids)));
  check_key(about, ids.attempt, attempt.key, event.record, false);
  runs_again(about, ids.attempt, event);
  attempt.source_offset = offset;
  attempt.source_ms = ids.source_ms;
  attempt.request_at = at;
  attempt.request_ms = event.record.timestamp_ms;
  attempt.request_broker_ms = broker_ms(event.record);
  attempt.request_own_ms = own_ms(event.record);
  if (const auto ms = claims_.dispatched(event.facts.epoch, event.record.timestamp_ms))
    figures_.takeover_ms.push_back(*ms);
  touch(about);
}

// A topic that was created again has other requests at the offsets of the old ones, whose attempts are older than the
// request that is there now; only brokers' clocks can show it.
void Checker::check_place(const events::AttemptIds& ids, std::int64_t request_at, std::int64_t request_ms,
                          const Asked& stands_there) {
  if (stands_there.broker_ms < 0 || request_ms <= stands_there.broker_ms + options_.clock_skew_ms) {
    ++figures_.displaced;
    return;
  }
  report(Promise::audited, options_.topics.audit, {request_at},
         fmt::format("{}: it begins at the offset of another request", attempt_text(ids)));
}

void Checker::runs_again(const Subject& about, std::int64_t number, const Event& event) {
  const auto& ids = event.facts.ids;
  const auto offset = ids.source_offset.value();
  const auto at = event.record.offset;
  bool rerun = false;
  bool elsewhere = false;
  for (const auto& [other, known] : about.attempts) {
    if (other == number || !known.exists()) continue;
    // An llm.request that the topic refused is written again, and may lie behind that of a repeated request which the
    // same owner began meanwhile. Their numbers are those of the beginning, which the log does not show.
    const bool repeated_meanwhile =
        known.source_offset != offset && other / attempts_per_epoch == number / attempts_per_epoch;
    if (other > number && !repeated_meanwhile)
      report(Promise::once, options_.topics.audit, {known.request_at, at},
             fmt::format("{} begins after attempt {}; numbers of a request only grow", attempt_text(ids), other));
    if (known.source_offset != offset) {
      elsewhere = true;
      continue;
    }
    rerun = true;
    if (doubtful(about)) continue;
    if (!known.answered()) {
      report(Promise::once, options_.topics.audit, {known.request_at, at},
             fmt::format("{} begins while attempt {} has no llm.response{}", attempt_text(ids), other,
                         known.released_epoch ? ", and is continued by the worker that gave the partition up" : ""));
    } else if (!known.interrupted()) {
      report(Promise::once, options_.topics.audit, {known.response_at, at},
             fmt::format("{} begins after attempt {} has ended as {}", attempt_text(ids), other, known.outcome));
    }
  }
  if (const auto answer = about.duplicates.find(offset);
      answer != about.duplicates.end() && answer->second.response_at >= 0)
    report(Promise::once, options_.topics.audit, {answer->second.response_at, at},
           fmt::format("{} begins after the request was answered as a duplicate", attempt_text(ids)));
  if (forgotten(about, offset))
    report(Promise::once, options_.topics.audit, {at},
           fmt::format("{} begins long after the request was complete", attempt_text(ids)));
  if (rerun) ++figures_.reruns;
  if (elsewhere && !rerun) ++figures_.duplicates_run;
}

void Checker::responded(const Event& event) {
  const auto& ids = event.facts.ids;
  const auto at = event.record.offset;
  auto& about = subject(ids.org_id, ids.request_id);
  note_event(about, event);
  if (event.verdict == Verdict::repeated) answered_again(about, event);
  if (event.verdict != Verdict::counts) {
    touch(about);
    return;
  }

  if (ids.attempt == 0) {
    auto& answer = about.duplicates[ids.source_offset.value()];
    answer.source_ms = ids.source_ms;
    answer.response_at = at;
    answer.response_epoch = event.facts.epoch;
    answer.response_hash = hash_of(event.record);
    answer.told_offset = event.facts.duplicate_of;
    answer.response_key = key_hash(event.record);
    note_key(answer, event.record, false);
    ++figures_.duplicates;
    if (event.facts.outcome != "duplicate")
      report(Promise::dedupe, options_.topics.audit, {at},
             fmt::format("{}: outcome {}, where only duplicate is one", attempt_text(ids), event.facts.outcome));
    touch(about);
    return;
  }
  auto& attempt = about.attempts[ids.attempt];
  check_key(about, ids.attempt, attempt.key, event.record, false);
  attempt.source_offset = ids.source_offset.value();
  attempt.source_ms = ids.source_ms;
  attempt.response_at = at;
  attempt.response_broker_ms = broker_ms(event.record);
  attempt.response_epoch = event.facts.epoch;
  attempt.response_hash = hash_of(event.record);
  attempt.outcome = event.facts.outcome;
  attempt.called = event.facts.called;
  attempt.told_finish_reason = event.facts.finish_reason;
  attempt.told_chunks = event.facts.chunks;
  attempt.told_bytes = event.facts.text_bytes;
  if (attempt.interrupted()) ++figures_.interrupted[event.facts.cause];
  if (event.facts.recovered && !attempt.interrupted()) ++figures_.recovered;
  if (attempt.released_epoch && *attempt.released_epoch != event.facts.epoch) {
    attempt.closed_by_another = true;
    closed_by_another(about, ids.attempt, attempt, event);
  }
  touch(about);
}

// A worker that continues an attempt and a successor that closes it after its lease cannot know of each other. Every
// other responder has read the log, or has responded already. (A record that occurs twice was written twice by its
// producer, which librdkafka has been seen to do.)
void Checker::answered_again(Subject& about, const Event& event) {
  ++figures_.late_responses;
  const auto& ids = event.facts.ids;
  std::int64_t first_at = -1;
  std::int64_t first_epoch = 0;
  std::size_t first_hash = 0;
  bool continued = false;
  if (ids.attempt == 0) {
    auto& answer = about.duplicates[ids.source_offset.value()];
    // Two duplicates at one offset, of a log and of the one that took its place.
    if (answer.source_ms >= 0 && ids.source_ms >= 0 && answer.source_ms != ids.source_ms) {
      answer.other_response_key = key_hash(event.record);
      return;
    }
    first_at = answer.response_at;
    first_epoch = answer.response_epoch;
    first_hash = answer.response_hash;
  } else {
    const auto& attempt = about.attempts[ids.attempt];
    first_at = attempt.response_at;
    first_epoch = attempt.response_epoch;
    first_hash = attempt.response_hash;
    continued = attempt.released_epoch.has_value();
  }
  if (first_at < 0 || doubtful(about) || (continued && first_epoch != event.facts.epoch) ||
      first_hash == hash_of(event.record))
    return;
  report(Promise::audited, options_.topics.audit, {first_at, event.record.offset},
         fmt::format("{}: a second llm.response under epoch {}{}", attempt_text(ids), event.facts.epoch,
                     first_epoch == event.facts.epoch ? "" : fmt::format(", behind that of epoch {}", first_epoch)));
}

// The successor's lease begins when it reads the hand-over, which is later than its append; a renewal it may not have
// read yet.
void Checker::closed_by_another(const Subject& about, std::int64_t number, const Attempt& attempt, const Event& event) {
  const auto ms = broker_ms(event.record);
  if (ms < 0 || doubtful(about)) return;
  if (ms + options_.clock_skew_ms < attempt.released_until_ms) {
    report(Promise::once, options_.topics.audit, {attempt.request_at, event.record.offset},
           fmt::format("request {} of {}, attempt {}: closed as {} {} ms before the lease of the worker that continues "
                       "it ran out",
                       about.request_id, about.org_id, number, event.facts.outcome, attempt.released_until_ms - ms));
  } else if (ms + options_.clock_skew_ms < attempt.renewed_until_ms) {
    ++figures_.early_closings;
  }
}

void Checker::released(const Event& event) {
  if (event.verdict != Verdict::counts) return;
  ++figures_.releases;
  const auto epoch = event.facts.epoch;
  claims_.released(epoch);
  released_ = {epoch, event.record.offset};
  const auto at_ms = broker_ms(event.record);
  const auto until = at_ms < 0 ? -1 : at_ms + event.facts.lease_ms;
  for (const auto& [source_offset, number] : event.facts.continuing) {
    const auto* const known = fold_.find(source_offset, number);
    if (known == nullptr || !known->continued) continue;
    const auto it = subjects_.find(known->ids.org_id + '\0' + known->ids.request_id);
    if (it == subjects_.end()) continue;
    auto& attempt = it->second.attempts[number];
    attempt.released_epoch = epoch;
    attempt.released_until_ms = until;
    attempt.renewed_until_ms = until;
  }
  // An owner that gives up in order names all that still runs: the successor closes what is not named.
  for (const auto* open : fold_.open()) {
    const bool begun_here = open->request_offset >= events::AuditOffset(0) && open->ids.epoch == epoch;
    const bool named = open->continued && open->continued->epoch == epoch;
    if (begun_here && !named)
      report(
          Promise::once, options_.topics.audit, {open->request_offset.value(), event.record.offset},
          fmt::format("{}: the partition is given up without naming it among what continues", attempt_text(open->ids)));
  }
}

// Ranges overlap where a router died before it could commit behind what it had reported: the next one reports it again.
void Checker::lost(const Event& event) {
  if (event.verdict != Verdict::counts || event.facts.lost_from >= event.facts.lost_to) return;
  auto from = event.facts.lost_from.value();
  auto to = event.facts.lost_to.value();
  losses_.push_back({.from = from, .to = to, .at = event.record.offset, .broker_ms = broker_ms(event.record)});
  if (losses_.size() > losses_max) losses_.pop_front();
  auto next = lost_.upper_bound(from);
  if (next != lost_.begin() && std::prev(next)->second >= from) --next;
  while (next != lost_.end() && next->first <= to) {
    from = std::min(from, next->first);
    to = std::max(to, next->second);
    figures_.lost -= next->second - next->first;
    next = lost_.erase(next);
  }
  lost_.emplace(from, to);
  figures_.lost += to - from;
}

void Checker::continuing(const Event& event) {
  const auto at_ms = broker_ms(event.record);
  if (event.verdict != Verdict::counts || at_ms < 0) return;
  for (const auto& [source_offset, number] : event.facts.continuing) {
    const auto* const known = fold_.find(source_offset, number);
    if (known == nullptr || !known->continued || known->continued->epoch != event.facts.epoch) continue;
    const auto it = subjects_.find(known->ids.org_id + '\0' + known->ids.request_id);
    if (it == subjects_.end()) continue;
    it->second.attempts[number].renewed_until_ms = at_ms + event.facts.lease_ms;
  }
}

}  // namespace tokenrail::verify
