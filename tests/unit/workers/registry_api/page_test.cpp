#include "workers/registry_api/page.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using testing::ElementsAre;

std::expected<ListPage, Problem> request(const PageTokens& tokens, std::string_view query,
                                         std::string_view list = "models.list acme") {
  static constexpr std::array known{
      QueryParameter{.name = "page_size", .type = QueryParameter::Type::integer},
      QueryParameter{.name = "page_token"},
      QueryParameter{.name = "kind"},
  };
  const auto parsed = Query::parse(query, known);
  EXPECT_TRUE(parsed);
  return tokens.request(*parsed, list);
}

TEST(Page, SizeHasDefaultAndMaximum) {
  const PageTokens tokens("key");
  EXPECT_EQ(request(tokens, "")->size, 50);
  EXPECT_EQ(request(tokens, "page_size=7")->size, 7);
  EXPECT_EQ(request(tokens, "page_size=5000")->size, 1000);
  EXPECT_EQ(request(tokens, "page_size=0").error().fault, Fault::invalid_query);
  EXPECT_EQ(request(tokens, "page_size=-1").error().fault, Fault::invalid_query);
}

TEST(Page, TokenContinuesItsOwnList) {
  const PageTokens tokens("key");
  const auto first = request(tokens, "kind=embedding");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->after, "");
  const auto token = tokens.issue(first->list, "ollama/llama3\n42");
  const auto second = request(tokens, "page_size=3&kind=embedding&page_token=" + token);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->after, "ollama/llama3\n42");
}

TEST(Page, TokenOfAnotherListIsRefused) {
  const PageTokens tokens("key");
  const auto token = "page_token=" + tokens.issue(request(tokens, "")->list, "x");
  EXPECT_TRUE(request(tokens, token));
  EXPECT_EQ(request(tokens, "kind=embedding&" + token).error().fault, Fault::invalid_page_token);
  EXPECT_EQ(request(tokens, token, "models.list other").error().fault, Fault::invalid_page_token);
  EXPECT_EQ(request(PageTokens("other key"), token).error().fault, Fault::invalid_page_token);
}

TEST(Page, ChangedTokenIsRefused) {
  const PageTokens tokens("key");
  const auto token = tokens.issue("list", "position");
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(tokens.position_of(changed, "list"), std::nullopt) << i;
  }
  EXPECT_EQ(tokens.position_of("", "list"), std::nullopt);
  EXPECT_EQ(tokens.position_of(std::string(5000, 'A'), "list"), std::nullopt);
}

TEST(Page, BodyHasEmptyTokenAtTheEnd) {
  EXPECT_EQ(page_body({R"({"a":1})", "2"}, "", 2), R"({"data":[{"a":1},2],"next_page_token":"","total_size":2})");
}

}  // namespace
}  // namespace tokenrail::registry_api
