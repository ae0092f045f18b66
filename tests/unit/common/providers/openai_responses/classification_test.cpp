#include "common/providers/openai_responses/classification.hpp"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::providers::openai_responses {
namespace {

using events::ErrorCode;
using testing::HasSubstr;
using testing::Not;

const Target target{.provider = "openai",
                    .base_url = "https://user:pa55word@api.openai.com/v1",
                    .upstream_name = "gpt-5.1",
                    .credential = {.type = AuthType::bearer, .secret = Secret("s3cret")}};

struct Case {
  int status;
  std::string body;
  ErrorCode code;
  bool retry;
  bool try_next;
  std::string error_class;
};
std::string error(std::string_view code, std::string_view message, std::string_view type = "invalid_request_error") {
  return fmt::format(R"({{"error":{{"message":"{}","type":"{}","param":null,"code":"{}"}}}})", message, type, code);
}

TEST(ResponsesClassification, KnowsRefusals) {
  for (const auto& row : {
           Case{400, error("model_not_found", "The requested model 'm' does not exist."), ErrorCode::model_not_found,
                false, true, "not_found_model"},
           Case{404, error("DeploymentNotFound", "The API deployment for this resource does not exist."),
                ErrorCode::model_not_found, false, true, "not_found_model"},
           Case{401, error("invalid_api_key", "Incorrect API key provided"), ErrorCode::provider_auth, false, true,
                "auth"},
           Case{400, R"({"code":"Client specified an invalid argument","error":"Incorrect API key provided: x."})",
                ErrorCode::provider_auth, false, true, "auth"},
           Case{403, error("unsupported_country_region_territory", "Country not supported"), ErrorCode::provider_auth,
                false, true, "auth"},
           Case{429, error("rate_limit_exceeded", "Rate limit reached for gpt-5.1", "requests"),
                ErrorCode::provider_rate_limited, true, true, "rate_limited"},
           Case{429, error("rate_limit_exceeded", "Request too large for gpt-5.1 on tokens per min", "tokens"),
                ErrorCode::context_too_long, false, true, "too_large"},
           Case{429, error("insufficient_quota", "You exceeded your current quota", "insufficient_quota"),
                ErrorCode::provider_auth, false, true, "quota"},
           Case{400, error("context_length_exceeded", "Your input exceeds the context window of this model."),
                ErrorCode::context_too_long, false, true, "context_too_long"},
           Case{400, error("invalid_prompt", "Your prompt was flagged"), ErrorCode::content_filtered, false, false,
                "content_filter"},
           Case{400, error("content_filter", "The response was filtered"), ErrorCode::content_filtered, false, false,
                "content_filter"},
           Case{400, error("invalid_encrypted_content", "The encrypted content could not be verified."),
                ErrorCode::invalid_request, false, true, "reasoning_block"},
           Case{404, error("", "Item with id 'rs_1' not found. Items are not persisted when store is set to false."),
                ErrorCode::invalid_request, false, true, "reasoning_block"},
           Case{400, error("", "Item 'rs_1' of type 'reasoning' was provided without its required following item."),
                ErrorCode::invalid_request, false, true, "reasoning_block"},
           Case{400, error("", "Encrypted content is not supported with this model."),
                ErrorCode::capability_unsupported, false, true, "capability"},
           Case{400, error("unsupported_parameter", "Unsupported parameter: 'temperature'"),
                ErrorCode::capability_unsupported, false, true, "capability"},
           Case{400, error("unsupported_image_media_type", "no"), ErrorCode::invalid_request, false, false,
                "invalid_request"},
           Case{400, error("invalid_base64_image", "no"), ErrorCode::invalid_request, false, false, "invalid_request"},
           Case{400, error("empty_array", "Invalid 'input': empty array."), ErrorCode::invalid_request, false, false,
                "invalid_request"},
           Case{404, error("", "Invalid URL (POST /v1/responses)"), ErrorCode::invalid_model_config, false, true,
                "not_found"},
           Case{404, R"({"detail":"Not Found"})", ErrorCode::invalid_model_config, false, true, "not_found"},
           Case{405, "", ErrorCode::invalid_model_config, false, true, "not_found"},
           Case{500, error("", "The server had an error", "server_error"), ErrorCode::provider_unavailable, true, true,
                "server_error"},
           Case{503, error("", "Overloaded", "server_error"), ErrorCode::provider_unavailable, true, true, "busy"},
           Case{504, "", ErrorCode::provider_timeout, true, true, "timeout"},
       }) {
    const auto made = classify_response(target, {.status = row.status}, row.body);
    EXPECT_EQ(made.failure.code, row.code) << row.body;
    EXPECT_EQ(made.retry, row.retry) << row.body;
    EXPECT_EQ(made.try_next, row.try_next) << row.body;
    EXPECT_EQ(made.error_class, row.error_class) << row.body;
    EXPECT_EQ(made.failure.status, row.status) << row.body;
    EXPECT_THAT(made.failure.message, HasSubstr("OpenAI answered"));
  }
}

TEST(ResponsesClassification, TypeInAStreamReplacesTheStatus) {
  struct StreamCase {
    std::string type;
    ErrorCode code;
    bool retry;
  };
  for (const auto& row : {StreamCase{"invalid_request_error", ErrorCode::invalid_request, false},
                          StreamCase{"authentication_error", ErrorCode::provider_auth, false},
                          StreamCase{"permission_error", ErrorCode::provider_auth, false},
                          StreamCase{"server_error", ErrorCode::provider_unavailable, true},
                          StreamCase{"something_else", ErrorCode::provider_unavailable, true}}) {
    const auto made = classify_stream_error("OpenAI", error("", "Oops", row.type));
    EXPECT_EQ(made.failure.code, row.code) << row.type;
    EXPECT_EQ(made.retry, row.retry) << row.type;
    EXPECT_EQ(made.failure.status, 200) << "what the provider answered";
  }
  EXPECT_EQ(classify_stream_error("OpenAI", error("", "Wait", "x"), 429).failure.status, 429);
  EXPECT_EQ(classify_stream_error("OpenAI", error("context_length_exceeded", "x")).failure.code,
            ErrorCode::context_too_long);
}

TEST(ResponsesClassification, NoMessageHoldsACredential) {
  const auto made = classify_end({.ending = http::Ending::connect_failed, .detail = "refused"}, target);
  EXPECT_THAT(made.failure.message, HasSubstr("https://api.openai.com/v1"));
  EXPECT_THAT(made.failure.message, HasSubstr("reaches the internet"));
  EXPECT_THAT(made.failure.message, Not(HasSubstr("pa55word")));
  EXPECT_THAT(made.failure.message, Not(HasSubstr("s3cret")));
  const auto own = classify_end({.ending = http::Ending::connect_failed, .detail = ""},
                                {.provider = "lmstudio", .base_url = "http://h:1234/v1", .upstream_name = "m"});
  EXPECT_THAT(own.failure.message, HasSubstr("the server runs"));
}

TEST(ResponsesClassification, TheHeaderOverrulesTheRetry) {
  const auto made = classify_response(target, {.status = 500, .headers = {{"x-should-retry", "false"}}}, "{}");
  EXPECT_FALSE(made.retry);
}

}  // namespace
}  // namespace tokenrail::providers::openai_responses
