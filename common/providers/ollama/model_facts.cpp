// What Ollama's words for a model mean.
#include <algorithm>
#include <array>
#include <string_view>

#include "common/providers/ollama/ollama.hpp"

namespace tokenrail::providers::ollama {

namespace {

using events::Support;

void fill_capabilities(ModelFacts& facts, const std::vector<std::string>& words) {
  struct Word {
    std::string_view theirs;
    std::string_view ours;
  };
  static constexpr std::array<Word, 7> table{{{"completion", "chat"},
                                              {"completion", "streaming"},
                                              {"tools", "tools"},
                                              {"vision", "vision"},
                                              {"thinking", "reasoning"},
                                              {"embedding", "embedding"},
                                              {"insert", "fill_in_middle"}}};
  const auto has = [&](std::string_view word) { return std::ranges::find(words, word) != words.end(); };
  for (const auto& word : table)
    facts.capabilities[std::string(word.ours)] = has(word.theirs) ? Support::supported : Support::unsupported;
  if (has("completion")) return;
  if (has("embedding")) {
    facts.kind = "embedding";
  } else if (has("image")) {
    facts.kind = "image";
  } else {
    facts.kind = "other";
  }
}

}  // namespace

ModelFacts model_facts(const ListedModel& listed, const ModelDetails* details) {
  ModelFacts facts{.family = listed.family, .context_window = listed.context_length};
  if (details != nullptr) {
    if (facts.family.empty()) facts.family = details->architecture;
    if (details->context_length) facts.context_window = details->context_length;
  }
  const bool known = (details != nullptr && details->capabilities_known) || !listed.capabilities.empty();
  const auto& words = details != nullptr && details->capabilities_known ? details->capabilities : listed.capabilities;
  if (known && !words.empty()) {
    fill_capabilities(facts, words);
  } else if (const auto& architecture = details != nullptr ? details->architecture : listed.family;
             architecture.contains("bert") || listed.family.contains("bert")) {
    // Servers that do not name capabilities: the BERT family only embeds.
    facts.kind = "embedding";
  }
  if (facts.kind == "embedding" && details != nullptr) facts.embedding_dimensions = details->embedding_length;
  return facts;
}

}  // namespace tokenrail::providers::ollama
