// The reader's rule, as code: from the chunks of many requests, in the order of the log, to one answer each.
//
// Per (orgId, requestId) the highest attempt wins; when a higher one appears, what was read so far is void; within an
// attempt `seq` is contiguous from 0; a terminal chunk with finishReason "error" is an answer too; attempt 0 (the
// answer to a duplicate) never displaces another.
//
// Pure. It keeps no texts, only how far each answer has come. Bounded: of the answers that are over, the newest
// `over_max` are remembered. A late chunk of an older one looks like a new request, so remember more answers than may
// end between an attempt's start and the last late chunk of the attempt before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/events/chunk.hpp"

namespace tokenrail::events {

class AnswerReader {
 public:
  enum class Step {
    ignored,    ///< of a lower attempt, or seen before
    accepted,   ///< belongs to the answer, right after what was there
    restarted,  ///< begins the answer again: drop what you have, then take this chunk
    gap,        ///< chunks are missing before this one: the reading began too late, or the log was cut
  };
  struct Answer {
    std::int64_t attempt = 0;  ///< 0: a duplicate's
    std::int64_t next_seq = 0;
    bool finished = false;  ///< it has its terminal chunk, and all before it. A higher attempt may still displace it
    bool over = false;      ///< its terminal chunk was seen, whatever was missing before it
  };

  explicit AnswerReader(std::size_t over_max = 10'000) : over_max_(over_max) {}
  AnswerReader(const AnswerReader&) = delete;
  AnswerReader& operator=(const AnswerReader&) = delete;

  Step apply(const Chunk& chunk);

  /// Nothing: no chunk of it was seen, or it is forgotten. Valid until the next apply().
  [[nodiscard]] const Answer* find(std::string_view org_id, std::string_view request_id) const;
  [[nodiscard]] std::size_t remembered() const { return answers_.size(); }

 private:
  struct Entry {
    Answer answer{};
    std::optional<std::list<std::string>::iterator> place{};  ///< among those that are over
  };
  Step step(Answer& answer, bool fresh, const Chunk& chunk) const;

  std::size_t over_max_;
  std::unordered_map<std::string, Entry> answers_{};
  std::list<std::string> over_{};  ///< the oldest first
};

}  // namespace tokenrail::events
