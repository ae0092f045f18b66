#include "common/providers/provider.hpp"

#include "common/providers/anthropic/anthropic.hpp"
#include "common/providers/azure/azure.hpp"
#include "common/providers/cohere/cohere.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/gemini/gemini.hpp"
#include "common/providers/ollama/ollama.hpp"
#include "common/providers/openai/openai.hpp"
#include "common/providers/openai_responses/openai_responses.hpp"

namespace tokenrail::providers {

namespace {

/// Pieces of names that mark a model as no chat model, for providers that list nothing else. The first row counts.
struct KindWord {
  std::string_view word;
  std::string_view kind;
};
constexpr KindWord kind_words[] = {
    {"embed", "embedding"},
    {"bge-", "embedding"},
    {"rerank", "rerank"},
    {"whisper", "transcription"},
    {"transcri", "transcription"},
    {"tts", "speech"},
    {"moderation", "moderation"},
    {"guard", "moderation"},
    {"dall-e", "image"},
    {"gpt-image", "image"},
    {"imagen", "image"},
    {"veo-", "video"},
    {"sora", "video"},
    {"-ocr", "ocr"},
    {"realtime", "other"},
    {"davinci-", "other"},
    {"babbage-", "other"},
};

std::string kind_by_name(std::string_view name) {
  for (const auto& row : kind_words) {
    if (contains_folded(name, row.word)) return std::string(row.kind);
  }
  return "generation";
}

struct Row {
  std::string_view adapter;
  const Provider& (*provider)();
};
constexpr Row rows[] = {{"ollama", &ollama::provider},
                        {"anthropic", &anthropic::provider},
                        {"openai-responses", &openai_responses::provider},
                        {"cohere", &cohere::provider},
                        {"openai", &openai::provider},
                        {"azure", &azure::provider},
                        {"gemini", &gemini::provider}};

}  // namespace

std::optional<http::Request> ModelLister::ask_version(const Target& /*target*/) const {
  return std::nullopt;
}

std::string ModelLister::parse_version(std::string_view /*body*/) const {
  return {};
}

std::optional<http::Request> ModelLister::ask_details(const Target& /*target*/, std::string_view /*model*/) const {
  return std::nullopt;
}

Result<ModelDetails> ModelLister::parse_details(std::string_view /*body*/) const {
  return fail(ErrorKind::invalid_input, "this provider has no details of models beside its list");
}

ModelFacts ModelLister::facts(const ListedModel& listed, const ModelDetails* /*details*/) const {
  ModelFacts facts{.kind = kind_by_name(listed.name),
                   .family = listed.family,
                   .display_name = listed.display_name,
                   .context_window = listed.context_length,
                   .output_tokens_max = listed.output_tokens_max};
  for (const auto& word : listed.capabilities) facts.capabilities[word] = events::Support::supported;
  if (facts.capabilities.contains("chat")) {
    facts.kind = "generation";
  } else if (facts.capabilities.contains("embedding")) {
    facts.kind = "embedding";
  } else if (facts.capabilities.contains("rerank")) {
    facts.kind = "rerank";
  }
  return facts;
}

std::vector<std::string> adapter_names() {
  std::vector<std::string> names;
  for (const auto& row : rows) names.emplace_back(row.adapter);
  return names;
}

const Provider* find_provider(std::string_view adapter) {
  for (const auto& row : rows) {
    if (row.adapter == adapter) return &row.provider();
  }
  return nullptr;
}

}  // namespace tokenrail::providers
