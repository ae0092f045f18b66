#include "cli/verify/judge.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <utility>

#include <fmt/format.h>

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

void judge_loss(Known& known, const std::string& what, std::int64_t source_offset, std::int64_t broker_ms) {
  if (broker_ms < 0) return;
  const auto* const loss = known.losses.contradicted_by(source_offset, broker_ms);
  if (loss == nullptr) return;
  const auto& topics = known.options.topics;
  known.findings.report(
      Promise::answered, topics.requests, {source_offset},
      fmt::format("{} is reported as lost ({}:{}), but is in {}", what, topics.audit, loss->at, topics.requests));
}

// Readers of chunks know an attempt by its number and the request's ids, whatever partition it is on.
void Judge::judge_names(const Subject& about) {
  if (options().names == nullptr || about.attempts.empty()) return;
  if (options().names->asked(about.org_id, about.request_id, options().partition)) ++figures().names_shared;
  for (const auto& [number, attempt] : about.attempts) {
    const auto other = options().names->attempted(about.org_id, about.request_id, number, options().partition);
    if (!other || attempt.chunks.first_at < 0) continue;
    report(Promise::whole, options().topics.chunks, {attempt.chunks.first_at},
           fmt::format("{}: partition {} has an attempt with the same ids and number, and readers take the two for one",
                       attempt_text(about, number), *other));
  }
}

void Judge::judge(const Subject& about, bool at_rest) {
  judge_names(about);
  if (known_.horizon.doubtful(about)) {
    figures().unknown += static_cast<std::int64_t>(about.asked.size());
    return;
  }
  for (const auto& [offset, entry] : about.asked) judge_request(about, offset, entry, at_rest);
  for (const auto& [number, attempt] : about.attempts) judge_attempt(about, number, attempt, at_rest);
  for (const auto& [offset, answer] : about.duplicates) duplicates_.judge(about, offset, answer, at_rest);
  judge_successors(about);
  judge_order(about);
  duplicates_.judge_window(about);
}

void Judge::judge_request(const Subject& about, std::int64_t source_offset, const Asked& entry, bool at_rest) {
  if (entry.read) judge_loss(known_, request_text(about, source_offset), source_offset, entry.broker_ms);
  if (entry.dead) {
    judge_dead_letter(about, source_offset, entry);
    return;
  }
  if (known_.complete(about, source_offset) || known_.losses.has(about, source_offset)) return;
  const auto* const top = highest(about, source_offset);
  if (top == nullptr && entry.read && !entry.answerable && known_.horizon.letter_lost(entry.ms)) {
    ++figures().unknown;
    return;
  }
  if (top == nullptr && known_.horizon.audit_lost(entry)) {
    ++figures().unknown;
    return;
  }
  if (!entry.read && top == nullptr) return;
  // Deleted, so it cannot be run again; whether it had been before is not to be seen.
  const bool deleted = !entry.read && source_offset < options().requests_from;
  if (deleted && top->second.interrupted()) {
    ++figures().unknown;
    return;
  }
  if (!at_rest) {
    ++figures().open_requests;
    return;
  }
  const auto say = [&](std::string_view why) {
    report(Promise::answered, options().topics.requests, {source_offset},
           fmt::format("{} {}", request_text(about, source_offset), why));
  };
  if (top == nullptr) {
    say("was never answered: no attempt, no dead letter");
  } else if (top->second.interrupted()) {
    say(fmt::format("was never answered: its last attempt {} was interrupted ({}:{})", top->first,
                    options().topics.audit, top->second.response.at));
  } else if (top->second.chunks.terminal_at < 0 && !known_.horizon.chunks_lost(top->second)) {
    say(fmt::format("was never answered: its last attempt {} has no terminal chunk", top->first));
  }
}

// The topics do not show which version of the router read a request, so the text says it.
void Judge::judge_dead_letter(const Subject& about, std::int64_t source_offset, const Asked& entry) {
  const auto say = [&](std::string_view why) {
    report(Promise::answered, options().topics.requests, {source_offset},
           fmt::format("{} is in {}, {}", request_text(about, source_offset), options().topics.dlq, why));
  };
  if (const auto* const top = highest(about, source_offset)) {
    say(fmt::format("and was run all the same: attempt {} (routers of two versions may have read it differently)",
                    top->first));
  } else if (entry.answerable) {
    say("though it can be read and answered (a router of another version may have been unable to)");
  }
}

