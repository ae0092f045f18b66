#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/target.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::gemini {

/// The body of :generateContent and :streamGenerateContent. Errors: invalid_input, for what the API cannot express.
/// `warnings` names what the API has no field for, if it does not change the answer's meaning.
[[nodiscard]] Result<std::string> chat_body(const events::ChatRequest& request, const Target& target,
                                            std::vector<std::string>& warnings);

// Parts of the body.
/// `systemInstruction` (left out where there is no system message) and `contents`.
[[nodiscard]] Result<void> write_contents(events::JsonWriter& json, const events::ChatRequest& request,
                                          const Target& target, std::vector<std::string>& warnings);
/// `thinkingConfig` as JSON text; empty: left out.
[[nodiscard]] std::string thinking_config(const events::Reasoning& reasoning, std::string_view model,
                                          std::vector<std::string>& warnings);

}  // namespace tokenrail::providers::gemini
