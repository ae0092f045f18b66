#include "common/providers/openai/usage.hpp"

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "common/events/json_document.hpp"
#include "common/providers/token_counts.hpp"

namespace tokenrail::providers::openai {

namespace {

std::optional<std::int64_t> count_at(const events::ObjectReader& object, std::string_view name) {
  const auto count = object.integer_if(name);
  return count && *count >= 0 ? count : std::nullopt;
}

std::optional<std::int64_t> count_in(const events::ObjectReader& object,
                                     std::initializer_list<std::string_view> parents, std::string_view name) {
  for (const auto parent : parents) {
    const auto found = object.find(parent);
    if (!found) continue;
    if (const auto count = count_at(events::ObjectReader(*found), name)) return count;
  }
  return std::nullopt;
}

}  // namespace

void read_usage(const events::ObjectReader& object, std::optional<events::Usage>& usage) {
  const auto input = count_at(object, "prompt_tokens");
  const auto output = count_at(object, "completion_tokens");
  if (!input && !output) return;
  events::Usage read{.input_tokens = input.value_or(0), .output_tokens = output.value_or(0)};
  read.cached_input_tokens = count_in(object, {"prompt_tokens_details"}, "cached_tokens");
  if (!read.cached_input_tokens) read.cached_input_tokens = count_at(object, "prompt_cache_hit_tokens");  // DeepSeek
  if (!read.cached_input_tokens) read.cached_input_tokens = count_at(object, "cached_tokens");
  read.cache_write_input_tokens = count_in(object, {"prompt_tokens_details"}, "cache_write_tokens");
  read.reasoning_tokens = count_in(object, {"completion_tokens_details"}, "reasoning_tokens");
  if (!read.reasoning_tokens) read.reasoning_tokens = count_at(object, "reasoning_tokens");
  read.audio_input_tokens = count_in(object, {"prompt_tokens_details"}, "audio_tokens").value_or(0);
  read.image_input_tokens = count_in(object, {"prompt_tokens_details"}, "image_tokens").value_or(0);
  read.audio_output_tokens = count_in(object, {"completion_tokens_details"}, "audio_tokens").value_or(0);
  read.image_output_tokens = count_in(object, {"completion_tokens_details"}, "image_tokens").value_or(0);
  // xAI counts reasoning beside completion_tokens; only the total shows it. The counts are the provider's, so their sum
  // must not overflow.
  const auto total = count_at(object, "total_tokens");
  const auto reasoned = read.reasoning_tokens.value_or(0);
  if (total && reasoned > 0 && believable(read) && *total == read.input_tokens + read.output_tokens + reasoned) {
    read.output_tokens += reasoned;
  }
  usage = read;
}

}  // namespace tokenrail::providers::openai
