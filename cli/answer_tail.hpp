// `tokenrail tail`, the pure part: from the chunks of many requests to what a person reads, each answer once. One
// answer streams at a time; one that comes meanwhile is written when it is whole.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/chat.hpp"
#include "common/events/answer_reader.hpp"
#include "common/events/chunk.hpp"

namespace tokenrail::cli {

class AnswerTail {
 public:
  struct Wanted {
    std::string org_id{};      ///< empty: of any organisation
    std::string request_id{};  ///< empty: every request
  };
  AnswerTail(Wanted wanted, AnswerView::Mode mode) : wanted_(std::move(wanted)), mode_(mode) {}

  struct Told {
    AnswerView::Shown shown{};
    std::vector<std::string> notes{};      ///< lines for standard error, before what is shown
    std::optional<events::Chunk> ended{};  ///< the terminal chunk, where this one ends an answer
    std::optional<std::string> missing{};  ///< this answer cannot be read, and why
  };
  /// A record of chat.chunks. What is not wanted, or not readable, yields nothing.
  [[nodiscard]] Told take(std::string_view value);

  /// The answer that streams now has begun and has not ended.
  [[nodiscard]] bool in_the_middle() const { return !streaming_.empty(); }

 private:
  Wanted wanted_;
  AnswerView::Mode mode_;
  events::AnswerReader reader_{};
  std::map<std::string, AnswerView, std::less<>> views_{};  // of answers that have begun and not ended
  std::string streaming_{};                                 // the one of them that is written as it comes
};

}  // namespace tokenrail::cli
