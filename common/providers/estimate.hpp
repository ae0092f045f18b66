// Usage where a provider reports none: one token for four bytes of text. Pure.
#pragma once

#include <cstddef>

#include "common/events/chat_request.hpp"
#include "common/events/chunk.hpp"

namespace tokenrail::providers {

/// Of the text that a request sends: messages, calls and their results, tools, a schema. Images and files are not in
/// it.
[[nodiscard]] std::size_t prompt_bytes(const events::ChatRequest& request);

[[nodiscard]] std::int64_t estimated_tokens(std::size_t bytes);

/// Flagged as estimated.
[[nodiscard]] events::Usage estimated_usage(std::size_t prompt_bytes, std::size_t answer_bytes);

}  // namespace tokenrail::providers
