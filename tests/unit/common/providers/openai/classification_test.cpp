#include "common/providers/openai/classification.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/failure_text.hpp"
#include "common/providers/openai/openai.hpp"

namespace tokenrail::providers::openai {
namespace {

using events::ErrorCode;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

struct Case {
  int status;
  std::string body;
  ErrorCode code;
  bool retry;
  bool try_next;
};

CallFailure classified(int status, const std::string& body, std::vector<http::Header> headers = {}) {
  return classify_response("The server", {.status = status, .headers = std::move(headers)}, body);
}

std::string error(const std::string& message, const std::string& code = "null") {
  return R"({"error":{"message":")" + message + R"(","type":"invalid_request_error","code":)" + code + "}}";
}

TEST(OpenAiClassification, StatusesAndTheirWords) {
  for (const auto& row : {
           // OpenAI
           Case{400, error("bad", R"("empty_array")"), ErrorCode::invalid_request, false, false},
           Case{400, error("invalid model ID"), ErrorCode::model_not_found, false, true},
           Case{400, error("Unsupported parameter: 'stop' is not supported with this model."),
                ErrorCode::capability_unsupported, false, true},
           Case{400, error("This model's maximum context length is 8192 tokens."), ErrorCode::context_too_long, false,
                true},
           Case{400, error("x", R"("context_length_exceeded")"), ErrorCode::context_too_long, false, true},
           Case{400, error("x", R"("content_policy_violation")"), ErrorCode::content_filtered, false, false},
           Case{401, error("Incorrect API key provided"), ErrorCode::provider_auth, false, true},
           Case{403, error("Country, region, or territory not supported"), ErrorCode::provider_auth, false, true},
           Case{404, error("The model `x` does not exist", R"("model_not_found")"), ErrorCode::model_not_found, false,
                true},
           Case{429, error("Rate limit reached", R"("rate_limit_exceeded")"), ErrorCode::provider_rate_limited, true,
                true},
           Case{429, error("Request too large for gpt-4o on tokens per min"), ErrorCode::context_too_long, false, true},
           Case{429, error("You exceeded your current quota", R"("insufficient_quota")"), ErrorCode::provider_auth,
                false, true},
           Case{500, error("The server had an error"), ErrorCode::provider_unavailable, true, true},
           // Azure
           Case{400, R"({"error":{"code":"content_filter","message":"x","status":400}})", ErrorCode::content_filtered,
                false, false},
           Case{404, R"({"error":{"code":"DeploymentNotFound","message":"x"}})", ErrorCode::model_not_found, false,
                true},
           Case{404, R"({"error":{"code":"404","message":"Resource not found"}})", ErrorCode::invalid_model_config,
                false, true},
           // vLLM, llama.cpp, LM Studio
           Case{404, R"({"object":"error","message":"The model `x` does not exist.","code":404})",
                ErrorCode::model_not_found, false, true},
           Case{500, R"({"error":{"code":500,"message":"Context size has been exceeded."}})",
                ErrorCode::context_too_long, false, true},
           Case{500, R"({"error":{"code":500,"message":"image input is not supported - hint: mmproj"}})",
                ErrorCode::capability_unsupported, false, true},
           Case{503, R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})",
                ErrorCode::provider_unavailable, true, true},
           Case{400, error("Invalid model identifier", R"("model_not_found")"), ErrorCode::model_not_found, false,
                true},
           // Groq
           Case{400, error("Tool call validation failed", R"("tool_use_failed")"), ErrorCode::provider_protocol, true,
                true},
           Case{413, error("Request too large for model"), ErrorCode::context_too_long, false, true},
           Case{498, "", ErrorCode::provider_unavailable, true, true},
           // Mistral
           Case{400, R"({"object":"error","message":"Invalid model: x","type":"invalid_model","code":"1500"})",
                ErrorCode::model_not_found, false, true},
           Case{401, R"({"detail":"Unauthorized"})", ErrorCode::provider_auth, false, true},
           Case{422, R"({"detail":[{"loc":["body","store"],"msg":"Extra inputs are not permitted"}]})",
                ErrorCode::invalid_request, false, false},
           // OpenRouter
           Case{400, R"({"error":{"message":"a/b is not a valid model ID","code":400}})", ErrorCode::model_not_found,
                false, true},
           Case{400, R"({"error":{"message":"Provider returned error","code":400}})", ErrorCode::invalid_request, false,
                true},
           Case{402, R"({"error":{"message":"Insufficient credits","code":402}})", ErrorCode::provider_auth, false,
                true},
           Case{403, R"({"error":{"message":"Input was flagged","code":403}})", ErrorCode::content_filtered, false,
                false},
           Case{404, R"({"error":{"message":"No endpoints found for a/b","code":404}})", ErrorCode::model_not_found,
                false, true},
           Case{404, R"({"error":{"message":"No endpoints found that support tool use","code":404}})",
                ErrorCode::capability_unsupported, false, true},
           // Hugging Face, TGI, xAI
           Case{400, R"({"code":400,"reason":"X","message":"model features structured outputs not support"})",
                ErrorCode::capability_unsupported, false, true},
           Case{502, "<!DOCTYPE html><html>", ErrorCode::provider_unavailable, true, true},
           Case{424, R"({"error":"Request failed during generation","error_type":"generation"})",
                ErrorCode::provider_unavailable, true, true},
           Case{429, R"({"error":"Model is overloaded","error_type":"overloaded"})", ErrorCode::provider_rate_limited,
                true, true},
           Case{400, R"({"code":"invalid-argument","error":"Incorrect API key provided."})", ErrorCode::provider_auth,
                false, true},
       }) {
    const auto out = classified(row.status, row.body);
    EXPECT_EQ(out.failure.code, row.code) << row.body << " -> " << out.failure.message;
    EXPECT_EQ(out.retry, row.retry) << row.body;
    EXPECT_EQ(out.try_next, row.try_next) << row.body;
    EXPECT_EQ(out.failure.status, row.status);
    EXPECT_FALSE(out.error_class.empty());
  }
}

