// Feeding llm.audit: what one event says, given all before it.
#include "cli/verify/audit_rules.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cli/verify/texts.hpp"
#include "common/events/cloud_events.hpp"

namespace tokenrail::verify {
namespace {

using Kind = events::AuditFacts::Kind;
using Verdict = events::AuditFold::Verdict;

std::string attempt_text(const events::AttemptIds& ids) {
  return fmt::format("request {} of {} (source offset {}), attempt {}", ids.request_id, ids.org_id,
                     ids.source_offset.value(), ids.attempt);
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

void check_place(Known& known, const events::AttemptIds& ids, std::int64_t request_at, std::int64_t request_ms,
                 const Asked& stands_there) {
  if (stands_there.broker_ms < 0 || request_ms <= stands_there.broker_ms + known.options.clock_skew_ms) {
    ++known.findings.figures.displaced;
    return;
  }
  known.findings.report(Promise::audited, known.options.topics.audit, {request_at},
                        fmt::format("{}: it begins at the offset of another request", attempt_text(ids)));
}

void AuditRules::on_event(const kafka::Record& record) {
  ++figures().audit_events;
  figures().sender_times += record.log_append_time ? 0 : 1;
  known_.read_to.audit = record.offset + 1;
  known_.horizon.read_audit(record);
  const auto facts = events::parse_audit(record.value.value_or(""));
  if (!facts) {
    ++figures().unreadable;
    const auto type = kafka::header(record.headers, "ce_type").value_or("");
    if (events::audit_kind(type) != Kind::unknown)
      report(Promise::audited, options().topics.audit, {record.offset},
             fmt::format("a record that says it is {} cannot be read: {}", type, facts.error().detail));
    return;
  }
  if (facts->kind == Kind::unknown) return;
  if (const auto named = events::source_partition(*facts); named != options().partition) {
    // Routers pass over it, so it must not settle anything here either.
    report(about_attempt(*facts) ? Promise::audited : Promise::ownership, options().topics.audit, {record.offset},
           fmt::format("{} about partition {} is in the log of partition {}, where it counts for nothing",
                       events::name_of(facts->kind), named, options().partition));
    return;
  }

  admit_epoch(*facts, record);
  const auto previous_epoch = known_.fold.epoch();
  const Event event{
      .facts = *facts, .record = record, .verdict = known_.fold.apply(events::AuditOffset(record.offset), *facts)};
  if (facts->kind == Kind::claimed) {
    claimed(event, previous_epoch);
    return;
  }
  if (event.verdict == Verdict::is_void) {
    ++figures().void_events;
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

void AuditRules::admit_epoch(const events::AuditFacts& facts, const kafka::Record& record) {
  if (facts.kind == Kind::claimed || facts.epoch <= known_.fold.epoch()) return;
  if (options().audit_from > 0 && !known_.claims.any()) {
    // A worker that writes under an epoch claimed it, so that claim precedes the start of the log. The events between
    // the two were void without our knowing.
    if (known_.fold.epoch() > 0) known_.horizon.doubt_before(record.offset);
    events::AuditFacts claim;
    claim.kind = Kind::claimed;
    claim.epoch = facts.epoch;
    claim.instance = facts.instance;
    known_.fold.apply(events::AuditOffset(record.offset), claim);
    return;
  }
  if (unclaimed_told_.insert(facts.epoch).second)
    report(Promise::ownership, options().topics.audit, {record.offset},
           fmt::format("an event under epoch {}, which no router has claimed", facts.epoch));
}

void AuditRules::claimed(const Event& event, std::int64_t previous_epoch) {
  if (event.verdict != Verdict::counts) {
    ++figures().claims_void;
    return;
  }
  ++figures().claims;
  const auto& record = event.record;
  // The first claim in a log whose beginning is gone jumps over epochs that were claimed there, so the events between
  // may have been void.
  const auto epoch = event.facts.epoch;
  const bool next = epoch == previous_epoch + 1 || epoch == events::epoch_above(previous_epoch, options().partition);
  if (options().audit_from > 0 && !known_.claims.any() && previous_epoch > 0 && !next)
    known_.horizon.doubt_before(record.offset);
  const auto earlier = known_.claims.claimed(event.facts.epoch, previous_epoch,
                                             {.instance = event.facts.instance,
                                              .at = record.offset,
                                              .ms = record.timestamp_ms,
                                              .broker_ms = broker_ms(record)});
  if (known_.claims.find(event.facts.epoch)->upon_lost) ++figures().owners_lost;
  if (earlier)
    report(Promise::ownership, options().topics.audit, {*earlier, record.offset},
           fmt::format("instance {} claims epoch {} under the name of an earlier claim", event.facts.instance,
                       event.facts.epoch));
}

void AuditRules::check_instance(const Event& event) {
  const auto* const claim = known_.claims.find(event.facts.epoch);
  if (claim == nullptr || claim->instance == event.facts.instance) return;
  // Of a log whose beginning is gone: another worker may have claimed the same epoch there, so that this claim, which
  // is the first one left, did not take effect.
  if (options().audit_from > 0 && claim->at == known_.claims.first_at()) return;
  report(Promise::ownership, options().topics.audit, {claim->at, event.record.offset},
         fmt::format("instance {} writes under epoch {}, which instance {} has claimed", event.facts.instance,
                     event.facts.epoch, claim->instance));
}

// --- attempts -------------------------------------------------------------------------------------------------------

void AuditRules::note_event(Subject& about, const Event& event) {
  const auto& ids = event.facts.ids;
  if (about.first_audit < 0) about.first_audit = event.record.offset;
  auto& entry = about.asked[ids.source_offset.value()];
  if (!entry.read && event.record.key) entry.key = std::hash<std::string>{}(*event.record.key);
  if (ids.attempt != 0) entry.told_ms = std::max(entry.told_ms, broker_ms(event.record));
  note_overlooked(about, event);
  if (event.verdict == Verdict::is_void && !known_.whole_epoch(ids.attempt / attempts_per_epoch)) about.doubtful = true;
}

void AuditRules::note_overlooked(const Subject& about, const Event& event) {
  const auto offset = event.facts.ids.source_offset.value();
  auto& overlooked = known_.overlooked;
  const bool look =
      overlooked.note(offset, {.at = event.record.offset, .broker_ms = broker_ms(event.record), .about = &about});
  if (!look || offset >= known_.read_to.requests) return;
  if (const auto* const there = known_.subjects.at(offset))
    overlooked.is_there(offset, *there, there->asked.at(offset));
  overlooked.forget(offset);
}

void AuditRules::requested(const Event& event) {
  const auto& ids = event.facts.ids;
  const auto at = event.record.offset;
  auto& about = known_.subjects.of(ids.org_id, ids.request_id);
  note_event(about, event);
  known_.subjects.unsettle(about);
  if (ids.attempt == 0) {
    report(Promise::dedupe, options().topics.audit, {at},
           fmt::format("{}: a duplicate's answer has no llm.request", attempt_text(ids)));
    return;
  }

  auto& attempt = about.attempts[ids.attempt];
  if (event.verdict == Verdict::is_void) {
    if (attempt.request.void_at < 0) attempt.request.void_at = at;
    if (attempt.chunks.first_at >= 0 && attempt.request.at < 0 && !known_.horizon.doubtful(about))
      report(Promise::audited, options().topics.audit, {at},
             fmt::format("{}: its llm.request is void, and yet it publishes ({}:{})", attempt_text(ids),
                         options().topics.chunks, attempt.chunks.first_at));
    known_.subjects.touch(about);
    return;
  }
  if (event.verdict == Verdict::repeated || attempt.request.at >= 0) {
    report(Promise::audited, options().topics.audit, {attempt.request.at, at},
           fmt::format("{}: a second llm.request", attempt_text(ids)));
    return;
  }

  begun(about, event);
  known_.subjects.touch(about);
}

/// An llm.request that counts.
void AuditRules::begun(Subject& about, const Event& event) {
  const auto& ids = event.facts.ids;
  const auto at = event.record.offset;
  auto& attempt = about.attempts[ids.attempt];
  ++figures().attempts;
  if (ids.attempt / attempts_per_epoch != event.facts.epoch)
    report(Promise::audited, options().topics.audit, {at},
           fmt::format("{}: its number is none of epoch {}", attempt_text(ids), event.facts.epoch));
  const auto offset = ids.source_offset.value();
  if (auto* const there = known_.subjects.at(offset); there != nullptr && there != &about)
    check_place(known_, ids, at, broker_ms(event.record), there->asked[offset]);
  if (released_ && released_->first == event.facts.epoch)
    report(Promise::once, options().topics.audit, {released_->second, at},
           fmt::format("{} begins behind the router.released by which its worker gave the partition up",
                       attempt_text(ids)));
  keys_.check(about, ids.attempt, attempt.key, event.record, false);
  runs_again(about, ids.attempt, event);
  attempt.source_offset = offset;
  attempt.source_ms = ids.source_ms;
  attempt.request.at = at;
  attempt.request.ms = event.record.timestamp_ms;
  attempt.request.broker_ms = broker_ms(event.record);
  attempt.request.own_ms = own_ms(event.record);
  if (const auto ms = known_.claims.dispatched(event.facts.epoch, event.record.timestamp_ms))
    figures().takeover_ms.push_back(*ms);
}

void AuditRules::runs_again(const Subject& about, std::int64_t number, const Event& event) {
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
      report(Promise::once, options().topics.audit, {known.request.at, at},
             fmt::format("{} begins after attempt {}; numbers of a request only grow", attempt_text(ids), other));
    if (known.source_offset != offset) {
      elsewhere = true;
      continue;
    }
    rerun = true;
    if (known_.horizon.doubtful(about)) continue;
    if (!known.answered()) {
      report(Promise::once, options().topics.audit, {known.request.at, at},
             fmt::format("{} begins while attempt {} has no llm.response{}", attempt_text(ids), other,
                         known.continued.epoch ? ", and is continued by the worker that gave the partition up" : ""));
    } else if (!known.interrupted()) {
      report(
          Promise::once, options().topics.audit, {known.response.at, at},
          fmt::format("{} begins after attempt {} has ended as {}", attempt_text(ids), other, known.response.outcome));
    }
  }
  if (const auto answer = about.duplicates.find(offset);
      answer != about.duplicates.end() && answer->second.response_at >= 0)
    report(Promise::once, options().topics.audit, {answer->second.response_at, at},
           fmt::format("{} begins after the request was answered as a duplicate", attempt_text(ids)));
  if (known_.forgotten(about, offset))
    report(Promise::once, options().topics.audit, {at},
           fmt::format("{} begins long after the request was complete", attempt_text(ids)));
  if (rerun) ++figures().reruns;
  if (elsewhere && !rerun) ++figures().duplicates_run;
}

void AuditRules::responded(const Event& event) {
  const auto& ids = event.facts.ids;
  const auto at = event.record.offset;
  auto& about = known_.subjects.of(ids.org_id, ids.request_id);
  note_event(about, event);
  if (event.verdict == Verdict::repeated) answered_again(about, event);
  if (event.verdict != Verdict::counts) {
    known_.subjects.touch(about);
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
    KeyRules::note(answer, event.record, false);
    ++figures().duplicates;
    if (event.facts.outcome != "duplicate")
      report(Promise::dedupe, options().topics.audit, {at},
             fmt::format("{}: outcome {}, where only duplicate is one", attempt_text(ids), event.facts.outcome));
    known_.subjects.touch(about);
    return;
  }
  auto& attempt = about.attempts[ids.attempt];
  keys_.check(about, ids.attempt, attempt.key, event.record, false);
  attempt.source_offset = ids.source_offset.value();
  attempt.source_ms = ids.source_ms;
  attempt.response.at = at;
  attempt.response.broker_ms = broker_ms(event.record);
  attempt.response.epoch = event.facts.epoch;
  attempt.response.hash = hash_of(event.record);
  attempt.response.outcome = event.facts.outcome;
  attempt.response.called = event.facts.called;
  attempt.response.finish_reason = event.facts.finish_reason;
  attempt.response.chunks = event.facts.chunks;
  attempt.response.text_bytes = event.facts.text_bytes;
  if (attempt.interrupted()) ++figures().interrupted[event.facts.cause];
  if (event.facts.recovered && !attempt.interrupted()) ++figures().recovered;
  if (attempt.continued.epoch && *attempt.continued.epoch != event.facts.epoch) {
    attempt.continued.closed_by_another = true;
    closed_by_another(about, ids.attempt, attempt, event);
  }
  known_.subjects.touch(about);
}

// A worker that continues an attempt and a successor that closes it after its lease cannot know of each other. Every
// other responder has read the log, or has responded already. (A record that occurs twice was written twice by its
// producer, which librdkafka has been seen to do.)
void AuditRules::answered_again(Subject& about, const Event& event) {
  ++figures().late_responses;
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
    first_at = attempt.response.at;
    first_epoch = attempt.response.epoch;
    first_hash = attempt.response.hash;
    continued = attempt.continued.epoch.has_value();
  }
  if (first_at < 0 || known_.horizon.doubtful(about) || (continued && first_epoch != event.facts.epoch) ||
      first_hash == hash_of(event.record))
    return;
  report(Promise::audited, options().topics.audit, {first_at, event.record.offset},
         fmt::format("{}: a second llm.response under epoch {}{}", attempt_text(ids), event.facts.epoch,
                     first_epoch == event.facts.epoch ? "" : fmt::format(", behind that of epoch {}", first_epoch)));
}

// The successor's lease begins when it reads the hand-over, which is later than its append; a renewal it may not have
// read yet.
void AuditRules::closed_by_another(const Subject& about, std::int64_t number, const Attempt& attempt,
                                   const Event& event) {
  const auto ms = broker_ms(event.record);
  if (ms < 0 || known_.horizon.doubtful(about)) return;
  if (ms + options().clock_skew_ms < attempt.continued.until_ms) {
    report(Promise::once, options().topics.audit, {attempt.request.at, event.record.offset},
           fmt::format("request {} of {}, attempt {}: closed as {} {} ms before the lease of the worker that continues "
                       "it ran out",
                       about.request_id, about.org_id, number, event.facts.outcome, attempt.continued.until_ms - ms));
  } else if (ms + options().clock_skew_ms < attempt.continued.renewed_until_ms) {
    ++figures().early_closings;
  }
}

void AuditRules::released(const Event& event) {
  if (event.verdict != Verdict::counts) return;
  ++figures().releases;
  const auto epoch = event.facts.epoch;
  known_.claims.released(epoch);
  released_ = {epoch, event.record.offset};
  const auto at_ms = broker_ms(event.record);
  const auto until = at_ms < 0 ? -1 : at_ms + event.facts.lease_ms;
  for (const auto& [source_offset, number] : event.facts.continuing) {
    const auto* const known = known_.fold.find(source_offset, number);
    if (known == nullptr || !known->continued) continue;
    auto* const about = known_.subjects.find(known->ids.org_id, known->ids.request_id);
    if (about == nullptr) continue;
    auto& attempt = about->attempts[number];
    attempt.continued.epoch = epoch;
    attempt.continued.until_ms = until;
    attempt.continued.renewed_until_ms = until;
  }
  // An owner that gives up in order names all that still runs: the successor closes what is not named.
  for (const auto* open : known_.fold.open()) {
    const bool begun_here = open->request_offset >= events::AuditOffset(0) && open->ids.epoch == epoch;
    const bool named = open->continued && open->continued->epoch == epoch;
    if (begun_here && !named)
      report(
          Promise::once, options().topics.audit, {open->request_offset.value(), event.record.offset},
          fmt::format("{}: the partition is given up without naming it among what continues", attempt_text(open->ids)));
  }
}

void AuditRules::lost(const Event& event) {
  if (event.verdict != Verdict::counts || event.facts.lost_from >= event.facts.lost_to) return;
  figures().lost += known_.losses.add({.from = event.facts.lost_from.value(),
                                       .to = event.facts.lost_to.value(),
                                       .at = event.record.offset,
                                       .broker_ms = broker_ms(event.record)});
}

void AuditRules::continuing(const Event& event) {
  const auto at_ms = broker_ms(event.record);
  if (event.verdict != Verdict::counts || at_ms < 0) return;
  for (const auto& [source_offset, number] : event.facts.continuing) {
    const auto* const known = known_.fold.find(source_offset, number);
    if (known == nullptr || !known->continued || known->continued->epoch != event.facts.epoch) continue;
    auto* const about = known_.subjects.find(known->ids.org_id, known->ids.request_id);
    if (about == nullptr) continue;
    about->attempts[number].continued.renewed_until_ms = at_ms + event.facts.lease_ms;
  }
}

}  // namespace tokenrail::verify
