#include "workers/router/core/answer_tail.hpp"

#include "common/events/chunk_scan.hpp"
#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

void AnswerTail::expect(const events::AttemptIds& ids) {
  std::string prefix(events::ChunkWriter(ids.request_id, ids.org_id, ids.attempt).attempt_prefix());
  answers_.try_emplace(prefix, Answer{.source_offset = ids.source_offset});
  prefixes_.try_emplace({ids.source_offset, ids.attempt}, std::move(prefix));
}

void AnswerTail::read(events::ChunkOffset chunk_offset, std::string_view value) {
  if (answers_.empty()) return;
  Answers::iterator it;
  std::int64_t seq = 0;
  if (const auto prefix = events::scan_chunk_prefix(value)) {
    it = answers_.find(prefix->attempt_prefix);
    seq = prefix->seq;
  } else if (const auto place = events::place_of(value)) {
    it = answers_.find(place->attempt_prefix);
    seq = place->seq;
  } else {
    return;
  }
  if (it == answers_.end()) return;
  auto& answer = it->second;
  if (!answer.first_chunk) answer.first_chunk = chunk_offset;
  const bool next = seq == answer.next_seq || planted(Bug::terminal_is_enough);
  if (answer.terminal || !next) return;
  // The name of the field is written by us, without blanks; that it stands in a text is what the parser finds out.
  if (value.contains("\"done\":true")) {
    auto chunk = events::parse_chunk(value);
    if (!chunk) return;
    if (chunk->done) {
      if (events::RequestOffset(chunk->source_offset) != answer.source_offset) return;
      answer.terminal = std::move(*chunk);
    }
  }
  answer.next_seq = seq + 1;
}

const AnswerTail::Answer* AnswerTail::find(events::RequestOffset source_offset, std::int64_t attempt) const {
  const auto prefix = prefixes_.find({source_offset, attempt});
  if (prefix == prefixes_.end()) return nullptr;
  const auto it = answers_.find(prefix->second);
  return it == answers_.end() || it->second.source_offset != source_offset ? nullptr : &it->second;
}

const events::Chunk* AnswerTail::terminal(events::RequestOffset source_offset, std::int64_t attempt) const {
  const auto* const answer = find(source_offset, attempt);
  return answer == nullptr || !answer->terminal ? nullptr : &*answer->terminal;
}

std::optional<events::ChunkOffset> AnswerTail::first_chunk(events::RequestOffset source_offset,
                                                           std::int64_t attempt) const {
  const auto* const answer = find(source_offset, attempt);
  return answer == nullptr ? std::nullopt : answer->first_chunk;
}

void AnswerTail::forget(events::RequestOffset source_offset, std::int64_t attempt) {
  const auto prefix = prefixes_.extract({source_offset, attempt});
  if (prefix) answers_.erase(prefix.mapped());
}

void AnswerTail::clear() {
  answers_.clear();
  prefixes_.clear();
}

}  // namespace tokenrail::router
