#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/anthropic/anthropic.hpp"

namespace tokenrail::providers::anthropic {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Target target{.provider = "anthropic",
                    .base_url = "https://api.anthropic.com",
                    .credential = {.type = AuthType::header, .name = "x-api-key", .secret = Secret("key-1")}};

TEST(AnthropicModels, ListIsAskedForWithVersionAndPage) {
  const auto first = provider().lister()->list(target, "");
  EXPECT_EQ(first.method, "GET");
  EXPECT_EQ(first.url, "https://api.anthropic.com/v1/models?limit=1000");
  int found = 0;
  for (const auto& header : first.headers) {
    found += header.name == "anthropic-version" && header.value == "2023-06-01" ? 1 : 0;
    found += header.name == "x-api-key" && header.value == "key-1" && header.secret ? 1 : 0;
  }
  EXPECT_EQ(found, 2);
  EXPECT_EQ(provider().lister()->list(target, "a b&c").url,
            "https://api.anthropic.com/v1/models?limit=1000&after_id=a%20b%26c");
}

TEST(AnthropicModels, EntryGivesLimitsAndCapabilities) {
  const auto page = parse_model_list(
      R"({"data":[{"type":"model","id":"m-1","display_name":"M 1","created_at":"2026-01-01T00:00:00Z",)"
      R"("max_input_tokens":200000,"max_tokens":64000,"capabilities":{"image_input":{"supported":true},)"
      R"("pdf_input":{"supported":false},"structured_outputs":{"supported":true},"thinking":{"supported":true},)"
      R"("batch":{"supported":true}}},{"id":"m-2"}],"has_more":false,"last_id":"m-2"})");
  ASSERT_TRUE(page) << page.error().detail;
  ASSERT_EQ(page->models.size(), 2U);
  const auto& model = page->models[0];
  EXPECT_EQ(model.name, "m-1");
  EXPECT_EQ(model.display_name, "M 1");
  EXPECT_EQ(model.modified_at, "2026-01-01T00:00:00Z");
  EXPECT_EQ(model.context_length, 200'000);
  EXPECT_EQ(model.output_tokens_max, 64'000);
  EXPECT_THAT(model.capabilities, ElementsAre("chat", "streaming", "tools", "vision", "json_schema", "reasoning"));
  EXPECT_THAT(page->models[1].capabilities, IsEmpty()) << "unknown";
  EXPECT_FALSE(page->models[1].context_length);
  EXPECT_EQ(page->next, "");
}

TEST(AnthropicModels, NextPageBeginsAfterTheLastEntry) {
  EXPECT_EQ(parse_model_list(R"({"has_more":true,"last_id":"b","data":[{"id":"a"}]})")->next, "b");
  EXPECT_EQ(parse_model_list(R"({"data":[{"id":"a"}],"has_more":true})")->next, "a");
  EXPECT_EQ(parse_model_list(R"({"data":[{"id":"a"}],"has_more":7,"last_id":"b"})")->next, "");
  EXPECT_EQ(parse_model_list(R"({"data":[],"has_more":true,"last_id":"b"})")->next, "") << "no progress, no next page";
}

TEST(AnthropicModels, OneBadEntryCostsThatEntry) {
  for (const auto* bad : {"7", "null", "{}", R"({"id":7})", R"({"id":""})", R"({"id":"a"})",
                          R"({"id":"c","max_tokens":18446744073709551616})"}) {
    const auto page = parse_model_list(std::string(R"({"data":[{"id":"a"},)") + bad + R"(,{"id":"b"}]})");
    ASSERT_TRUE(page) << bad;
    EXPECT_EQ(page->models.size(), 2U) << bad;
    EXPECT_EQ(page->skipped, 1U) << bad;
    EXPECT_THAT(page->first_skipped, HasSubstr("entry 2")) << bad;
  }
  for (const auto* odd : {"null", "-1", "\"x\"", "1.5", "[]", "{}"}) {
    const auto page = parse_model_list(std::string(R"({"data":[{"id":"a","display_name":)") + odd +
                                       R"(,"max_tokens":)" + odd + R"(,"capabilities":)" + odd + "}]}");
    ASSERT_TRUE(page) << odd;
    ASSERT_EQ(page->models.size(), 1U) << odd;
    EXPECT_FALSE(page->models[0].output_tokens_max) << odd;
  }
}

TEST(AnthropicModels, OtherBodiesThanListsAreErrors) {
  for (const auto* body : {"", "{", "[]", "{}", R"({"data":7})", R"({"data":[{"id":"a"})"}) {
    const auto page = parse_model_list(body);
    ASSERT_FALSE(page) << body;
    EXPECT_EQ(page.error().kind, ErrorKind::unavailable);
  }
  EXPECT_THAT(parse_model_list("<html></html>").error().detail, HasSubstr("web page"));
  EXPECT_THAT(parse_model_list(R"({"candidates":[]})").error().detail, HasSubstr("Gemini"));
}

}  // namespace
}  // namespace tokenrail::providers::anthropic
