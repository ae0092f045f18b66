// The token counts of an answer as Anthropic has them. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "common/events/chunk.hpp"

namespace tokenrail::providers::anthropic {

/// Later ones replace earlier ones, each by itself: they are totals.
struct Counts {
  std::optional<std::int64_t> input{};  ///< without those read from or written to the cache
  std::optional<std::int64_t> cache_read{};
  std::optional<std::int64_t> cache_creation{};
  std::optional<std::int64_t> cache_creation_1h{};  ///< part of `cache_creation`
  std::optional<std::int64_t> output{};
  std::optional<std::int64_t> thinking{};  ///< part of `output`

  [[nodiscard]] bool any() const { return input || output; }
  [[nodiscard]] events::Usage usage() const {
    events::Usage out;
    out.input_tokens = input.value_or(0) + cache_read.value_or(0) + cache_creation.value_or(0);
    out.output_tokens = output.value_or(0);
    out.cached_input_tokens = cache_read;
    out.cache_write_input_tokens = cache_creation;
    out.reasoning_tokens = thinking;
    out.cache_write_1h_tokens = cache_creation_1h.value_or(0);
    return out;
  }
};

}  // namespace tokenrail::providers::anthropic
