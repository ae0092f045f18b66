#include "tests/conformance/speakers.hpp"

#include <fmt/format.h>

#include "common/providers/profile.hpp"
#include "tests/conformance/wire_answers.hpp"

namespace tokenrail::conformance {

namespace {

constexpr std::string_view chat_folders =
    "openai azure groq mistral openrouter llamacpp huggingface vllm ollama-openai lmstudio tgi compat-other";

}  // namespace

const std::vector<Speaker>& speakers() {
  using enum ReasoningForm;
  // Ids as these providers make them: some hold what others refuse, or are too long for them.
  static const std::vector<Speaker> all = {
      {"ollama", Wire::ollama, "qwen3", "call_bzns1w{}", own, "", false, "ollama"},
      {"openai", Wire::chat, "gpt-4o", "call_8ElDxJj6u7IUDEwQIrwFbve{}", none, "", true, chat_folders},
      {"azure", Wire::chat, "gpt-4o", "call_tWA8BJziGlCyhQEXhEHn6eX{}", none, "", true, chat_folders},
      {"openai-responses", Wire::responses, "gpt-5-mini", "call_TQ8336oa6YnuT2leYzRDBBL{}", own, "", true,
       "openai-responses azure"},
      {"anthropic", Wire::anthropic, "claude-sonnet-4-20250514", "toolu_01Js4AMfx5qpTLhwTusnvT6{}", own, "", true,
       "anthropic"},
      {"gemini", Wire::gemini, "gemini-3-pro-preview", "", own, "", false, "gemini"},
      {"cohere", Wire::cohere, "command-a-reasoning", "weather_forecast_for_one_city_dkn88p3xrd1{}", own, "", true,
       "cohere"},
      {"mistral", Wire::chat, "magistral-small", "wyFNfgjh{}", parts, "", false, chat_folders},
      {"groq", Wire::chat, "openai/gpt-oss-120b", "fc_ff25387d-614a-4fbe-b606-b1005101523{}", field, "reasoning", false,
       chat_folders},
      {"openrouter", Wire::chat, "anthropic/claude-haiku-4.5", "toolu_bdrk_01Ab4AMfx5qpTLhwTusnv{}", details, "", true,
       chat_folders},
      {"llamacpp", Wire::chat, "qwen3", "FDshBT7PZivbmbekrCpjOiziafZAq2P{}", field, "reasoning_content", true,
       chat_folders},
      {"huggingface", Wire::chat, "moonshotai/Kimi-K2", "functions.weather:{}", field, "reasoning", false,
       chat_folders},
      {"vllm", Wire::chat, "qwen3", "", field, "reasoning", true, chat_folders},
      {"deepseek", Wire::chat, "deepseek-reasoner", "call_00_Qw4kD9rQZ1{}", field, "reasoning_content", true,
       chat_folders},
      {"together", Wire::chat, "openai/gpt-oss-120b", "call_w4dbxk0d3l1vzhbvv5x6d{}", field, "reasoning", true,
       chat_folders},
      {"xai", Wire::chat, "grok-3-mini", "call_7183404{}", field, "reasoning_content", false, chat_folders},
      {"lmstudio", Wire::chat, "qwen3", "51234567{}", field, "reasoning_content", true, chat_folders},
      {"tgi", Wire::chat, "llama3", "0{}", none, "", true, chat_folders},
      {"ollama-openai", Wire::chat, "qwen3", "call_2qwy5kx{}", field, "reasoning", false, chat_folders},
  };
  return all;
}

providers::Target Speaker::target() const {
  const auto* const profile = providers::find_profile(provider);
  const std::string base = profile->base_url.empty() ? "https://provider.example" : std::string(profile->base_url);
  return {.provider = std::string(provider), .base_url = base, .upstream_name = std::string(model)};
}

const providers::Provider& Speaker::adapter() const {
  return *providers::find_provider(providers::find_profile(provider)->adapter);
}

std::string Speaker::signature(int turn) const {
  const bool signs =
      wire == Wire::responses || wire == Wire::anthropic || wire == Wire::gemini || reasoning == ReasoningForm::details;
  return signs ? fmt::format("SIGNED+{}+{}==", provider, turn) : "";
}

std::string SaidCall::arguments() const {
  std::string out;
  for (const auto piece : pieces) out += piece;
  return out;
}

std::string answer_body(const Speaker& speaker, const Said& said, bool stream) {
  switch (speaker.wire) {
    case Wire::ollama:
      return wire::ollama(speaker, said, stream);
    case Wire::chat:
      return stream ? wire::chat_stream(speaker, said) : wire::chat_whole(speaker, said);
    case Wire::responses:
      return wire::responses(speaker, said, stream);
    case Wire::anthropic:
      return stream ? wire::anthropic_stream(speaker, said) : wire::anthropic_whole(speaker, said);
    case Wire::gemini:
      return wire::gemini(speaker, said, stream);
    case Wire::cohere:
      return stream ? wire::cohere_stream(speaker, said) : wire::cohere_whole(speaker, said);
  }
  return "";
}

}  // namespace tokenrail::conformance
