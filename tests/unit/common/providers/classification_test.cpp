// Transfers that ended before there was a response, by the step that they ended in.
#include "common/providers/classification.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::providers {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CallFailure ended(http::Step step, const std::string& detail) {
  const Target target{.provider = "openai", .base_url = "https://api.example/v1"};
  return classify_end("OpenAI", {.ending = http::Ending::connect_failed, .detail = detail, .step = step}, target,
                      {.connect_failed = "Is it running?", .example_url = "https://x"});
}

TEST(ClassifyEnd, ATlsFailureIsNotRetriedAndNamesTheCaFile) {
  const auto failed = ended(http::Step::tls, "SSL certificate problem: self-signed certificate");
  EXPECT_EQ(failed.error_class, "tls");
  EXPECT_EQ(failed.failure.code, events::ErrorCode::provider_unavailable);
  EXPECT_FALSE(failed.retry);
  EXPECT_FALSE(failed.failure.retryable);
  EXPECT_TRUE(failed.try_next);
  EXPECT_THAT(failed.failure.message, HasSubstr("self-signed certificate"));
  EXPECT_THAT(failed.failure.message, HasSubstr("TOKENRAIL_PROVIDERS_CA_FILE"));
  EXPECT_THAT(failed.failure.message, Not(HasSubstr("Nothing answers")));
}

TEST(ClassifyEnd, AHostWithoutAnAddressIsNamed) {
  const auto failed = ended(http::Step::name, "Could not resolve host: api.example (it does not exist)");
  EXPECT_EQ(failed.error_class, "dns");
  EXPECT_TRUE(failed.retry);
  EXPECT_TRUE(failed.try_next);
  EXPECT_THAT(failed.failure.message, HasSubstr("https://api.example/v1 has no address"));
}

TEST(ClassifyEnd, ARefusedConnectionIsNoAnswer) {
  const auto failed = ended(http::Step::connection, "Connection refused");
  EXPECT_EQ(failed.error_class, "connect_failed");
  EXPECT_THAT(failed.failure.message, HasSubstr("Nothing answers at https://api.example/v1"));
}

}  // namespace
}  // namespace tokenrail::providers
