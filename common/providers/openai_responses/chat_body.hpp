// The body of /v1/responses from a chat request. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/providers/target.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::openai_responses {

/// Only what the request says, and what keeps the provider from storing the conversation. `providerConfig.<provider>`
/// is laid over it (see docs/explanation/providers/openai-responses.md).
/// Errors: invalid_input. `warnings`: what was left out because the API or the model has no field for it.
[[nodiscard]] Result<std::string> chat_body(const events::ChatRequest& request, const Target& target,
                                            std::vector<std::string>& warnings);

}  // namespace tokenrail::providers::openai_responses
