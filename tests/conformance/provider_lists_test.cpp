// The lists of models that providers gave, through their adapters, whole and in pages. Writes two tables of
// docs/reference/providers.md:
//   TOKENRAIL_TEST_UPDATE_PAGES=1 build/dev/bin/conformance-tests --gtest_filter='ProviderLists.*'
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/catalog/catalog.hpp"
#include "common/providers/profile.hpp"
#include "common/providers/provider.hpp"
#include "tests/conformance/collection.hpp"
#include "tests/conformance/exchanges.hpp"

namespace tokenrail::conformance {
namespace {

namespace dom = simdjson::dom;
namespace fs = std::filesystem;

fs::path catalogs_folder() {
  if (const char* folder = std::getenv("TOKENRAIL_TEST_CATALOGS"); folder != nullptr && *folder != '\0') return folder;
  return transcripts_folder() / ".." / "catalogs";
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

/// A recorded list, and the adapter that reads it.
struct Recorded {
  std::string file;
  const char* provider;  ///< in the registry; servers without a profile are connected as openai-compatible
  const char* adapter;
};
// Cloudflare's list is of an API of its own, which no adapter speaks; anthropic_get_model is one model, not a list.
const std::vector<Recorded> recorded{{"alibaba", "alibaba", "openai"},       {"anthropic", "anthropic", "anthropic"},
                                     {"baseten", "baseten", "openai"},       {"cerebras", "cerebras", "openai"},
                                     {"cohere", "cohere", "cohere"},         {"deepseek", "deepseek", "openai"},
                                     {"gemini", "gemini", "gemini"},         {"groq", "groq", "openai"},
                                     {"llamacpp", "llamacpp", "openai"},     {"mistral", "mistral", "openai"},
                                     {"openai", "openai", "openai"},         {"together", "together", "openai"},
                                     {"openrouter", "openrouter", "openai"}, {"xiaomi", "xiaomi", "openai"}};
const std::set<std::string> not_read{"anthropic_get_model", "cloudflare", "cloudflare_page2"};

/// What a catalogue knows about models of a provider, by model name.
struct Curated {
  bool context = false;
  bool output = false;
  bool capabilities = false;
  bool price = false;
  bool deprecation = false;
};

class ProviderLists : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(lists()))
      GTEST_SKIP() << "there are no recorded lists in " << lists() << "; set TOKENRAIL_TEST_CATALOGS";
  }
  static fs::path lists() { return catalogs_folder() / "provider-model-lists"; }
  static std::string body_of(const Recorded& list) { return text_of(lists() / (list.file + ".json")); }
  static const providers::ModelLister& lister_of(const Recorded& list) {
    return *providers::find_provider(list.adapter)->lister();
  }
  static providers::Target target_of(const Recorded& list) {
    const auto* const profile = providers::find_profile(list.provider);
    return {.provider = list.provider,
            .base_url =
                profile == nullptr || profile->base_url.empty() ? "https://host/v1" : std::string(profile->base_url)};
  }
  static const Recorded& find(const std::string& file) { return *std::ranges::find(recorded, file, &Recorded::file); }
};

/// The name of the member that holds the entries; empty: the list is the whole document.
std::string_view member_of(dom::element root) {
  if (root.is_array()) return "";
  dom::array entries;
  return root["data"].get_array().get(entries) == simdjson::SUCCESS ? "data" : "models";
}

dom::array entries_of(dom::element root) {
  const auto member = member_of(root);
  dom::array entries;
  EXPECT_EQ((member.empty() ? root.get_array() : root[member].get_array()).get(entries), simdjson::SUCCESS);
  return entries;
}

/// Whether an entry has one of these members with a value.
bool tells(dom::element entry, std::initializer_list<const char*> members) {
  return std::ranges::any_of(members, [&](const char* name) {
    dom::element value;
    return entry[name].get(value) == simdjson::SUCCESS && !value.is_null();
  });
}

std::string share(std::size_t count, std::size_t all) {
  if (count == 0) return "–";
  return count == all ? "all" : fmt::format("{} of {}", count, all);
}

std::string row(std::string_view provider, std::size_t all, const std::array<std::size_t, 5>& counts) {
  std::string cells;
  for (const auto count : counts) cells += fmt::format(" {} |", share(count, all));
  return fmt::format("| {} | {} |{}\n", providers::title_of(provider), all, cells);
}

/// What the list itself contains.
std::string told_row(const Recorded& list, const providers::ModelLister& lister, const providers::ModelPage& page,
                     dom::array entries) {
  std::array<std::size_t, 5> counts{};
  for (const auto& model : page.models) {
    const auto facts = lister.facts(model, nullptr);
    counts[0] += facts.context_window ? 1U : 0U;
    counts[1] += facts.output_tokens_max ? 1U : 0U;
    counts[2] += facts.capabilities.empty() ? 0U : 1U;
    counts[3] += model.prices && !model.prices->empty() ? 1U : 0U;
  }
  for (const auto entry : entries) {
    bool active = true;
    if (entry["active"].get_bool().get(active) == simdjson::SUCCESS && !active) continue;
    counts[4] += tells(entry, {"deprecation", "shutdown_date", "expiration_date"}) ? 1U : 0U;
  }
  return row(list.provider, page.models.size(), counts);
}

