// Reads a chat request of any dialect: where each API keeps what the simulator needs is a row of data. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "common/result.hpp"
#include "tests/simulator/dialects/dialect.hpp"

namespace tokenrail::simulator {

/// Names of fields, and JSON pointers.
struct ChatFields {
  std::string_view messages = "messages";
  std::string_view content = "content";  ///< a text, or parts with a `text`
  std::string_view assistant = "assistant";
  std::string_view tool_name = "/tools/0/function/name";
  std::array<std::string_view, 2> tokens_max{"/max_tokens", "/max_tokens"};  ///< the first that is there counts
  /// A switch, or a text among others than `thinking_off`.
  std::string_view thinking = "";
  std::string_view thinking_off = "none";
  bool stream_by_default = false;
  bool model_in_body = true;
};

[[nodiscard]] Result<ChatRequest> read_chat_fields(const ChatFields& fields, std::string_view body);

}  // namespace tokenrail::simulator
