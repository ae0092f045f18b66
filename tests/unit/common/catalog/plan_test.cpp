#include "common/catalog/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/catalog/row_json.hpp"

namespace tokenrail::catalog {
namespace {

using Kind = PlannedEntry::Kind;
using testing::ElementsAre;
using testing::IsEmpty;
using Dimension = PriceDimension;

Row row_of(const std::string& name, std::int64_t input) {
  return {.provider = "p", .model_name = name, .prices = {{.key = {.dimension = Dimension::input}, .micros = input}}};
}
Catalog catalog_of(const std::vector<Row>& rows) {
  Catalog catalog;
  for (const auto& row : rows) catalog.entries.push_back({.key = row.model_name, .row = row});
  return catalog;
}
Plan planned(const std::vector<Row>& rows, const std::vector<KnownEntry>& known, bool accept = false) {
  auto plan = plan_import(catalog_of(rows), known, accept);
  EXPECT_TRUE(plan.has_value()) << plan.error().detail;
  return std::move(*plan);
}

TEST(Plan, NewChangedAndGoneEntriesAreWritten) {
  auto changed = row_of("b", 2'000'000);
  changed.context_window = 8192;
  const auto plan = planned({row_of("a", 2'500'000), row_of("same", 1), changed},
                            {{.row = row_of("same", 1)}, {.row = row_of("b", 1'000'000)}, {.row = row_of("z", 5)}});
  ASSERT_EQ(plan.entries.size(), 3U);
  EXPECT_EQ(plan.entries[0].kind, Kind::added);
  EXPECT_THAT(plan.entries[0].changes, ElementsAre("input 2.5"));
  EXPECT_EQ(plan.entries[1].kind, Kind::changed);
  EXPECT_THAT(plan.entries[1].changes, ElementsAre("input 1 -> 2", "contextWindow unknown -> 8192"));
  EXPECT_EQ(plan.entries[2].kind, Kind::gone);
  EXPECT_EQ(plan.entries[2].row.model_name, "z");
  EXPECT_EQ(plan.unchanged, 1U);
}

TEST(Plan, SameCatalogueAgainWritesNothing) {
  const auto plan = planned({row_of("a", 1), row_of("b", 2)}, {{.row = row_of("a", 1)}, {.row = row_of("b", 2)}});
  EXPECT_TRUE(plan.entries.empty());
  EXPECT_EQ(plan.unchanged, 2U);
}

TEST(Plan, EntryThatIsGoneIsWrittenOnce) {
  EXPECT_TRUE(
      planned({row_of("a", 1)}, {{.row = row_of("a", 1)}, {.row = row_of("z", 5), .gone = true}}).entries.empty());
  const auto back = planned({row_of("a", 1)}, {{.row = row_of("a", 1), .gone = true}});
  ASSERT_EQ(back.entries.size(), 1U);
  EXPECT_THAT(back.entries[0].changes, ElementsAre("listed again"));
}

TEST(Plan, SuspiciousPriceIsHeldUntilAccepted) {
  const auto now = row_of("a", 1'000'000);
  const auto later = row_of("a", 10'000'000);
  const auto first = planned({later}, {{.row = now}});
  ASSERT_EQ(first.entries.size(), 1U);
  EXPECT_EQ(first.entries[0].kind, Kind::held);
  EXPECT_EQ(first.entries[0].reason, "input 1 -> 10: ten times or more");
  // What is held is not written again.
  const auto second = planned({later}, {{.row = now, .held = later}});
  EXPECT_TRUE(second.entries.empty());
  EXPECT_EQ(second.held_already, 1U);
  const auto accepted = planned({later}, {{.row = now, .held = later}}, true);
  ASSERT_EQ(accepted.entries.size(), 1U);
  EXPECT_EQ(accepted.entries[0].kind, Kind::changed);
  const auto taken_back = planned({now}, {{.row = now, .held = later}});
  ASSERT_EQ(taken_back.entries.size(), 1U);
  EXPECT_EQ(taken_back.entries[0].kind, Kind::released);
}

TEST(Plan, RestOfAHeldEntryCountsAtOnce) {
  auto now = row_of("a", 1);
  now.context_window = 8192;
  auto later = row_of("a", 2);
  later.context_window = 4096;
  const auto first = planned({later}, {{.row = now}});
  ASSERT_EQ(first.entries.size(), 1U);
  EXPECT_EQ(first.entries[0].kind, Kind::held);
  EXPECT_EQ(first.entries[0].row, later);
  auto counts = later;
  counts.context_window = 8192;
  EXPECT_EQ(first.entries[0].counts, counts);
  EXPECT_EQ(planned({later}, {{.row = counts, .held = later}}).held_already, 1U);
  // The rest changes again while something waits.
  auto third = later;
  third.prices[0].micros = 3;
  const auto again = planned({third}, {{.row = counts, .held = later}});
  ASSERT_EQ(again.entries.size(), 1U);
  EXPECT_EQ(again.entries[0].kind, Kind::held);
  EXPECT_EQ(again.entries[0].counts->prices, third.prices);
}

TEST(Plan, RejectedChangeIsNotHeldAgain) {
  auto now = row_of("a", 1);
  now.context_window = 8192;
  auto later = now;
  later.context_window = 4096;
  const KnownEntry known{.row = now, .rejected = later};
  const auto same = planned({later}, {known});
  EXPECT_TRUE(same.entries.empty());
  EXPECT_EQ(same.unchanged, 1U);
  // Something else of the entry changes: that counts, and the rejection stays.
  auto other = later;
  other.prices[0].micros = 2;
  const auto changed = planned({other}, {known});
  ASSERT_EQ(changed.entries.size(), 1U);
  EXPECT_EQ(changed.entries[0].kind, Kind::changed);
  EXPECT_TRUE(changed.entries[0].keeps_rejected);
  EXPECT_EQ(changed.entries[0].counts->context_window, 8192);
  EXPECT_EQ(changed.entries[0].counts->prices, other.prices);
  EXPECT_THAT(changed.entries[0].changes, ElementsAre("input 0.000001 -> 0.000002"));
  // Another value is held again; what counts ends the rejection.
  later.context_window = 2048;
  ASSERT_EQ(planned({later}, {known}).entries.size(), 1U);
  EXPECT_EQ(planned({later}, {known}).entries[0].kind, Kind::held);
  ASSERT_EQ(planned({now}, {known}).entries.size(), 1U);
  EXPECT_EQ(planned({now}, {known}).entries[0].kind, Kind::released);
}

TEST(Plan, CatalogueOfLessThanHalfIsRefused) {
  const std::vector<KnownEntry> known{{.row = row_of("a", 1)}, {.row = row_of("b", 1)}, {.row = row_of("c", 1)}};
  const auto plan = plan_import(catalog_of({row_of("a", 1)}), known, false);
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().kind, ErrorKind::conflict);
  EXPECT_EQ(planned({row_of("a", 1)}, known, true).count(Kind::gone), 2U);
  EXPECT_EQ(planned({row_of("a", 1), row_of("b", 1)}, known).count(Kind::gone), 1U);
}

TEST(Suspicion, TenTimesAndCrossingZeroAreSuspicious) {
  const auto between = [](std::int64_t before, std::int64_t after) {
    return believe(row_of("a", before), row_of("a", after)).reason;
  };
  EXPECT_EQ(between(100, 100), "");
  EXPECT_EQ(between(100, 999), "");
  EXPECT_EQ(between(999, 100), "");
  EXPECT_NE(between(100, 1000), "");
  EXPECT_NE(between(1000, 100), "");
  EXPECT_EQ(between(0, 5), "input 0 -> 0.000005: it was free");
  EXPECT_EQ(between(5, 0), "input 0.000005 -> 0: it becomes free");
  EXPECT_EQ(between(0, 0), "");
  EXPECT_EQ(believe({}, row_of("a", 5)).reason, "") << "it was not known";
}

TEST(Suspicion, VanishingPriceIsHeldSoThatItsReturnIsCompared) {
  const auto priced = row_of("a", 1'000'000);
  auto gone = priced;
  gone.prices.clear();
  const auto belief = believe(priced, gone);
  EXPECT_THAT(belief.held, ElementsAre("prices"));
  EXPECT_EQ(belief.reason, "input 1 -> unknown: it would have no price");
  EXPECT_EQ(belief.row.prices, priced.prices);
  EXPECT_EQ(believe(belief.row, row_of("a", 10'000'000)).reason, "input 1 -> 10: ten times or more");

  auto two = priced;
  two.prices.push_back({.key = {.dimension = Dimension::output}, .micros = 5});
  EXPECT_EQ(believe(two, priced).reason, "output 0.000005 -> unknown: it would have no price") << "one of several";
  EXPECT_EQ(believe(priced, two).reason, "");
}

TEST(Suspicion, VanishingLimitIsHeld) {
  const Row before{.provider = "p", .model_name = "a", .context_window = 8192};
  const Row after{.provider = "p", .model_name = "a"};
  const auto belief = believe(before, after);
  EXPECT_THAT(belief.held, ElementsAre("contextWindow"));
  EXPECT_EQ(belief.reason, "the context window of 8192 would become unknown");
  EXPECT_EQ(belief.row, before);
  EXPECT_THAT(believe(after, before).held, IsEmpty());
}

TEST(Suspicion, ShrinkingLimitsAndVanishingCapabilitiesAreHeld) {
  Row before{
      .provider = "p", .model_name = "a", .context_window = 8192, .input_tokens_max = 10, .output_tokens_max = 20};
  before.capabilities = {{"audio", false}, {"tools", true}, {"vision", true}};
  auto after = before;
  after.context_window = 4096;
  after.input_tokens_max = 11;
  after.output_tokens_max = 21;
  after.capabilities = {{"audio", true}, {"tools", false}};
  after.family = "f";
  const auto belief = believe(before, after);
  EXPECT_THAT(belief.held, ElementsAre("capabilities.tools", "capabilities.vision", "contextWindow"));
  EXPECT_EQ(belief.reason,
            "the context window would shrink from 8192 to 4096; the capability tools would become unsupported; the "
            "capability vision would become unknown");
  auto counts = after;
  counts.context_window = 8192;
  counts.capabilities = {{"audio", true}, {"tools", true}, {"vision", true}};
  EXPECT_EQ(belief.row, counts) << "the rest is believed";
  EXPECT_TRUE(believe(after, before).held.contains("capabilities.audio"));
  EXPECT_FALSE(believe(after, before).held.contains("contextWindow")) << "a limit may grow";
}

TEST(Suspicion, PricesOfAnEntryAreHeldTogether) {
  auto before = row_of("a", 100);
  before.prices.push_back({.key = {.dimension = Dimension::output}, .micros = 5});
  auto after = row_of("a", 1000);
  after.prices.push_back({.key = {.dimension = Dimension::output}, .micros = 6});
  after.context_window = 1;
  const auto belief = believe(before, after);
  EXPECT_THAT(belief.held, ElementsAre("prices"));
  EXPECT_EQ(belief.row.prices, before.prices);
  EXPECT_EQ(belief.row.context_window, 1);
}

TEST(Words, NameAPrice) {
  EXPECT_EQ(words_of({.dimension = Dimension::cache_read}), "cache_read");
  EXPECT_EQ(words_of({.dimension = Dimension::input,
                      .tier = ServiceTier::batch,
                      .min_context_tokens = 200'001,
                      .window = {.from_minute = 990, .to_minute = 30}}),
            "input/batch@200001@16:30-00:30");
  EXPECT_EQ(dollars(2'500'000), "2.5");
  EXPECT_EQ(dollars(130), "0.00013");
  EXPECT_EQ(dollars(0), "0");
  EXPECT_EQ(dollars(40'000'000'000), "40000");
}

TEST(RowJson, IsReadAsItWasWritten) {
  const Row row{.provider = "p",
                .model_name = "m",
                .kind = "generation",
                .display_name = R"(A "quoted" \ name)",
                .family = "f",
                .lifecycle = "preview",
                .release_date = "2026-01-02",
                .retires_on = "2027-01-02",
                .open_weights = false,
                .context_window = 1,
                .input_tokens_max = 2,
                .output_tokens_max = 3,
                .embedding_dimensions = 4,
                .capabilities = {{"tools", true}, {"vision", false}},
                .prices = {{.key = {.dimension = Dimension::input}, .micros = 0},
                           {.key = {.dimension = Dimension::search,
                                    .tier = ServiceTier::flex,
                                    .min_context_tokens = 7,
                                    .window = {.from_minute = 1, .to_minute = 0}},
                            .micros = price_micros_max}}};
  const auto read = parse_row("p", "m", to_json(row));
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(*read, row);
  const Row bare{.provider = "p", .model_name = "m"};
  EXPECT_EQ(to_json(bare), "{}");
  EXPECT_EQ(*parse_row("p", "m", "{}"), bare);
  EXPECT_FALSE(parse_row("p", "m", "[]").has_value());
}

}  // namespace
}  // namespace tokenrail::catalog
