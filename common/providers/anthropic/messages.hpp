// The conversation as Anthropic wants it: system text apart, user and assistant in turns, tool results first. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/anthropic/model_traits.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::anthropic {

/// What the end of the conversation allows.
struct ConversationEnd {
  bool prefill = false;  ///< the last message is an assistant's text
  bool unsigned_tool_turn =
      false;  ///< the last assistant message calls tools without this provider's thinking before it
};
[[nodiscard]] ConversationEnd end_of(const events::ChatRequest& request, std::string_view provider);

/// Writes the fields `system` and `messages`. Errors: invalid_input, for what Anthropic cannot be sent.
[[nodiscard]] Result<void> write_messages(events::JsonWriter& json, const events::ChatRequest& request,
                                          std::string_view provider, std::vector<std::string>& warnings);

}  // namespace tokenrail::providers::anthropic
