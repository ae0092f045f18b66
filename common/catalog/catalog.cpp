#include "common/catalog/catalog.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

#include "common/catalog/entry_builder.hpp"
#include "common/catalog/json_tree.hpp"

namespace tokenrail::catalog {

namespace {

using Kind = JsonTree::Kind;

constexpr std::array<std::string_view, 4> source_names{"litellm", "models-dev", "openrouter", "ollama"};

bool first_item_has(const JsonTree& root, std::string_view list, std::string_view field) {
  const auto* found = root.find(list);
  return found != nullptr && found->is(Kind::list) &&
         (found->items.empty() ||
          std::ranges::any_of(found->items, [&](const JsonTree& item) { return item.find(field) != nullptr; }));
}

bool looks_like(Source source, const JsonTree& root) {
  const auto any_member = [&](std::string_view field) {
    return std::ranges::any_of(root.members, [&](const auto& member) { return member.second.find(field) != nullptr; });
  };
  switch (source) {
    case Source::openrouter:
      return first_item_has(root, "data", "pricing");
    case Source::ollama:
      return first_item_has(root, "models", "name") && root.find("data") == nullptr;
    case Source::models_dev:
      return any_member("models") && any_member("id");
    case Source::litellm:
      return any_member("litellm_provider");
  }
  return false;
}

}  // namespace

std::string_view name_of(Source source) {
  return source_names.at(static_cast<std::size_t>(source));
}

std::string_view licence_of(Source source) {
  return source == Source::litellm || source == Source::models_dev ? "MIT" : "";
}

std::optional<Source> source_from(std::string_view name) {
  for (std::size_t i = 0; i < source_names.size(); ++i)
    if (source_names.at(i) == name) return static_cast<Source>(i);
  return std::nullopt;
}

std::string registry_provider(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> names{{
      {"together_ai", "together"},
      {"togetherai", "together"},
      {"cohere_chat", "cohere"},
      {"text-completion-openai", "openai"},
      {"google", "gemini"},
      {"lm_studio", "lmstudio"},
  }};
  for (const auto& [theirs, ours] : names)
    if (theirs == name) return std::string(ours);
  return std::string(name);
}

Result<Catalog> read_catalog(Source source, std::string_view text) {
  const auto root = read_json_tree(text);
  if (!root) return std::unexpected(root.error());
  if (!looks_like(source, *root))
    return std::unexpected(Error{.kind = ErrorKind::invalid_input,
                                 .detail = fmt::format("The file is not a catalogue of {}.", name_of(source)),
                                 .hint = "Give the file as the source publishes it, or another --source."});
  switch (source) {
    case Source::litellm:
      return read_litellm(*root);
    case Source::models_dev:
      return read_models_dev(*root);
    case Source::openrouter:
      return read_openrouter(*root);
    case Source::ollama:
      return read_ollama(*root);
  }
  return fail(ErrorKind::invalid_input, "There is no such source.");
}

std::optional<Source> source_of(std::string_view text) {
  const auto root = read_json_tree(text);
  if (!root) return std::nullopt;
  for (const auto source : {Source::openrouter, Source::ollama, Source::models_dev, Source::litellm})
    if (looks_like(source, *root)) return source;
  return std::nullopt;
}

}  // namespace tokenrail::catalog
