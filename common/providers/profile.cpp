#include "common/providers/profile.hpp"

#include <algorithm>

namespace tokenrail::providers {

namespace {

// clang-format off
constexpr Profile rows[] = {
    {.provider = "ollama", .title = "Ollama", .adapter = "ollama", .base_url = "", .auth = AuthType::bearer,
     .url_variable = "OLLAMA_BASE_URL", .key_needed = false, .implied_tag = ":latest"},
    {.provider = "openai", .title = "OpenAI", .adapter = "openai", .base_url = "https://api.openai.com/v1",
     .key_variable = "OPENAI_API_KEY", .url_variable = "OPENAI_BASE_URL"},
    {.provider = "openai-responses", .title = "OpenAI (Responses API)", .adapter = "openai-responses",
     .base_url = "https://api.openai.com/v1"},
    {.provider = "anthropic", .title = "Anthropic", .adapter = "anthropic", .base_url = "https://api.anthropic.com",
     .auth = AuthType::header, .auth_name = "x-api-key",
     .key_variable = "ANTHROPIC_API_KEY", .url_variable = "ANTHROPIC_BASE_URL"},
    {.provider = "gemini", .title = "Gemini", .adapter = "gemini",
     .base_url = "https://generativelanguage.googleapis.com", .auth = AuthType::header, .auth_name = "x-goog-api-key",
     .key_variable = "GEMINI_API_KEY", .url_variable = "GEMINI_BASE_URL"},
    {.provider = "cohere", .title = "Cohere", .adapter = "cohere", .base_url = "https://api.cohere.com",
     .key_variable = "COHERE_API_KEY", .url_variable = "COHERE_BASE_URL"},
    {.provider = "mistral", .title = "Mistral", .adapter = "openai", .base_url = "https://api.mistral.ai/v1",
     .key_variable = "MISTRAL_API_KEY", .url_variable = "MISTRAL_BASE_URL"},
    {.provider = "groq", .title = "Groq", .adapter = "openai", .base_url = "https://api.groq.com/openai/v1",
     .key_variable = "GROQ_API_KEY", .url_variable = "GROQ_BASE_URL"},
    {.provider = "openrouter", .title = "OpenRouter", .adapter = "openai", .base_url = "https://openrouter.ai/api/v1",
     .key_variable = "OPENROUTER_API_KEY", .url_variable = "OPENROUTER_BASE_URL"},
    {.provider = "huggingface", .title = "Hugging Face", .adapter = "openai",
     .base_url = "https://router.huggingface.co/v1", .key_variable = "HF_TOKEN", .url_variable = "HF_BASE_URL"},
    {.provider = "azure", .title = "Azure OpenAI", .adapter = "azure", .base_url = "", .auth = AuthType::header,
     .auth_name = "api-key", .key_variable = "AZURE_OPENAI_API_KEY", .url_variable = "AZURE_OPENAI_ENDPOINT"},
    {.provider = "deepseek", .title = "DeepSeek", .adapter = "openai", .base_url = "https://api.deepseek.com/v1"},
    {.provider = "together", .title = "Together", .adapter = "openai", .base_url = "https://api.together.xyz/v1"},
    {.provider = "xai", .title = "xAI", .adapter = "openai", .base_url = "https://api.x.ai/v1"},
    {.provider = "vllm", .title = "vLLM", .adapter = "openai", .base_url = "", .key_needed = false},
    {.provider = "llamacpp", .title = "llama.cpp", .adapter = "openai", .base_url = "", .key_needed = false},
    {.provider = "lmstudio", .title = "LM Studio", .adapter = "openai", .base_url = "", .key_needed = false},
    {.provider = "tgi", .title = "TGI", .adapter = "openai", .base_url = "", .key_needed = false},
    {.provider = "ollama-openai", .title = "Ollama (OpenAI API)", .adapter = "openai", .base_url = "",
     .key_needed = false},
    {.provider = "openai-compatible", .title = "The OpenAI-compatible server", .adapter = "openai", .base_url = "",
     .key_variable = "OPENAI_COMPATIBLE_API_KEY", .url_variable = "OPENAI_COMPATIBLE_BASE_URL", .key_needed = false},
};
// clang-format on

}  // namespace

std::span<const Profile> profiles() {
  return rows;
}

const Profile* find_profile(std::string_view provider) {
  const auto* const found = std::ranges::find(rows, provider, &Profile::provider);
  return found == std::ranges::end(rows) ? nullptr : found;
}

std::map<std::string, std::string, std::less<>> implied_tags() {
  std::map<std::string, std::string, std::less<>> tags;
  for (const auto& row : rows)
    if (!row.implied_tag.empty()) tags.emplace(row.provider, row.implied_tag);
  return tags;
}

std::string_view title_of(std::string_view provider) {
  const auto* const profile = find_profile(provider);
  return profile == nullptr ? provider : profile->title;
}

}  // namespace tokenrail::providers
