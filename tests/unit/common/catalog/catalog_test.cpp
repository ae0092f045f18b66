#include "common/catalog/catalog.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace tokenrail::catalog {
namespace {

const Entry& entry_of(const Catalog& catalog, const std::string& key) {
  const auto found = std::ranges::find(catalog.entries, key, &Entry::key);
  if (found == catalog.entries.end()) throw std::runtime_error("no entry " + key);
  return *found;
}

std::optional<std::int64_t> price_of(const Row& row, const PriceKey& key) {
  for (const auto& price : row.prices)
    if (price.key == key) return price.micros;
  return std::nullopt;
}

std::string reason_of(const Entry& entry, const std::string& field) {
  for (const auto& skipped : entry.skipped)
    if (skipped.field == field) return skipped.reason;
  return {};
}

using Dimension = PriceDimension;

TEST(Source, HasItsLicence) {
  EXPECT_EQ(licence_of(Source::litellm), "MIT");
  EXPECT_EQ(licence_of(Source::models_dev), "MIT");
  EXPECT_EQ(licence_of(Source::openrouter), "") << "an answer of its API names none";
  EXPECT_EQ(licence_of(Source::ollama), "");
}

TEST(LiteLlm, PricesHaveDimensionTierAndContext) {
  const auto catalog = read_catalog(Source::litellm, R"({"gemini/gemini-x": {"litellm_provider": "gemini",
    "mode": "chat", "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05,
    "input_cost_per_token_above_200k_tokens": 2.5e-06, "cache_read_input_token_cost": 1.25e-07,
    "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 3e-6,
    "input_cost_per_token_batches": 6.25e-07, "output_cost_per_token_priority": 2e-05,
    "input_cost_per_token_above_200k_tokens_priority": 4e-6, "output_cost_per_reasoning_token": 3.5e-06,
    "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_medium": 0.035}}})");
  ASSERT_TRUE(catalog.has_value()) << catalog.error().detail;
  const auto& entry = entry_of(*catalog, "gemini/gemini-x");
  EXPECT_EQ(entry.row.provider, "gemini");
  EXPECT_EQ(entry.row.model_name, "gemini-x");
  EXPECT_EQ(entry.row.prices.size(), 10U);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::input}), 1'250'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::output}), 10'000'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::input, .min_context_tokens = 200'001}), 2'500'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::cache_read}), 125'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::cache_write_1h, .min_context_tokens = 200'001}), 3'000'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::input, .tier = ServiceTier::batch}), 625'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::output, .tier = ServiceTier::priority}), 20'000'000);
  EXPECT_EQ(price_of(entry.row,
                     {.dimension = Dimension::input, .tier = ServiceTier::priority, .min_context_tokens = 200'001}),
            4'000'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::reasoning}), 3'500'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::search}), 35'000'000'000);
}

TEST(LiteLlm, StepsOfContextBecomePrices) {
  const auto catalog = read_catalog(Source::litellm, R"({"dashscope/q": {"litellm_provider": "dashscope",
    "tiered_pricing": [{"input_cost_per_token": 5e-08, "range": [0, 256000.0]},
                       {"input_cost_per_token": 2.5e-07, "range": [256000.0, 1000000.0]}, {"input_cost_per_token": 1}]}})");
  const auto& entry = entry_of(*catalog, "dashscope/q");
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::input}), 50'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::input, .min_context_tokens = 256'001}), 250'000);
  EXPECT_EQ(reason_of(entry, "tiered_pricing"), "a step without a range");
}

