// Feeding: requests, chunks, dead letters, and what is remembered of them.
#include "cli/verify/checker.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "cli/verify/texts.hpp"
#include "common/events/commit_metadata.hpp"

namespace tokenrail::verify {
namespace {

constexpr std::size_t sweep_subjects_min = 10'000;

std::optional<std::size_t> key_of(const kafka::Record& record) {
  return record.key ? std::optional(std::hash<std::string>{}(*record.key)) : std::nullopt;
}

}  // namespace

Checker::Checker(CheckOptions options)
    : options_(std::move(options)),
      lines_(options_.clock_skew_ms),
      sweep_at_(sweep_subjects_min),
      requests_next_(options_.requests_from),
      chunks_next_(options_.chunks_from),
      audit_next_(options_.audit_from),
      audit_window_{.known_ms = options_.audit_known_ms},
      chunks_window_{.known_ms = options_.chunks_known_ms} {
  if (const auto metadata = events::decode_commit_metadata(options_.metadata); metadata && options_.committed)
    overlooked_below_ = metadata->audit_offset.value();
}

// A time that was chosen says nothing where the log began with times of senders: what was appended after it may have an
// earlier one.
void Checker::Window::note(const kafka::Record& record) {
  const bool first = !std::exchange(begun, true);
  if (record.log_append_time) {
    if (known_ms < 0) known_ms = record.timestamp_ms;
  } else if (first) {
    known_ms = -1;
  }
}

void Checker::report(Promise promise, const std::string& topic, std::vector<std::int64_t> offsets, std::string text) {
  if (violations_.size() >= options_.violations_max) {
    ++figures_.violations_left;
    return;
  }
  violations_.push_back({.promise = promise,
                         .text = std::move(text),
                         .topic = topic,
                         .partition = options_.partition,
                         .offsets = std::move(offsets)});
}

// --- requests and dead letters --------------------------------------------------------------------------------------

void Checker::on_request(const kafka::Record& record) {
  ++figures_.requests;
  count_sender_time(record);
  requests_next_ = record.offset + 1;
  const auto broker_ms = record.log_append_time ? record.timestamp_ms : -1;
  if (requests_first_ms_ < 0) requests_first_ms_ = broker_ms;
  const auto [first, last] = dead_letters_.equal_range(record.offset);
  const bool dead =
      std::any_of(first, last, [&](const auto& entry) { return entry.second.is_at(record.timestamp_ms); });
  dead_letters_.erase(first, last);
  if (dead) ++figures_.dead_letters;

  const auto value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
  const auto parsed = events::parse_chat_request(value, options_.request_limits);
  const auto note = [&](const std::string& org_id, const std::string& request_id,
                        std::optional<std::chrono::milliseconds> timeout) {
    auto& about = subject(org_id, request_id);
    auto& entry = asked(about, record.offset);
    entry.read = true;
    entry.ms = record.timestamp_ms;
    entry.broker_ms = broker_ms;
    if (timeout && record.timestamp_ms >= 0) entry.deadline_ms = record.timestamp_ms + timeout->count();
    entry.key = key_of(record);
    by_offset_[record.offset] = &about;
    look_again(record.offset, org_id + '\0' + request_id, entry);
    if (const auto* const attempts = fold_.attempts(events::RequestOffset(record.offset))) {
      for (const auto& attempt : *attempts) {
        const auto& ids = attempt.ids;
        if (attempt.request_offset < events::AuditOffset(0) || (ids.org_id == org_id && ids.request_id == request_id))
          continue;
        const auto other = subjects_.find(ids.org_id + '\0' + ids.request_id);
        if (other != subjects_.end())
          check_place(ids, attempt.request_offset.value(), other->second.attempts[ids.attempt].request_broker_ms,
                      entry);
      }
    }
    entry.dead = dead;
    const bool too_large = record.value && record.value->size() > options_.request_limits.value_bytes_max;
    entry.answerable = !too_large && (!record.key || record.key->size() <= options_.request_limits.key_bytes_max);
    touch(about);
  };
  if (const auto* request = std::get_if<events::ChatRequest>(&parsed)) {
    note(request->org_id, request->request_id, request->timeout);
  } else if (const auto* invalid = std::get_if<events::InvalidRequest>(&parsed)) {
    note(invalid->org_id, invalid->request_id, std::nullopt);
  } else if (!dead) {
    unanswerable_.emplace(record.offset, Unanswerable{.ms = record.timestamp_ms, .broker_ms = broker_ms});
  }
  overlooked_.erase(record.offset);
}

void Checker::on_dead_letter(const kafka::Record& record) {
  if (const auto letter = dead_letter_of(record, options_.topics.requests)) on_letter(*letter);
}

void Checker::on_letter(const DeadLetter& letter) {
  if (letter.partition != options_.partition) return;
  if (letter.offset >= requests_next_) {
    dead_letters_.emplace(letter.offset, letter);
    return;
  }
  if (const auto it = unanswerable_.find(letter.offset); it != unanswerable_.end()) {
    if (!letter.is_at(it->second.ms)) return;
    unanswerable_.erase(it);
    ++figures_.dead_letters;
    return;
  }
  const auto it = by_offset_.find(letter.offset);
  if (it == by_offset_.end()) return;
  auto& entry = it->second->asked[letter.offset];
  if (!letter.is_at(entry.ms)) return;
  if (!std::exchange(entry.dead, true)) ++figures_.dead_letters;
  touch(*it->second);
}

// --- chunks ---------------------------------------------------------------------------------------------------------

void Checker::on_chunk(const kafka::Record& record) {
  ++figures_.chunks;
  count_sender_time(record);
  chunks_next_ = record.offset + 1;
  chunks_window_.note(record);
  const auto chunk = events::parse_chunk(record.value.value_or(""));
  if (!chunk) {
    ++figures_.unreadable;
    return;
  }
  const bool unheard_of = subjects_.empty() || !subjects_.contains(chunk->org_id + '\0' + chunk->request_id);
  auto& about = subject(chunk->org_id, chunk->request_id);
  if (unheard_of && forgot_any_) (chunk->seq > 0 ? about.leftover : about.unheard) = true;
  unsettle(about);
  if (chunk->attempt == 0) {
    duplicate_chunk(about, *chunk, record);
    touch(about);
    return;
  }

  const auto named = [&] {
    return fmt::format("request {} of {}, attempt {}", chunk->request_id, chunk->org_id, chunk->attempt);
  };
  auto& attempt = about.attempts[chunk->attempt];
  if (attempt.terminal_at >= 0) {
    report(Promise::whole, options_.topics.chunks, {attempt.terminal_at, record.offset},
           fmt::format("{}: a chunk (seq {}{}) follows the terminal chunk", named(), chunk->seq,
                       chunk->done ? ", terminal too" : ""));
    return;
  }
  if (attempt.first_chunk < 0) {
    attempt.first_chunk = record.offset;
    attempt.first_broker_ms = record.log_append_time ? record.timestamp_ms : -1;
    attempt.first_seq = chunk->seq;
    if (attempt.void_request_at >= 0 && attempt.request_at < 0)
      report(Promise::audited, options_.topics.chunks, {record.offset},
             fmt::format("{}: it publishes though its llm.request ({}:{}) is void", named(), options_.topics.audit,
                         attempt.void_request_at));
  } else if (chunk->seq < attempt.next_seq) {
    report(Promise::whole, options_.topics.chunks, {attempt.last_chunk, record.offset},
           fmt::format("{}: seq {} where {} was due (a repetition)", named(), chunk->seq, attempt.next_seq));
  } else if (chunk->seq > attempt.next_seq && attempt.gap_at < 0) {
    // A broker may refuse a chunk. What matters is whether the attempt says that it is not whole.
    attempt.gap_at = record.offset;
    attempt.gap_after = attempt.last_chunk;
    attempt.gap_seq = chunk->seq;
    attempt.gap_due = attempt.next_seq;
  }
  check_key(about, chunk->attempt, attempt.key, record, true);
  attempt.last_chunk = record.offset;
  attempt.next_seq = chunk->seq + 1;
  if (chunk->delta) attempt.text_bytes += static_cast<std::int64_t>(chunk->delta->size());
  if (!chunk->done) return;

  attempt.terminal_at = record.offset;
  attempt.terminal_broker_ms = record.log_append_time ? record.timestamp_ms : -1;
  attempt.terminal_source = chunk->source_offset;
  attempt.finish_reason = chunk->finish_reason;
  if (chunk->chunks && *chunk->chunks != chunk->seq + 1)
    report(Promise::whole, options_.topics.chunks, {record.offset},
           fmt::format("{}: the terminal chunk with seq {} says that there are {} chunks", named(), chunk->seq,
                       *chunk->chunks));
  touch(about);
}

// A null key and an empty one are the same here: no order is judged by it.
std::size_t Checker::key_hash(const kafka::Record& record) {
  return std::hash<std::string>{}(record.key.value_or(""));
}

void Checker::check_key(const Subject& about, std::int64_t number, KeySeen& seen, const kafka::Record& record,
                        bool chunk) {
  const auto hash = key_hash(record);
  if (seen.at < 0) {
    seen = {.at = record.offset, .on_chunks = chunk, .hash = hash};
  } else if (seen.hash != hash) {
    other_key(about, number, seen, {.at = record.offset, .on_chunks = chunk, .hash = hash});
    // Once is enough.
    seen.hash = hash;
  }
}

void Checker::other_key(const Subject& about, std::int64_t number, const KeySeen& seen, const KeySeen& other) {
  const auto& topics = options_.topics;
  report(Promise::audited, other.on_chunks ? topics.chunks : topics.audit, {other.at},
         fmt::format("request {} of {}, attempt {}: another record key than that of {}:{}", about.request_id,
                     about.org_id, number, seen.on_chunks ? topics.chunks : topics.audit, seen.at));
}

// Judged when all is known: a response of another log may follow, whose key a chunk has.
void Checker::note_key(DuplicateAnswer& answer, const kafka::Record& record, bool chunk) {
  const KeySeen seen{.at = record.offset, .on_chunks = chunk, .hash = key_hash(record)};
  if (answer.key.at < 0) {
    answer.key = seen;
  } else if (answer.key.hash != seen.hash && answer.other_key.at < 0) {
    answer.other_key = seen;
  }
}

void Checker::duplicate_chunk(Subject& about, const events::Chunk& chunk, const kafka::Record& record) {
  const auto wrong = [&](std::vector<std::int64_t> offsets, std::string_view why) {
    report(Promise::dedupe, options_.topics.chunks, std::move(offsets),
           fmt::format("request {} of {}, attempt 0: {}", chunk.request_id, chunk.org_id, why));
  };
  if (!chunk.done || chunk.seq != 0 || chunk.finish_reason != "duplicate") {
    wrong({record.offset}, "a duplicate's answer is one terminal chunk with finishReason duplicate, and this is none");
    return;
  }
  asked(about, chunk.source_offset);
  auto& answer = about.duplicates[chunk.source_offset];
  note_key(answer, record, true);
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

// --- what is remembered ---------------------------------------------------------------------------------------------

Subject& Checker::subject(const std::string& org_id, const std::string& request_id) {
  const auto [it, fresh] = subjects_.try_emplace(org_id + '\0' + request_id);
  if (fresh) {
    it->second.org_id = org_id;
    it->second.request_id = request_id;
  }
  return it->second;
}

Asked& Checker::asked(Subject& about, std::int64_t source_offset) {
  return about.asked[source_offset];
}

void Checker::unsettle(Subject& about) {
  if (!about.place) return;
  settled_.erase(*about.place);
  about.place.reset();
}

void Checker::touch(Subject& about) {
  unsettle(about);
  if (settled(about)) {
    about.place = settled_.insert(settled_.end(), &about);
    if (settled_.size() > options_.settled_max) forget_oldest();
  }
  if (subjects_.size() >= sweep_at_) sweep();
}

void Checker::forget_oldest() {
  auto& oldest = *settled_.front();
  settled_.pop_front();
  judge(oldest, false);
  for (const auto& [offset, entry] : oldest.asked) {
    fold_.forget(events::RequestOffset(offset));
    if (const auto it = by_offset_.find(offset); it != by_offset_.end() && it->second == &oldest) by_offset_.erase(it);
  }
  forgot_any_ = true;
  subjects_.erase(oldest.org_id + '\0' + oldest.request_id);
}

/// Its record was read, and all about it has been forgotten since.
bool Checker::forgotten(const Subject& about, std::int64_t source_offset) const {
  if (!forgot_any_ || source_offset < options_.requests_from || source_offset >= requests_next_) return false;
  const auto entry = about.asked.find(source_offset);
  return entry == about.asked.end() || !entry->second.read;
}

/// Chunks of an attempt of which nothing else is known: of a worker that was superseded, about a request that has been
/// forgotten. One that is as old as they are and was read since has not been.
bool Checker::late_leftover(const Subject& about, std::int64_t number, const Attempt& attempt) const {
  if (about.leftover) return true;
  if (!about.unheard || number / attempts_per_epoch >= claims_.highest()) return false;
  return std::ranges::none_of(about.asked, [&](const auto& entry) {
    return entry.second.read && entry.second.broker_ms <= attempt.first_broker_ms;
  });
}

// What was lost with the start of a log settles a request without any further record of it.
void Checker::sweep() {
  for (auto& [name, about] : subjects_) {
    if (!about.place && settled(about)) about.place = settled_.insert(settled_.end(), &about);
  }
  while (settled_.size() > options_.settled_max) forget_oldest();
  sweep_at_ = std::max(sweep_subjects_min, subjects_.size() * 2);
}

}  // namespace tokenrail::verify
