// Whose reasoning an earlier answer has. Pure.
#pragma once

#include <algorithm>
#include <string_view>

#include "common/events/chat_request.hpp"

namespace tokenrail::providers {

/// Whether the text of the message's reasoning may go to `provider`. Reasoning that comes with blocks of other
/// providers alone is another provider's. Without any block it is not known whose it is: it may go.
[[nodiscard]] inline bool own_reasoning(const events::Message& message, std::string_view provider) {
  const auto& blocks = message.provider_blocks;
  return blocks.empty() || std::ranges::find(blocks, provider, &events::ProviderBlock::provider) != blocks.end();
}

}  // namespace tokenrail::providers
