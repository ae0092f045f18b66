// Ollama's list (GET /api/tags): no prices, but families, and in newer versions context sizes and capabilities.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "common/catalog/entry_builder.hpp"

namespace tokenrail::catalog {

namespace {

using Kind = JsonTree::Kind;

void read_capabilities(EntryBuilder& entry, const JsonTree& list) {
  if (!list.is(Kind::list) || list.items.empty()) return;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> words{{
      {"completion", "chat"},
      {"tools", "tools"},
      {"vision", "vision"},
      {"thinking", "reasoning"},
      {"insert", "fill_in_middle"},
      {"embedding", "embedding"},
  }};
  bool chats = false;
  for (const auto& [word, capability] : words) {
    const bool has =
        std::ranges::any_of(list.items, [&](const JsonTree& item) { return item.is(Kind::text) && item.text == word; });
    entry.capability(capability, has);
    chats = chats || (has && capability == "chat");
  }
  entry.row().kind = chats ? "generation" : "embedding";
}

}  // namespace

Catalog read_ollama(const JsonTree& root) {
  CatalogBuilder catalog(Source::ollama);
  const auto* models = root.find("models");
  std::size_t index = 0;
  for (const auto& model : models->items) {
    ++index;
    auto name = model.text_of("name");
    if (name.empty()) name = model.text_of("model");
    if (name.empty()) {
      catalog.refuse("models[" + std::to_string(index - 1) + "]", "it has no name");
      continue;
    }
    EntryBuilder entry{std::string(name)};
    auto& row = entry.row();
    row.provider = "ollama";
    row.model_name = name;
    if (const auto* details = model.find("details")) {
      entry.text(*details, "family", row.family);
      entry.limit_of(*details, "context_length", row.context_window);
    }
    if (const auto* list = model.find("capabilities")) read_capabilities(entry, *list);
    if (row.kind == "embedding") {
      if (const auto* details = model.find("details"))
        entry.limit_of(*details, "embedding_length", row.embedding_dimensions);
    }
    catalog.add(std::move(entry).finish());
  }
  return std::move(catalog).finish();
}

}  // namespace tokenrail::catalog
