// Prices and catalogues on a real PostgreSQL: what an import changes, what people set over it, and what is published.
#include "common/registry/catalogs.hpp"

#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/events/model_event.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/held_changes.hpp"
#include "common/registry/organizations.hpp"
#include "common/registry/prices.hpp"
#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;
using testing::Not;
using Dimension = PriceDimension;
using Kind = catalog::PlannedEntry::Kind;

class CatalogsTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    database_ = std::make_unique<GovernedDatabase>(options_);
    ASSERT_TRUE(Organizations(*database_).create(root(), {.id = "acme", .display_name = "acme"}).has_value());
    apply({adding("llama3.2"), adding("qwen3")});
  }
  void TearDown() override {
    database_.reset();
    StoreTest::TearDown();
  }

  static Actor root() { return {.name = "cli:root", .all_organizations = true, .cause = "import"}; }
  static Actor of_acme() { return {.name = "user:anna@acme", .scope = {.org_id = "acme"}}; }
  static Scope acme() { return {.org_id = "acme"}; }
  Prices prices() { return Prices(*database_); }
  Catalogs catalogs() { return Catalogs(*database_); }

  static Price price(Dimension dimension, std::int64_t micros, std::int64_t tokens = 0) {
    return {.key = {.dimension = dimension, .min_context_tokens = tokens}, .micros = micros};
  }
  static catalog::Row row(const std::string& name, std::vector<Price> wanted) {
    return {.provider = "ollama", .model_name = name, .prices = std::move(wanted)};
  }
  std::int64_t import(const catalog::Row& row, catalog::Source source = catalog::Source::litellm,
                      Kind kind = Kind::changed) {
    const std::vector<catalog::PlannedEntry> entries{{.kind = kind, .row = row}};
    const auto changed = catalogs().apply(root(), source, entries);
    EXPECT_TRUE(changed.has_value()) << changed.error().detail;
    return changed.value_or(-1);
  }
  void hold(const catalog::Row& later, const catalog::Row& counts) {
    const std::vector<catalog::PlannedEntry> entries{
        {.kind = Kind::held, .row = later, .counts = counts, .reason = "it looks wrong"}};
    const auto changed = catalogs().apply(root(), catalog::Source::litellm, entries);
    EXPECT_TRUE(changed.has_value()) << changed.error().detail;
  }
  Result<Document> decide(HeldChanges::Decision decision, Actor actor = root(), const Scope& scope = {}) {
    const auto open = HeldChanges(*database_).list(root(), {}, {}).value();
    EXPECT_EQ(open.items.size(), 1U);
    return HeldChanges(*database_).decide(actor, scope, open.items.at(0).id, decision, "because");
  }
  catalog::KnownEntry entry() { return catalogs().entries(root(), catalog::Source::litellm).value().at(0); }
  events::ModelState newest_event() {
    const auto event = events::parse_model_upserted(sql().run("SELECT payload FROM outbox ORDER BY seq DESC LIMIT 1"));
    EXPECT_TRUE(event.has_value());
    return event ? event->model : events::ModelState{};
  }
  std::string count(const std::string& what) { return sql().run("SELECT count(*) FROM " + what); }

  std::unique_ptr<GovernedDatabase> database_;
};

#define ASSERT_OK(result) ASSERT_TRUE((result).has_value()) << (result).error().detail

