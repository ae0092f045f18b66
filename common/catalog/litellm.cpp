// LiteLLM's model_prices_and_context_window.json: an object of models by name, prices in US dollars a unit.
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/catalog/entry_builder.hpp"

namespace tokenrail::catalog {

namespace {

using Kind = JsonTree::Kind;
using Dimension = PriceDimension;

constexpr std::array<std::pair<std::string_view, Dimension>, 15> dimensions{{
    {"input_cost_per_token", Dimension::input},
    {"output_cost_per_token", Dimension::output},
    {"cache_read_input_token_cost", Dimension::cache_read},
    {"input_cost_per_token_cache_hit", Dimension::cache_read},
    {"cache_creation_input_token_cost", Dimension::cache_write},
    {"cache_creation_input_token_cost_above_1hr", Dimension::cache_write_1h},
    {"output_cost_per_reasoning_token", Dimension::reasoning},
    {"input_cost_per_audio_token", Dimension::audio_in},
    {"output_cost_per_audio_token", Dimension::audio_out},
    {"input_cost_per_image_token", Dimension::image_in},
    {"output_cost_per_image_token", Dimension::image_out},
    {"output_cost_per_image", Dimension::per_image},
    {"input_cost_per_request", Dimension::per_request},
    {"input_cost_per_query", Dimension::per_request},
    {"ocr_cost_per_page", Dimension::per_page},
}};

constexpr std::array<std::pair<std::string_view, ServiceTier>, 3> tiers{{
    {"_batches", ServiceTier::batch},
    {"_flex", ServiceTier::flex},
    {"_priority", ServiceTier::priority},
}};

/// "..._above_200k_tokens": what holds above that many tokens of prompt. Takes the words off.
std::int64_t take_threshold(std::string_view& field) {
  constexpr std::string_view end = "k_tokens";
  constexpr std::string_view above = "_above_";
  if (!field.ends_with(end)) return 0;
  const auto at = field.rfind(above);
  if (at == std::string_view::npos) return 0;
  const auto digits = field.substr(at + above.size(), field.size() - end.size() - at - above.size());
  std::int64_t thousands = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), thousands);
  constexpr std::int64_t thousands_max = 1'000'000;
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || thousands < 1 || thousands > thousands_max)
    return 0;
  field = field.substr(0, at);
  return thousands * 1000 + 1;
}

/// What a field with a price in it is for; nothing: no price of ours.
std::optional<PriceKey> price_key_of(std::string_view field) {
  PriceKey key;
  for (const auto& [suffix, tier] : tiers) {
    if (!field.ends_with(suffix)) continue;
    field.remove_suffix(suffix.size());
    key.tier = tier;
  }
  key.min_context_tokens = take_threshold(field);
  for (const auto& [name, dimension] : dimensions) {
    if (name != field) continue;
    key.dimension = dimension;
    return key;
  }
  return std::nullopt;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 11> capabilities{{
    {"supports_function_calling", "tools"},
    {"supports_parallel_function_calling", "parallel_tools"},
    {"supports_vision", "vision"},
    {"supports_audio_input", "audio_in"},
    {"supports_audio_output", "audio_out"},
    {"supports_pdf_input", "pdf"},
    {"supports_response_schema", "json_schema"},
    {"supports_reasoning", "reasoning"},
    {"supports_prompt_caching", "prompt_cache"},
    {"supports_web_search", "web_search"},
    {"supports_native_streaming", "streaming"},
}};

std::string kind_of(std::string_view mode) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kinds{{
      {"chat", "generation"},
      {"responses", "generation"},
      {"completion", "generation"},
      {"embedding", "embedding"},
      {"rerank", "rerank"},
      {"image_generation", "image"},
      {"image_edit", "image"},
      {"audio_transcription", "transcription"},
      {"audio_speech", "speech"},
      {"moderation", "moderation"},
      {"video_generation", "video"},
      {"ocr", "ocr"},
      {"", ""},
  }};
  for (const auto& [word, kind] : kinds)
    if (word == mode) return std::string(kind);
  return "other";
}

bool is_about_cost(std::string_view field) {
  return field.find("cost") != std::string_view::npos || field.find("uplift") != std::string_view::npos;
}

