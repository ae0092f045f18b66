#include "cli/answer_tail.hpp"

#include <fmt/format.h>

#include "cli/terminal.hpp"

namespace tokenrail::cli {

AnswerTail::Told AnswerTail::take(std::string_view value) {
  Told told;
  // Most chunks of a busy topic are of other requests; a look for the id is cheaper than reading them.
  if (value.find(wanted_.request_id) == std::string_view::npos) return told;
  const auto chunk = events::parse_chunk(value);
  if (!chunk) return told;
  if (!wanted_.request_id.empty() && chunk->request_id != wanted_.request_id) return told;
  if (!wanted_.org_id.empty() && chunk->org_id != wanted_.org_id) return told;

  const auto* const before = reader_.find(chunk->org_id, chunk->request_id);
  const bool was_finished = before != nullptr && before->finished;
  const bool was_read = before != nullptr && before->next_seq > 0;
  const auto step = reader_.apply(*chunk);
  if (step == AnswerReader::Step::ignored) return told;

  const auto key = chunk->org_id + '\0' + chunk->request_id;
  const auto name = without_controls(fmt::format("{} of {}", chunk->request_id, chunk->org_id));
  if (step == AnswerReader::Step::gap) {
    views_.erase(key);
    if (streaming_ == key) streaming_.clear();
    told.missing = fmt::format("chunks of the answer to {} are missing before seq {} of attempt {}", name, chunk->seq,
                               chunk->attempt);
    return told;
  }

  if (step == AnswerReader::Step::restarted && was_finished)
    told.notes.push_back(
        fmt::format("the answer to {} was displaced; it begins again as attempt {}", name, chunk->attempt));
  if (streaming_.empty()) streaming_ = key;
  auto mode = mode_;
  mode.hold = mode.hold || streaming_ != key;
  auto& view = views_.try_emplace(key, mode).first->second;
  const bool first = step == AnswerReader::Step::accepted && !was_read;
  if (wanted_.request_id.empty() && !mode_.json && first) told.notes.push_back(fmt::format("request {}", name));
  told.shown = view.show(step, *chunk, value);
  if (!chunk->done) return told;
  told.ended = *chunk;
  views_.erase(key);
  if (streaming_ == key) streaming_.clear();
  return told;
}

}  // namespace tokenrail::cli