TEST_F(CatalogsTest, PricesOfAPersonArePublished) {
  const auto set = prices().set(root(), {}, "ollama/llama3.2",
                                {price(Dimension::input, 2'500'000), price(Dimension::output, 10'000'000),
                                 price(Dimension::cache_read, 250'000), price(Dimension::input, 5'000'000, 200'001)},
                                std::nullopt);
  ASSERT_OK(set);
  EXPECT_THAT(set->json, HasSubstr(R"("amount":"2.5")"));
  EXPECT_THAT(set->json, HasSubstr(R"("microsPerThousand":2500)"));
  EXPECT_THAT(set->json, HasSubstr(R"("dollarsPerUnit":"0.0000025")"));
  EXPECT_THAT(set->json, HasSubstr(R"("dollarsPerMillion":2.5)"));
  EXPECT_THAT(set->json, HasSubstr(R"("isFree" : false)"));
  const auto model = newest_event();
  EXPECT_EQ(model.prices.input_micros, 2'500'000);
  EXPECT_EQ(model.prices.output_micros, 10'000'000);
  EXPECT_EQ(model.prices.others,
            (std::vector<Price>{price(Dimension::cache_read, 250'000), price(Dimension::input, 5'000'000, 200'001)}));
  EXPECT_GT(model.prices.version, 0);
  EXPECT_EQ(sql().run("SELECT array_to_string(changed_fields, ',') FROM model_revision ORDER BY version DESC LIMIT 1"),
            "prices");
  EXPECT_EQ(sql().run("SELECT action || ' ' || actor FROM audit_log ORDER BY seq DESC LIMIT 1"),
            "model.prices_changed cli:root");
}

TEST_F(CatalogsTest, SamePricesAgainWriteNothing) {
  const std::vector<Price> wanted{price(Dimension::input, 1), price(Dimension::output, 2)};
  ASSERT_OK(prices().set(root(), {}, "ollama/llama3.2", wanted, std::nullopt));
  const auto before = count("outbox") + count("audit_log") + count("price") + count("model_revision");
  ASSERT_OK(prices().set(root(), {}, "ollama/llama3.2", wanted, std::nullopt));
  EXPECT_EQ(count("outbox") + count("audit_log") + count("price") + count("model_revision"), before);
}

TEST_F(CatalogsTest, PricesThatEndAreKeptWithTheirTime) {
  ASSERT_OK(prices().set(root(), {}, "ollama/llama3.2", {price(Dimension::input, 1)}, std::nullopt));
  const auto first = newest_event().prices.version;
  ASSERT_OK(prices().set(root(), {}, "ollama/llama3.2", {price(Dimension::input, 2)}, std::nullopt));
  const auto second = newest_event().prices.version;
  EXPECT_GT(second, first);
  EXPECT_EQ(count("price WHERE amount = 1 AND effective_to IS NOT NULL"), "1");
  EXPECT_EQ(count("price WHERE amount = 2 AND effective_to IS NULL"), "1");
  ASSERT_OK(prices().set(root(), {}, "ollama/llama3.2", {}, std::nullopt));
  EXPECT_EQ(newest_event().prices, events::ModelPrices{});
  EXPECT_EQ(count("price"), "2");
}

TEST_F(CatalogsTest, OrganisationsPricesCountAsAWhole) {
  ASSERT_OK(prices().set(root(), {}, "ollama/llama3.2", {price(Dimension::input, 1), price(Dimension::output, 2)}, {}));
  const auto own = prices().set(of_acme(), acme(), "ollama/llama3.2", {price(Dimension::input, 7)}, std::nullopt);
  ASSERT_OK(own);
  EXPECT_THAT(own->json, HasSubstr(R"("amount":"0.000007")"));
  EXPECT_THAT(own->json, Not(HasSubstr(R"("amount":"0.000002")")));
  EXPECT_EQ(newest_event().org_id, "acme");
  EXPECT_EQ(newest_event().prices.input_micros, 7);
  EXPECT_EQ(newest_event().prices.output_micros, std::nullopt);
  const auto platform = prices().get(root(), {}, "ollama/llama3.2");
  ASSERT_OK(platform);
  EXPECT_THAT(platform->json, HasSubstr(R"("amount":"0.000001")"));
  const auto back = prices().set(of_acme(), acme(), "ollama/llama3.2", {}, std::nullopt);
  ASSERT_OK(back);
  EXPECT_THAT(back->json, HasSubstr(R"("amount":"0.000002")"));
}

