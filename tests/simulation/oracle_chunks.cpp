// What the oracle makes of chunks: whether they are whole, say what the provider said, and end as it ended or for a
// reason that is there.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "tests/simulation/oracle.hpp"

namespace tokenrail::simulation {

namespace {

/// Texts of the provider begin with the number of their call: "c17.0 ".
int call_in(std::string_view text) {
  int call = -1;
  if (text.starts_with('c')) std::from_chars(text.data() + 1, text.data() + text.size(), call);
  return call;
}

}  // namespace

void Oracle::chunk_refused(int partition, std::string_view value) {
  if (const auto chunk = events::parse_chunk(value))
    part(partition).attempts[{id_of(chunk->org_id, chunk->request_id), chunk->attempt}].holed = true;
}

void Oracle::chunk_appended(int partition, std::int64_t offset, std::string_view value, Micros now,
                            std::optional<std::int64_t> writer_ms, std::int64_t at_ms) {
  auto& p = part(partition);
  p.chunks_log.ms.resize(static_cast<std::size_t>(offset) + 1, at_ms);
  const auto place = p.chunks_base + offset;
  p.chunks_end = place + 1;
  auto chunk = events::parse_chunk(value);
  if (!chunk) {
    report("P2", fmt::format("chunk {} cannot be read: {}", offset, chunk.error().detail));
    return;
  }
  if (chunk->done) chunk->source_offset = source_of(p, *chunk);
  if (chunk->attempt == 0) {
    duplicate_chunk(p, *chunk, value);
    return;
  }
  const auto request = id_of(chunk->org_id, chunk->request_id);
  auto& attempt = p.attempts[{request, chunk->attempt}];
  if (attempt.first_at < 0) attempt.first_at = place, attempt.first_offset = offset;
  attempt.last_at = place;
  if (attempt.holed || attempt.torn) return;
  if (attempt.terminal_at >= 0) {
    report("P2", fmt::format("{}: a chunk behind its terminal chunk", name(request, chunk->attempt)));
  } else if (chunk->seq != attempt.chunks) {
    report("P2",
           fmt::format("{}: seq {} where {} comes next", name(request, chunk->attempt), chunk->seq, attempt.chunks));
  }
  if (attempt.offset < 0 && !p.audit_cut) {
    report("P4", fmt::format("{} runs though it has no llm.request that counts", name(request, chunk->attempt)));
  }
  ++attempt.chunks;
  judge_text(attempt, request, chunk->attempt, *chunk);
  if (chunk->done) {
    attempt.terminal_at = place;
    attempt.terminal_since = now;
    attempt.finish = chunk->finish_reason;
    judge_end(p, attempt, request, *chunk, writer_ms);
    if (chunk->error_code == "INTERRUPTED") ++figures_.answers_gone;
  } else {
    was_called(p, {request, chunk->attempt});
  }
}

void Oracle::duplicate_chunk(Part& p, const events::Chunk& chunk, std::string_view value) {
  const auto at = static_cast<std::size_t>(chunk.source_offset);
  if (!chunk.done || chunk.seq != 0 || chunk.finish_reason != "duplicate" || chunk.source_offset < 0 ||
      at >= p.sources.size()) {
    report("DEDUPE", fmt::format("a chunk of attempt 0 that answers no duplicate: {}", value));
    return;
  }
  auto& source = p.sources[at];
  // Who answered it is not to be seen any more, and the answer that its readers have is the higher one.
  if (source.done && of_older_audit(p, chunk.source_offset)) {
    source.answer = value;
    return;
  }
  const bool duplicate = source.duplicate || repeats_a_later(p, chunk.source_offset);
  if (source.request.request_id != chunk.request_id || !duplicate) {
    report("DEDUPE", fmt::format("{} at offset {} is called a duplicate and is none", chunk.request_id, at));
  } else if (source.answer.empty()) {
    source.answer = value;
  } else if (source.answer != value && p.audit_cut &&
             !p.fold.complete(events::RequestOffset(chunk.source_offset), chunk.org_id, chunk.request_id)) {
    // Retention has taken what was said of the first answer, so its writer could not know of it.
    source.answer = value;
  } else if (source.answer != value && !may_run_as_first(p, chunk.source_offset)) {
    report("DEDUPE", fmt::format("two answers to the duplicate at offset {}: {} and {}", at, source.answer, value));
  }
}

// Which call says that: the attempt's first, or one that goes on with what it has said so far. False: none.
bool Oracle::takes_call(Attempt& attempt, int request, std::int64_t number, std::string_view delta) {
  const auto speaks = call_in(delta);
  const bool known = speaks >= 0 && speaks < static_cast<int>(calls_.size());
  if (attempt.call >= 0) {
    if (!known || speaks == attempt.call || !calls_[static_cast<std::size_t>(speaks)].continues) return true;
    ++figures_.joined;
  } else if (!known) {
    report("P2", fmt::format("{} says what no provider said: {}", name(request, number), delta));
    return false;
  }
  attempt.call = speaks;
  auto& call = calls_[static_cast<std::size_t>(speaks)];
  if (call.request != request || (call.attempt >= 0 && call.attempt != number)) {
    report("P2", fmt::format("{} says what the provider said to another", name(request, number)));
  }
  call.attempt = number;
  return true;
}

void Oracle::judge_text(Attempt& attempt, int request, std::int64_t number, const events::Chunk& chunk) {
  const auto delta = chunk.delta.value_or("");
  if (!delta.empty()) {
    if (!takes_call(attempt, request, number, delta)) return;
    attempt.text += delta;
  }
  const auto* const call = attempt.call < 0 ? nullptr : &calls_[static_cast<std::size_t>(attempt.call)];
  const std::string_view said = call == nullptr ? std::string_view{} : call->said;
  if (!said.starts_with(attempt.text)) {
    report("P2", fmt::format("{}: \"{}\" where the provider said \"{}\"", name(request, number), attempt.text, said));
  }
  const bool well = chunk.done && (chunk.finish_reason == "stop" || chunk.finish_reason == "length");
  if (!well) return;
  if (call != nullptr) {
    if (said == attempt.text && call->well) return;
    report("P2", fmt::format("{} ended well with \"{}\"; the provider said \"{}\"{}", name(request, number),
                             attempt.text, said, call->well ? "" : " and did not end well"));
    return;
  }
  // Nothing was published, so nothing may have been said: an empty answer is one call's too.
  const auto empty = std::ranges::find_if(
      calls_, [&](const Call& c) { return c.request == request && c.well && c.said.empty() && c.attempt < 0; });
  if (empty == calls_.end()) {
    report("P2", fmt::format("{} ended well with nothing; no call of it did", name(request, number)));
  } else {
    empty->attempt = number;
  }
}

// An answer that is no answer: a router that refuses everything would keep all other promises.
void Oracle::judge_end(const Part& p, const Attempt& attempt, int request, const events::Chunk& chunk,
                       std::optional<std::int64_t> writer_ms) {
  const auto at = chunk.source_offset;
  if (at < 0 || at >= static_cast<std::int64_t>(p.sources.size())) {
    report("P2", fmt::format("{} says that it answers offset {}", name(request, chunk.attempt), at));
    return;
  }
  const auto& source = p.sources[static_cast<std::size_t>(at)];
  if (has_reason(p, source, attempt, request, chunk, writer_ms)) return;
  report("REASON", fmt::format("{} ends as {} {} without a reason", name(request, chunk.attempt), chunk.finish_reason,
                               chunk.error_code));
}

bool Oracle::has_reason(const Part& p, const Source& source, const Attempt& attempt, int request,
                        const events::Chunk& chunk, std::optional<std::int64_t> writer_ms) const {
  constexpr std::int64_t rounding_ms = 2;
  constexpr int lost_attempts_max = 5;
  if (chunk.finish_reason == "cancelled") return cancelled_.contains(request);
  if (chunk.finish_reason != "error") return !source.request.refusable;
  const auto& code = chunk.error_code;
  // What is not known, or was told to the worker wrongly, excuses.
  const bool older = of_older_audit(p, chunk.source_offset);
  const bool excused = p.audit_cut || older || attempt.begun_by < 0 || disturbed_.contains(attempt.begun_by);
  if (code == "MODEL_NOT_FOUND") return source.request.refusable;
  if (code == "DEADLINE_EXCEEDED") {
    return excused || !writer_ms || *writer_ms + rounding_ms >= source.request.deadline_ms;
  }
  const events::RequestOffset offset(chunk.source_offset);
  const bool refused = p.fold.refused(offset, source.request.org_id, source.request.request_id) != nullptr;
  if (code == "RESPONSE_TOO_LARGE") return refused;
  if (code == "INTERNAL") {
    return refused || p.audit_cut || older ||
           p.fold.interruptions(offset, source.request.org_id, source.request.request_id, "lost") >= lost_attempts_max;
  }
  if (code == "INTERRUPTED") return p.audit_cut || p.chunks_begin > 0 || p.chunks_replaced;
  if (!code.starts_with("PROVIDER_")) return false;
  if (excused || source.deleted) return true;
  if (attempt.call >= 0) return calls_[static_cast<std::size_t>(attempt.call)].fails;
  return std::ranges::any_of(calls_, [&](const Call& call) { return call.request == request && call.fails; });
}

}  // namespace tokenrail::simulation