using CuratedModels = std::map<std::pair<std::string, std::string>, Curated>;

/// What the newest catalogues say together.
CuratedModels curated_models() {
  const std::array<std::pair<catalog::Source, const char*>, 3> files{
      {{catalog::Source::litellm, "litellm/model_prices_2026-08-01.json"},
       {catalog::Source::models_dev, "models-dev/api.subset.json"},
       {catalog::Source::openrouter, "openrouter/models_2026-08-01.json"}}};
  CuratedModels all;
  for (const auto& [source, name] : files) {
    const auto read = catalog::read_catalog(source, text_of(catalogs_folder() / name));
    EXPECT_TRUE(read.has_value()) << name;
    if (!read) continue;
    for (const auto& entry : read->entries) {
      auto& known = all[{entry.row.provider, entry.row.model_name}];
      known.context |= entry.row.context_window.has_value() || entry.row.input_tokens_max.has_value();
      known.output |= entry.row.output_tokens_max.has_value();
      known.capabilities |= !entry.row.capabilities.empty();
      known.price |= !entry.row.prices.empty();
      known.deprecation |= !entry.row.retires_on.empty() || entry.row.lifecycle == "deprecated";
    }
  }
  return all;
}

std::string curated_row(const Recorded& list, const providers::ModelPage& page, const CuratedModels& curated) {
  std::array<std::size_t, 5> counts{};
  for (const auto& model : page.models) {
    const auto found = curated.find({list.provider, model.name});
    if (found == curated.end()) continue;
    counts[0] += found->second.context ? 1U : 0U;
    counts[1] += found->second.output ? 1U : 0U;
    counts[2] += found->second.capabilities ? 1U : 0U;
    counts[3] += found->second.price ? 1U : 0U;
    counts[4] += found->second.deprecation ? 1U : 0U;
  }
  return row(list.provider, page.models.size(), counts);
}

/// Fails where the part of the page is not `table`; writes it first where pages are to be updated.
void expect_part(const std::string& name, const std::string& table) {
  if (std::getenv("TOKENRAIL_TEST_UPDATE_PAGES") != nullptr) {
    auto page = text_of(providers_page_path());
    const auto mark = fmt::format("<!-- {}: written by a test -->\n", name);
    const auto begin = page.find(mark);
    ASSERT_NE(begin, std::string::npos);
    page.replace(begin + mark.size(), part_of_providers_page(name).size(), table);
    std::ofstream(providers_page_path(), std::ios::binary) << page;
  }
  EXPECT_EQ(part_of_providers_page(name), table)
      << "Write it again: TOKENRAIL_TEST_UPDATE_PAGES=1 build/dev/bin/conformance-tests "
         "--gtest_filter='ProviderLists.*'";
}

TEST_F(ProviderLists, EveryRecordedListHasAReader) {
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(lists()))
    if (entry.path().extension() == ".json" && entry.path().stem() != "MANIFEST") files.insert(entry.path().stem());
  std::set<std::string> known = not_read;
  for (const auto& list : recorded) known.insert(list.file);
  EXPECT_EQ(files, known);
}

TEST_F(ProviderLists, ReadsEveryEntryAndWritesThePage) {
  const std::string head =
      "| provider | models | context window | output limit | capabilities | price | deprecation |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  auto told = head;
  auto curated = head;
  const auto known = curated_models();
  for (const auto& list : recorded) {
    SCOPED_TRACE(list.file);
    const auto body = body_of(list);
    dom::parser parser;
    dom::element root;
    ASSERT_EQ(parser.parse(body).get(root), simdjson::SUCCESS);
    const auto entries = entries_of(root);
    const auto page = lister_of(list).parse(target_of(list), body);
    ASSERT_TRUE(page) << page.error().detail;
    EXPECT_EQ(page->skipped, 0U) << page->first_skipped;
    std::size_t inactive = 0;
    for (const auto entry : entries) {
      bool active = true;
      if (entry["active"].get_bool().get(active) == simdjson::SUCCESS && !active) ++inactive;
    }
    EXPECT_EQ(page->models.size() + inactive, entries.size());
    std::set<std::string> names;
    for (const auto& model : page->models) EXPECT_TRUE(names.insert(model.name).second) << model.name << " twice";
    EXPECT_EQ(page->next, "") << "each of these lists is whole";
    told += told_row(list, lister_of(list), *page, entries);
    curated += curated_row(list, *page, known);
  }
  expect_part("lists", told);
  expect_part("curated", curated);
}

