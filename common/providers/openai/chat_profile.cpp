#include "common/providers/openai/chat_profile.hpp"

#include <algorithm>

namespace tokenrail::providers::openai {

namespace {

constexpr std::string_view all_efforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};
constexpr std::string_view low_to_high[] = {"low", "medium", "high"};
constexpr std::string_view none_to_high[] = {"none", "low", "medium", "high"};
constexpr std::string_view ollama_efforts[] = {"none", "low", "medium", "high", "max"};
constexpr std::string_view mistral_efforts[] = {"none", "high"};
constexpr std::string_view xai_efforts[] = {"low", "high"};

constexpr Switch template_switch = {"chat_template_kwargs", R"({"enable_thinking":true})",
                                    R"({"enable_thinking":false})"};

// clang-format off
constexpr ChatProfile rows[] = {
    // The last word on a server that is not known: what most take, and nothing that some refuse. Many begin a new answer
    // behind an assistant message, so none is continued there.
    {.provider = "openai-compatible", .files = Files::data, .audio = true, .efforts = all_efforts,
     .answers_unknown_models = true},
    {.provider = "openai", .tokens_max = "max_completion_tokens", .stop_max = 4, .call_id_bytes_max = 40, .files = Files::data, .audio = true,
     .efforts = all_efforts, .effort_on = "medium"},
    {.provider = "azure", .tokens_max = "max_completion_tokens", .stop_max = 4, .call_id_bytes_max = 40, .files = Files::data, .audio = true,
     .efforts = all_efforts, .effort_on = "medium"},
    // Models of other makers, on Azure.
    {.provider = "azure-models", .stop_max = 4, .efforts = low_to_high},
    {.provider = "vllm", .top_k = true, .audio = true, .efforts = low_to_high, .reasoning = template_switch,
     .reasoning_budget = "thinking_token_budget", .replay = Replay::reasoning, .prefill = Prefill::switched},
    {.provider = "llamacpp", .top_k = true, .audio = true, .efforts = low_to_high, .reasoning = template_switch,
     .replay = Replay::reasoning_content, .prefill = Prefill::last_message, .answers_unknown_models = true},
    {.provider = "lmstudio", .top_k = true, .tool_choices = ToolChoices::words_only, .image_urls = false,
     .efforts = low_to_high, .prefill = Prefill::last_message, .answers_unknown_models = true},
    {.provider = "groq", .tokens_max = "max_completion_tokens", .asks_for_usage = false, .stop_max = 4,
     .efforts = none_to_high, .prefill = Prefill::last_message},
    {.provider = "mistral", .asks_for_usage = false, .seed = "random_seed", .tool_required = "any",
     .tool_names = true, .short_call_ids = true, .files = Files::document_url,
     .efforts = mistral_efforts, .effort_on = "high", .replay = Replay::content_parts, .prefill = Prefill::marked,
     .embedding_dimensions = "output_dimension"},
    {.provider = "openrouter", .top_k = true, .files = Files::data_or_url, .audio = true,
     .efforts = all_efforts, .reasoning_object = true, .replay = Replay::details},
    {.provider = "deepseek", .seed = "", .stop_max = 16, .schemas = Schemas::none,
     .reasoning = {"thinking", R"({"type":"enabled"})", R"({"type":"disabled"})"}, .replay = Replay::tool_turns},
    {.provider = "together", .top_k = true, .efforts = low_to_high,
     .reasoning = {"reasoning", R"({"enabled":true})", R"({"enabled":false})"}},
    {.provider = "xai", .tokens_max = "max_completion_tokens", .efforts = xai_efforts},
    {.provider = "alibaba", .top_k = true, .audio = true, .reasoning = {"enable_thinking", "true", "false"},
     .reasoning_budget = "thinking_budget"},
    {.provider = "ollama-openai", .tool_required = "", .tool_choices = ToolChoices::none, .image_urls = false,
     .efforts = ollama_efforts, .replay = Replay::reasoning, .prefill = Prefill::last_message},
    {.provider = "tgi", .stop_max = 4, .schemas = Schemas::tgi},
    {.provider = "huggingface", .efforts = low_to_high},
};
// clang-format on

}  // namespace

std::span<const ChatProfile> chat_profiles() {
  return rows;
}

const ChatProfile& chat_profile(std::string_view provider) {
  const auto* const found = std::ranges::find(rows, provider, &ChatProfile::provider);
  return found == std::ranges::end(rows) ? rows[0] : *found;
}

}  // namespace tokenrail::providers::openai
