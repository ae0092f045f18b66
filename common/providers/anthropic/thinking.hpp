// How hard a model is to think, and how many tokens it may write, in Anthropic's words. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/providers/anthropic/messages.hpp"
#include "common/providers/anthropic/model_traits.hpp"

namespace tokenrail::providers::anthropic {

struct ThinkingPlan {
  bool on = false;
  std::string thinking{};       ///< the field `thinking` as JSON; empty: left out
  std::string_view effort{};    ///< of `output_config`; empty: left out
  std::int64_t tokens_max = 0;  ///< the field `max_tokens`, which Anthropic requires
};

/// The limit for a request without maxTokens, where the model does not allow less; thinking comes on top.
inline constexpr std::int64_t default_tokens_max = 16'000;
/// The same for a model that is not in the table.
inline constexpr std::int64_t default_tokens_max_unknown_model = 4'096;

[[nodiscard]] ThinkingPlan plan_thinking(const events::ChatRequest& request, const ModelTraits& traits,
                                         const ConversationEnd& end, std::vector<std::string>& warnings);

}  // namespace tokenrail::providers::anthropic
