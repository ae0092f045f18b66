// The messages of a chat request as `instructions` and `input` items. Included by .cpp files only. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/events/json_writer.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::openai_responses {

/// Blocks of `provider` go back to where they were in their answers. Errors: invalid_input.
[[nodiscard]] Result<void> write_input(events::JsonWriter& json, const events::ChatRequest& request,
                                       std::string_view provider, std::vector<std::string>& warnings);

}  // namespace tokenrail::providers::openai_responses
