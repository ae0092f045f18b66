// One object of /api/chat: a line of a stream, or the whole of an answer that is not streamed. What the answer depends
// on is read strictly; a field beside it that has another form costs that field. Included by .cpp files only. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/providers/json_scratch.hpp"

namespace tokenrail::providers::ollama {

/// A count as far as it can be read.
struct Count {
  std::optional<std::int64_t> value{};
  bool unreadable = false;  ///< it is there, and neither null nor a count
};

/// What one object says. The views live in the parser's memory.
struct ChatItem {
  std::string_view content{};
  std::string_view thinking{};
  std::vector<events::ToolCall> tool_calls{};
  std::string error_body{};  ///< `{"error":…}` as JSON; empty: none
  bool has_message = false;
  bool has_done = false;
  bool done = false;
  std::string_view done_reason{};
  bool done_reason_unreadable = false;
  Count input_tokens{};
  Count output_tokens{};
};

/// Why an object cannot be read.
struct ItemProblem {
  std::string text{};  ///< "message.content must be a string", with an excerpt of what is there
  bool repairable =
      false;  ///< a string holds what JSON text should not: worth events::repair_strings() and a second try
};

/// Reads `json`. False, with the problem, where it is not an object that can be read.
[[nodiscard]] bool read_chat_item(JsonScratch& scratch, std::string_view json, std::size_t readable_after,
                                  ChatItem& item, ItemProblem& problem);

}  // namespace tokenrail::providers::ollama
