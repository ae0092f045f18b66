// The body of /api/chat from a chat request. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::ollama {

/// Only what the request says: a parameter that it leaves out is left to the model's own defaults.
/// `providerConfig.ollama` is laid over it, save for `model`, `messages`, `stream` and `tools`.
/// Errors: invalid_input. `warnings`: what was left out because Ollama has no field for it.
[[nodiscard]] Result<std::string> chat_body(const events::ChatRequest& request, std::string_view model,
                                            std::vector<std::string>& warnings);

}  // namespace tokenrail::providers::ollama