TEST_F(CatalogsTest, PricesOfOthersAndOldVersionsAreRefused) {
  const auto foreign = prices().set(of_acme(), {}, "ollama/llama3.2", {price(Dimension::input, 1)}, std::nullopt);
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().kind, ErrorKind::forbidden);
  const auto stale = prices().set(root(), {}, "ollama/llama3.2", {price(Dimension::input, 1)}, 1);
  ASSERT_FALSE(stale.has_value());
  EXPECT_EQ(stale.error().kind, ErrorKind::conflict);
  const auto twice =
      prices().set(root(), {}, "ollama/llama3.2", {price(Dimension::input, 1), price(Dimension::input, 2)}, {});
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(prices().get(root(), {}, "ollama/absent").error().kind, ErrorKind::not_found);
  EXPECT_EQ(count("price"), "0");
}

TEST_F(CatalogsTest, ImportFillsInMissingFacts) {
  auto entry = row("llama3.2", {price(Dimension::input, 5), price(Dimension::output, 6)});
  entry.context_window = 8192;     // the provider says 4096
  entry.output_tokens_max = 1024;  // the provider says nothing
  entry.capabilities = {{"vision", true}, {"tools", true}};
  EXPECT_EQ(import(entry, catalog::Source::litellm, Kind::added), 1);
  const auto model = newest_event();
  EXPECT_EQ(model.context_window, 4096);
  EXPECT_EQ(model.output_tokens_max, 1024);
  EXPECT_EQ(model.capabilities.at("vision"), events::Support::unsupported) << "the provider knows its own model";
  EXPECT_EQ(model.capabilities.at("tools"), events::Support::supported);
  EXPECT_EQ(model.prices.input_micros, 5);
  EXPECT_EQ(sql().run("SELECT cause FROM model_revision ORDER BY version DESC LIMIT 1"), "import");
  const auto shown = Models(*database_).get(root(), {}, "ollama/llama3.2");
  ASSERT_OK(shown);
  EXPECT_THAT(shown->json, HasSubstr(R"("contextWindow" : 4096)"));
  EXPECT_THAT(shown->json, HasSubstr(R"("outputTokensMax" : 1024)"));
  EXPECT_THAT(shown->json, HasSubstr(R"("outputTokensMax": "litellm")"));
  // A sync compares its list with what the provider said before, not with the catalogue.
  EXPECT_EQ(stored("llama3.2").state.output_tokens_max, std::nullopt);
  EXPECT_FALSE(stored("llama3.2").state.capabilities.contains("tools"));
}

TEST_F(CatalogsTest, EachFieldNamesItsSource) {
  ASSERT_OK(Models(*database_)
                .change(root(), {}, "ollama/llama3.2",
                        R"({"displayName":"Ours","capabilities":{"audio_in":"supported"}})", std::nullopt));
  auto litellm = row("llama3.2", {});
  litellm.context_window = 9;
  litellm.input_tokens_max = 10;
  litellm.capabilities = {{"tools", true}, {"json_mode", true}};
  import(litellm, catalog::Source::litellm, Kind::added);
  auto models_dev = row("llama3.2", {});
  models_dev.output_tokens_max = 11;
  models_dev.capabilities = {{"json_mode", true}};
  import(models_dev, catalog::Source::models_dev, Kind::added);
  const auto shown = Models(*database_).get(root(), {}, "ollama/llama3.2");
  ASSERT_OK(shown);
  const auto said = [&](const char* map) {
    return sql().run(
        fmt::format("SELECT string_agg(key || '=' || value, ' ' ORDER BY key COLLATE \"C\") FROM "
                    "json_each_text(CAST($doc${}$doc$ AS json) -> '{}')",
                    shown->json, map));
  };
  // A person who sets one capability keeps those that the model had.
  EXPECT_EQ(said("sources"),
            "capabilities=override capabilities.audio_in=override capabilities.chat=override "
            "capabilities.json_mode=curated capabilities.tools=curated capabilities.vision=override "
            "contextWindow=provider displayName=override family=inferred inputTokensMax=curated "
            "outputTokensMax=curated");
  EXPECT_EQ(
      said("origins"),
      "capabilities.json_mode=models-dev capabilities.tools=litellm family=family:llama3.2 inputTokensMax=litellm "
      "outputTokensMax=models-dev");

  ASSERT_OK(Models(*database_).change(of_acme(), acme(), "ollama/llama3.2", R"({"contextWindow":5})", std::nullopt));
  const auto own = Models(*database_).get(of_acme(), acme(), "ollama/llama3.2");
  ASSERT_OK(own);
  EXPECT_THAT(own->json, HasSubstr(R"("contextWindow" : "organization")"));
  EXPECT_THAT(own->json, HasSubstr(R"("inputTokensMax" : "curated")"));
  const auto other = Models(*database_).get(root(), {}, "ollama/qwen3");
  ASSERT_OK(other);
  EXPECT_THAT(other->json, HasSubstr(R"("capabilities.chat" : "provider")"));
}

