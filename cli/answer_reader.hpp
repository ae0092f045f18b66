// The reader's rule, as code: from the chunks of one request, in the order of the log, to one answer.
//
// The highest attempt wins; when a higher one appears, what was read so far is void; within an attempt `seq` is
// contiguous from 0; a terminal chunk with finishReason "error" is an answer too; attempt 0 (the answer to a duplicate)
// never displaces another. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "common/events/chunk.hpp"

namespace tokenrail::cli {

class AnswerReader {
 public:
  AnswerReader(std::string org_id, std::string request_id)
      : org_id_(std::move(org_id)), request_id_(std::move(request_id)) {}

  enum class Step {
    ignored,    ///< another request's, of a lower attempt, or seen before
    accepted,   ///< belongs to the answer, right after what was there
    restarted,  ///< begins the answer anew: drop what you have, then take this chunk
    gap,        ///< chunks are missing before this one: the reading began too late, or the log was cut
  };
  Step apply(const events::Chunk& chunk);

  /// The answer has its terminal chunk. A higher attempt may still displace it.
  [[nodiscard]] bool finished() const { return finished_; }
  /// 0: none seen, or a duplicate's.
  [[nodiscard]] std::int64_t attempt() const { return attempt_; }
  [[nodiscard]] bool started() const { return started_; }

 private:
  std::string org_id_;
  std::string request_id_;
  std::int64_t attempt_ = 0;
  std::int64_t next_seq_ = 0;
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace tokenrail::cli
