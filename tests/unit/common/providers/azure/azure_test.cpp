#include "common/providers/azure/azure.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::providers::azure {
namespace {

using events::ErrorCode;
using testing::HasSubstr;
using testing::Not;

struct UrlCase {
  std::string base_url;
  std::string url;
  Surface surface;
};
TEST(Azure, BaseUrlDecidesHowTheResourceIsAddressed) {
  const std::string host = "https://r.openai.azure.com";
  for (const auto& row : {
           UrlCase{host, host + "/openai/v1/chat/completions", Surface::v1},
           UrlCase{host + "/", host + "/openai/v1/chat/completions", Surface::v1},
           UrlCase{host + "/openai", host + "/openai/v1/chat/completions", Surface::v1},
           UrlCase{host + "/openai/v1", host + "/openai/v1/chat/completions", Surface::v1},
           UrlCase{host + "/openai/v1?api-version=preview", host + "/openai/v1/chat/completions?api-version=preview",
                   Surface::v1},
           UrlCase{host + "?api-version=2024-02-01",
                   host + "/openai/deployments/my%20gpt/chat/completions?api-version=2024-02-01", Surface::classic},
           UrlCase{host + "/openai/deployments",
                   host + "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21", Surface::classic},
           UrlCase{host + "/openai/deployments/d?x=1&api-version=2025-01-01",
                   host + "/openai/deployments/d/chat/completions?x=1&api-version=2025-01-01", Surface::classic},
           UrlCase{"https://r.services.ai.azure.com/models",
                   "https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
                   Surface::models},
       }) {
    const auto address = address_of(row.base_url, "my gpt", "/chat/completions");
    EXPECT_EQ(address.url, row.url);
    EXPECT_EQ(address.surface, row.surface) << row.base_url;
  }
}

std::string body_of(std::string base_url) {
  events::ChatRequest request;
  request.tokens_max = 5;
  const auto call =
      provider().chat(request, {.provider = "azure", .base_url = std::move(base_url), .upstream_name = "d"}, {});
  return call ? call->request.body : call.error().detail;
}

TEST(Azure, BodyIsThatOfTheSurface) {
  EXPECT_THAT(body_of("https://r"), HasSubstr(R"("model":"d")"));
  EXPECT_THAT(body_of("https://r"), HasSubstr(R"("max_completion_tokens":5)"));
  EXPECT_THAT(body_of("https://r"), HasSubstr("include_usage"));
  EXPECT_THAT(body_of("https://r?api-version=2024-10-21"), HasSubstr("include_usage"));
  EXPECT_THAT(body_of("https://r?api-version=2024-02-01"), Not(HasSubstr("include_usage")));
  EXPECT_THAT(body_of("https://r/models"), HasSubstr(R"("max_tokens":5)"));
}

TEST(Azure, KeyGoesIntoItsHeaderOrABearer) {
  Target target{.provider = "azure", .base_url = "https://r", .upstream_name = "d"};
  target.credential = {.type = AuthType::header, .name = "api-key", .secret = Secret("k")};
  const auto headers = provider().chat({}, target, {})->request.headers;
  EXPECT_EQ(headers.back().name, "api-key");
  EXPECT_EQ(headers.back().value, "k");
  EXPECT_TRUE(headers.back().secret);
  target.credential.type = AuthType::bearer;
  EXPECT_EQ(provider().chat({}, target, {})->request.headers.back().value, "Bearer k");
}

TEST(Azure, ListsAndEmbeddingsHaveTheirPlaces) {
  const auto list = [](std::string base_url) {
    return provider().lister()->list({.base_url = std::move(base_url)}, "").url;
  };
  EXPECT_EQ(list("https://r"), "https://r/openai/v1/models");
  EXPECT_EQ(list("https://r?api-version=2024-10-21"), "https://r/openai/models?api-version=2024-10-21");
  EXPECT_EQ(list("https://r/openai/deployments/d?api-version=1"), "https://r/openai/models?api-version=1");
  EXPECT_EQ(list("https://r/openai/deployments"), "https://r/openai/models?api-version=2024-10-21");
  EXPECT_EQ(provider()
                .embedder()
                ->embed({.texts = {"a"}}, {.base_url = "https://r?api-version=1", .upstream_name = "e"})
                ->url,
            "https://r/openai/deployments/e/embeddings?api-version=1");
}

TEST(Azure, FirstChunkWithoutChoicesIsPassedOver) {
  ASSERT_EQ(find_provider("azure"), &provider());
  const auto call = provider().chat({}, {.provider = "azure", .base_url = "https://r"}, {});
  test::AnswerRecorder answer;
  call->decoder->feed(
      "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"prompt_filter_results\":[]}\n\n"
      "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"index\":0}],\"id\":\"c\"}\n\n"
      // Annotations of the filter come later, without text.
      "data: {\"choices\":[{\"content_filter_offsets\":{},\"index\":0}],\"id\":\"c\"}\n\n"
      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\",\"index\":0}]}\n\n"
      "data: [DONE]\n\n",
      answer);
  call->decoder->end(answer);
  EXPECT_EQ(answer.text(), "a");
  EXPECT_EQ(answer.request_id(), "c");
  EXPECT_EQ(answer.finish(), events::FinishReason::content_filter);
}

TEST(Azure, ContentFilterRefusalsTryNoOtherRoute) {
  const Target target{.provider = "azure"};
  const auto out =
      provider().classify(target, http::ResponseHead{.status = 400},
                          R"({"error":{"message":"x","param":"prompt","code":"content_filter","status":400,)"
                          R"("innererror":{"code":"ResponsibleAIPolicyViolation"}}})");
  EXPECT_EQ(out.failure.code, ErrorCode::content_filtered);
  EXPECT_FALSE(out.try_next);
  EXPECT_THAT(provider()
                  .classify(target, http::ResponseHead{.status = 404},
                            R"({"error":{"code":"404","message":"Resource not found"}})")
                  .failure.message,
              HasSubstr("api-version"));
}

}  // namespace
}  // namespace tokenrail::providers::azure
