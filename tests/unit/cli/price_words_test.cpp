#include "cli/price_words.hpp"

#include <gtest/gtest.h>

#include "common/catalog/plan.hpp"

namespace tokenrail::cli {
namespace {

TEST(PriceWords, AreReadIntoAPrice) {
  for (const auto& [text, words, micros] : {
           std::tuple("input=2.5", "input", 2'500'000LL),
           std::tuple("output=0", "output", 0LL),
           std::tuple("cache_read=0.000001", "cache_read", 1LL),
           std::tuple("input/batch=1e0", "input/batch", 1'000'000LL),
           std::tuple("input@200001=5", "input@200001", 5'000'000LL),
           std::tuple("input@16:30-00:30=1", "input@16:30-00:30", 1'000'000LL),
           std::tuple("output/flex@16:30-00:30@5=1", "output/flex@5@16:30-00:30", 1'000'000LL),
       }) {
    const auto price = price_from_words(text);
    ASSERT_TRUE(price.has_value()) << text << ": " << price.error().detail;
    EXPECT_EQ(catalog::words_of(price->key), words);
    EXPECT_EQ(price->micros, micros);
  }
}

TEST(PriceWords, RefusesWrongPriceByName) {
  for (const char* text : {"", "input", "=1", "moonlight=1", "input=", "input=free", "input=-1", "input=0.0000001",
                           "input/express=1", "input@0=1", "input@x=1", "input@25:00-01:00=1", "input@10:00=1",
                           "input@10:00-10:00=1", "input=99999999999999999"}) {
    const auto price = price_from_words(text);
    ASSERT_FALSE(price.has_value()) << text;
    EXPECT_EQ(price.error().kind, ErrorKind::invalid_input);
    EXPECT_NE(price.error().detail.find(text), std::string::npos);
  }
}

}  // namespace
}  // namespace tokenrail::cli