void Judge::judge_attempt(const Subject& about, std::int64_t number, const Attempt& attempt, bool at_rest) {
  if (!attempt.exists()) {
    const bool told = attempt.request.void_at >= 0;
    if (at_rest && !told && !known_.late_leftover(about, number, attempt) &&
        known_.whole_epoch(number / attempts_per_epoch))
      report(Promise::audited, options().topics.chunks, {attempt.chunks.first_at},
             fmt::format("{}: it publishes, and {} knows nothing of it", attempt_text(about, number),
                         options().topics.audit));
    return;
  }
  if (attempt.request.at < 0 && known_.whole_epoch(number / attempts_per_epoch))
    report(Promise::audited, options().topics.audit, {attempt.response.at},
           fmt::format("{}: an llm.response without an llm.request that counts", attempt_text(about, number)));
  judge_chunks(about, number, attempt, at_rest);
  keys_.judge(about, number, attempt.source_offset, attempt.source_ms, attempt.key);
  judge_deadline(about, number, attempt);
  if (attempt.answered()) {
    if (!attempt.interrupted()) {
      judge_answer(about, number, attempt);
      judge_told(about, number, attempt);
    }
  } else if (at_rest) {
    report(Promise::audited, options().topics.audit, {attempt.request.at},
           fmt::format("{}: no llm.response that counts", attempt_text(about, number)));
  } else {
    ++figures().open_attempts;
  }
}

void Judge::judge_chunks(const Subject& about, std::int64_t number, const Attempt& attempt, bool at_rest) {
  // One that was interrupted says so, and another takes its place; one that is open may yet.
  const bool says_so = attempt.interrupted() || (!attempt.answered() && !at_rest);
  if (attempt.chunks.gap.at >= 0 && !says_so)
    report(Promise::whole, options().topics.chunks, {attempt.chunks.gap.after, attempt.chunks.gap.at},
           fmt::format("{}: seq {} where {} was due (a gap)", attempt_text(about, number), attempt.chunks.gap.seq,
                       attempt.chunks.gap.due));
  if (attempt.chunks.first_at >= 0 && attempt.chunks.first_seq > 0 && !says_so && !known_.horizon.chunks_lost(attempt))
    report(Promise::whole, options().topics.chunks, {attempt.chunks.first_at},
           fmt::format("{}: begins with seq {}", attempt_text(about, number), attempt.chunks.first_seq));
  if (attempt.chunks.first_broker_ms >= 0 && attempt.request.broker_ms >= 0 &&
      attempt.chunks.first_broker_ms + options().clock_skew_ms < attempt.request.broker_ms)
    report(Promise::audited, options().topics.audit, {attempt.request.at},
           fmt::format("{}: its first chunk ({}:{}) was in the log {} ms before its llm.request",
                       attempt_text(about, number), options().topics.chunks, attempt.chunks.first_at,
                       attempt.request.broker_ms - attempt.chunks.first_broker_ms));
}

// The worker's own clock is what ends a request, so its event is judged by when it was made; where that is not said, or
// where the event was appended long afterwards, by its append and a wider margin.
void Judge::judge_deadline(const Subject& about, std::int64_t number, const Attempt& attempt) {
  const auto asked_at = about.asked.find(attempt.source_offset);
  if (!options().judge_deadlines || asked_at == about.asked.end() || asked_at->second.deadline_ms < 0 ||
      !attempt.response.called || attempt.interrupted())
    return;
  const auto deadline = asked_at->second.deadline_ms;
  const bool late = attempt.request.own_ms > deadline + options().clock_skew_ms ||
                    attempt.request.broker_ms > deadline + options().worker_skew_ms;
  if (!late) return;
  report(
      Promise::deadline, options().topics.audit, {attempt.request.at},
      fmt::format("{}: called, though its time had run out {} ms before its llm.request", attempt_text(about, number),
                  std::max(attempt.request.own_ms, attempt.request.broker_ms) - deadline));
}

/// What the llm.response says of the chunks.
void Judge::judge_told(const Subject& about, std::int64_t number, const Attempt& attempt) {
  if (attempt.chunks.terminal_at < 0) return;
  const auto say = [&](std::string why) {
    report(Promise::audited, options().topics.audit, {attempt.response.at},
           fmt::format("{}: its llm.response {}", attempt_text(about, number), why));
  };
  if (attempt.response.broker_ms >= 0 && attempt.chunks.terminal_broker_ms >= 0 &&
      attempt.response.broker_ms + options().clock_skew_ms < attempt.chunks.terminal_broker_ms)
    say(fmt::format("was in the log {} ms before its terminal chunk ({}:{})",
                    attempt.chunks.terminal_broker_ms - attempt.response.broker_ms, options().topics.chunks,
                    attempt.chunks.terminal_at));
  if (!attempt.response.finish_reason.empty() && attempt.response.finish_reason != attempt.chunks.finish_reason)
    say(fmt::format("says {}, its terminal chunk ({}:{}) {}", attempt.response.finish_reason, options().topics.chunks,
                    attempt.chunks.terminal_at, attempt.chunks.finish_reason));
  if (attempt.response.chunks && *attempt.response.chunks != attempt.chunks.next_seq)
    say(fmt::format("says that there are {} chunks, and its terminal chunk ({}:{}) has seq {}",
                    *attempt.response.chunks, options().topics.chunks, attempt.chunks.terminal_at,
                    attempt.chunks.next_seq - 1));
  // Of an answer that failed in one piece nothing was published; a response that was made from the terminal chunk
  // does not say a length.
  if (attempt.response.text_bytes && attempt.response.outcome == "completed" && attempt.chunks.first_seq == 0 &&
      *attempt.response.text_bytes != attempt.chunks.text_bytes)
    say(fmt::format("says that its text has {} bytes, its chunks have {}", *attempt.response.text_bytes,
                    attempt.chunks.text_bytes));
}