TEST_F(CatalogsTest, SameEntryAgainChangesNoModel) {
  const auto entry = row("llama3.2", {price(Dimension::input, 5)});
  EXPECT_EQ(import(entry, catalog::Source::litellm, Kind::added), 1);
  const auto before = count("outbox") + count("price") + count("model_revision");
  EXPECT_EQ(import(entry), 0);
  EXPECT_EQ(count("outbox") + count("price") + count("model_revision"), before);
}

TEST_F(CatalogsTest, PersonsValuesWinOverImports) {
  ASSERT_OK(prices().set(root(), {}, "ollama/llama3.2", {price(Dimension::input, 1)}, std::nullopt));
  ASSERT_OK(Models(*database_).change(root(), {}, "ollama/llama3.2", R"({"outputTokensMax":99})", std::nullopt));
  auto entry =
      row("llama3.2", {price(Dimension::input, 5), price(Dimension::input, 9, 1000), price(Dimension::output, 6)});
  entry.output_tokens_max = 1024;
  import(entry);
  const auto model = newest_event();
  EXPECT_EQ(model.prices.input_micros, 1);
  EXPECT_EQ(model.prices.output_micros, 6) << "of output the person said nothing";
  EXPECT_TRUE(model.prices.others.empty()) << "a person's price of input is all of input";
  EXPECT_EQ(model.output_tokens_max, 99);
}

TEST_F(CatalogsTest, FirstSourceWinsByFieldAndForAllPrices) {
  auto litellm = row("llama3.2", {price(Dimension::input, 5), price(Dimension::cache_read, 1)});
  litellm.output_tokens_max = 1;
  litellm.input_tokens_max = 2;
  auto models_dev = row("llama3.2", {price(Dimension::input, 6), price(Dimension::output, 7)});
  models_dev.output_tokens_max = 3;
  import(litellm, catalog::Source::litellm);
  import(models_dev, catalog::Source::models_dev);
  const auto model = newest_event();
  EXPECT_EQ(model.output_tokens_max, 3);
  EXPECT_EQ(model.input_tokens_max, 2);
  EXPECT_EQ(model.prices.input_micros, 5);
  EXPECT_EQ(model.prices.output_micros, std::nullopt) << "prices of two sources are not mixed";
}

TEST_F(CatalogsTest, ModelListedLaterHasItsEntryAtOnce) {
  auto entry = row("later", {price(Dimension::input, 5)});
  entry.output_tokens_max = 77;
  EXPECT_EQ(import(entry, catalog::Source::litellm, Kind::added), 0);
  apply({adding("later")});
  const auto model = newest_event();
  EXPECT_EQ(model.model_name, "later");
  EXPECT_EQ(model.prices.input_micros, 5);
  EXPECT_EQ(model.output_tokens_max, 77);
}