TEST_F(ProviderLists, ReadsTogethersPricesOfPaidTokensExactly) {
  const auto& list = *std::ranges::find(recorded, std::string_view("together"), &Recorded::file);
  const auto body = body_of(list);
  dom::parser parser;
  const auto entries = entries_of(parser.parse(body).value());
  const auto page = lister_of(list).parse(target_of(list), body);
  ASSERT_TRUE(page) << page.error().detail;
  ASSERT_EQ(page->models.size(), entries.size());
  const std::set<std::string_view> by_tokens{"chat", "language", "code", "embedding", "rerank", "moderation"};
  const std::array<std::pair<PriceDimension, const char*>, 3> fields{{{PriceDimension::input, "input"},
                                                                      {PriceDimension::output, "output"},
                                                                      {PriceDimension::cache_read, "cached_input"}}};
  std::size_t priced = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto entry = entries.at(i);
    const auto& model = page->models[i];
    // Numbers of six digits are whole micro-dollars in a double too.
    const auto micros_of = [&](const char* field) {
      double dollars = 0;
      static_cast<void>(entry["pricing"][field].get_double().get(dollars));
      return std::llround(dollars * 1e6);
    };
    const bool paid =
        by_tokens.contains(entry["type"].get_string().value()) && micros_of("input") + micros_of("output") > 0;
    EXPECT_EQ(model.prices.has_value(), paid) << model.name;
    if (!model.prices || !paid) continue;
    ++priced;
    for (const auto& [dimension, field] : fields) {
      const auto price = std::ranges::find(*model.prices, PriceKey{.dimension = dimension}, &Price::key);
      EXPECT_EQ(price == model.prices->end() ? 0 : price->micros, micros_of(field)) << model.name << " " << field;
    }
  }
  EXPECT_EQ(priced, 80U);
}

/// The same list as its provider sends it in pages: how a page names the next one.
struct Paged {
  const char* file;
  const char*
      next;  ///< members of a page after which another one comes; {} is the id of its last entry, {{n}} its number
  const char* last;  ///< members of the last page
  const char* asks;  ///< what the request for the page after n has in its address; {} as above
};
const std::vector<Paged> paged{
    {"anthropic", R"("has_more":true,"first_id":"x","last_id":"{0}")", R"("has_more":false)", "after_id={0}"},
    {"gemini", R"("nextPageToken":"page-{1}")", "", "pageToken=page-{1}"},
    {"cohere", R"("next_page_token":"page-{1}")", "", "page_token=page-{1}"},
    {"openai", R"("object":"list","has_more":true,"first_id":"x","last_id":"{0}")",
     R"("object":"list","has_more":false)", "after={0}"},
    {"openrouter", R"("links":{{"next":"https://openrouter.ai/api/v1/models?limit=4&offset={1}"}})",
     R"("links":{{"next":null}})", "/models?limit=4&offset={1}"},
};

TEST_F(ProviderLists, ListInPagesHasEveryModelOnce) {
  constexpr std::size_t page_size = 4;
  for (const auto& [file, next, last, asks] : paged) {
    SCOPED_TRACE(file);
    const auto& list = find(file);
    const auto& lister = lister_of(list);
    const auto target = target_of(list);
    const auto body = body_of(list);
    const auto whole = lister.parse(target, body);
    ASSERT_TRUE(whole);
    dom::parser parser;
    dom::element root;
    ASSERT_EQ(parser.parse(body).get(root), simdjson::SUCCESS);
    std::vector<dom::element> entries;
    for (const auto entry : entries_of(root)) entries.push_back(entry);

    std::vector<std::string> names;
    std::string token;
    std::size_t pages = 0;
    for (std::size_t at = 0; at < entries.size(); at += page_size) {
      const bool more = at + page_size < entries.size();
      std::string text;
      std::string last_id;
      for (std::size_t i = at; i < std::min(entries.size(), at + page_size); ++i) {
        text += (text.empty() ? "" : ",") + simdjson::to_string(entries[i]);
        std::string_view id;
        if (entries[i]["id"].get_string().get(id) == simdjson::SUCCESS) last_id = id;
      }
      const auto number = std::to_string(++pages);
      const auto members = fmt::format(fmt::runtime(more ? next : last), last_id, number);
      const auto answer =
          fmt::format(R"({{"{}":[{}]{}{}}})", member_of(root), text, members.empty() ? "" : ",", members);
      const auto page = lister.parse(target, answer);
      ASSERT_TRUE(page) << page.error().detail;
      EXPECT_EQ(page->skipped, 0U);
      for (const auto& model : page->models) names.push_back(model.name);
      EXPECT_EQ(!page->next.empty(), more) << "page " << number;
      if (!more) break;
      const auto request = lister.list(target, page->next);
      EXPECT_TRUE(request.url.contains(fmt::format(fmt::runtime(asks), last_id, number))) << request.url;
      EXPECT_NE(request.url, lister.list(target, token).url) << "the next page is another one";
      token = page->next;
    }
    EXPECT_GT(pages, 1U);
    std::vector<std::string> wanted;
    for (const auto& model : whole->models) wanted.push_back(model.name);
    EXPECT_EQ(names, wanted);
  }
}

}  // namespace
}  // namespace tokenrail::conformance
