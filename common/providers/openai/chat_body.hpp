// The body of POST /v1/chat/completions. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/providers/openai/chat_profile.hpp"
#include "common/providers/target.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::openai {

/// Errors: invalid_input, with a message for the sender, for what this provider cannot express. What it lacks is left
/// out with a text in `warnings`, if that does not change the meaning.
[[nodiscard]] Result<std::string> chat_body(const events::ChatRequest& request, const Target& target,
                                            const ChatProfile& profile, std::vector<std::string>& warnings);

/// Whether OpenAI's `strict` takes the schema: every object is closed and needs all of its properties. Only then does
/// the provider promise an answer that fits.
[[nodiscard]] bool is_strict_schema(std::string_view schema);

}  // namespace tokenrail::providers::openai