TEST_F(CatalogsTest, HeldEntryDoesNotCount) {
  import(row("llama3.2", {price(Dimension::input, 5)}), catalog::Source::litellm, Kind::added);
  hold(row("llama3.2", {price(Dimension::input, 50)}), row("llama3.2", {price(Dimension::input, 5)}));
  EXPECT_EQ(newest_event().prices.input_micros, 5);
  const auto known = catalogs().entries(root(), catalog::Source::litellm);
  ASSERT_OK(known);
  ASSERT_EQ(known->size(), 1U);
  EXPECT_EQ(known->front().row.prices.front().micros, 5);
  EXPECT_EQ(known->front().held->prices.front().micros, 50);
  import(row("llama3.2", {price(Dimension::input, 50)}));
  EXPECT_EQ(newest_event().prices.input_micros, 50);
  EXPECT_EQ(count("catalog_entry WHERE held IS NOT NULL"), "0");
}

TEST_F(CatalogsTest, RestOfAHeldEntryCounts) {
  auto before = row("llama3.2", {price(Dimension::input, 5)});
  before.output_tokens_max = 1024;
  import(before, catalog::Source::litellm, Kind::added);
  auto later = row("llama3.2", {price(Dimension::input, 6)});
  later.output_tokens_max = 512;
  auto counts = later;
  counts.output_tokens_max = 1024;
  hold(later, counts);
  EXPECT_EQ(newest_event().prices.input_micros, 6);
  EXPECT_EQ(newest_event().output_tokens_max, 1024);

  const auto open = HeldChanges(*database_).list(root(), {}, {}).value();
  ASSERT_EQ(open.items.size(), 1U);
  EXPECT_THAT(open.items[0].json, HasSubstr(R"("catalog" : "litellm")"));
  EXPECT_THAT(open.items[0].json, HasSubstr(R"("model" : "ollama/llama3.2")"));
  EXPECT_THAT(open.items[0].json, HasSubstr(R"("before" : {"outputTokensMax": 1024})"));
  EXPECT_THAT(open.items[0].json, HasSubstr(R"("after" : {"outputTokensMax": 512})"));
  EXPECT_EQ(open.total, 1);
  // What waits of a model is named beside what waits of lists.
  const auto words = store_->held_changes("").value();
  ASSERT_EQ(words.size(), 1U);
  EXPECT_EQ(words[0].catalog, "litellm");
  EXPECT_EQ(words[0].after.output_tokens_max, 512);
  EXPECT_THAT(held_words(words), HasSubstr("ollama/llama3.2: it looks wrong"));
  EXPECT_TRUE(store_->held_changes(connection_.id).value().empty());
}

TEST_F(CatalogsTest, AcceptedEntryCountsAndIsPublished) {
  import(row("llama3.2", {price(Dimension::input, 5)}), catalog::Source::litellm, Kind::added);
  hold(row("llama3.2", {price(Dimension::input, 50)}), row("llama3.2", {price(Dimension::input, 5)}));
  const auto refused = decide(HeldChanges::Decision::accept, of_acme(), acme());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(decide(HeldChanges::Decision::accept, of_acme()).has_value())
      << "the platform's are not an organisation's";

  const auto decided = decide(HeldChanges::Decision::accept);
  ASSERT_OK(decided);
  EXPECT_THAT(decided->json, HasSubstr(R"("decision": "accepted")"));
  EXPECT_EQ(newest_event().prices.input_micros, 50);
  EXPECT_FALSE(entry().held.has_value());
  EXPECT_TRUE(HeldChanges(*database_).list(root(), {}, {})->items.empty());
  EXPECT_EQ(sql().run("SELECT action || ' ' || actor FROM audit_log ORDER BY seq DESC LIMIT 1"),
            "held_change.accepted cli:root");
}

