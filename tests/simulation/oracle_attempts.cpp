// The judgement of attempts: whether one may start, in which order of its key, and whether its response is right.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "tests/simulation/oracle.hpp"

namespace tokenrail::simulation {

namespace {

using events::AuditFacts;

/// Whether the terminal chunk says what the response says.
bool fits(std::string_view outcome, std::string_view finish) {
  if (outcome == "completed") {
    return finish == "stop" || finish == "length" || finish == "tool_calls" || finish == "content_filter";
  }
  if (outcome == "failed" || outcome == "rejected") return finish == "error";
  return outcome == finish;  // cancelled, duplicate
}

}  // namespace

void Oracle::note_given_up(Part& p, Micros now) {
  for (const auto* const open : p.fold.open()) {
    if (!open->continued || !open->continued->given_up) continue;
    auto& attempt = p.attempts[{id_of(open->ids.org_id, open->ids.request_id), open->ids.attempt}];
    attempt.given_up_at = std::min(attempt.given_up_at, now);
  }
}

// An event reports a whole range, which may contain requests that were answered out of order.
void Oracle::judge_loss(Part& p, const AuditFacts& event) {
  const auto end = p.sources.empty() ? 0 : std::ranges::max(p.sources, {}, &Source::offset).offset + 1;
  const auto from = event.lost_from.value();
  const auto to = event.lost_to.value();
  if (from < 0 || from >= to || to > end) {
    report("LOST", fmt::format("requests {} to {} are reported as lost; {} have been sent", from, to, end));
    return;
  }
  for (auto at = from; at < to; ++at) {
    // Of the logs that there have been it may be any; what lies in the present one is not lost.
    bool any = false;
    for (auto& source : p.sources) {
      if (source.offset != at || (!source.deleted && !source.mistaken)) continue;
      any = true;
      if (!source.deleted) continue;
      if (!std::exchange(source.told, true) && !source.done && !source.dead_lettered) ++figures_.lost;
    }
    if (!any) report("LOST", fmt::format("the request at offset {} is reported as lost, and is in the log", at));
  }
}

// Where the first request of that name was deleted, perhaps no router ever read it. Those that were answered as its
// duplicates have no answer of their own.
bool Oracle::may_run_as_first(const Part& p, std::int64_t offset) {
  const auto& source = p.sources[static_cast<std::size_t>(offset)];
  // It was begun before the first was read, and what has been begun is not answered as a duplicate.
  if (source.mistaken && p.fold.attempts(events::RequestOffset(offset))->size() > 1) return true;
  for (std::int64_t at = 0; at < offset; ++at) {
    const auto& earlier = p.sources[static_cast<std::size_t>(at)];
    // A replaced audit log does not show who answered the first. A router that takes the new log for the one that it
    // read does not read the beginning of the new one.
    const bool known = !of_older_audit(p, at) && (earlier.read || !p.requests_replaced);
    if (earlier.id == source.id && !earlier.deleted && earlier.answer.empty() && known) return false;
  }
  return true;
}

// It took the place of a request that had been read, so its owner saw it only when it had noticed that. Meanwhile a
// later one of its name was read behind the old position, and run: this one is the duplicate then.
bool Oracle::repeats_a_later(const Part& p, std::int64_t offset) {
  const auto& source = p.sources[static_cast<std::size_t>(offset)];
  if (!source.unseen) return false;
  for (auto later = static_cast<std::size_t>(offset) + 1; later < p.sources.size(); ++later) {
    const auto& other = p.sources[later];
    if (other.id == source.id && other.mistaken &&
        p.fold.attempted(events::RequestOffset(static_cast<std::int64_t>(later)), key_of(other)))
      return true;
  }
  return false;
}

// An llm.request that counts: the attempt exists, and every promise about not running again is judged here.
void Oracle::judge_start(Part& p, const AuditFacts& event, int writer, Micros now) {
  const auto offset = event.ids.source_offset.value();
  if (offset < 0 || offset >= static_cast<std::int64_t>(p.sources.size())) {
    report("P4", fmt::format("an llm.request of offset {}, where there is no request", offset));
    return;
  }
  ++figures_.attempts;
  auto& source = p.sources[static_cast<std::size_t>(offset)];
  const std::pair who(source.id, event.ids.attempt);
  auto& attempt = p.attempts[who];
  attempt.offset = offset;
  attempt.begun_by = writer;
  attempt.begun_at = now;
  attempt.epoch = event.epoch;
  if (source.request.request_id != event.ids.request_id) {
    report("P4", fmt::format("the llm.request of offset {} names {}", offset, event.ids.request_id));
  }
  if (p.audit_cut) return;
  const bool committed = !source.gone && source.offset < p.judged && !p.commits_doubtful;
  if (source.done && (committed || !of_older_audit(p, offset)))
    report("P5", fmt::format("{} runs though its request is complete", name(who.first, who.second)));
  if (source.duplicate && !excuses_.tampers && !excuses_.calendars && !may_run_as_first(p, offset)) {
    report("DEDUPE", fmt::format("the duplicate {} at offset {} is run", event.ids.request_id, offset));
  }
  const auto& claim = p.claims[event.epoch];
  for (const auto& earlier : *p.fold.attempts(event.ids.source_offset)) {
    const auto number = earlier.ids.attempt;
    if (number >= event.ids.attempt || number == 0) continue;
    if (earlier.interrupted() && earlier.response->cause == events::cause_refused) {
      attempt.refused = number;
      continue;
    }
    // Its worker ended it by itself; judge_restart() says whether it may.
    if (earlier.interrupted() && earlier.response->cause == events::cause_restart) continue;
    ++figures_.runs_again;
    const auto& before = p.attempts[{source.id, number}];
    const bool voided = earlier.interrupted() && earlier.response->audit_offset.value() < claim.at;
    if (before.terminal_at >= 0 && before.first_at < p.chunks_begin) {
      // Whoever closed it could not read all of it. The request may end without a call, and say that nobody can know.
      const bool was_there =
          !earlier.interrupted() || before.terminal_at < p.claims[earlier.response->epoch].chunks_end;
      if (was_there) attempt.answer_gone = number;
      continue;
    }
    if (before.terminal_at >= 0 && !voided && before.terminal_at < claim.chunks_end) {
      report("P3", fmt::format("{} runs though the terminal chunk of attempt {} lay in the log",
                               name(who.first, who.second), number));
    }
    // Whoever takes it when the lease has run out reads the chunk log to its end once more.
    if (before.terminal_at >= 0 && before.continued_by >= 0 && !excuses_.leases &&
        before.terminal_since < before.lease_until) {
      report("P3",
             fmt::format("{} runs though the terminal chunk of attempt {} lay in the log before its lease ran out",
                         name(who.first, who.second), number));
    }
    if (before.handed_over && !before.excused && is_well(p, before)) {
      report("P3", fmt::format("{} runs though attempt {} was handed over in order and its worker is well",
                               name(who.first, who.second), number));
    }
  }
  judge_order(p, offset, who, now);
}

void Oracle::judge_order(Part& p, std::int64_t offset, std::pair<int, std::int64_t> started, Micros now) {
  const auto& source = p.sources[static_cast<std::size_t>(offset)];
  if (!source.request.key || excuses_.tampers) return;
  for (std::int64_t at = 0; at < offset; ++at) {
    const auto& earlier = p.sources[static_cast<std::size_t>(at)];
    if (earlier.request.garbage || earlier.duplicate || earlier.deleted || earlier.request.key != source.request.key ||
        of_older_audit(p, at)) {
      continue;
    }
    // It lies below what its owner had read of the log that is gone. The owner reads it when it has noticed that.
    if (earlier.unseen && now < p.requests_noticed_at) continue;
    const auto number = top(p, at);
    if (number && p.attempts[{earlier.id, *number}].terminal_at >= 0) continue;
    if (number && p.attempts[{earlier.id, *number}].torn) continue;
    p.out_of_order.push_back({.later = started, .earlier = earlier.id, .attempt = number.value_or(-1)});
  }
}

// Requests that end uncalled may end out of turn, so a pair is wrong only when both are known to have been called.
void Oracle::was_called(Part& p, std::pair<int, std::int64_t> who) {
  auto& attempt = p.attempts[who];
  if (std::exchange(attempt.called, true)) return;
  if (attempt.refused >= 0) {
    report("REFUSED", fmt::format("{} is called though a chunk of attempt {} was refused", name(who.first, who.second),
                                  attempt.refused));
  }
  if (attempt.answer_gone >= 0) {
    report("P3", fmt::format("{} is called though retention has taken the terminal chunk of attempt {}",
                             name(who.first, who.second), attempt.answer_gone));
  }
  if (!p.out_of_order.empty()) judge_out_of_order(p);
}

void Oracle::judge_out_of_order(Part& p) {
  for (const auto& pair : p.out_of_order) {
    if (!p.attempts[pair.later].called) continue;
    for (auto it = p.attempts.lower_bound({pair.earlier, pair.attempt < 0 ? 1 : pair.attempt});
         it != p.attempts.end() && it->first.first == pair.earlier; ++it) {
      if (it->second.called) {
        report("ORDER",
               fmt::format("{} began while {} of the same key had not ended", name(pair.later.first, pair.later.second),
                           name(it->first.first, it->first.second)));
        return;
      }
      if (pair.attempt >= 0) break;
    }
  }
}

void Oracle::judge_response(Part& p, const AuditFacts& event, Micros now) {
  const auto offset = event.ids.source_offset.value();
  if (offset < 0 || offset >= static_cast<std::int64_t>(p.sources.size())) {
    report("P4", fmt::format("a response to offset {}, where there is no request", offset));
    return;
  }
  auto& source = p.sources[static_cast<std::size_t>(offset)];
  const auto number = event.ids.attempt;
  const auto what = fmt::format("{} attempt {}", event.ids.request_id, number);
  const bool interrupted = event.outcome == "interrupted";
  if (number == 0) {
    ++figures_.duplicates;
    if (event.outcome != "duplicate") {
      report("DEDUPE", fmt::format("{} has the outcome {}", what, event.outcome));
    } else if (source.answer.empty()) {
      report("P4", fmt::format("{} at offset {}: a response without its chunk", what, offset));
    }
  } else {
    auto& attempt = p.attempts[{source.id, number}];
    attempt.response_at = p.fold.next().value() - 1;
    if (interrupted && event.cause == events::cause_refused) {
      ++figures_.refused;
      if (p.chunks_refused == 0) report("REFUSED", fmt::format("{}: no chunk of the partition was refused", what));
      if (attempt.terminal_at >= 0) report("REFUSED", fmt::format("{}: its terminal chunk is in the log", what));
    } else if (interrupted && event.cause == events::cause_restart) {
      judge_restart(p, source, attempt, what);
    } else if (interrupted) {
      ++figures_.interrupted;
      if (excuses_.alone && is_well(p, attempt)) {
        report("ALONE",
               fmt::format("{} is interrupted ({}); nothing struck its worker or its partition", what, event.cause));
      }
      if (event.cause == events::cause_lost) judge_lost(p, attempt, what, now);
      if (attempt.terminal_at >= 0 && attempt.first_at >= p.chunks_begin &&
          attempt.terminal_at < p.claims[event.epoch].chunks_end && !p.audit_cut && !excuses_.tampers) {
        report("P3", fmt::format("{} is closed as interrupted; its terminal chunk lay in the log at {}", what,
                                 attempt.terminal_at));
      }
    } else if (attempt.torn) {
      // Its terminal chunk may be gone.
    } else if (attempt.terminal_at < 0) {
      report("P4", fmt::format("{}: an answer ({}) without its terminal chunk", what, event.outcome));
    } else if (!fits(event.outcome, attempt.finish)) {
      report("CONSISTENCY",
             fmt::format("{}: the response says {}, the terminal chunk {}", what, event.outcome, attempt.finish));
    }
    if (event.recovered) ++figures_.recovered;
    // Whoever recovers from a tail cannot see that an llm.request in it is void for a claim before the tail, and closes
    // the attempt that it takes for open: no harm is done. An answer to what does not exist is another matter.
    if (attempt.offset < 0 && !interrupted && !p.audit_cut) {
      report("P4", fmt::format("{}: an answer without its llm.request", what));
    }
    // Whoever closes somebody else's attempt cannot know.
    if (event.called && !interrupted) was_called(p, {source.id, number});
  }
  if (p.fold.complete(event.ids.source_offset, key_of(source))) source.done = true;
}

// What its worker has given up, and said so, is not lost with it.
void Oracle::judge_lost(const Part& p, const Attempt& attempt, const std::string& what, Micros now) {
  constexpr Micros read_within{1'000'000};
  const bool replaced = p.requests_replaced || p.chunks_replaced || p.audit_log.unknown_to >= 0;
  if (attempt.begun_by < 0 || p.audit_cut || replaced || excuses_.tampers) return;
  if (attempt.continued_by >= 0) {
    // Beside a commit it can say nothing any more. That it is silent may have many reasons.
    if (attempt.given_up_at == Micros::max() || excuses_.reads || now - attempt.given_up_at < read_within) return;
  } else if (excuses_.commits || gone_.contains(attempt.begun_by)) {
    return;
  }
  report("CAUSE", fmt::format("{} is closed as lost with its worker, which is well", what));
}

// That another attempt follows is judged at the end: the request is not complete before.
void Oracle::judge_restart(const Part& p, const Source& source, const Attempt& attempt, const std::string& what) {
  constexpr int restarts_max = 2;
  ++figures_.restarted;
  if (source.request.on_interrupt == events::OnInterrupt::error) {
    report("RESTART", fmt::format("{} ends for a restart, which its sender does not want", what));
  }
  if (attempt.terminal_at >= 0) report("RESTART", fmt::format("{} ends for a restart behind its terminal chunk", what));
  const bool excused = p.audit_cut || attempt.begun_by < 0 || disturbed_.contains(attempt.begun_by);
  if (attempt.call >= 0 && !excused && !calls_[static_cast<std::size_t>(attempt.call)].fails) {
    report("RESTART", fmt::format("{} ends for a restart though no call failed", what));
  }
  const auto all = p.fold.interruptions(events::RequestOffset(attempt.offset), key_of(source), events::cause_restart);
  if (all > restarts_max) report("RESTART", fmt::format("{} is restart {} of its request", what, all));
}

}  // namespace tokenrail::simulation
