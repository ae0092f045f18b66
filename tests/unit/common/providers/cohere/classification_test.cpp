// What Cohere's refusals mean for the sender and for the route.
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/cohere/cohere.hpp"

namespace tokenrail::providers::cohere {
namespace {

using events::ErrorCode;
using testing::HasSubstr;
using testing::Not;

const Target target{.provider = "cohere", .base_url = "https://api.cohere.com", .upstream_name = "command-a-03-2025"};

struct Case {
  int status;
  const char* body;
  ErrorCode code;
  bool retry;
  bool try_next;
  const char* error_class;
  std::optional<int> retries_max = std::nullopt;
};

TEST(CohereClassification, EachRefusalHasItsMeaning) {
  for (const auto& row : {
           Case{400, R"({"error_type":"TOO_MANY_TOKENS","message":"size limit exceeded"})", ErrorCode::context_too_long,
                false, true, "context_too_long"},
           Case{400, R"({"message":"too many tokens: size limit exceeded by 5 tokens"})", ErrorCode::context_too_long,
                false, true, "context_too_long"},
           Case{400, R"({"message":"invalid request: image content is not supported for this model"})",
                ErrorCode::capability_unsupported, false, true, "capability"},
           Case{400, R"({"message":"invalid request: message must be at least 1 token long"})",
                ErrorCode::invalid_request, false, false, "invalid_request"},
           Case{401, R"({"message":"invalid api token"})", ErrorCode::provider_auth, false, true, "auth"},
           Case{402, R"({"message":"Please add a payment method"})", ErrorCode::provider_auth, false, true, "payment"},
           Case{403, R"({"message":"blocked"})", ErrorCode::provider_auth, false, true, "auth"},
           Case{404, R"({"message":"model 'x' not found, make sure the correct model ID was used"})",
                ErrorCode::model_not_found, false, true, "not_found_model"},
           Case{404, "", ErrorCode::invalid_model_config, false, true, "not_found"},
           Case{422, R"({"message":"No valid response generated. Try updating messages"})",
                ErrorCode::provider_unavailable, true, true, "no_valid_response", 1},
           Case{422, R"({"message":"invalid type for field"})", ErrorCode::invalid_request, false, false,
                "invalid_request"},
           Case{429, R"({"message":"You are using a Trial key, which is limited to 20 API calls / minute."})",
                ErrorCode::provider_rate_limited, true, true, "rate_limited"},
           Case{429, R"({"message":"You are using a Trial key, which is limited to 1000 API calls / month."})",
                ErrorCode::provider_auth, false, true, "quota"},
           Case{498, R"({"message":"blocked token"})", ErrorCode::content_filtered, false, false, "content_filter"},
           Case{499, R"({"message":"request cancelled"})", ErrorCode::provider_unavailable, true, true,
                "cancelled_there"},
           Case{500, R"({"message":"internal server error"})", ErrorCode::provider_unavailable, true, true,
                "server_error"},
           Case{501, R"({"message":"not implemented"})", ErrorCode::capability_unsupported, false, true, "capability"},
           Case{503, "", ErrorCode::provider_unavailable, true, true, "busy"},
           Case{504, "", ErrorCode::provider_timeout, true, true, "timeout"},
       }) {
    const auto made = provider().classify(target, http::ResponseHead{.status = row.status}, row.body);
    EXPECT_EQ(made.failure.code, row.code) << row.status << row.body;
    EXPECT_EQ(made.retry, row.retry) << row.status << row.body;
    EXPECT_EQ(made.try_next, row.try_next) << row.status << row.body;
    EXPECT_EQ(made.error_class, row.error_class) << row.status << row.body;
    EXPECT_EQ(made.retries_max, row.retries_max) << row.status << row.body;
    EXPECT_EQ(made.failure.status, row.status);
    EXPECT_THAT(made.failure.message, HasSubstr("Cohere"));
  }
}

TEST(CohereClassification, TheHeadersSayHowLongToWait) {
  const auto made =
      provider().classify(target, http::ResponseHead{.status = 429, .headers = {{"retry-after", "2"}}}, "{}");
  EXPECT_EQ(made.retry_after, std::chrono::milliseconds(2000));
}

TEST(CohereClassification, ABrokenTransferNamesTheServerWithoutSecrets) {
  const Target secret{.provider = "cohere",
                      .base_url = "https://user:pa55word@gateway.example",
                      .credential = {.type = AuthType::bearer, .secret = Secret("s3cret")}};
  const auto made = provider().classify(secret, http::End{.ending = http::Ending::connect_failed, .detail = "refused"});
  EXPECT_EQ(made.failure.code, ErrorCode::provider_unavailable);
  EXPECT_TRUE(made.retry);
  EXPECT_THAT(made.failure.message, HasSubstr("https://gateway.example"));
  EXPECT_THAT(made.failure.message, Not(HasSubstr("pa55word")));
  EXPECT_THAT(made.failure.message, Not(HasSubstr("s3cret")));
}

TEST(CohereClassification, MessageHasNameOfTheConnection) {
  const Target own{.provider = "my-gateway", .base_url = "https://gateway.example"};
  EXPECT_THAT(provider().classify(own, http::ResponseHead{.status = 401}, "{}").failure.message,
              HasSubstr("my-gateway answered 401"));
}

}  // namespace
}  // namespace tokenrail::providers::cohere
