#include "cli/verify/chunk_rules.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tokenrail::verify {

void ChunkRules::on_chunk(const kafka::Record& record) {
  ++figures().chunks;
  figures().sender_times += record.log_append_time ? 0 : 1;
  known_.read_to.chunks = record.offset + 1;
  known_.horizon.read_chunk(record);
  const auto chunk = events::parse_chunk(record.value.value_or(""));
  if (!chunk) {
    ++figures().unreadable;
    return;
  }
  const bool unheard_of = known_.subjects.find(chunk->org_id, chunk->request_id) == nullptr;
  auto& about = known_.subjects.of(chunk->org_id, chunk->request_id);
  if (unheard_of && known_.subjects.forgot_any()) (chunk->seq > 0 ? about.leftover : about.unheard) = true;
  known_.subjects.unsettle(about);
  if (chunk->attempt == 0) {
    duplicate_chunk(about, *chunk, record);
    known_.subjects.touch(about);
  } else {
    attempt_chunk(about, *chunk, record);
  }
}

void ChunkRules::attempt_chunk(Subject& about, const events::Chunk& chunk, const kafka::Record& record) {
  const auto named = [&] {
    return fmt::format("request {} of {}, attempt {}", chunk.request_id, chunk.org_id, chunk.attempt);
  };
  auto& attempt = about.attempts[chunk.attempt];
  if (attempt.chunks.terminal_at >= 0) {
    report(Promise::whole, options().topics.chunks, {attempt.chunks.terminal_at, record.offset},
           fmt::format("{}: a chunk (seq {}{}) follows the terminal chunk", named(), chunk.seq,
                       chunk.done ? ", terminal too" : ""));
    return;
  }
  if (attempt.chunks.first_at < 0) {
    attempt.chunks.first_at = record.offset;
    attempt.chunks.first_broker_ms = broker_ms(record);
    attempt.chunks.first_seq = chunk.seq;
    if (attempt.request.void_at >= 0 && attempt.request.at < 0)
      report(Promise::audited, options().topics.chunks, {record.offset},
             fmt::format("{}: it publishes though its llm.request ({}:{}) is void", named(), options().topics.audit,
                         attempt.request.void_at));
  } else if (chunk.seq < attempt.chunks.next_seq) {
    report(Promise::whole, options().topics.chunks, {attempt.chunks.last_at, record.offset},
           fmt::format("{}: seq {} where {} was due (a repetition)", named(), chunk.seq, attempt.chunks.next_seq));
  } else if (chunk.seq > attempt.chunks.next_seq && attempt.chunks.gap.at < 0) {
    // A broker may refuse a chunk. What matters is whether the attempt says that it is not whole.
    attempt.chunks.gap.at = record.offset;
    attempt.chunks.gap.after = attempt.chunks.last_at;
    attempt.chunks.gap.seq = chunk.seq;
    attempt.chunks.gap.due = attempt.chunks.next_seq;
  }
  keys_.check(about, chunk.attempt, attempt.key, record, true);
  attempt.chunks.last_at = record.offset;
  attempt.chunks.next_seq = chunk.seq + 1;
  if (chunk.delta) attempt.chunks.text_bytes += static_cast<std::int64_t>(chunk.delta->size());
  if (!chunk.done) return;

  attempt.chunks.terminal_at = record.offset;
  attempt.chunks.terminal_broker_ms = broker_ms(record);
  attempt.chunks.terminal_source = chunk.source_offset;
  attempt.chunks.finish_reason = chunk.finish_reason;
  if (chunk.chunks && *chunk.chunks != chunk.seq + 1)
    report(Promise::whole, options().topics.chunks, {record.offset},
           fmt::format("{}: the terminal chunk with seq {} says that there are {} chunks", named(), chunk.seq,
                       *chunk.chunks));
  known_.subjects.touch(about);
}

void ChunkRules::duplicate_chunk(Subject& about, const events::Chunk& chunk, const kafka::Record& record) {
  const auto wrong = [&](std::vector<std::int64_t> offsets, std::string_view why) {
    report(Promise::dedupe, options().topics.chunks, std::move(offsets),
           fmt::format("request {} of {}, attempt 0: {}", chunk.request_id, chunk.org_id, why));
  };
  if (!chunk.done || chunk.seq != 0 || chunk.finish_reason != "duplicate") {
    wrong({record.offset}, "a duplicate's answer is one terminal chunk with finishReason duplicate, and this is none");
    return;
  }
  about.asked[chunk.source_offset];  // known of from now on
  auto& answer = about.duplicates[chunk.source_offset];
  KeyRules::note(answer, record, true);
  const auto hash = std::hash<std::string>{}(*record.value);
  if (answer.chunk_at >= 0 && answer.chunk_hash != hash && answer.other_chunk_at < 0)
    answer.other_chunk_at = record.offset;
  if (answer.chunk_at < 0) {
    answer.chunk_at = record.offset;
    answer.chunk_hash = hash;
    answer.names_offset = chunk.duplicate_of_offset;
    answer.names_attempt = chunk.duplicate_of_attempt;
  }
}

}  // namespace tokenrail::verify
