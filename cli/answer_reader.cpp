#include "cli/answer_reader.hpp"

namespace tokenrail::cli {

AnswerReader::Step AnswerReader::apply(const events::Chunk& chunk) {
  if (chunk.org_id != org_id_ || chunk.request_id != request_id_) return Step::ignored;
  if (started_ && chunk.attempt < attempt_) return Step::ignored;

  const bool displaces = started_ && chunk.attempt > attempt_;
  if (!started_ || displaces) {
    // An attempt whose beginning was not seen cannot be read; the one before it is void all the same.
    attempt_ = chunk.attempt;
    next_seq_ = 0;
    finished_ = false;
    started_ = true;
  }
  if (finished_ || chunk.seq < next_seq_) return Step::ignored;
  if (chunk.seq > next_seq_) return Step::gap;
  next_seq_ = chunk.seq + 1;
  finished_ = chunk.done;
  return displaces ? Step::restarted : Step::accepted;
}

}  // namespace tokenrail::cli
