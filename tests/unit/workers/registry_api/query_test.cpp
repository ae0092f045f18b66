#include "workers/registry_api/query.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::array known{
    QueryParameter{.name = "capability", .repeated = true},
    QueryParameter{.name = "status", .type = QueryParameter::Type::choice, .choices = "active|inactive"},
    QueryParameter{.name = "enabled", .type = QueryParameter::Type::boolean},
    QueryParameter{.name = "page_size", .type = QueryParameter::Type::integer},
    QueryParameter{.name = "q"},
};

std::string refusal_of(std::string_view text) {
  const auto query = Query::parse(text, known);
  if (query) return {};
  EXPECT_EQ(query.error().fault, Fault::invalid_query);
  return query.error().detail;
}

TEST(Query, DecodesValues) {
  const auto query = Query::parse("q=a+b%26c&enabled=true&page_size=7&capability=chat&capability=tools&", known);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->text("q"), "a b&c");
  EXPECT_EQ(query->boolean("enabled"), true);
  EXPECT_EQ(query->integer("page_size"), 7);
  EXPECT_THAT(query->texts("capability"), ElementsAre("chat", "tools"));
  EXPECT_EQ(query->text("status"), std::nullopt);
}

TEST(Query, RefusesUnknownParameterWithNearestName) {
  EXPECT_THAT(refusal_of("capabilty=chat"), HasSubstr("Did you mean 'capability'?"));
  EXPECT_THAT(refusal_of("something_else=1"), HasSubstr("There are capability, status"));
}

TEST(Query, RefusesValuesThatDoNotFit) {
  EXPECT_THAT(refusal_of("status=on"), HasSubstr("must be one of active, inactive"));
  EXPECT_THAT(refusal_of("enabled=yes"), HasSubstr("must be true or false"));
  EXPECT_THAT(refusal_of("page_size=1x"), HasSubstr("whole number"));
  EXPECT_THAT(refusal_of("page_size="), HasSubstr("whole number"));
  EXPECT_THAT(refusal_of("page_size=99999999999999999999"), HasSubstr("whole number"));
  EXPECT_THAT(refusal_of("q=1&q=2"), HasSubstr("given twice"));
  EXPECT_THAT(refusal_of("q=%ff"), HasSubstr("not percent-encoded UTF-8"));
}

TEST(Query, BoundsTheNumberOfParameters) {
  std::string many;
  for (int i = 0; i < 101; ++i) many += "capability=x&";
  EXPECT_THAT(refusal_of(many), HasSubstr("more than 100"));
}

TEST(Query, RequiredParameterMustBeThere) {
  constexpr std::array needs{QueryParameter{.name = "model", .required = true}};
  EXPECT_FALSE(Query::parse("", needs));
  EXPECT_TRUE(Query::parse("model=x", needs));
}

TEST(Query, FilterIgnoresOrderAndPaging) {
  const auto one = Query::parse("q=x&capability=b&capability=a&page_size=5", known);
  const auto other = Query::parse("capability=a&page_size=9&q=x&capability=b", known);
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->filter(), other->filter());
  EXPECT_NE(one->filter(), Query::parse("q=x", known)->filter());
}

TEST(Percent, EncodingCanBeUndone) {
  const std::string text = "openai/gpt 4 é:%";
  EXPECT_EQ(percent_decoded(percent_encoded(text), false), text);
  EXPECT_EQ(percent_encoded("a/b c"), "a%2Fb%20c");
}

}  // namespace
}  // namespace tokenrail::registry_api