TEST_F(CatalogsTest, RejectedEntryIsRemembered) {
  const auto later = row("llama3.2", {price(Dimension::input, 50)});
  import(row("llama3.2", {price(Dimension::input, 5)}), catalog::Source::litellm, Kind::added);
  hold(later, row("llama3.2", {price(Dimension::input, 5)}));
  ASSERT_OK(decide(HeldChanges::Decision::reject));
  EXPECT_EQ(newest_event().prices.input_micros, 5);
  EXPECT_EQ(entry().rejected, later);
  const auto same = catalog::plan_import({.entries = {{.key = "a", .row = later}}}, {entry()}, false);
  ASSERT_OK(same);
  EXPECT_TRUE(same->entries.empty()) << "the catalogue repeats it";

  // A later import may keep the rejection, or end it.
  const std::vector<catalog::PlannedEntry> keeping{
      {.kind = Kind::changed, .row = later, .counts = row("llama3.2", {}), .keeps_rejected = true}};
  ASSERT_OK(catalogs().apply(root(), catalog::Source::litellm, keeping));
  EXPECT_EQ(entry().rejected, later);
  EXPECT_TRUE(entry().row.prices.empty());
  import(later);
  EXPECT_FALSE(entry().rejected.has_value());
}

TEST_F(CatalogsTest, GoneEntryStillCounts) {
  import(row("llama3.2", {price(Dimension::input, 5)}), catalog::Source::litellm, Kind::added);
  import(row("llama3.2", {}), catalog::Source::litellm, Kind::gone);
  EXPECT_EQ(count("price WHERE effective_to IS NULL"), "1");
  EXPECT_TRUE(catalogs().entries(root(), catalog::Source::litellm)->front().gone);
}

TEST_F(CatalogsTest, OnlyThePlatformImports) {
  const std::vector<catalog::PlannedEntry> entries{{.row = row("llama3.2", {})}};
  const auto changed = catalogs().apply(of_acme(), catalog::Source::litellm, entries);
  ASSERT_FALSE(changed.has_value());
  EXPECT_EQ(changed.error().kind, ErrorKind::forbidden);
}

TEST_F(CatalogsTest, NamesAreTheWeakestSource) {
  apply({adding("codellama:7b")});
  auto model = newest_event();
  EXPECT_EQ(model.family, "llama");
  EXPECT_EQ(model.context_window, 4096) << "the provider says so";
  EXPECT_EQ(model.capabilities.at("code"), events::Support::supported);
  EXPECT_EQ(stored("codellama:7b").state.family, "");
  EXPECT_EQ(catalogs().infer(root()).value_or(-1), 0) << "a model that a list adds is inferred at once";
  auto entry = row("codellama:7b", {});
  entry.family = "codellama";
  entry.capabilities = {{"code", false}};
  import(entry);
  model = newest_event();
  EXPECT_EQ(model.family, "codellama");
  EXPECT_EQ(model.capabilities.at("code"), events::Support::unsupported);
  const auto shown = Models(*database_).get(root(), {}, "ollama/codellama:7b");
  ASSERT_OK(shown);
  EXPECT_THAT(shown->json, HasSubstr(R"("contextWindow": "family:codellama")"));
}

TEST_F(CatalogsTest, ModelsFromBeforeAreInferredOnce) {
  sql().run("UPDATE model SET inferred = '{}'");
  EXPECT_EQ(catalogs().infer(root()).value_or(-1), 2);
  const auto before = count("outbox");
  EXPECT_EQ(catalogs().infer(root()).value_or(-1), 0);
  EXPECT_EQ(count("outbox"), before);
}

