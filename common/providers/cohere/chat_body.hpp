// A chat request as the body of Cohere's /v2/chat. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::cohere {

/// `provider`: whose providerConfig counts. Errors: invalid_input, for what Cohere cannot express and what must not be
/// left out. `warnings` gets what was left out or changed.
[[nodiscard]] Result<std::string> chat_body(const events::ChatRequest& request, std::string_view provider,
                                            std::string_view model, std::vector<std::string>& warnings);

}  // namespace tokenrail::providers::cohere
