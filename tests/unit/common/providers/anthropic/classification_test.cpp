#include "common/providers/anthropic/classification.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::providers::anthropic {
namespace {

using events::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

http::ResponseHead head(int status, std::vector<http::Header> headers = {}) {
  return {.status = status, .headers = std::move(headers)};
}
std::string body(std::string_view type, std::string_view message) {
  return R"({"type":"error","error":{"type":")" + std::string(type) + R"(","message":")" + std::string(message) +
         R"("},"request_id":"req_1"})";
}

struct Case {
  int status;
  const char* type;
  const char* message;
  ErrorCode code;
  const char* error_class;
  bool retry;
  bool try_next;
};
TEST(AnthropicClassification, RefusalsMeanWhatTheTableSays) {
  for (const auto& row : {
           Case{400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum",
                ErrorCode::context_too_long, "context_too_long", false, true},
           Case{400, "invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 3",
                ErrorCode::context_too_long, "context_too_long", false, true},
           Case{400, "invalid_request_error", "messages: roles must alternate", ErrorCode::invalid_request,
                "invalid_request", false, false},
           Case{400, "invalid_request_error", "Output blocked by content filtering policy", ErrorCode::content_filtered,
                "content_filter", false, false},
           Case{400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.",
                ErrorCode::provider_auth, "payment", false, true},
           Case{400, "invalid_request_error", "You have reached your specified API usage limits.",
                ErrorCode::provider_auth, "quota", false, true},
           Case{400, "invalid_request_error", "This model does not support assistant message prefill.",
                ErrorCode::capability_unsupported, "capability", false, true},
           Case{400, "invalid_request_error", "`temperature` is deprecated for this model.",
                ErrorCode::capability_unsupported, "capability", false, true},
           Case{400, "invalid_request_error", "max_tokens: 9 > 8, which is the maximum allowed number of output tokens",
                ErrorCode::invalid_request, "invalid_request", false, true},
           Case{401, "authentication_error", "invalid x-api-key", ErrorCode::provider_auth, "auth", false, true},
           Case{402, "billing_error", "Pay.", ErrorCode::provider_auth, "payment", false, true},
           Case{403, "permission_error", "No.", ErrorCode::provider_auth, "auth", false, true},
           Case{404, "not_found_error", "model: claude-none", ErrorCode::model_not_found, "not_found_model", false,
                true},
           Case{404, "not_found_error", "Not Found", ErrorCode::invalid_model_config, "not_found", false, true},
           Case{413, "request_too_large", "Request exceeds the maximum size", ErrorCode::invalid_request, "too_large",
                false, false},
           Case{429, "rate_limit_error", "This request would exceed your organization's rate limit.",
                ErrorCode::provider_rate_limited, "rate_limited", true, true},
           Case{429, "rate_limit_error", "Extra usage is required for long context requests.", ErrorCode::provider_auth,
                "quota", false, true},
           Case{500, "api_error", "Internal server error", ErrorCode::provider_unavailable, "server_error", true, true},
           Case{504, "timeout_error", "Late.", ErrorCode::provider_timeout, "timeout", true, true},
           Case{529, "overloaded_error", "Overloaded", ErrorCode::provider_unavailable, "overloaded", true, true},
       }) {
    const auto made = classify_response("Anthropic", head(row.status), body(row.type, row.message));
    EXPECT_EQ(made.failure.code, row.code) << row.message;
    EXPECT_EQ(made.error_class, row.error_class) << row.message;
    EXPECT_EQ(made.retry, row.retry) << row.message;
    EXPECT_EQ(made.try_next, row.try_next) << row.message;
    EXPECT_EQ(made.failure.status, row.status);
    EXPECT_THAT(made.failure.message, AllOf(HasSubstr(row.message), HasSubstr("Anthropic answered")));
  }
}

TEST(AnthropicClassification, HeadersSayWhetherAndWhenToRetry) {
  const auto limited = classify_response(
      "Anthropic", head(429, {{.name = "retry-after", .value = "12"}, {.name = "x-should-retry", .value = "true"}}),
      body("rate_limit_error", "Slow down"));
  EXPECT_TRUE(limited.retry);
  EXPECT_EQ(limited.retry_after, std::chrono::seconds(12));
  const auto no = classify_response("Anthropic", head(529, {{.name = "x-should-retry", .value = "false"}}),
                                    body("overloaded_error", "Overloaded"));
  EXPECT_FALSE(no.retry);
  EXPECT_TRUE(no.try_next);
}

TEST(AnthropicClassification, ErrorInStreamHasStatusOfItsType) {
  const auto overloaded = classify_stream_error("Anthropic", body("overloaded_error", "Overloaded"));
  EXPECT_EQ(overloaded.failure.code, ErrorCode::provider_unavailable);
  EXPECT_EQ(overloaded.failure.status, 529);
  EXPECT_TRUE(overloaded.retry);
  const auto filtered =
      classify_stream_error("Anthropic", body("api_error", "Output blocked by content filtering policy"));
  EXPECT_EQ(filtered.failure.code, ErrorCode::content_filtered);
  EXPECT_FALSE(filtered.try_next);
  const auto unknown = classify_stream_error("Anthropic", R"({"type":"error"})");
  EXPECT_EQ(unknown.failure.status, 200);
  EXPECT_TRUE(unknown.retry);
}

TEST(AnthropicClassification, ReportsBrokenTransferWithoutSecrets) {
  const Target target{.base_url = "https://user:pa55word@h", .credential = {.secret = Secret("s3cret")}};
  const auto made = classify_end("Anthropic", {.ending = http::Ending::connect_failed, .detail = "refused"}, target);
  EXPECT_EQ(made.failure.code, ErrorCode::provider_unavailable);
  EXPECT_THAT(made.failure.message, AllOf(HasSubstr("https://h"), HasSubstr("refused"), Not(HasSubstr("pa55word")),
                                          Not(HasSubstr("s3cret"))));
}

}  // namespace
}  // namespace tokenrail::providers::anthropic
