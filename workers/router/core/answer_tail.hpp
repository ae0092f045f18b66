// The answers in the tail of the chunk log, of attempts that have no response yet: which of them are whole.
//
// By the reader's rule: `seq` counts from 0 without gaps, a seq already seen is a repetition, and the terminal chunk
// ends the attempt. A broker may refuse one chunk and take those behind it, so a terminal chunk alone says nothing.
// Where the tail begins behind an attempt's first chunk the answer is not whole, as far as anybody can know. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/events/audit.hpp"
#include "common/events/chunk.hpp"
#include "common/events/offsets.hpp"

namespace tokenrail::router {

class AnswerTail {
 public:
  /// Chunks of that attempt are counted from now on.
  void expect(const events::AttemptIds& ids);
  /// A record of the chunk log, in its order. What was read before may come again.
  void read(events::ChunkOffset chunk_offset, std::string_view value);
  /// The terminal chunk of an attempt whose chunks have all been read; of several the first. nullptr: it is not whole.
  /// Valid until it is forgotten.
  [[nodiscard]] const events::Chunk* terminal(events::RequestOffset source_offset, std::int64_t attempt) const;
  /// Where the first of its chunks was read, whatever its seq; nothing: none was.
  [[nodiscard]] std::optional<events::ChunkOffset> first_chunk(events::RequestOffset source_offset,
                                                               std::int64_t attempt) const;
  void forget(events::RequestOffset source_offset, std::int64_t attempt);
  void clear();

 private:
  struct Answer {
    events::RequestOffset source_offset{};
    std::int64_t next_seq = 0;
    std::optional<events::ChunkOffset> first_chunk{};
    std::optional<events::Chunk> terminal{};
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Answers = std::unordered_map<std::string, Answer, Hash, std::equal_to<>>;
  [[nodiscard]] const Answer* find(events::RequestOffset source_offset, std::int64_t attempt) const;

  Answers answers_{};  ///< by what their chunks begin with
  std::map<std::pair<events::RequestOffset, std::int64_t>, std::string> prefixes_{};  ///< by source offset and attempt
};

}  // namespace tokenrail::router