void Judge::judge_answer(const Subject& about, std::int64_t number, const Attempt& attempt) {
  if (attempt.chunks.terminal_at < 0) {
    if (!known_.horizon.chunks_lost(attempt))
      report(Promise::answered, options().topics.audit, {attempt.response.at},
             fmt::format("{}: ended as {}, and has no terminal chunk on {}", attempt_text(about, number),
                         attempt.response.outcome, options().topics.chunks));
    return;
  }
  if (!fits(attempt.response.outcome, attempt.chunks.finish_reason))
    report(Promise::audited, options().topics.audit, {attempt.response.at},
           fmt::format("{}: ended as {}, and its terminal chunk ({}:{}) says {}", attempt_text(about, number),
                       attempt.response.outcome, options().topics.chunks, attempt.chunks.terminal_at,
                       attempt.chunks.finish_reason));
  if (attempt.chunks.terminal_source != attempt.source_offset)
    report(Promise::audited, options().topics.chunks, {attempt.chunks.terminal_at},
           fmt::format("{}: its terminal chunk names source offset {}, its events {}", attempt_text(about, number),
                       attempt.chunks.terminal_source, attempt.source_offset));
}

// A terminal chunk that was in the log before a claim was read by the worker that claimed. One that was there before a
// lease could run out was read by the worker that closed the attempt then. Known only if brokers stamp both logs.
void Judge::judge_successors(const Subject& about) {
  for (auto lower = about.attempts.begin(); lower != about.attempts.end(); ++lower) {
    const auto& before = lower->second;
    if (!before.exists() || before.chunks.terminal_broker_ms < 0 || !before.whole()) continue;
    if (before.interrupted() && before.continued.closed_by_another &&
        before.chunks.terminal_broker_ms + options().clock_skew_ms < before.continued.until_ms)
      report(Promise::once, options().topics.audit, {before.response.at},
             fmt::format("{}: closed as interrupted though its terminal chunk ({}:{}) was in the log before its "
                         "lease could run out",
                         attempt_text(about, lower->first), options().topics.chunks, before.chunks.terminal_at));
    for (auto higher = std::next(lower); higher != about.attempts.end(); ++higher) {
      const auto* const claim = known_.claims.find(higher->first / attempts_per_epoch);
      if (claim == nullptr || claim->broker_ms < 0 || !higher->second.exists() ||
          higher->second.source_offset != before.source_offset)
        continue;
      const bool closed_before = before.interrupted() && before.response.at < claim->at;
      if (before.chunks.terminal_broker_ms + options().clock_skew_ms < claim->broker_ms && !closed_before)
        report(Promise::once, options().topics.audit, {claim->at, higher->second.request.at},
               fmt::format("{} begins though the terminal chunk of attempt {} ({}:{}) was in the log {} ms before "
                           "its worker's claim",
                           attempt_text(about, higher->first), lower->first, options().topics.chunks,
                           before.chunks.terminal_at, claim->broker_ms - before.chunks.terminal_broker_ms));
    }
  }
}

void Judge::judge_order(const Subject& about) {
  for (const auto& [offset, entry] : about.asked) {
    const auto* const top = highest(about, offset);
    // Of what was asked before the log's beginning the first attempt may be gone, and a later one begins out of turn.
    if (!entry.key || top == nullptr || known_.horizon.audit_lost(entry)) continue;
    const auto& attempt = top->second;
    if (!attempt.answered() || attempt.interrupted() || !attempt.response.called || attempt.request.at < 0 ||
        attempt.chunks.terminal_at < 0)
      continue;
    const auto conflict = known_.lines.add(*entry.key, offset,
                                           {.request_at = attempt.request.at,
                                            .terminal_at = attempt.chunks.terminal_at,
                                            .request_ms = attempt.request.broker_ms,
                                            .terminal_ms = attempt.chunks.terminal_broker_ms});
    if (!conflict) continue;
    using Disorder = KeyLines::Disorder;
    const auto& earlier = conflict->earlier_answer;
    const auto& later = conflict->later_answer;
    const bool ended = conflict->disorder == Disorder::ended;
    report(
        Promise::order, ended ? options().topics.chunks : options().topics.audit,
        ended ? std::vector{later.terminal_at, earlier.terminal_at} : std::vector{later.request_at, earlier.request_at},
        fmt::format("of one key, the request at source offset {} {} the one at {}{}", conflict->later,
                    ended ? "ends before" : "begins before", conflict->earlier,
                    conflict->disorder == Disorder::overlap ? " has ended" : ""));
  }
}

}  // namespace tokenrail::verify
