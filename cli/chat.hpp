// The pure parts of `tokenrail chat`: from the call to a request, and from the answer's chunks to what a person reads.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cli/arguments.hpp"
#include "common/events/answer_reader.hpp"
#include "common/events/chat_request.hpp"
#include "common/events/chunk.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

using events::AnswerReader;

struct ChatCall {
  events::ChatRequest request;
  std::string key;  ///< the record key: the conversation, else the request
  std::chrono::milliseconds timeout{};
};

/// `text`: the question as read. `request_id`: chosen by the caller. Errors (invalid_input) name the flag.
[[nodiscard]] Result<ChatCall> chat_call(const Call& call, std::string text, std::string request_id);

/// What came out so far and how it is to be shown. Chunks go in, text for the two streams comes out.
class AnswerView {
 public:
  struct Mode {
    bool json = false;
    bool hold = false;       ///< write the answer only when it is whole
    bool sanitise = false;   ///< standard output is a terminal
    bool reasoning = false;  ///< show reasoning too, on standard error
  };
  explicit AnswerView(Mode mode) : mode_(mode) {}

  struct Shown {
    std::string out{};        ///< for standard output
    std::string reasoning{};  ///< for standard error, as it is
    std::string note{};       ///< a line for standard error
  };
  /// `step` is what AnswerReader said of this chunk; `raw` its record value.
  [[nodiscard]] Shown show(AnswerReader::Step step, const events::Chunk& chunk, std::string_view raw);

 private:
  Mode mode_;
  std::string held_;
  bool any_text_ = false;        ///< in standard output, of this attempt
  bool ends_with_line_ = true;   ///< what is in standard output does
  bool reasoning_open_ = false;  ///< reasoning was shown and its line is not ended
};

/// "ollama/llama3.2:1b · 26 tokens in, 58 out · first token 0.31 s · 2.10 s · 32 tokens/s"
[[nodiscard]] std::string summary_line(const events::Chunk& terminal);

/// "MODEL_NOT_FOUND: …", and whether asking again may help.
[[nodiscard]] std::string failure_line(const events::Chunk& terminal);

}  // namespace tokenrail::cli
