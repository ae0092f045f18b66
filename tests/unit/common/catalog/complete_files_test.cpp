// The complete catalogues, as they were published. Exactness is checked against another reader: Boost.PropertyTree,
// which keeps the text of numbers, with Boost.Multiprecision's decimal numbers.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <boost/multiprecision/cpp_dec_float.hpp>
#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>
#include <gtest/gtest.h>

#include "common/catalog/catalog.hpp"

namespace tokenrail::catalog {
namespace {

namespace fs = std::filesystem;
using boost::property_tree::ptree;
using Decimal = boost::multiprecision::cpp_dec_float_100;
using Dimension = PriceDimension;

fs::path folder() {
  const char* named = std::getenv("TOKENRAIL_TEST_CATALOGS");
  return named != nullptr ? fs::path(named) : fs::path("../shared/catalogs");
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

/// `power_micros`: ten to that power makes micro-dollars for a million units of the text. Rounds half to even.
std::int64_t expected(const std::string& text, int power_micros) {
  const Decimal exact = Decimal(text) * pow(Decimal(10), power_micros);
  const Decimal below = floor(exact);
  const Decimal rest = exact - below;
  auto whole = below.convert_to<std::int64_t>();
  if (rest > Decimal("0.5") || (rest == Decimal("0.5") && whole % 2 != 0)) ++whole;
  return whole;
}

struct Totals {
  std::size_t entries = 0;
  std::size_t refused = 0;
  std::size_t prices = 0;
  std::size_t rounded = 0;
  std::size_t skipped = 0;
  friend bool operator==(const Totals&, const Totals&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Totals& t) {
    return out << t.entries << " entries, " << t.refused << " refused, " << t.prices << " prices, " << t.rounded
               << " rounded, " << t.skipped << " skipped";
  }
};
Totals totals_of(const Catalog& catalog) {
  Totals totals{.entries = catalog.entries.size(), .refused = catalog.refused.size()};
  for (const auto& entry : catalog.entries) {
    totals.prices += entry.row.prices.size();
    totals.rounded += entry.rounded;
    totals.skipped += entry.skipped.size();
  }
  return totals;
}

class CompleteFiles : public testing::Test {
 protected:
  /// Reads the file twice; skips the test where it is absent.
  void read(Source source, const char* name) {
    const auto path = folder() / name;
    if (!fs::exists(path)) GTEST_SKIP() << "no catalogue " << path << " (TOKENRAIL_TEST_CATALOGS names their folder)";
    const auto text = read_file(path);
    EXPECT_EQ(source_of(text), source);
    auto read = read_catalog(source, text);
    ASSERT_TRUE(read.has_value()) << read.error().detail;
    catalog_ = std::move(*read);
    std::istringstream again(text);
    boost::property_tree::read_json(again, tree_);
    for (const auto& entry : catalog_.entries) by_key_[entry.key] = &entry;
  }

  /// The price that the row has for this key is the one of that text.
  void expect_price(const Entry& entry, const PriceKey& key, const std::string& text, int power) {
    ++checked_;
    for (const auto& price : entry.row.prices) {
      if (price.key != key) continue;
      EXPECT_EQ(price.micros, expected(text, power)) << entry.key << " " << name_of(key.dimension) << " " << text;
      return;
    }
    ADD_FAILURE() << entry.key << " has no price for " << name_of(key.dimension);
  }
  /// Each member of `from` that `fields` names.
  void expect_prices(const Entry& entry, const ptree& from, const std::map<std::string, PriceKey>& fields, int power) {
    for (const auto& [field, value] : from)
      if (const auto found = fields.find(field);
          found != fields.end() && value.data() != "null" && value.data() != "-1")
        expect_price(entry, found->second, value.data(), power);
  }
  const Entry* find(const std::string& key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : found->second;
  }

  Catalog catalog_{};
  ptree tree_{};
  std::map<std::string, const Entry*> by_key_{};
  std::size_t checked_ = 0;
};

const std::map<std::string, PriceKey>& litellm_fields() {
  static const auto fields = [] {
    std::map<std::string, PriceKey> all;
    const std::map<std::string, Dimension> bases{
        {"input_cost_per_token", Dimension::input},
        {"output_cost_per_token", Dimension::output},
        {"cache_read_input_token_cost", Dimension::cache_read},
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
    };
    for (const auto& [base, dimension] : bases)
      for (const int thousands : {0, 128, 200, 256, 272, 512})
        for (const auto& [suffix, tier] : std::map<std::string, ServiceTier>{{"", ServiceTier::standard},
                                                                             {"_batches", ServiceTier::batch},
                                                                             {"_flex", ServiceTier::flex},
                                                                             {"_priority", ServiceTier::priority}})
          all[base + (thousands == 0 ? "" : "_above_" + std::to_string(thousands) + "k_tokens") + suffix] = {
              .dimension = dimension, .tier = tier, .min_context_tokens = thousands == 0 ? 0 : thousands * 1000 + 1};
    return all;
  }();
  return fields;
}

class LiteLlmFiles : public CompleteFiles {
 protected:
  void check(const char* name, const Totals& wanted) {
    read(Source::litellm, name);
    if (IsSkipped()) return;
    EXPECT_EQ(totals_of(catalog_), wanted);
    EXPECT_EQ(catalog_.entries.size() + catalog_.refused.size(), tree_.size());
    for (const auto& [key, model] : tree_)
      if (const auto* entry = find(key)) expect_prices(*entry, model, litellm_fields(), 12);
    EXPECT_GT(checked_, 900U);
  }
};

TEST_F(LiteLlmFiles, NewestIsReadWholeAndExactly) {
  check("litellm/model_prices_2026-08-01.json",
        {.entries = 2965, .refused = 21, .prices = 7934, .rounded = 33, .skipped = 502});
}
TEST_F(LiteLlmFiles, EarlierIsReadWholeAndExactly) {
  check("litellm/model_prices_2026-07-05.json",
        {.entries = 2911, .refused = 21, .prices = 7491, .rounded = 33, .skipped = 482});
}
TEST_F(LiteLlmFiles, OldestIsReadWholeAndExactly) {
  check("litellm/model_prices_2024-09-25.json",
        {.entries = 600, .refused = 1, .prices = 1134, .rounded = 0, .skipped = 294});
}

TEST_F(CompleteFiles, ModelsDevIsReadWholeAndExactly) {
  read(Source::models_dev, "models-dev/api.subset.json");
  if (IsSkipped()) return;
  const std::map<std::string, PriceKey> fields{
      {"input", {.dimension = Dimension::input}},           {"output", {.dimension = Dimension::output}},
      {"cache_read", {.dimension = Dimension::cache_read}}, {"cache_write", {.dimension = Dimension::cache_write}},
      {"reasoning", {.dimension = Dimension::reasoning}},   {"input_audio", {.dimension = Dimension::audio_in}},
      {"output_audio", {.dimension = Dimension::audio_out}}};
  std::size_t models = 0;
  for (const auto& [provider, content] : tree_)
    for (const auto& [name, model] : content.find("models")->second) {
      ++models;
      const auto* entry = find(provider + "/" + name);
      ASSERT_NE(entry, nullptr) << provider << "/" << name;
      const auto cost = model.find("cost");
      if (cost == model.not_found()) continue;
      expect_prices(*entry, cost->second, fields, 6);
      const auto tiers = cost->second.find("tiers");
      if (tiers == cost->second.not_found()) continue;
      for (const auto& [index, step] : tiers->second) {
        auto above = fields;
        for (auto& [field, key] : above) key.min_context_tokens = step.get<std::int64_t>("tier.size") + 1;
        expect_prices(*entry, step, above, 6);
      }
    }
  EXPECT_EQ(totals_of(catalog_), (Totals{.entries = 1210, .refused = 0, .prices = 3128, .rounded = 2, .skipped = 10}));
  EXPECT_EQ(catalog_.entries.size() + catalog_.refused.size(), models);
  EXPECT_GT(checked_, 2900U);
}

class OpenRouterFiles : public CompleteFiles {
 protected:
  void check(const char* name, const Totals& wanted) {
    read(Source::openrouter, name);
    if (IsSkipped()) return;
    const std::map<std::string, PriceKey> fields{{"prompt", {.dimension = Dimension::input}},
                                                 {"completion", {.dimension = Dimension::output}},
                                                 {"input_cache_read", {.dimension = Dimension::cache_read}},
                                                 {"input_cache_write", {.dimension = Dimension::cache_write}},
                                                 {"input_cache_write_1h", {.dimension = Dimension::cache_write_1h}},
                                                 {"internal_reasoning", {.dimension = Dimension::reasoning}},
                                                 {"audio", {.dimension = Dimension::audio_in}},
                                                 {"audio_output", {.dimension = Dimension::audio_out}},
                                                 {"image_output", {.dimension = Dimension::image_out}},
                                                 {"request", {.dimension = Dimension::per_request}},
                                                 {"web_search", {.dimension = Dimension::search}}};
    for (const auto& [index, model] : tree_.find("data")->second) {
      const auto* entry = find(model.find("id")->second.data());
      ASSERT_NE(entry, nullptr);
      const auto& pricing = model.find("pricing")->second;
      expect_prices(*entry, pricing, fields, 12);
      const auto overrides = pricing.find("overrides");
      if (overrides == pricing.not_found()) continue;
      for (const auto& [place, override] : overrides->second) {
        auto special = fields;
        const auto minute = [&](const char* field) {
          const int clock = override.get<int>(field, 0);
          return static_cast<std::int16_t>(clock / 100 * 60 + clock % 100);
        };
        for (auto& [field, key] : special) {
          key.min_context_tokens = override.get<std::int64_t>("min_prompt_tokens", 0);
          key.window = {minute("utc_start"), minute("utc_end")};
        }
        expect_prices(*entry, override, special, 12);
      }
    }
    EXPECT_EQ(totals_of(catalog_), wanted);
    EXPECT_EQ(catalog_.entries.size() + catalog_.refused.size(), tree_.find("data")->second.size());
    EXPECT_GT(checked_, 900U);
  }
};

TEST_F(OpenRouterFiles, EarlierIsReadWholeAndExactly) {
  check("openrouter/models_2026-08-01.json",
        {.entries = 336, .refused = 0, .prices = 1236, .rounded = 22, .skipped = 52});
}
TEST_F(OpenRouterFiles, NewestIsReadWholeAndExactly) {
  check("provider-model-lists/openrouter.json",
        {.entries = 414, .refused = 0, .prices = 1630, .rounded = 14, .skipped = 73});
}

TEST_F(CompleteFiles, OllamaListsAreReadWhole) {
  std::size_t files = 0;
  for (const char* name : {"ollama/tags.docs-api-md.json", "ollama/tags.docs-openapi.json", "ollama/tags.empty.json",
                           "ollama/tags.recorded-2024-10.json", "ollama/tags.recorded-2026-05.json",
                           "ollama/tags.synthetic-v0.33-shape.json"}) {
    read(Source::ollama, name);
    if (IsSkipped()) return;
    EXPECT_EQ(catalog_.entries.size(), tree_.find("models")->second.size()) << name;
    EXPECT_TRUE(catalog_.refused.empty()) << name;
    ++files;
  }
  EXPECT_EQ(files, 6U);
}

}  // namespace
}  // namespace tokenrail::catalog
