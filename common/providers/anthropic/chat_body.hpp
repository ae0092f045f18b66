// The body of /v1/messages. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::anthropic {

struct ChatBody {
  std::string json{};
  std::string betas{};  ///< of the header anthropic-beta; empty: none
};

/// `provider`: whose opaque blocks and whose `providerConfig` count. `warnings` gets what was left out. Errors:
/// invalid_input, for what Anthropic cannot express.
[[nodiscard]] Result<ChatBody> chat_body(const events::ChatRequest& request, std::string_view provider,
                                         std::string_view model, std::vector<std::string>& warnings);

}  // namespace tokenrail::providers::anthropic
