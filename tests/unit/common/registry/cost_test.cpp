#include "common/registry/cost.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace tokenrail::registry {
namespace {

using events::ModelPrices;
using events::Usage;
using Dimension = PriceDimension;
constexpr auto standard = ServiceTier::standard;

/// In dollars a million: input 2.5, output 10, cached 0.25, written 3.125.
ModelPrices prices() {
  return {.input_micros = 2'500'000,
          .output_micros = 10'000'000,
          .others = {{.key = {.dimension = Dimension::cache_read}, .micros = 250'000},
                     {.key = {.dimension = Dimension::cache_write}, .micros = 3'125'000}},
          .version = 7};
}

TEST(Cost, InputAndOutputHaveTheirPrices) {
  EXPECT_EQ(cost_of(prices(), standard, {.input_tokens = 1000, .output_tokens = 100}, 0), 2500 + 1000);
}

TEST(Cost, CachedAndWrittenTokensHaveTheirPrices) {
  EXPECT_EQ(
      cost_of(prices(), standard,
              {.input_tokens = 1000, .output_tokens = 0, .cached_input_tokens = 400, .cache_write_input_tokens = 200},
              0),
      400 * 5 / 2 + 400 / 4 + 200 * 25 / 8);
}

TEST(Cost, ReasoningHasItsPriceOrThatOfOutput) {
  auto with = prices();
  const Usage usage{.input_tokens = 0, .output_tokens = 100, .reasoning_tokens = 40};
  EXPECT_EQ(cost_of(with, standard, usage, 0), 1000);
  with.others.push_back({.key = {.dimension = Dimension::reasoning}, .micros = 20'000'000});
  EXPECT_EQ(cost_of(with, standard, usage, 0), 600 + 800);
}

TEST(Cost, CacheKeptForAnHourHasItsPrice) {
  auto with = prices();
  const Usage usage{.input_tokens = 1000, .cache_write_input_tokens = 800, .cache_write_1h_tokens = 600};
  EXPECT_EQ(cost_of(with, standard, usage, 0), std::nullopt) << "not that of the shorter time";
  with.others.push_back({.key = {.dimension = Dimension::cache_write_1h}, .micros = 5'000'000});
  EXPECT_EQ(cost_of(with, standard, usage, 0), 200 * 5 / 2 + 200 * 25 / 8 + 600 * 5);
}

TEST(Cost, AudioHasItsPriceOrNone) {
  auto with = prices();
  const Usage heard{.input_tokens = 1000, .output_tokens = 100, .audio_input_tokens = 900};
  const Usage spoken{.input_tokens = 1000, .output_tokens = 100, .audio_output_tokens = 80};
  EXPECT_EQ(cost_of(with, standard, heard, 0), std::nullopt) << "not that of text";
  EXPECT_EQ(cost_of(with, standard, spoken, 0), std::nullopt);
  with.others.push_back({.key = {.dimension = Dimension::audio_in}, .micros = 40'000'000});
  with.others.push_back({.key = {.dimension = Dimension::audio_out}, .micros = 80'000'000});
  EXPECT_EQ(cost_of(with, standard, heard, 0), 100 * 5 / 2 + 900 * 40 + 1000);
  EXPECT_EQ(cost_of(with, standard, spoken, 0), 2500 + 20 * 10 + 80 * 80);
}

TEST(Cost, ImagesOfThePromptAreInputWithoutAPrice) {
  auto with = prices();
  const Usage seen{.input_tokens = 1000, .image_input_tokens = 400};
  const Usage drawn{.output_tokens = 100, .image_output_tokens = 100};
  EXPECT_EQ(cost_of(with, standard, seen, 0), 2500);
  EXPECT_EQ(cost_of(with, standard, drawn, 0), std::nullopt);
  with.others.push_back({.key = {.dimension = Dimension::image_in}, .micros = 10'000'000});
  with.others.push_back({.key = {.dimension = Dimension::image_out}, .micros = 30'000'000});
  EXPECT_EQ(cost_of(with, standard, seen, 0), 600 * 5 / 2 + 400 * 10);
  EXPECT_EQ(cost_of(with, standard, drawn, 0), 3000);
}

TEST(Cost, CachedPromptsWithAudioHaveNone) {
  auto with = prices();
  with.others.push_back({.key = {.dimension = Dimension::audio_in}, .micros = 40'000'000});
  Usage usage{.input_tokens = 1000, .cached_input_tokens = 400, .audio_input_tokens = 300};
  EXPECT_EQ(cost_of(with, standard, usage, 0), std::nullopt) << "cached audio may cost something else";
  usage.cached_input_tokens = 0;
  EXPECT_EQ(cost_of(with, standard, usage, 0), 700 * 5 / 2 + 300 * 40);
}

TEST(Cost, UnknownPriceGivesNoCost) {
  EXPECT_EQ(cost_of({}, standard, {.input_tokens = 1, .output_tokens = 1}, 0), std::nullopt);
  EXPECT_EQ(cost_of({}, standard, {}, 0), std::nullopt);
  EXPECT_EQ(cost_of({.input_micros = 5}, standard, {.input_tokens = 1, .output_tokens = 1}, 0), std::nullopt);
  EXPECT_EQ(cost_of({.input_micros = 5}, standard, {.input_tokens = 1'000'000}, 0), 5);
  EXPECT_EQ(cost_of({.input_micros = 5, .output_micros = 5}, standard,
                    {.input_tokens = 10, .output_tokens = 1, .cached_input_tokens = 1}, 0),
            std::nullopt);
  EXPECT_EQ(cost_of({.input_micros = 5, .output_micros = 5}, standard,
                    {.input_tokens = 10, .output_tokens = 1, .cache_write_input_tokens = 1}, 0),
            std::nullopt);
}

TEST(Cost, FreeModelCostsZero) {
  EXPECT_EQ(cost_of({.input_micros = 0, .output_micros = 0}, standard, {.input_tokens = 9, .output_tokens = 9}, 0), 0);
}

TEST(Cost, LargestPromptSizeThatHoldsCounts) {
  auto with = prices();
  with.others.push_back({.key = {.dimension = Dimension::input, .min_context_tokens = 200'001}, .micros = 5'000'000});
  with.others.push_back({.key = {.dimension = Dimension::input, .min_context_tokens = 32'001}, .micros = 4'000'000});
  EXPECT_EQ(price_of(with, Dimension::input, standard, 32'000, 0), 2'500'000);
  EXPECT_EQ(price_of(with, Dimension::input, standard, 32'001, 0), 4'000'000);
  EXPECT_EQ(price_of(with, Dimension::input, standard, 200'000, 0), 4'000'000);
  EXPECT_EQ(price_of(with, Dimension::input, standard, 200'001, 0), 5'000'000);
  // The whole prompt has that price, cached tokens are part of its size.
  EXPECT_EQ(cost_of(with, standard, {.input_tokens = 200'001, .cached_input_tokens = 200'000}, 0), 5 + 50'000);
}

TEST(Cost, TimeOfDayCountsInUtc) {
  auto with = prices();
  with.others.push_back(
      {.key = {.dimension = Dimension::input, .window = {.from_minute = 990, .to_minute = 30}}, .micros = 1'000'000});
  EXPECT_EQ(price_of(with, Dimension::input, standard, 1, 989), 2'500'000);
  EXPECT_EQ(price_of(with, Dimension::input, standard, 1, 990), 1'000'000);
  EXPECT_EQ(price_of(with, Dimension::input, standard, 1, 1439), 1'000'000);
  EXPECT_EQ(price_of(with, Dimension::input, standard, 1, 29), 1'000'000);
  EXPECT_EQ(price_of(with, Dimension::input, standard, 1, 30), 2'500'000);
  EXPECT_EQ(minute_of_day(1'763'000'000'000), (1'763'000'000 / 60) % 1440);
  EXPECT_EQ(minute_of_day(-1), 0);
  EXPECT_EQ(minute_of_day(-60'000), 1439);
}

TEST(Cost, ServiceTierNeedsItsOwnPrices) {
  auto with = prices();
  const Usage usage{.input_tokens = 1'000'000};
  EXPECT_EQ(cost_of(with, ServiceTier::flex, usage, 0), std::nullopt);
  with.others.push_back({.key = {.dimension = Dimension::input, .tier = ServiceTier::flex}, .micros = 7});
  EXPECT_EQ(cost_of(with, ServiceTier::flex, usage, 0), 7);
}

TEST(Cost, PriceOfARequestIsAdded) {
  auto with = prices();
  with.others.push_back({.key = {.dimension = Dimension::per_request}, .micros = 5'000'000'000});
  EXPECT_EQ(cost_of(with, standard, {.input_tokens = 1000}, 0), 2500 + 5000);
}

TEST(Cost, RoundsOnceAndHalfToEven) {
  EXPECT_EQ(cost_of({.input_micros = 500'000}, standard, {.input_tokens = 1}, 0), 0);
  EXPECT_EQ(cost_of({.input_micros = 500'000}, standard, {.input_tokens = 3}, 0), 2);
  EXPECT_EQ(cost_of({.input_micros = 400'000, .output_micros = 400'000}, standard,
                    {.input_tokens = 1, .output_tokens = 1}, 0),
            1);
  EXPECT_EQ(cost_of({.input_micros = 500'001}, standard, {.input_tokens = 1}, 0), 1);
}

TEST(Cost, CountsThatCannotBeAreBounded) {
  EXPECT_EQ(cost_of(prices(), standard,
                    {.input_tokens = 8,
                     .output_tokens = 4,
                     .cached_input_tokens = 100,
                     .cache_write_input_tokens = 100,
                     .reasoning_tokens = 100,
                     .cache_write_1h_tokens = 100,
                     .audio_output_tokens = 100,
                     .image_output_tokens = -100},
                    0),
            2 + 40);
  EXPECT_EQ(cost_of(prices(), standard, {.input_tokens = -5, .output_tokens = -5}, 0), 0);
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(cost_of({.input_micros = price_micros_max, .output_micros = 1}, standard, {.input_tokens = most}, 0),
            std::nullopt);
}

}  // namespace
}  // namespace tokenrail::registry
