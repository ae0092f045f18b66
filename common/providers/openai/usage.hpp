// The `usage` of an answer, in the forms that providers give it. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "common/events/chunk.hpp"

namespace tokenrail::events {
class ObjectReader;
}

namespace tokenrail::providers::openai {

/// Replaces `usage` where the object has counts; a field that is missing or no count is without.
void read_usage(const events::ObjectReader& object, std::optional<events::Usage>& usage);

/// One token per four bytes of text, flagged as estimated.
[[nodiscard]] events::Usage estimated_usage(std::size_t prompt_bytes, std::size_t answer_bytes);

}  // namespace tokenrail::providers::openai
