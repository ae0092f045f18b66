#include "common/providers/gemini/classification.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::providers::gemini {
namespace {

using events::ErrorCode;
using std::chrono::milliseconds;
using testing::HasSubstr;

CallFailure classified(int status, std::string_view body, std::vector<http::Header> headers = {}) {
  return classify_response("Gemini", {.status = status, .headers = std::move(headers)}, body);
}

std::string error(int code, std::string_view message, std::string_view status = "", std::string_view details = "") {
  return fmt::format(
      "{{\n  \"error\": {{\n    \"code\": {},\n    \"message\": \"{}\",\n    \"status\": \"{}\"{}{}\n  }}\n}}\n", code,
      message, status, details.empty() ? "" : ",\n    \"details\": ", details);
}

struct StatusCase {
  int status;
  const char* message;
  ErrorCode code;
  bool retry;
  bool try_next;
  const char* error_class;
};
TEST(GeminiClassification, StatusAndTextDecide) {
  for (const auto& row : {
           StatusCase{400, "API key not valid. Please pass a valid API key.", ErrorCode::provider_auth, false, true,
                      "auth"},
           StatusCase{400, "API key expired. Please renew the API key.", ErrorCode::provider_auth, false, true, "auth"},
           StatusCase{400, "User location is not supported for the API use.", ErrorCode::provider_auth, false, true,
                      "region"},
           StatusCase{400, "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
                      ErrorCode::context_too_long, false, true, "context_too_long"},
           StatusCase{
               400,
               "Unable to submit request because the input token count is 2097153 but model only supports up to 1.",
               ErrorCode::context_too_long, false, true, "context_too_long"},
           StatusCase{400, "Request payload size exceeds the limit: 20971520 bytes.", ErrorCode::invalid_request, false,
                      false, "too_large"},
           StatusCase{400, "* GenerateContentRequest.model: unexpected model name format", ErrorCode::model_not_found,
                      false, true, "not_found_model"},
           StatusCase{400, "Function call is missing a thought_signature in functionCall parts.",
                      ErrorCode::invalid_request, false, true, "thought_signature"},
           StatusCase{400, "Developer instruction is not enabled for models/gemma-3-1b-it",
                      ErrorCode::capability_unsupported, false, true, "capability"},
           StatusCase{400, "Budget 0 is invalid. This model only works in thinking mode.",
                      ErrorCode::capability_unsupported, false, true, "capability"},
           StatusCase{400, "LogProbs is not supported in streaming mode", ErrorCode::capability_unsupported, false,
                      true, "capability"},
           StatusCase{400, "Invalid JSON payload received.", ErrorCode::invalid_request, false, false,
                      "invalid_request"},
           StatusCase{401, "Request had invalid authentication credentials.", ErrorCode::provider_auth, false, true,
                      "auth"},
           StatusCase{403, "Method doesn't allow unregistered callers", ErrorCode::provider_auth, false, true, "auth"},
           StatusCase{404, "models/x is not found for API version v1beta", ErrorCode::model_not_found, false, true,
                      "not_found_model"},
           StatusCase{429, "Resource has been exhausted", ErrorCode::provider_rate_limited, true, true, "rate_limited"},
           StatusCase{499, "The operation was cancelled.", ErrorCode::provider_unavailable, true, true,
                      "cancelled_there"},
           StatusCase{500, "An internal error has occurred.", ErrorCode::provider_unavailable, true, true,
                      "server_error"},
           StatusCase{503, "The model is overloaded. Please try again later.", ErrorCode::provider_unavailable, true,
                      true, "overloaded"},
           StatusCase{504, "Deadline expired", ErrorCode::provider_timeout, true, true, "timeout"},
       }) {
    for (const bool list : {false, true}) {
      const auto body = error(row.status, row.message);
      const auto made = classified(row.status, list ? "[" + body + "]" : body);
      EXPECT_EQ(made.failure.code, row.code) << row.message;
      EXPECT_EQ(made.retry, row.retry) << row.message;
      EXPECT_EQ(made.try_next, row.try_next) << row.message;
      EXPECT_EQ(made.error_class, row.error_class) << row.message;
      EXPECT_EQ(made.failure.status, row.status);
      EXPECT_EQ(made.failure.retryable, events::entry_of(row.code).retryable);
      EXPECT_THAT(made.failure.message, HasSubstr(row.message));
    }
  }
}

TEST(GeminiClassification, ReadsKeyRefusalInAnyLanguage) {
  const auto made =
      classified(400, error(400, "Ungültig", "INVALID_ARGUMENT",
                            R"([{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}])"));
  EXPECT_EQ(made.failure.code, ErrorCode::provider_auth);
}

std::string quota(std::string_view violation, std::string_view delay = "48s") {
  return error(429, "You exceeded your current quota", "RESOURCE_EXHAUSTED",
               fmt::format(R"([7,{{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[7,{}]}},)"
                           R"({{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{}"}}])",
                           violation, delay));
}