TEST(LiteLlm, WrongFieldsCostOnlyThemselves) {
  const auto catalog = read_catalog(Source::litellm, R"({"a": {"litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token": NaN, "output_cost_per_token": "cheap", "cache_read_input_token_cost": -1e-6,
    "input_cost_per_audio_token": {"x": 1}, "output_cost_per_audio_token": 1e30, "max_input_tokens": "many",
    "max_output_tokens": 4096.5, "supports_vision": "yes", "supports_reasoning": false, "deprecation_date": "soon",
    "input_cost_per_character": 1e-6},
    "b": {"litellm_provider": "openai", "input_cost_per_token": 1e-6}, "c": 7, "d": {}, "sample_spec": {}})");
  ASSERT_TRUE(catalog.has_value()) << catalog.error().detail;
  const auto& entry = entry_of(*catalog, "a");
  EXPECT_TRUE(entry.row.prices.empty());
  EXPECT_EQ(reason_of(entry, "input_cost_per_token"), "not a number");
  EXPECT_EQ(reason_of(entry, "output_cost_per_token"), "not a number");
  EXPECT_EQ(reason_of(entry, "cache_read_input_token_cost"), "negative");
  EXPECT_EQ(reason_of(entry, "input_cost_per_audio_token"), "not a number");
  EXPECT_EQ(reason_of(entry, "output_cost_per_audio_token"), "too large");
  EXPECT_EQ(reason_of(entry, "max_input_tokens"), "not a number");
  EXPECT_EQ(reason_of(entry, "max_output_tokens"), "not a whole number");
  EXPECT_EQ(reason_of(entry, "deprecation_date"), "not a date");
  EXPECT_EQ(reason_of(entry, "input_cost_per_character"), "no price that is kept");
  EXPECT_FALSE(entry.row.capabilities.contains("vision"));
  EXPECT_EQ(entry.row.capabilities.at("reasoning"), false);
  EXPECT_EQ(price_of(entry_of(*catalog, "b").row, {.dimension = Dimension::input}), 1'000'000);
  ASSERT_EQ(catalog->refused.size(), 3U);
  EXPECT_EQ(catalog->refused[0].key, "c");
  EXPECT_EQ(catalog->refused[0].reason, "not an object");
  EXPECT_EQ(catalog->refused[1].reason, "it names no provider");
  EXPECT_EQ(catalog->refused[2].reason, "it documents the file");
}

TEST(LiteLlm, KeepsModelOfTwoKeysOnce) {
  const auto catalog = read_catalog(Source::litellm, R"({"m": {"litellm_provider": "deepseek", "max_input_tokens": 1},
    "deepseek/m": {"litellm_provider": "deepseek", "max_input_tokens": 2}})");
  ASSERT_EQ(catalog->entries.size(), 1U);
  EXPECT_EQ(catalog->entries[0].key, "deepseek/m");
  ASSERT_EQ(catalog->refused.size(), 1U);
  EXPECT_EQ(catalog->refused[0].key, "m");
  EXPECT_EQ(catalog->refused[0].reason, "the same model as deepseek/m");
}