TEST_F(CatalogsTest, ScoresArePublishedAndReplaced) {
  std::vector<std::string> unknown;
  const auto score = [&](const std::string& name, const std::string& value) {
    const std::vector<QualityScore> scores{{.provider = "ollama",
                                            .model_name = name,
                                            .metric = "quality",
                                            .source = "arena",
                                            .score = value,
                                            .date = "2026-08-01"}};
    return catalogs().set_scores(root(), scores, unknown);
  };
  EXPECT_EQ(score("llama3.2", "0.7500").value_or(-1), 1);
  EXPECT_EQ(newest_event().quality_score, 0.75);
  const auto before = count("outbox");
  EXPECT_EQ(score("llama3.2", "0.7500").value_or(-1), 0);
  EXPECT_EQ(count("outbox"), before);
  EXPECT_EQ(score("llama3.2", "0.5000").value_or(-1), 1);
  EXPECT_EQ(newest_event().quality_score, 0.5);
  EXPECT_EQ(score("absent", "0.5000").value_or(-1), 0);
  EXPECT_EQ(unknown, std::vector<std::string>{"ollama/absent"});
  EXPECT_EQ(count("quality_score"), "1");
}

TEST_F(CatalogsTest, EachMetricIsPublished) {
  std::vector<std::string> unknown;
  const auto score = [&](const std::string& metric, const std::string& source, const std::string& value) {
    const std::vector<QualityScore> scores{{.provider = "ollama",
                                            .model_name = "llama3.2",
                                            .metric = metric,
                                            .source = source,
                                            .score = value,
                                            .date = "2026-08-01"}};
    return catalogs().set_scores(root(), scores, unknown);
  };
  EXPECT_EQ(score("coding", "arena", "0.7500").value_or(-1), 1);
  EXPECT_EQ(score("coding", "bench", "0.2500").value_or(-1), 1);
  EXPECT_EQ(score("a=b", "arena", "0.5000").value_or(-1), 1);
  const auto model = newest_event();
  ASSERT_TRUE(model.scores.has_value());
  EXPECT_EQ(*model.scores, (std::map<std::string, double>{{"a=b", 0.5}, {"coding", 0.5}}));
  EXPECT_EQ(model.quality_score, 0.5);
  // The mean of all stays, and so does that of coding.
  EXPECT_EQ(score("coding", "arena", "0.6500").value_or(-1), 1);
  EXPECT_EQ(score("coding", "bench", "0.3500").value_or(-1), 1);
  EXPECT_EQ(newest_event().scores->at("coding"), 0.5);
}

TEST_F(CatalogsTest, ModelHasABoundedNumberOfScoredMetrics) {
  std::vector<std::string> unknown;
  const auto scores = [](int from, int to, const std::string& value) {
    std::vector<QualityScore> made;
    for (int i = from; i < to; ++i)
      made.push_back({.provider = "ollama",
                      .model_name = "llama3.2",
                      .metric = "metric-" + std::to_string(i),
                      .source = "arena",
                      .score = value,
                      .date = "2026-08-01"});
    return made;
  };
  EXPECT_EQ(catalogs().set_scores(root(), scores(0, scored_metrics_max, "0.5"), unknown).value_or(-1), 1);
  EXPECT_EQ(newest_event().scores->size(), static_cast<std::size_t>(scored_metrics_max));
  const auto before = count("outbox");
  // One that is there already and one more: neither is written.
  const auto refused =
      catalogs().set_scores(root(), scores(scored_metrics_max - 1, scored_metrics_max + 1, "0.25"), unknown);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input);
  EXPECT_THAT(refused.error().detail,
              HasSubstr("ollama/llama3.2 would have scores of 65 metrics; a model may have 64. Nothing was set."));
  EXPECT_EQ(count("outbox"), before);
  EXPECT_EQ(sql().run("SELECT count(*) FROM quality_score WHERE score = 0.25"), "0");
  EXPECT_EQ(catalogs().set_scores(root(), scores(0, scored_metrics_max, "0.25"), unknown).value_or(-1), 1);
}

