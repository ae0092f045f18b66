#include "common/events/answer_reader.hpp"

namespace tokenrail::events {
namespace {

std::string key_of(std::string_view org_id, std::string_view request_id) {
  std::string key(org_id);
  key += '\0';
  key += request_id;
  return key;
}

}  // namespace

AnswerReader::Step AnswerReader::apply(const Chunk& chunk) {
  auto key = key_of(chunk.org_id, chunk.request_id);
  const auto [it, fresh] = answers_.try_emplace(key);
  auto& entry = it->second;
  const auto result = step(entry.answer, fresh, chunk);

  if (entry.answer.over == entry.place.has_value()) return result;
  if (entry.answer.over) {
    entry.place = over_.insert(over_.end(), std::move(key));
    if (over_.size() > over_max_) {
      answers_.erase(over_.front());
      over_.pop_front();
    }
  } else {
    over_.erase(*entry.place);
    entry.place.reset();
  }
  return result;
}

AnswerReader::Step AnswerReader::step(Answer& answer, bool fresh, const Chunk& chunk) const {
  if (!fresh && chunk.attempt < answer.attempt) return Step::ignored;
  const bool displaces = !fresh && chunk.attempt > answer.attempt;
  // An attempt whose beginning was not seen cannot be read; the one before it is void all the same.
  if (fresh || displaces) answer = {.attempt = chunk.attempt};
  if (answer.finished || chunk.seq < answer.next_seq) return Step::ignored;
  answer.over = answer.over || chunk.done;
  if (chunk.seq > answer.next_seq) return Step::gap;
  answer.next_seq = chunk.seq + 1;
  answer.finished = chunk.done;
  return displaces ? Step::restarted : Step::accepted;
}

const AnswerReader::Answer* AnswerReader::find(std::string_view org_id, std::string_view request_id) const {
  const auto it = answers_.find(key_of(org_id, request_id));
  return it == answers_.end() ? nullptr : &it->second.answer;
}

}  // namespace tokenrail::events