TEST(ModelsDev, ReadsPricesAMillionTokens) {
  const auto catalog = read_catalog(Source::models_dev, R"({"google": {"id": "google", "models": {"gemini-x": {
    "name": "Gemini X", "family": "gemini", "tool_call": true, "reasoning": false, "open_weights": false,
    "status": "deprecated", "release_date": "2025-06", "modalities": {"input": ["text", "image"], "output": ["text"]},
    "limit": {"context": 1048576, "output": 0},
    "cost": {"input": 1.25, "output": 10, "cache_read": 0.125, "citation": 1,
             "tiers": [{"input": 2.5, "tier": {"size": 200000}}, {"input": 9, "tier": {"size": 9, "type": "time"}}]},
    "experimental": {"modes": {"fast": {"cost": {"input": 5}, "provider": {"body": {"service_tier": "priority"}}},
                               "slow": {"cost": {"input": 1}}}}}}}, "empty": {"id": "empty"}})");
  ASSERT_TRUE(catalog.has_value()) << catalog.error().detail;
  const auto& entry = entry_of(*catalog, "google/gemini-x");
  const auto& row = entry.row;
  EXPECT_EQ(row.provider, "gemini");
  EXPECT_EQ(row.display_name, "Gemini X");
  EXPECT_EQ(row.lifecycle, "deprecated");
  EXPECT_EQ(row.release_date, "2025-06-01");
  EXPECT_EQ(row.context_window, 1'048'576);
  EXPECT_EQ(row.output_tokens_max, std::nullopt);
  EXPECT_EQ(price_of(row, {.dimension = Dimension::input}), 1'250'000);
  EXPECT_EQ(price_of(row, {.dimension = Dimension::output}), 10'000'000);
  EXPECT_EQ(price_of(row, {.dimension = Dimension::cache_read}), 125'000);
  EXPECT_EQ(price_of(row, {.dimension = Dimension::input, .min_context_tokens = 200'001}), 2'500'000);
  EXPECT_EQ(price_of(row, {.dimension = Dimension::input, .tier = ServiceTier::priority}), 5'000'000);
  EXPECT_EQ(row.prices.size(), 5U);
  EXPECT_EQ(row.capabilities, (std::map<std::string, bool>{{"tools", true},
                                                           {"reasoning", false},
                                                           {"vision", true},
                                                           {"audio_in", false},
                                                           {"pdf", false},
                                                           {"audio_out", false}}));
  EXPECT_EQ(reason_of(entry, "cost.citation"), "no price that is kept");
  EXPECT_EQ(reason_of(entry, "cost.tiers"), "a step that is not one of context size");
  EXPECT_EQ(reason_of(entry, "experimental.modes.slow"), "no service tier");
  ASSERT_EQ(catalog->refused.size(), 1U);
  EXPECT_EQ(catalog->refused[0].reason, "a provider without models");
}

TEST(OpenRouter, PricesFollowContextAndTimeOfDay) {
  const auto catalog = read_catalog(Source::openrouter, R"({"data": [{"id": "x/y", "name": "Y",
    "context_length": 65536, "top_provider": {"max_completion_tokens": null}, "expiration_date": "2098-12-31",
    "supported_parameters": ["tools"], "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
    "pricing": {"prompt": "0.00000066", "completion": "-1", "image": "0.001", "overrides": [
      {"utc_start": 1030, "utc_end": 100, "prompt": "0.00000033"}, {"min_prompt_tokens": 32000, "prompt": "0.000001"},
      {"utc_start": 1060, "utc_end": 100, "prompt": "1"}, {"prompt": "1"}]}}, {"name": "no id"}]})");
  ASSERT_TRUE(catalog.has_value()) << catalog.error().detail;
  const auto& entry = entry_of(*catalog, "x/y");
  EXPECT_EQ(entry.row.provider, "openrouter");
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::input}), 660'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::input, .window = {630, 60}}), 330'000);
  EXPECT_EQ(price_of(entry.row, {.dimension = Dimension::input, .min_context_tokens = 32'000}), 1'000'000);
  EXPECT_EQ(entry.row.prices.size(), 3U);
  EXPECT_EQ(reason_of(entry, "pricing.completion"), "it depends on the model that is chosen");
  EXPECT_EQ(reason_of(entry, "pricing.image"), "the list does not give its unit");
  EXPECT_EQ(reason_of(entry, "pricing.overrides"), "a time of day that cannot be read");
  EXPECT_EQ(entry.row.retires_on, "");
  EXPECT_EQ(entry.row.capabilities.at("tools"), true);
  EXPECT_EQ(entry.row.capabilities.at("vision"), false);
  ASSERT_EQ(catalog->refused.size(), 1U);
  EXPECT_EQ(catalog->refused[0].key, "data[1]");
}

TEST(Ollama, ReadsFamiliesAndCapabilities) {
  const auto catalog = read_catalog(Source::ollama, R"({"models": [{"name": "e:latest", "details": {"family": "bert",
    "context_length": 2048, "embedding_length": 768}, "capabilities": ["embedding"]}, {"name": "old:1b"}, {}]})");
  ASSERT_TRUE(catalog.has_value()) << catalog.error().detail;
  const auto& row = entry_of(*catalog, "e:latest").row;
  EXPECT_EQ(row.kind, "embedding");
  EXPECT_EQ(row.family, "bert");
  EXPECT_EQ(row.context_window, 2048);
  EXPECT_EQ(row.embedding_dimensions, 768);
  EXPECT_EQ(row.capabilities.at("chat"), false);
  EXPECT_TRUE(row.prices.empty());
  EXPECT_TRUE(entry_of(*catalog, "old:1b").row.capabilities.empty());
  EXPECT_EQ(catalog->refused.size(), 1U);
}

TEST(Catalog, FileOfAnotherFormIsRefused) {
  for (const auto source : {Source::litellm, Source::models_dev, Source::openrouter, Source::ollama})
    for (const char* text : {"", "{", "[]", "7", "<html></html>", "{}", R"({"data": {}})", R"({"models": 3})"}) {
      const auto catalog = read_catalog(source, text);
      ASSERT_FALSE(catalog.has_value()) << name_of(source) << " " << text;
      EXPECT_EQ(catalog.error().kind, ErrorKind::invalid_input);
    }
}

TEST(Catalog, SourceIsKnownByItsForm) {
  EXPECT_EQ(source_of(R"({"data": [{"id": "a", "pricing": {}}]})"), Source::openrouter);
  EXPECT_EQ(source_of(R"({"models": [{"name": "a"}]})"), Source::ollama);
  EXPECT_EQ(source_of(R"({"openai": {"id": "openai", "models": {}}})"), Source::models_dev);
  EXPECT_EQ(source_of(R"({"gpt": {"litellm_provider": "openai"}})"), Source::litellm);
  EXPECT_EQ(source_of(R"({"object": "list", "data": [{"id": "a"}]})"), std::nullopt);
  EXPECT_EQ(source_of("nonsense"), std::nullopt);
}

}  // namespace
}  // namespace tokenrail::catalog