TEST_F(CatalogsTest, InspectionCountsWhatIsMissing) {
  ASSERT_OK(prices().set(root(), {}, "ollama/llama3.2", {price(Dimension::input, 0), price(Dimension::output, 0)}, {}));
  import(row("other", {}), catalog::Source::litellm, Kind::added);
  const auto found = catalogs().inspect(root(), {});
  ASSERT_OK(found);
  EXPECT_THAT(found->json,
              HasSubstr(R"("models" : 2, "free" : 1, "paid" : 0, "withoutPrice" : 1, "withoutLimit" : 0)"));
  EXPECT_THAT(found->json, HasSubstr(R"("source" : "litellm", "entries" : 1)"));
  EXPECT_THAT(found->json, HasSubstr(R"("connection" : "env-ollama")"));
}

TEST_F(CatalogsTest, InspectionNamesStaleLists) {
  for (const auto* name :
       {"fresh", "old", "failing", "held", "never", "off", "unsynced", "unchanged", "gone", "rare", "rare-old"})
    sql().run(
        fmt::format("INSERT INTO connection (provider, name, base_url) VALUES ('ollama', '{}', 'http://h:1')", name));
  sql().run("UPDATE connection SET enabled = name <> 'off', sync_enabled = name <> 'unsynced'");
  sql().run("UPDATE connection SET sync_interval_s = 172800 WHERE name LIKE 'rare%'");
  // By connection: how its last run of each kind ended, and how many hours ago.
  for (const auto& [name, status, hours] :
       {std::tuple("env-ollama", "ok", 30), std::tuple("env-ollama", "ok", 1), std::tuple("fresh", "ok", 23),
        std::tuple("old", "ok", 25), std::tuple("failing", "ok", 25), std::tuple("failing", "failed", 1),
        std::tuple("held", "held", 1), std::tuple("off", "ok", 25), std::tuple("unsynced", "ok", 25),
        std::tuple("unchanged", "ok", 25), std::tuple("rare", "ok", 95), std::tuple("rare-old", "ok", 97)})
    sql().run(fmt::format(
        "INSERT INTO sync_run (connection_id, trigger, status, started_at, finished_at, listed, added, updated, "
        "unchanged, "
        "missing, failed) SELECT id, 'schedule', '{}', at, at, 0, 0, 0, 0, 0, 0 FROM connection, (SELECT now() - "
        "interval '{} hours') t (at) WHERE name = '{}'",
        status, hours, name));
  // Lists that changed nothing have no run.
  for (const auto& [name, hours] : {std::pair("unchanged", 1), std::pair("gone", 25)})
    sql().run(
        fmt::format("INSERT INTO provider_snapshot (connection_id, sha256, body, fetched_at) SELECT id, sha256('x'), "
                    "'x', now() - interval '{} hours' FROM connection WHERE name = '{}'",
                    hours, name));
  const auto found = catalogs().inspect(root(), {});
  ASSERT_OK(found);
  EXPECT_EQ(
      sql().run(
          "SELECT string_agg((l ->> 'connection') || ' ' || (l ->> 'stale') || CASE WHEN l ->> 'lastOkAt' IS NULL "
          "THEN ' never read' ELSE '' END, ', ' ORDER BY l ->> 'connection') FROM json_array_elements(CAST('" +
          found->json + "' AS json) -> 'lists') l"),
      "env-ollama false, failing true, fresh false, gone true, held false, never true never read, off false, old true, "
      "rare false, rare-old true, unchanged false, unsynced false");
}

TEST(PriceText, IsDecimalAndExact) {
  EXPECT_EQ(micros_from("2.5").value_or(-1), 2'500'000);
  EXPECT_EQ(micros_from("0.000001").value_or(-1), 1);
  EXPECT_EQ(micros_from("0").value_or(-1), 0);
  for (const char* text : {"", "free", "-1", "0.0000001", "1e30", "NaN"})
    EXPECT_FALSE(micros_from(text).has_value()) << text;
  EXPECT_EQ(minute_from("16:30"), 990);
  for (const char* text : {"", "24:00", "1:00", "10:60", "10-00", "aa:bb"})
    EXPECT_EQ(minute_from(text), std::nullopt) << text;
}

}  // namespace
}  // namespace tokenrail::registry
