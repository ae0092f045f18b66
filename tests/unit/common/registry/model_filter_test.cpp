#include "common/registry/model_filter.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;

TEST(ModelFilterTest, EveryMemberIsReadAndWrittenTheSame) {
  const std::string text =
      R"({"kind":"generation","provider":"openai","status":"active","capabilities":["tools","vision"],"tags":["fast"],)"
      R"("scope":"platform","q":"gpt","hidden":false,"free":true,"contextMin":32000})";
  const auto filter = model_filter_from_json(text);
  ASSERT_TRUE(filter.has_value()) << filter.error().detail;
  EXPECT_EQ(model_filter_json(*filter), text);
  EXPECT_FALSE(filter->empty());
}

TEST(ModelFilterTest, MissingFieldsFilterNothing) {
  const auto filter = model_filter_from_json("{}");
  ASSERT_TRUE(filter.has_value());
  EXPECT_TRUE(filter->empty());
  EXPECT_EQ(model_filter_json(*filter), "{}");
}

TEST(ModelFilterTest, NotFreeIsAFilterToo) {
  const auto filter = model_filter_from_json(R"({"free":false})");
  ASSERT_TRUE(filter.has_value());
  EXPECT_FALSE(filter->empty());
}

TEST(ModelFilterTest, SearchPatternIsOfTheLongestWord) {
  for (const auto& [search, pattern] :
       std::vector<std::pair<std::string, std::string>>{{"llama", "%llama%"},
                                                        {"  Llama 3.2 ", "%Llama%"},
                                                        {"a bc defg hij", "%defg%"},
                                                        {"ollama/a b", "%ollama/a%"},
                                                        {R"(100%_sure\)", R"(%100\%\_sure\\%)"},
                                                        {"größer", ""},
                                                        // No three letters or digits follow each other.
                                                        {"", ""},
                                                        {"ab", ""},
                                                        {"a/b.c", ""},
                                                        {"日本語", ""},
                                                        {"    ", ""}})
    EXPECT_EQ(search_pattern(search), pattern) << search;
}

TEST(ModelFilterTest, NamesWrongFields) {
  const auto detail_of = [](std::string_view text) {
    const auto filter = model_filter_from_json(text);
    return filter ? std::string("accepted") : filter.error().detail;
  };
  EXPECT_THAT(detail_of(R"({"knd":"x"})"), HasSubstr("no member knd"));
  EXPECT_THAT(detail_of(R"({"kind":1})"), HasSubstr("kind of the filter must be a string"));
  EXPECT_THAT(detail_of(R"({"tags":"fast"})"), HasSubstr("tags of the filter must be a list of strings"));
  EXPECT_THAT(detail_of(R"({"tags":[1]})"), HasSubstr("tags of the filter must be a string"));
  EXPECT_THAT(detail_of(R"({"hidden":"no"})"), HasSubstr("hidden of the filter must be true or false"));
  EXPECT_THAT(detail_of(R"({"contextMin":1.5})"), HasSubstr("contextMin of the filter must be a whole number"));
  EXPECT_THAT(detail_of("[]"), HasSubstr("JSON object"));
  EXPECT_THAT(detail_of("{"), HasSubstr("JSON object"));
}

}  // namespace
}  // namespace tokenrail::registry
