// models.dev's api.json: providers by name, each with its models; prices in US dollars a million tokens.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/catalog/entry_builder.hpp"

namespace tokenrail::catalog {

namespace {

using Kind = JsonTree::Kind;
using Dimension = PriceDimension;

constexpr std::array<std::pair<std::string_view, Dimension>, 7> dimensions{{
    {"input", Dimension::input},
    {"output", Dimension::output},
    {"cache_read", Dimension::cache_read},
    {"cache_write", Dimension::cache_write},
    {"reasoning", Dimension::reasoning},
    {"input_audio", Dimension::audio_in},
    {"output_audio", Dimension::audio_out},
}};

void read_prices(EntryBuilder& entry, const std::string& path, const JsonTree& cost, ServiceTier tier,
                 std::int64_t min_context_tokens) {
  for (const auto& [field, value] : cost.members) {
    // Read elsewhere: the steps, what distinguishes them, and an older form of the same.
    if (field == "tiers" || field == "tier" || field == "context_over_200k") continue;
    const auto* found =
        std::ranges::find(dimensions, std::string_view(field), &std::pair<std::string_view, Dimension>::first);
    if (found == dimensions.end()) {
      entry.skip(path + field, "no price that is kept");
      continue;
    }
    entry.price(path + field, value, per_million,
                {.dimension = found->second, .tier = tier, .min_context_tokens = min_context_tokens});
  }
}

void read_context_steps(EntryBuilder& entry, const JsonTree& cost) {
  const auto* steps = cost.find("tiers");
  if (steps == nullptr) {
    if (const auto* above = cost.find("context_over_200k"))
      read_prices(entry, "cost.context_over_200k.", *above, ServiceTier::standard, 200'001);
    return;
  }
  for (const auto& step : steps->items) {
    const auto* tier = step.find("tier");
    std::optional<std::int64_t> size;
    if (tier != nullptr) entry.limit_of(*tier, "size", size);
    const auto type = tier == nullptr ? std::string_view() : tier->text_of("type");
    if (!size || (!type.empty() && type != "context")) {
      entry.skip("cost.tiers", "a step that is not one of context size");
      continue;
    }
    read_prices(entry, "cost.tiers.", step, ServiceTier::standard, *size + 1);
  }
}

/// Other ways to be served: kept where they are a service tier of the registry.
void read_modes(EntryBuilder& entry, const JsonTree& model) {
  const auto* experimental = model.find("experimental");
  const auto* modes = experimental == nullptr ? nullptr : experimental->find("modes");
  if (modes == nullptr) return;
  for (const auto& [name, mode] : modes->members) {
    const auto* cost = mode.find("cost");
    if (cost == nullptr) continue;
    const auto* provider = mode.find("provider");
    const auto* body = provider == nullptr ? nullptr : provider->find("body");
    const auto word = body == nullptr ? std::string_view() : body->text_of("service_tier");
    const auto tier = service_tier_from(word);
    if (!tier || *tier == ServiceTier::standard) {
      entry.skip("experimental.modes." + name, "no service tier");
      continue;
    }
    read_prices(entry, "experimental.modes." + name + ".", *cost, *tier, 0);
  }
}

/// The list of what goes in or out is whole: what is not on it is not supported.
void read_modality(EntryBuilder& entry, const JsonTree& modalities, std::string_view side, std::string_view word,
                   std::string_view capability) {
  const auto* list = modalities.find(side);
  if (list == nullptr || !list->is(Kind::list) || list->items.empty()) return;
  entry.capability(capability, std::ranges::any_of(list->items, [&](const JsonTree& item) {
                     return item.is(Kind::text) && item.text == word;
                   }));
}

Entry read_model(const std::string& provider, const std::string& name, const JsonTree& model) {
  EntryBuilder entry(provider + "/" + name);
  auto& row = entry.row();
  row.provider = registry_provider(provider);
  row.model_name = name;
  entry.text(model, "name", row.display_name);
  entry.text(model, "family", row.family);
  row.open_weights = model.truth_of("open_weights");
  entry.date_of(model, "release_date", row.release_date);
  const auto status = model.text_of("status");
  if (status == "deprecated") row.lifecycle = "deprecated";
  if (status == "alpha" || status == "beta") row.lifecycle = "preview";
  entry.capability("tools", model.truth_of("tool_call"));
  entry.capability("reasoning", model.truth_of("reasoning"));
  entry.capability("json_schema", model.truth_of("structured_output"));
  if (const auto* modalities = model.find("modalities")) {
    read_modality(entry, *modalities, "input", "image", "vision");
    read_modality(entry, *modalities, "input", "audio", "audio_in");
    read_modality(entry, *modalities, "input", "pdf", "pdf");
    read_modality(entry, *modalities, "output", "audio", "audio_out");
  }
  if (const auto* limit = model.find("limit")) {
    entry.limit_of(*limit, "context", row.context_window);
    entry.limit_of(*limit, "input", row.input_tokens_max);
    entry.limit_of(*limit, "output", row.output_tokens_max);
  }
  if (const auto* cost = model.find("cost")) {
    read_prices(entry, "cost.", *cost, ServiceTier::standard, 0);
    read_context_steps(entry, *cost);
  }
  read_modes(entry, model);
  return std::move(entry).finish();
}

}  // namespace

Catalog read_models_dev(const JsonTree& root) {
  CatalogBuilder catalog(Source::models_dev);
  for (const auto& [provider, content] : root.members) {
    const auto* models = content.find("models");
    if (models == nullptr || !models->is(Kind::object)) {
      catalog.refuse(provider, "a provider without models");
      continue;
    }
    for (const auto& [name, model] : models->members) {
      if (model.is(Kind::object)) {
        catalog.add(read_model(provider, name, model));
      } else {
        catalog.refuse(provider + "/" + name, "not an object");
      }
    }
  }
  return std::move(catalog).finish();
}

}  // namespace tokenrail::catalog