TEST(GeminiClassification, TheDelayComesFromTheBody) {
  const std::string minute =
      R"({"quotaId":"GenerateContentPaidTierInputTokensPerModelPerMinute","quotaValue":"1000000"})";
  const auto made = classified(429, quota(minute));
  EXPECT_EQ(made.failure.code, ErrorCode::provider_rate_limited);
  EXPECT_TRUE(made.retry);
  EXPECT_EQ(made.retry_after, milliseconds(48'000));
  EXPECT_EQ(classified(429, quota(minute, "0.2501s")).retry_after, milliseconds(251));
  EXPECT_EQ(classified(429, quota(minute, "1000000s")).retry_after, milliseconds(24 * 3'600'000));
  for (const auto* none : {"", "s", "0s", "-1s", "5", "5m", "nans", "infs", "5s "}) {
    EXPECT_FALSE(classified(429, quota(minute, none)).retry_after) << none;
  }
  EXPECT_EQ(classified(429, quota(minute), {{.name = "retry-after", .value = "3"}}).retry_after, milliseconds(3'000))
      << "the header comes first";
}

TEST(GeminiClassification, DoesNotWaitForZeroOrDailyQuota) {
  const auto zero = classified(429, quota(R"({"quotaId":"InputTokensPerModelPerMinute-FreeTier","quotaValue":"0"})"));
  EXPECT_EQ(zero.failure.code, ErrorCode::provider_auth);
  EXPECT_EQ(zero.error_class, "quota");
  EXPECT_FALSE(zero.retry);
  EXPECT_FALSE(zero.failure.retryable);
  EXPECT_TRUE(zero.try_next);
  EXPECT_FALSE(zero.retry_after);
  const auto day =
      classified(429, quota(R"({"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaValue":"250"})"));
  EXPECT_EQ(day.failure.code, ErrorCode::provider_rate_limited);
  EXPECT_EQ(day.error_class, "quota_of_day");
  EXPECT_FALSE(day.retry);
  EXPECT_TRUE(day.try_next);
  EXPECT_FALSE(day.retry_after);
}

TEST(GeminiClassification, AQuotaWithoutAValueIsZero) {
  // Fields of the value 0 can be left out; the text still says it.
  const auto made =
      classified(429, error(429, "Quota exceeded for metric: x, limit: 0, model: y", "RESOURCE_EXHAUSTED"));
  EXPECT_EQ(made.error_class, "quota");
  EXPECT_FALSE(made.retry);
  EXPECT_TRUE(classified(429, error(429, "Quota exceeded for metric: x, limit: 05, model: y")).retry);
}

TEST(GeminiClassification, BodiesThatAreNotWholeAreStillClassified) {
  for (const auto* body : {"", "{", "[", "[]", "[7]", "<html>", R"({"error":7})", R"({"error":{"details":7}})",
                           R"({"error":{"details":[{"violations":7}]}})", "\xFF"}) {
    EXPECT_EQ(classified(429, body).failure.code, ErrorCode::provider_rate_limited) << body;
    EXPECT_EQ(classified(500, body).failure.code, ErrorCode::provider_unavailable) << body;
  }
}

TEST(GeminiClassification, ErrorInStreamHasItsOwnStatus) {
  const auto busy = classify_stream_error("Gemini", error(500, "Internal", "INTERNAL"));
  EXPECT_EQ(busy.failure.code, ErrorCode::provider_unavailable);
  EXPECT_EQ(busy.failure.status, 500);
  EXPECT_TRUE(busy.retry);
  const auto limited = classify_stream_error("Gemini", quota("{}", "2s"));
  EXPECT_EQ(limited.failure.code, ErrorCode::provider_rate_limited);
  EXPECT_EQ(limited.retry_after, milliseconds(2'000));
  const auto plain = classify_stream_error("Gemini", R"({"error":{"message":"x"}})");
  EXPECT_EQ(plain.failure.code, ErrorCode::provider_unavailable);
  EXPECT_EQ(plain.failure.status, 200);
}

TEST(GeminiClassification, ALostConnectionNamesTheAddress) {
  const auto made = classify_end("Gemini", {.ending = http::Ending::connect_failed, .detail = "refused"},
                                 {.base_url = "https://user:secret@example.org"});
  EXPECT_EQ(made.failure.code, ErrorCode::provider_unavailable);
  EXPECT_TRUE(made.retry);
  EXPECT_THAT(made.failure.message, HasSubstr("example.org"));
  EXPECT_THAT(made.failure.message, testing::Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace tokenrail::providers::gemini
