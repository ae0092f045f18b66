// Judging a request when all is known of it that will be: before it is forgotten, and at the end.
//
// That readers end with the attempt that the audit log counts follows from three rules here: an attempt seen on
// chat.chunks exists in llm.audit; the highest attempt that exists has an answer that counts; that answer's terminal
// chunk is on chat.chunks.
#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cli/verify/checker.hpp"
#include "cli/verify/texts.hpp"

namespace tokenrail::verify {
namespace {

bool fits(std::string_view outcome, std::string_view finish_reason) {
  if (outcome == "failed" || outcome == "rejected") return finish_reason == "error";
  if (outcome == "cancelled" || outcome == "duplicate") return finish_reason == outcome;
  constexpr std::array others{"error", "cancelled", "duplicate"};
  return outcome == "completed" && std::ranges::find(others, finish_reason) == others.end();
}

}  // namespace

// --- what may lie before the start of a log -------------------------------------------------------------------------

bool Checker::doubtful(const Subject& about) const {
  return about.doubtful || (about.first_audit >= 0 && about.first_audit < doubtful_before_);
}

bool Checker::whole_epoch(std::int64_t epoch) const {
  return options_.audit_from == 0 || claims_.find(epoch) != nullptr;
}

bool Checker::audit_lost(const Asked& entry) const {
  if (options_.audit_from == 0) return false;
  return audit_window_.may_lack(entry.broker_ms, options_.clock_skew_ms);
}

bool Checker::told_lost(std::int64_t source_offset) const {
  const auto after = lost_.upper_bound(source_offset);
  return after != lost_.begin() && source_offset < std::prev(after)->second;
}

/// What the log contains has not been deleted, whatever an event says.
bool Checker::told_lost(const Subject& about, std::int64_t source_offset) const {
  const auto entry = about.asked.find(source_offset);
  return (entry == about.asked.end() || !entry->second.read) && told_lost(source_offset);
}

bool Checker::chunks_lost(const Attempt& attempt) const {
  if (options_.chunks_from == 0) return false;
  return chunks_window_.may_lack(attempt.request_broker_ms, options_.clock_skew_ms);
}

bool Checker::complete(const Subject& about, std::int64_t source_offset) const {
  return fold_.complete(events::RequestOffset(source_offset), about.org_id, about.request_id);
}

bool Checker::settled(const Subject& about) const {
  for (const auto& [offset, entry] : about.asked) {
    if (entry.dead || told_lost(about, offset)) continue;
    if (!entry.read && offset >= options_.requests_from) return false;
    if (!entry.answerable && entry.read && letter_lost(entry.ms)) continue;
    if (complete(about, offset)) continue;
    const bool unseen = highest(about, offset) == nullptr && !about.duplicates.contains(offset);
    if (!(unseen && audit_lost(entry))) return false;
  }
  for (const auto& [number, attempt] : about.attempts) {
    if (!attempt.exists()) {
      if (!late_leftover(about, number, attempt)) return false;
      continue;
    }
    if (!attempt.answered()) return false;
    if (!attempt.interrupted() && attempt.terminal_at < 0 && !chunks_lost(attempt)) return false;
  }
  return std::ranges::all_of(about.duplicates, [&](const auto& entry) {
    const auto& answer = entry.second;
    if (told_lost(about, entry.first) || (answer.names_offset && told_lost(about, *answer.names_offset))) return true;
    if (answer.response_at < 0 && forgotten(about, entry.first)) return true;
    return answer.response_at >= 0 && (answer.chunk_at >= 0 || options_.chunks_from > 0);
  });
}

// --- one request ----------------------------------------------------------------------------------------------------

// Readers of chunks know an attempt by its number and the request's ids, whatever partition it is on.
void Checker::judge_names(const Subject& about) {
  if (options_.names == nullptr || about.attempts.empty()) return;
  if (options_.names->asked(about.org_id, about.request_id, options_.partition)) ++figures_.names_shared;
  for (const auto& [number, attempt] : about.attempts) {
    const auto other = options_.names->attempted(about.org_id, about.request_id, number, options_.partition);
    if (!other || attempt.first_chunk < 0) continue;
    report(Promise::whole, options_.topics.chunks, {attempt.first_chunk},
           fmt::format("{}: partition {} has an attempt with the same ids and number, and readers take the two for one",
                       attempt_text(about, number), *other));
  }
}

void Checker::judge(const Subject& about, bool at_rest) {
  judge_names(about);
  if (doubtful(about)) {
    figures_.unknown += static_cast<std::int64_t>(about.asked.size());
    return;
  }
  for (const auto& [offset, entry] : about.asked) judge_request(about, offset, entry, at_rest);
  for (const auto& [number, attempt] : about.attempts) judge_attempt(about, number, attempt, at_rest);
  for (const auto& [offset, answer] : about.duplicates) judge_duplicate(about, offset, answer, at_rest);
  judge_successors(about);
  judge_order(about);
  judge_window(about);
}

void Checker::judge_request(const Subject& about, std::int64_t source_offset, const Asked& entry, bool at_rest) {
  if (entry.read) judge_loss(request_text(about, source_offset), source_offset, entry.broker_ms);
  if (entry.dead) {
    judge_dead_letter(about, source_offset, entry);
    return;
  }
  if (complete(about, source_offset) || told_lost(about, source_offset)) return;
  const auto* const top = highest(about, source_offset);
  if (top == nullptr && entry.read && !entry.answerable && letter_lost(entry.ms)) {
    ++figures_.unknown;
    return;
  }
  if (top == nullptr && audit_lost(entry)) {
    ++figures_.unknown;
    return;
  }
  if (!entry.read && top == nullptr) return;
  // Deleted, so it cannot be run again; whether it had been before is not to be seen.
  const bool deleted = !entry.read && source_offset < options_.requests_from;
  if (deleted && top->second.interrupted()) {
    ++figures_.unknown;
    return;
  }
  if (!at_rest) {
    ++figures_.open_requests;
    return;
  }
  const auto say = [&](std::string_view why) {
    report(Promise::answered, options_.topics.requests, {source_offset},
           fmt::format("{} {}", request_text(about, source_offset), why));
  };
  if (top == nullptr) {
    say("was never answered: no attempt, no dead letter");
  } else if (top->second.interrupted()) {
    say(fmt::format("was never answered: its last attempt {} was interrupted ({}:{})", top->first,
                    options_.topics.audit, top->second.response_at));
  } else if (top->second.terminal_at < 0 && !chunks_lost(top->second)) {
    say(fmt::format("was never answered: its last attempt {} has no terminal chunk", top->first));
  }
}

// The topics do not show which version of the router read a request, so the text says it.
void Checker::judge_dead_letter(const Subject& about, std::int64_t source_offset, const Asked& entry) {
  const auto say = [&](std::string_view why) {
    report(Promise::answered, options_.topics.requests, {source_offset},
           fmt::format("{} is in {}, {}", request_text(about, source_offset), options_.topics.dlq, why));
  };
  if (const auto* const top = highest(about, source_offset)) {
    say(fmt::format("and was run all the same: attempt {} (routers of two versions may have read it differently)",
                    top->first));
  } else if (entry.answerable) {
    say("though it can be read and answered (a router of another version may have been unable to)");
  }
}

void Checker::judge_attempt(const Subject& about, std::int64_t number, const Attempt& attempt, bool at_rest) {
  if (!attempt.exists()) {
    const bool told = attempt.void_request_at >= 0;
    if (at_rest && !told && !late_leftover(about, number, attempt) && whole_epoch(number / attempts_per_epoch))
      report(Promise::audited, options_.topics.chunks, {attempt.first_chunk},
             fmt::format("{}: it publishes, and {} knows nothing of it", attempt_text(about, number),
                         options_.topics.audit));
    return;
  }
  if (attempt.request_at < 0 && whole_epoch(number / attempts_per_epoch))
    report(Promise::audited, options_.topics.audit, {attempt.response_at},
           fmt::format("{}: an llm.response without an llm.request that counts", attempt_text(about, number)));
  // One that was interrupted says so, and another takes its place; one that is open may yet.
  const bool says_so = attempt.interrupted() || (!attempt.answered() && !at_rest);
  if (attempt.gap_at >= 0 && !says_so)
    report(Promise::whole, options_.topics.chunks, {attempt.gap_after, attempt.gap_at},
           fmt::format("{}: seq {} where {} was due (a gap)", attempt_text(about, number), attempt.gap_seq,
                       attempt.gap_due));
  if (attempt.first_chunk >= 0 && attempt.first_seq > 0 && !says_so && !chunks_lost(attempt))
    report(Promise::whole, options_.topics.chunks, {attempt.first_chunk},
           fmt::format("{}: begins with seq {}", attempt_text(about, number), attempt.first_seq));
  if (attempt.first_broker_ms >= 0 && attempt.request_broker_ms >= 0 &&
      attempt.first_broker_ms + options_.clock_skew_ms < attempt.request_broker_ms)
    report(Promise::audited, options_.topics.audit, {attempt.request_at},
           fmt::format("{}: its first chunk ({}:{}) was in the log {} ms before its llm.request",
                       attempt_text(about, number), options_.topics.chunks, attempt.first_chunk,
                       attempt.request_broker_ms - attempt.first_broker_ms));
  judge_key(about, number, attempt.source_offset, attempt.source_ms, attempt.key);
  judge_deadline(about, number, attempt);
  if (attempt.answered()) {
    if (!attempt.interrupted()) {
      judge_answer(about, number, attempt);
      judge_told(about, number, attempt);
    }
  } else if (at_rest) {
    report(Promise::audited, options_.topics.audit, {attempt.request_at},
           fmt::format("{}: no llm.response that counts", attempt_text(about, number)));
  } else {
    ++figures_.open_attempts;
  }
}

void Checker::judge_key(const Subject& about, std::int64_t number, std::int64_t source_offset, std::int64_t source_ms,
                        const KeySeen& seen) {
  const auto asked_at = about.asked.find(source_offset);
  if (asked_at == about.asked.end() || !asked_at->second.read || seen.at < 0) return;
  // Of a log that went back or was created again another request may be at the same offset.
  if (source_ms >= 0 && asked_at->second.ms >= 0 && source_ms != asked_at->second.ms) return;
  if (asked_at->second.key.value_or(std::hash<std::string>{}("")) == seen.hash) return;
  report(Promise::audited, seen.on_chunks ? options_.topics.chunks : options_.topics.audit, {seen.at},
         fmt::format("{}, attempt {}: another record key than that of its request", request_text(about, source_offset),
                     number));
}

// The worker's own clock is what ends a request, so its event is judged by when it was made; where that is not said, or
// where the event was appended long afterwards, by its append and a wider margin.
void Checker::judge_deadline(const Subject& about, std::int64_t number, const Attempt& attempt) {
  const auto asked_at = about.asked.find(attempt.source_offset);
  if (!options_.judge_deadlines || asked_at == about.asked.end() || asked_at->second.deadline_ms < 0 ||
      !attempt.called || attempt.interrupted())
    return;
  const auto deadline = asked_at->second.deadline_ms;
  const bool late = attempt.request_own_ms > deadline + options_.clock_skew_ms ||
                    attempt.request_broker_ms > deadline + options_.worker_skew_ms;
  if (!late) return;
  report(
      Promise::deadline, options_.topics.audit, {attempt.request_at},
      fmt::format("{}: called, though its time had run out {} ms before its llm.request", attempt_text(about, number),
                  std::max(attempt.request_own_ms, attempt.request_broker_ms) - deadline));
}

/// What the llm.response says of the chunks.
void Checker::judge_told(const Subject& about, std::int64_t number, const Attempt& attempt) {
  if (attempt.terminal_at < 0) return;
  const auto say = [&](std::string why) {
    report(Promise::audited, options_.topics.audit, {attempt.response_at},
           fmt::format("{}: its llm.response {}", attempt_text(about, number), why));
  };
  if (attempt.response_broker_ms >= 0 && attempt.terminal_broker_ms >= 0 &&
      attempt.response_broker_ms + options_.clock_skew_ms < attempt.terminal_broker_ms)
    say(fmt::format("was in the log {} ms before its terminal chunk ({}:{})",
                    attempt.terminal_broker_ms - attempt.response_broker_ms, options_.topics.chunks,
                    attempt.terminal_at));
  if (!attempt.told_finish_reason.empty() && attempt.told_finish_reason != attempt.finish_reason)
    say(fmt::format("says {}, its terminal chunk ({}:{}) {}", attempt.told_finish_reason, options_.topics.chunks,
                    attempt.terminal_at, attempt.finish_reason));
  if (attempt.told_chunks && *attempt.told_chunks != attempt.next_seq)
    say(fmt::format("says that there are {} chunks, and its terminal chunk ({}:{}) has seq {}", *attempt.told_chunks,
                    options_.topics.chunks, attempt.terminal_at, attempt.next_seq - 1));
  // Of an answer that failed in one piece nothing was published; a response that was made from the terminal chunk
  // does not say a length.
  if (attempt.told_bytes && attempt.outcome == "completed" && attempt.first_seq == 0 &&
      *attempt.told_bytes != attempt.text_bytes)
    say(fmt::format("says that its text has {} bytes, its chunks have {}", *attempt.told_bytes, attempt.text_bytes));
}

void Checker::judge_answer(const Subject& about, std::int64_t number, const Attempt& attempt) {
  if (attempt.terminal_at < 0) {
    if (!chunks_lost(attempt))
      report(Promise::answered, options_.topics.audit, {attempt.response_at},
             fmt::format("{}: ended as {}, and has no terminal chunk on {}", attempt_text(about, number),
                         attempt.outcome, options_.topics.chunks));
    return;
  }
  if (!fits(attempt.outcome, attempt.finish_reason))
    report(Promise::audited, options_.topics.audit, {attempt.response_at},
           fmt::format("{}: ended as {}, and its terminal chunk ({}:{}) says {}", attempt_text(about, number),
                       attempt.outcome, options_.topics.chunks, attempt.terminal_at, attempt.finish_reason));
  if (attempt.terminal_source != attempt.source_offset)
    report(Promise::audited, options_.topics.chunks, {attempt.terminal_at},
           fmt::format("{}: its terminal chunk names source offset {}, its events {}", attempt_text(about, number),
                       attempt.terminal_source, attempt.source_offset));
}

// A terminal chunk that was in the log before a claim was read by the worker that claimed. One that was there before a
// lease could run out was read by the worker that closed the attempt then. Known only if brokers stamp both logs.
void Checker::judge_successors(const Subject& about) {
  for (auto lower = about.attempts.begin(); lower != about.attempts.end(); ++lower) {
    const auto& before = lower->second;
    if (!before.exists() || before.terminal_broker_ms < 0 || !before.whole()) continue;
    if (before.interrupted() && before.closed_by_another &&
        before.terminal_broker_ms + options_.clock_skew_ms < before.released_until_ms)
      report(Promise::once, options_.topics.audit, {before.response_at},
             fmt::format("{}: closed as interrupted though its terminal chunk ({}:{}) was in the log before its "
                         "lease could run out",
                         attempt_text(about, lower->first), options_.topics.chunks, before.terminal_at));
    for (auto higher = std::next(lower); higher != about.attempts.end(); ++higher) {
      const auto* const claim = claims_.find(higher->first / attempts_per_epoch);
      if (claim == nullptr || claim->broker_ms < 0 || !higher->second.exists() ||
          higher->second.source_offset != before.source_offset)
        continue;
      const bool closed_before = before.interrupted() && before.response_at < claim->at;
      if (before.terminal_broker_ms + options_.clock_skew_ms < claim->broker_ms && !closed_before)
        report(Promise::once, options_.topics.audit, {claim->at, higher->second.request_at},
               fmt::format("{} begins though the terminal chunk of attempt {} ({}:{}) was in the log {} ms before "
                           "its worker's claim",
                           attempt_text(about, higher->first), lower->first, options_.topics.chunks, before.terminal_at,
                           claim->broker_ms - before.terminal_broker_ms));
    }
  }
}

void Checker::judge_order(const Subject& about) {
  for (const auto& [offset, entry] : about.asked) {
    const auto* const top = highest(about, offset);
    // Of what was asked before the log's beginning the first attempt may be gone, and a later one begins out of turn.
    if (!entry.key || top == nullptr || audit_lost(entry)) continue;
    const auto& answer = top->second;
    if (!answer.answered() || answer.interrupted() || !answer.called || answer.request_at < 0 || answer.terminal_at < 0)
      continue;
    const auto conflict = lines_.add(*entry.key, offset,
                                     {.request_at = answer.request_at,
                                      .terminal_at = answer.terminal_at,
                                      .request_ms = answer.request_broker_ms,
                                      .terminal_ms = answer.terminal_broker_ms});
    if (!conflict) continue;
    using Disorder = KeyLines::Disorder;
    const auto& earlier = conflict->earlier_answer;
    const auto& later = conflict->later_answer;
    const bool ended = conflict->disorder == Disorder::ended;
    report(
        Promise::order, ended ? options_.topics.chunks : options_.topics.audit,
        ended ? std::vector{later.terminal_at, earlier.terminal_at} : std::vector{later.request_at, earlier.request_at},
        fmt::format("of one key, the request at source offset {} {} the one at {}{}", conflict->later,
                    ended ? "ends before" : "begins before", conflict->earlier,
                    conflict->disorder == Disorder::overlap ? " has ended" : ""));
  }
}

}  // namespace tokenrail::verify