TEST(OpenAiClassification, TheHeaderOverrulesTheRow) {
  EXPECT_FALSE(classified(500, "", {{.name = "x-should-retry", .value = "false"}}).retry);
  EXPECT_EQ(classified(400, error("x", R"("tool_use_failed")")).retries_max, 1);
}

TEST(OpenAiClassification, ReadsDelayFromHeadersOrText) {
  const auto body = error("Rate limit reached. Please try again in 6.78s. Visit x", R"("rate_limit_exceeded")");
  EXPECT_EQ(classified(429, body).retry_after, milliseconds(6780));
  EXPECT_EQ(classified(429, body, {{.name = "retry-after", .value = "2"}}).retry_after, milliseconds(2000));
  EXPECT_EQ(delay_in("try again in 644ms."), milliseconds(644));
  EXPECT_EQ(delay_in("try again in 1h8m26.5s"), milliseconds(4106500));
  EXPECT_EQ(delay_in("try again in 6m0s"), milliseconds(360000));
  EXPECT_EQ(delay_in("try again in 900h"), milliseconds(86400000));
  for (const auto* const none :
       {"try again later", "try again in a moment", "try again in 0s", "try again in 5 days"}) {
    EXPECT_FALSE(delay_in(none)) << none;
  }
}

TEST(OpenAiClassification, QuotesUpstreamsMessage) {
  const auto out = classified(
      400,
      R"({"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"maximum context length is 5"}},)"
      R"("user_id":"user_1"})");
  EXPECT_EQ(out.failure.code, ErrorCode::context_too_long);
  EXPECT_THAT(out.failure.message, HasSubstr("Provider returned error (maximum context length is 5)"));
  EXPECT_THAT(out.failure.message, Not(HasSubstr("user_1")));
}

TEST(OpenAiClassification, ListsOfProblemsAreTextWithoutTheInput) {
  EXPECT_THAT(
      classified(422, R"({"detail":[{"type":"enum","loc":["body","tools",0,"type"],"msg":"Input should be 'function'",)"
                      R"("input":"my words"},{"msg":"two"}]})")
          .failure.message,
      testing::AllOf(HasSubstr("\"body.tools.0.type: Input should be 'function'; two\""), Not(HasSubstr("my words"))));
  EXPECT_THAT(classified(400, R"({"success":false,"errors":[{"code":7,"message":"no route"}]})").failure.message,
              HasSubstr("\"no route\""));
  EXPECT_EQ(readable_error("no JSON"), "no JSON");
  EXPECT_EQ(readable_error("[1]"), "[1]");
}

TEST(OpenAiClassification, ConnectionThatFailsNamesTheServer) {
  const auto out = provider().classify(Target{.provider = "vllm", .base_url = "http://u:p@h:1"},
                                       http::End{.ending = http::Ending::connect_failed, .detail = ""});
  EXPECT_THAT(out.failure.message, HasSubstr("Is vLLM running?"));
  EXPECT_THAT(out.failure.message, Not(HasSubstr("u:p")));
  EXPECT_TRUE(out.retry);
  EXPECT_THAT(provider()
                  .classify(Target{.provider = "openai", .base_url = "https://api.openai.com/v1"},
                            http::End{.ending = http::Ending::connect_failed, .detail = ""})
                  .failure.message,
              HasSubstr("reaches the internet"));
}

}  // namespace
}  // namespace tokenrail::providers::openai
