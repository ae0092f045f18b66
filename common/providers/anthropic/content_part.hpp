// Parts of a message as Anthropic's content blocks: text, image, document. Pure.
#pragma once

#include <string_view>

#include "common/events/chat_request.hpp"
#include "common/events/json_writer.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::anthropic {

void write_text(events::JsonWriter& json, std::string_view text);

/// Errors: invalid_input, with what the sender can do; the caller adds which message it is.
[[nodiscard]] Result<void> write_part(events::JsonWriter& json, const events::ContentPart& part);

}  // namespace tokenrail::providers::anthropic
