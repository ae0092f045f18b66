// OpenRouter's list (GET /api/v1/models): prices as decimal texts in US dollars a unit; -1 is a price that
// depends on the model that is chosen.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/catalog/decimal.hpp"
#include "common/catalog/entry_builder.hpp"

namespace tokenrail::catalog {

namespace {

using Kind = JsonTree::Kind;
using Dimension = PriceDimension;

constexpr std::array<std::pair<std::string_view, Dimension>, 11> dimensions{{
    {"prompt", Dimension::input},
    {"completion", Dimension::output},
    {"input_cache_read", Dimension::cache_read},
    {"input_cache_write", Dimension::cache_write},
    {"input_cache_write_1h", Dimension::cache_write_1h},
    {"internal_reasoning", Dimension::reasoning},
    {"audio", Dimension::audio_in},
    {"audio_output", Dimension::audio_out},
    {"image_output", Dimension::image_out},
    {"request", Dimension::per_request},
    {"web_search", Dimension::search},
}};

/// 1030 is half past ten, in UTC.
std::optional<std::int16_t> minute_of(const JsonTree* value) {
  if (value == nullptr || !value->is(Kind::number)) return std::nullopt;
  const auto clock = scaled(value->text, 0);
  if (!clock || clock->rounded || clock->value > 2400 || clock->value % 100 > 59) return std::nullopt;
  return static_cast<std::int16_t>((clock->value / 100 * 60 + clock->value % 100) % minutes_a_day);
}

bool is_dynamic(const JsonTree& value) {
  return value.is(Kind::text) && value.text == "-1";
}

void read_prices(EntryBuilder& entry, const std::string& path, const JsonTree& pricing, PriceKey key) {
  for (const auto& [field, value] : pricing.members) {
    if (field == "overrides" || field == "min_prompt_tokens" || field == "utc_start" || field == "utc_end") continue;
    const auto* found =
        std::ranges::find(dimensions, std::string_view(field), &std::pair<std::string_view, Dimension>::first);
    if (found == dimensions.end()) {
      // Of an image it depends on the model whether it is one unit or many tokens.
      entry.skip(path + field, field == "image" ? "the list does not give its unit" : "no price that is kept");
    } else if (is_dynamic(value)) {
      entry.skip(path + field, "it depends on the model that is chosen");
    } else {
      key.dimension = found->second;
      entry.price(path + field, value, per_unit, key);
    }
  }
}

void read_override(EntryBuilder& entry, const JsonTree& override) {
  PriceKey key;
  std::optional<std::int64_t> tokens;
  entry.limit_of(override, "min_prompt_tokens", tokens);
  key.min_context_tokens = tokens.value_or(0);
  const auto* start = override.find("utc_start");
  const auto* end = override.find("utc_end");
  if (start != nullptr || end != nullptr) {
    const auto from = minute_of(start);
    const auto to = minute_of(end);
    if (!from || !to) return entry.skip("pricing.overrides", "a time of day that cannot be read");
    key.window = {*from, *to};
  }
  if (key.min_context_tokens == 0 && key.window.whole_day())
    return entry.skip("pricing.overrides", "neither a context size nor a time of day");
  read_prices(entry, "pricing.overrides.", override, key);
}

bool lists(const JsonTree* list, std::string_view word) {
  return list != nullptr && std::ranges::any_of(list->items, [&](const JsonTree& item) {
           return item.is(Kind::text) && item.text == word;
         });
}

void read_capabilities(EntryBuilder& entry, const JsonTree& model) {
  // Both lists are whole: what is not on them is not supported.
  const auto* parameters = model.find("supported_parameters");
  if (parameters != nullptr && !parameters->items.empty()) {
    entry.capability("tools", lists(parameters, "tools"));
    entry.capability("json_mode", lists(parameters, "response_format"));
    entry.capability("json_schema", lists(parameters, "structured_outputs"));
    entry.capability("reasoning", lists(parameters, "reasoning"));
  }
  const auto* architecture = model.find("architecture");
  if (architecture == nullptr) return;
  if (const auto* in = architecture->find("input_modalities"); in != nullptr && !in->items.empty()) {
    entry.capability("vision", lists(in, "image"));
    entry.capability("audio_in", lists(in, "audio"));
    entry.capability("pdf", lists(in, "file"));
  }
  if (const auto* out = architecture->find("output_modalities"); out != nullptr && !out->items.empty()) {
    entry.capability("audio_out", lists(out, "audio"));
    if (lists(out, "text"))
      entry.row().kind = "generation";
    else if (lists(out, "image"))
      entry.row().kind = "image";
    else if (lists(out, "embeddings"))
      entry.row().kind = "embedding";
  }
}

void read_pricing(EntryBuilder& entry, const JsonTree& pricing) {
  read_prices(entry, "pricing.", pricing, {});
  if (const auto* overrides = pricing.find("overrides"))
    for (const auto& override : overrides->items) read_override(entry, override);
}

}  // namespace

std::optional<std::vector<Price>> listed_prices(std::string_view pricing, std::string_view type) {
  const auto root = read_json_tree(pricing);
  if (!root) return std::nullopt;
  if (is_together_pricing(*root)) return together_prices(*root, type);
  // Others have numbers in units of their own under other names.
  const auto says = [&](const char* name) { return root->find(name) != nullptr && root->find(name)->is(Kind::text); };
  if (!says("prompt") && !says("completion")) return std::nullopt;
  EntryBuilder entry{std::string()};
  read_pricing(entry, *root);
  return std::move(entry).finish().row.prices;
}

Catalog read_openrouter(const JsonTree& root) {
  CatalogBuilder catalog(Source::openrouter);
  const auto* models = root.find("data");
  std::size_t index = 0;
  for (const auto& model : models->items) {
    const auto id = model.text_of("id");
    ++index;
    if (id.empty()) {
      catalog.refuse("data[" + std::to_string(index - 1) + "]", "it has no id");
      continue;
    }
    EntryBuilder entry{std::string(id)};
    auto& row = entry.row();
    row.provider = "openrouter";
    row.model_name = id;
    entry.text(model, "name", row.display_name);
    entry.limit_of(model, "context_length", row.context_window);
    if (const auto* top = model.find("top_provider"))
      entry.limit_of(*top, "max_completion_tokens", row.output_tokens_max);
    entry.date_of(model, "expiration_date", row.retires_on);
    // What the list has where a date is wanted and there is none.
    if (row.retires_on == "2098-12-31") row.retires_on.clear();
    read_capabilities(entry, model);
    if (const auto* pricing = model.find("pricing")) read_pricing(entry, *pricing);
    catalog.add(std::move(entry).finish());
  }
  return std::move(catalog).finish();
}

}  // namespace tokenrail::catalog
