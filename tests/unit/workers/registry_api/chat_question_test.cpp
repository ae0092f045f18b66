#include "workers/registry_api/endpoints/chat_question.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

std::expected<chat::Question, Problem> question_of(std::string_view body) {
  const auto json = parse_json(body);
  EXPECT_TRUE(json) << body;
  return chat_question(*json, {.request_id = "made", .org_id = "acme", .user_id = "anna", .timeout = 5min});
}

TEST(ChatQuestion, HasModelMessagesAndParameters) {
  const auto question = question_of(
      R"({"model":"ollama/llama3:8b","messages":[{"role":"system","content":"short"},{"role":"user","content":"hi"}],)"
      R"("params":{"temperature":0.5,"maxTokens":20,"stop":["x"]}})");
  ASSERT_TRUE(question) << question.error().detail;
  const auto& request = question->request;
  EXPECT_EQ(request.model->provider, "ollama");
  EXPECT_EQ(request.model->name, "llama3:8b");
  EXPECT_EQ(request.messages.size(), 2U);
  EXPECT_EQ(request.temperature, 0.5);
  EXPECT_EQ(request.tokens_max, 20);
  EXPECT_EQ(question->timeout, 5min);
  EXPECT_EQ(request.timeout, 5min);
}

TEST(ChatQuestion, ServerSaysWhoAsks) {
  const auto question = question_of(R"({"messages":[{"role":"user","content":"hi"}]})");
  ASSERT_TRUE(question);
  EXPECT_EQ(question->request.request_id, "made");
  EXPECT_EQ(question->request.org_id, "acme");
  EXPECT_EQ(question->request.user_id, "anna");
  EXPECT_EQ(question->key, "made");
  EXPECT_FALSE(question->request.model) << "the organisation's default";
  for (const auto* name :
       {"orgId", "requestId", "userId", "groups", "metadata", "timeoutMs", "fallbacks", "messages"}) {
    const auto refused =
        question_of(std::string(R"({"messages":[{"role":"user","content":"hi"}],"params":{")") + name + R"(":"x"}})");
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().errors.front().pointer, std::string("/params/") + name);
  }
}

TEST(ChatQuestion, NameWithoutProviderIsAnAlias) {
  const auto question = question_of(R"({"model":"fast","messages":[{"role":"user","content":"hi"}]})");
  ASSERT_TRUE(question);
  EXPECT_EQ(question->request.model->provider, "");
  EXPECT_EQ(question->request.model->name, "fast");
}

TEST(ChatQuestion, RefusesRequestsThatRoutersRefuse) {
  for (const auto* body : {R"({"messages":[{"role":"king","content":"hi"}]})", R"({"messages":[{"role":"user"}]})",
                           R"({"messages":[{"role":"user","content":"hi"}],"params":{"temperature":3}})",
                           R"({"model":"/x","messages":[{"role":"user","content":"hi"}]})"}) {
    const auto refused = question_of(body);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().fault, Fault::invalid_body);
    EXPECT_FALSE(refused.error().detail.empty());
  }
}

}  // namespace
}  // namespace tokenrail::registry_api
