#include "tests/simulation/oracle.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/events/commit_metadata.hpp"

namespace tokenrail::simulation {

namespace {

using events::AuditFacts;
using events::AuditFold;
using Kind = AuditFacts::Kind;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

/// Whether the terminal chunk says what the response says.
bool fits(std::string_view outcome, std::string_view finish) {
  if (outcome == "completed") {
    return finish == "stop" || finish == "length" || finish == "tool_calls" || finish == "content_filter";
  }
  if (outcome == "failed" || outcome == "rejected") return finish == "error";
  return outcome == finish;  // cancelled, duplicate
}

}  // namespace

const std::vector<Oracle::Figures::Member>& Oracle::Figures::members() {
  static const std::vector<Member> all{{"attempts", &Figures::attempts},
                                       {"calls", &Figures::calls},
                                       {"claims", &Figures::claims},
                                       {"releases", &Figures::releases},
                                       {"attempts continued", &Figures::continued},
                                       {"interrupted", &Figures::interrupted},
                                       {"recovered", &Figures::recovered},
                                       {"runs again", &Figures::runs_again},
                                       {"void events", &Figures::void_events},
                                       {"duplicates", &Figures::duplicates},
                                       {"deleted unread", &Figures::lost},
                                       {"read again", &Figures::read_again},
                                       {"logs cut", &Figures::cut},
                                       {"refused", &Figures::refused},
                                       {"answers gone", &Figures::answers_gone},
                                       {"logs replaced", &Figures::replaced},
                                       {"restarted", &Figures::restarted},
                                       {"answers joined", &Figures::joined}};
  return all;
}

Oracle::Figures& Oracle::Figures::operator+=(const Figures& more) {
  for (const auto& member : members()) this->*member.value += more.*member.value;
  return *this;
}

Oracle::Oracle(int partitions, Excuses excuses) : excuses_(excuses), parts_(static_cast<std::size_t>(partitions)) {}

void Oracle::report(std::string promise, std::string text) {
  if (!violation_) violation_ = Violation{.promise = std::move(promise), .text = std::move(text)};
}

int Oracle::id_of(const std::string& org_id, const std::string& request_id) {
  const auto [it, fresh] = ids_.try_emplace({org_id, request_id}, static_cast<int>(id_names_.size()));
  if (fresh) id_names_.push_back(request_id);
  return it->second;
}

std::string Oracle::name(int request, std::int64_t attempt) const {
  return fmt::format("{} attempt {}", id_names_[static_cast<std::size_t>(request)], attempt);
}

std::optional<std::int64_t> Oracle::top(const Part& part, std::int64_t offset) const {
  std::optional<std::int64_t> highest;
  if (const auto* all = part.fold.attempts(events::RequestOffset(offset))) {
    for (const auto& attempt : *all) highest = std::max(highest.value_or(attempt.ids.attempt), attempt.ids.attempt);
  }
  return highest;
}

// --- what happens ---------------------------------------------------------------------------------------------------

void Oracle::request_arrived(int partition, std::int64_t offset, const Request& request, Micros now) {
  auto& p = part(partition);
  p.here.push_back(p.sources.size());
  auto& source = p.sources.emplace_back();
  source.request = request;
  source.offset = offset;
  source.unseen = offset < p.read_to && now < p.requests_noticed_at;
  if (request.garbage) return;
  source.id = id_of(request.org_id, request.request_id);
  for (std::size_t i = 0; i + 1 < p.sources.size(); ++i) {
    if (p.sources[i].id == source.id) source.duplicate = true;
  }
}

void Oracle::audit_cut(int partition) {
  auto& p = part(partition);
  p.fold = events::AuditFold();
  p.audit_cut = true;
  ++figures_.cut;
}

void Oracle::chunks_cut(int partition, std::int64_t below) {
  part(partition).chunks_begin = part(partition).chunks_base + below;
  ++figures_.cut;
}

void Oracle::audit_kept(int partition, std::int64_t offset, std::string_view value) {
  auto& p = part(partition);
  auto event = events::parse_audit(value);
  if (!event) return;
  translate(p, *event);
  const events::AuditOffset at(offset);
  p.fold.apply(at, *event);
  if (at >= p.uncut.next()) p.uncut.apply(at, *event);
}

void Oracle::requests_deleted(int partition, std::int64_t below) {
  auto& p = part(partition);
  for (std::size_t at = 0; at < p.here.size() && static_cast<std::int64_t>(at) < below; ++at) {
    p.sources[p.here[at]].deleted = true;
  }
}

void Oracle::cancelled(const std::string& org_id, const std::string& request_id) {
  cancelled_.insert(id_of(org_id, request_id));
}

void Oracle::refused(Topic topic, int partition) {
  if (topic == Topic::chunks) ++part(partition).chunks_refused;
}

void Oracle::struck(int partition) {
  auto& p = part(partition);
  p.struck = true;
  p.struck_until = Micros::max();
  for (auto& [who, attempt] : p.attempts) attempt.excused = true;
}

int Oracle::call_started(const std::string& org_id, const std::string& request_id, bool fails) {
  calls_.push_back({.request = id_of(org_id, request_id), .fails = fails});
  ++figures_.calls;
  return static_cast<int>(calls_.size()) - 1;
}

void Oracle::handed_over(int process, int partition, Micros since) {
  auto& p = part(partition);
  const auto released = p.released.find(process);
  // Its `released` is void, or has not come into the log: no hand-over that anybody could know of.
  if (released == p.released.end() || released->second.second < since) return;
  const auto epoch = released->second.first;
  for (auto& [who, attempt] : p.attempts) {
    if (attempt.begun_by != process || attempt.epoch != epoch || attempt.response_at >= 0) continue;
    attempt.handed_over = true;
    attempt.excused = disturbed_.contains(process);
  }
}

void Oracle::disturbed(int process) {
  disturbed_.insert(process);
  for (auto& p : parts_) {
    for (auto& [who, attempt] : p.attempts) {
      if (attempt.begun_by == process) attempt.excused = true;
    }
  }
}

void Oracle::all_disturbed() {
  for (auto& p : parts_) {
    for (auto& [who, attempt] : p.attempts) {
      if (attempt.handed_over) attempt.excused = true;
    }
  }
}

void Oracle::audit_appended(int partition, std::int64_t offset, std::string_view value, int writer, Micros now,
                            std::int64_t at_ms) {
  auto& p = part(partition);
  p.audit_log.ms.resize(static_cast<std::size_t>(offset) + 1, at_ms);
  auto event = events::parse_audit(value);
  if (!event) {
    report("P4", fmt::format("audit event {} cannot be read: {}", offset, event.error().detail));
    return;
  }
  translate(p, *event);
  const auto verdict = p.fold.apply(events::AuditOffset(offset), *event);
  p.uncut.apply(events::AuditOffset(offset), *event);
  // Where retention has taken the beginning, only an owner that read it knows that a handed-over attempt is answered.
  const auto about = event->ids.source_offset.value();
  if (p.audit_cut && event->kind == Kind::response && about >= 0 &&
      about < static_cast<std::int64_t>(p.sources.size())) {
    auto& source = p.sources[static_cast<std::size_t>(about)];
    if (p.uncut.complete(event->ids.source_offset, source.request.org_id, source.request.request_id))
      source.done = true;
  }
  if (verdict == AuditFold::Verdict::is_void) ++figures_.void_events;
  if (verdict == AuditFold::Verdict::repeated && event->kind == Kind::request) {
    report("P4", fmt::format("two llm.requests for {} attempt {}", event->ids.request_id, event->ids.attempt));
  }
  if (verdict != AuditFold::Verdict::counts) return;
  switch (event->kind) {
    case Kind::claimed:
      ++figures_.claims;
      p.claims[event->epoch] = {.chunks_end = p.chunks_end, .at = offset};
      break;
    case Kind::request:
      judge_start(p, *event, writer, now);
      break;
    case Kind::response:
      judge_response(p, *event, now);
      break;
    case Kind::released:
      ++figures_.releases;
      p.released[writer] = {event->epoch, now};
      for (const auto& [source, number] : event->continuing) {
        const auto* known = p.fold.find(source, number);
        if (known == nullptr || !known->open()) continue;
        auto& attempt = p.attempts[{id_of(known->ids.org_id, known->ids.request_id), number}];
        attempt.continued_by = writer;
        attempt.lease_until = now + std::chrono::milliseconds(event->lease_ms);
        ++figures_.continued;
      }
      break;
    case Kind::continuing:
      note_given_up(p, now);
      break;
    case Kind::lost:
      judge_loss(p, *event);
      break;
    default:
      break;
  }
}

void Oracle::note_given_up(Part& p, Micros now) {
  for (const auto* const open : p.fold.open()) {
    if (!open->continued || !open->continued->given_up) continue;
    auto& attempt = p.attempts[{id_of(open->ids.org_id, open->ids.request_id), open->ids.attempt}];
    attempt.given_up_at = std::min(attempt.given_up_at, now);
  }
}

// Whole ranges are told: what was answered out of order may lie in between.
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

// Where the first of that name was deleted nobody may ever have read it, and those that were answered as its duplicates
// have no answer of their own.
bool Oracle::may_run_as_first(const Part& p, std::int64_t offset) {
  const auto& source = p.sources[static_cast<std::size_t>(offset)];
  // It was begun before the first was read, and what has been begun is not answered as a duplicate.
  if (source.mistaken && p.fold.attempts(events::RequestOffset(offset))->size() > 1) return true;
  for (std::int64_t at = 0; at < offset; ++at) {
    const auto& earlier = p.sources[static_cast<std::size_t>(at)];
    // Who has answered the first is not to be seen where the audit log is another one; and whoever takes a log for the
    // one that it read does not read its beginning.
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
        p.fold.attempted(events::RequestOffset(static_cast<std::int64_t>(later)), other.request.org_id,
                         other.request.request_id))
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
  if (p.fold.complete(event.ids.source_offset, source.request.org_id, source.request.request_id)) source.done = true;
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
  const auto all = p.fold.interruptions(events::RequestOffset(attempt.offset), source.request.org_id,
                                        source.request.request_id, events::cause_restart);
  if (all > restarts_max) report("RESTART", fmt::format("{} is restart {} of its request", what, all));
}

void Oracle::dead_letter_appended(const kafka::Headers& headers) {
  const auto partition = kafka::header(headers, "kafka_dlt-original-partition");
  const auto offset = kafka::header(headers, "kafka_dlt-original-offset");
  if (!partition || !offset) {
    report("P1", "a dead letter does not say where it comes from");
    return;
  }
  auto& p = part(static_cast<int>(big_endian(*partition)));
  const auto written = kafka::header(headers, "kafka_dlt-original-timestamp");
  const auto at =
      static_cast<std::size_t>(source_of(p, big_endian(*offset), written ? big_endian(*written) : std::int64_t{-1}));
  if (at >= p.sources.size() || !p.sources[at].request.garbage) {
    report("P1", fmt::format("the request at offset {} is answerable and lies in the dead-letter topic", at));
    return;
  }
  p.sources[at].dead_lettered = true;
}

void Oracle::committed(int partition, std::int64_t offset, const std::string& metadata, Micros now, bool knows) {
  auto& p = part(partition);
  if (!knows) return;
  if (offset > static_cast<std::int64_t>(p.here.size())) {
    report("P5", fmt::format("partition {}: committed {}, beyond the log's end", partition, offset));
    return;
  }
  for (std::int64_t at = p.judged; at < offset; ++at) {
    if (!complete(partition, at)) {
      report("P5", fmt::format("partition {}: the committed offset {} passes the incomplete request {}", partition,
                               offset, at));
      return;
    }
  }
  p.judged = std::max(p.judged, offset);
  if (!p.audit_cut && !excuses_.tampers) judge_metadata(p, offset, metadata, now);
}

void Oracle::judge_metadata(const Part& p, std::int64_t offset, const std::string& metadata, Micros now) {
  constexpr std::size_t metadata_bytes_max = 4'096;
  if (metadata.size() > metadata_bytes_max) {
    report("BOUNDS", fmt::format("commit metadata of {} bytes", metadata.size()));
    return;
  }
  const auto positions = events::decode_commit_metadata(metadata);
  if (!positions) return;  // what a tool wrote may be confirmed as it stands
  std::optional<events::AuditOffset> first;
  for (auto at = static_cast<std::size_t>(offset); at < p.here.size(); ++at) {
    const auto known = p.fold.sources().find(events::RequestOffset(static_cast<std::int64_t>(p.here[at])));
    if (known != p.fold.sources().end())
      first = std::min(first.value_or(known->second.first_event), known->second.first_event);
  }
  // Beside the witness of a log that is gone nobody believes them.
  std::vector<std::int64_t> requests_ms;
  for (const auto at : p.here) requests_ms.push_back(p.sources[at].request.at_ms);
  if (p.requests_replaced && !speaks_of(requests_ms, positions->requests_log)) return;
  const bool audit_known = speaks_of(p.audit_log, positions->audit_log, positions->epoch, now);
  if (audit_known && first && positions->audit_offset > *first) {
    report("METADATA", fmt::format("the commit of {} starts the audit tail at {}; an event it needs lies at {}", offset,
                                   positions->audit_offset.value(), first->value()));
  }
  if (!audit_known || !speaks_of(p.chunks_log, positions->chunks_log, positions->epoch, now)) return;
  for (const auto* open : p.fold.open()) {
    const auto id = ids_.find({open->ids.org_id, open->ids.request_id});
    if (id == ids_.end()) continue;
    const auto attempt = p.attempts.find({id->second, open->ids.attempt});
    if (attempt == p.attempts.end() || attempt->second.first_at < 0 || attempt->second.torn) continue;
    const auto lies_at = attempt->second.first_offset;
    if (attempt->second.first_at >= p.chunks_begin && lies_at < positions->chunk_offset.value()) {
      report("METADATA",
             fmt::format("the commit of {} starts the chunk tail at {}; {}, whose first chunk lies at {}, has "
                         "no response yet",
                         offset, positions->chunk_offset.value(), name(id->second, open->ids.attempt), lies_at));
    }
  }
}

// --- the end --------------------------------------------------------------------------------------------------------

bool Oracle::complete(int partition, std::int64_t offset) const {
  const auto& p = part(partition);
  return answered(p.sources[p.here[static_cast<std::size_t>(offset)]]);
}

bool Oracle::all_complete() const {
  return std::ranges::all_of(
      parts_, [&](const Part& p) { return std::ranges::all_of(p.sources, [&](const Source& s) { return over(s); }); });
}

bool Oracle::any_open() const {
  return std::ranges::any_of(parts_, [](const Part& p) { return !p.audit_cut && !p.fold.open().empty(); });
}

void Oracle::at_rest() {
  for (std::size_t number = 0; number < parts_.size(); ++number) {
    auto& p = parts_[number];
    for (std::size_t at = 0; at < p.sources.size(); ++at) {
      const auto& source = p.sources[at];
      if (over(source)) continue;
      if (source.gone) {
        report("LOST", fmt::format("partition {}: the request at offset {} ({}) was read, is gone with its log, and "
                                   "nobody tells of it",
                                   number, source.offset, source.request.request_id));
      } else {
        report("P1", fmt::format("partition {}: the request at offset {} ({}) is never completed", number,
                                 source.offset, source.request.request_id));
      }
    }
    if (p.judged != requests(static_cast<int>(number))) {
      report("P1", fmt::format("partition {}: committed is {}, the log ends at {}", number, p.judged,
                               requests(static_cast<int>(number))));
    }
    if (p.audit_cut) continue;
    for (const auto* open : p.fold.open()) {
      report("P4", fmt::format("partition {}: {} attempt {} has no response that counts", number, open->ids.request_id,
                               open->ids.attempt));
    }
    for (std::size_t at = 0; at < p.sources.size(); ++at) {
      const auto& source = p.sources[at];
      if (source.request.garbage || source.duplicate || source.told || source.gone || source.passed_over) continue;
      if (of_older_audit(p, static_cast<std::int64_t>(at))) continue;
      std::int64_t shown = -1;
      for (auto it = p.attempts.lower_bound({source.id, 0}); it != p.attempts.end() && it->first.first == source.id;
           ++it) {
        if (it->second.chunks > 0) shown = std::max(shown, it->first.second);
      }
      // A duplicate that was run all the same, because the window was over, is the same request to its readers.
      std::int64_t counted = -1;
      for (std::size_t other = at; other < p.sources.size(); ++other) {
        if (p.sources[other].id != source.id) continue;
        counted = std::max(counted, top(p, static_cast<std::int64_t>(other)).value_or(-1));
      }
      if (shown >= 0 && p.attempts[{source.id, shown}].torn) continue;
      // The record that was run last is gone with its log: requests.lost names it, and no attempt of it follows.
      const auto ran = shown >= 0 ? p.attempts[{source.id, shown}].offset : -1;
      if (ran >= 0 && p.sources[static_cast<std::size_t>(ran)].gone) continue;
      if (shown >= 0 && p.attempts[{source.id, shown}].terminal_at < 0) {
        report("P1", fmt::format("readers of {} wait for ever: attempt {} has no terminal chunk",
                                 source.request.request_id, shown));
      }
      if (shown != counted) {
        report("CONSISTENCY", fmt::format("readers of {} end with attempt {}, the audit log counts {}",
                                          source.request.request_id, shown, counted));
      }
    }
  }
}

}  // namespace tokenrail::simulation
