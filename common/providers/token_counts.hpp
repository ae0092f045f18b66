// Which counts of tokens are believed: they are the provider's own words, and are added up and paid for.
#pragma once

#include <cstdint>

#include "common/events/chunk.hpp"

namespace tokenrail::providers {

/// More tokens than any answer has. The sum of a few such counts is far from an overflow.
inline constexpr std::int64_t tokens_max = std::int64_t{1} << 50;

/// Whether no count is negative or above tokens_max.
[[nodiscard]] inline bool believable(const events::Usage& usage) {
  const auto is = [](std::int64_t count) { return count >= 0 && count <= tokens_max; };
  return is(usage.input_tokens) && is(usage.output_tokens) && is(usage.cached_input_tokens.value_or(0)) &&
         is(usage.cache_write_input_tokens.value_or(0)) && is(usage.reasoning_tokens.value_or(0));
}

}  // namespace tokenrail::providers