/// Seconds are what speech and video are sold by; elsewhere they are rented machines.
bool sold_by_seconds(std::string_view kind) {
  return kind == "transcription" || kind == "speech" || kind == "video";
}

void read_tiered_prices(EntryBuilder& entry, const JsonTree& steps) {
  for (const auto& step : steps.items) {
    const auto* range = step.find("range");
    if (range == nullptr || range->items.empty()) {
      entry.skip("tiered_pricing", "a step without a range");
      continue;
    }
    std::optional<std::int64_t> from;
    entry.limit("tiered_pricing.range", range->items.front(), from);
    for (const auto& [field, value] : step.members) {
      if (field == "range") continue;
      auto key = price_key_of(field);
      if (!key) {
        entry.skip("tiered_pricing." + field, "no price that is kept");
        continue;
      }
      // The first step begins at 0; the others hold above the end of the one before.
      key->min_context_tokens = from ? *from + 1 : 0;
      entry.price("tiered_pricing." + field, value, per_unit, *key);
    }
  }
}

void read_prices(EntryBuilder& entry, const JsonTree& model) {
  const bool seconds = sold_by_seconds(entry.row().kind);
  for (const auto& [field, value] : model.members) {
    if (field == "tiered_pricing" && value.is(Kind::list)) {
      read_tiered_prices(entry, value);
    } else if (field == "search_context_cost_per_query") {
      // Three sizes of one search; the middle one is what a call gets that does not choose.
      if (const auto* medium = value.find("search_context_size_medium"))
        entry.price(field, *medium, per_unit, {.dimension = Dimension::search});
    } else if ((field == "input_cost_per_second" || field == "output_cost_per_second") && seconds) {
      // The side on which nothing is counted has the price 0.
      const auto* other =
          model.find(field == "input_cost_per_second" ? "output_cost_per_second" : "input_cost_per_second");
      const bool nothing = value.text.find_first_of("123456789") == std::string::npos;
      if (nothing && other != nullptr) continue;
      entry.price(field, value, per_unit, {.dimension = Dimension::per_second});
    } else if (const auto key = price_key_of(field)) {
      entry.price(field, value, per_unit, *key);
    } else if (is_about_cost(field)) {
      entry.skip(field, "no price that is kept");
    }
  }
}

void read_limits(EntryBuilder& entry, const JsonTree& model) {
  auto& row = entry.row();
  entry.limit_of(model, "max_input_tokens", row.input_tokens_max);
  entry.limit_of(model, "max_output_tokens", row.output_tokens_max);
  entry.limit_of(model, "output_vector_size", row.embedding_dimensions);
  // Older entries have max_tokens alone, with one meaning or the other; it is kept for neither.
}

}  // namespace

Catalog read_litellm(const JsonTree& root) {
  CatalogBuilder catalog(Source::litellm);
  for (const auto& [key, model] : root.members) {
    if (!model.is(Kind::object)) {
      catalog.refuse(key, "not an object");
      continue;
    }
    if (key == "sample_spec") {
      catalog.refuse(key, "it documents the file");
      continue;
    }
    const auto provider = model.text_of("litellm_provider");
    if (provider.empty()) {
      catalog.refuse(key, "it names no provider");
      continue;
    }
    EntryBuilder entry(key);
    auto& row = entry.row();
    row.provider = registry_provider(provider);
    const bool prefixed = key.size() > provider.size() + 1 && key.starts_with(provider) && key[provider.size()] == '/';
    row.model_name = prefixed ? key.substr(provider.size() + 1) : key;
    row.kind = kind_of(model.text_of("mode"));
    for (const auto& [field, name] : capabilities) entry.capability(name, model.truth_of(field));
    const auto mode = model.text_of("mode");
    if (mode == "chat" || mode == "responses") entry.capability("chat", true);
    if (mode == "embedding") entry.capability("embedding", true);
    entry.date_of(model, "deprecation_date", row.retires_on);
    read_limits(entry, model);
    read_prices(entry, model);
    catalog.add(std::move(entry).finish(), prefixed);
  }
  return std::move(catalog).finish();
}

}  // namespace tokenrail::catalog
