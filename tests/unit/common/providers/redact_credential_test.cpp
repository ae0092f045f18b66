// Keys that a provider quotes in its answers.
#include <gtest/gtest.h>

#include "common/providers/target.hpp"

namespace tokenrail::providers {
namespace {

std::string redacted(std::string text, const Credential& credential) {
  redact_credential(text, credential);
  return text;
}

TEST(RedactCredential, TakesTheSecretOutWhereverItIs) {
  const Credential credential{.type = AuthType::bearer, .secret = Secret("abc/123+xyz")};
  EXPECT_EQ(redacted("abc/123+xyz is wrong: abc/123+xyz", credential), "[redacted] is wrong: [redacted]");
  EXPECT_EQ(redacted("abc/123 is another", credential), "abc/123 is another");
}

TEST(RedactCredential, TakesOutWhatIsSentInAnotherForm) {
  const Credential query{.type = AuthType::query, .name = "key", .secret = Secret("abc/123+xyz")};
  EXPECT_EQ(redacted("GET /x?key=abc%2F123%2Bxyz", query), "GET /x?key=[redacted]");
  const Credential basic{.type = AuthType::basic, .name = "user", .secret = Secret("password")};
  EXPECT_EQ(redacted("Basic dXNlcjpwYXNzd29yZA== or password", basic), "Basic [redacted] or [redacted]");
  Credential extra;
  extra.extra_headers.emplace_back("x-second", Secret("second-secret"));
  EXPECT_EQ(redacted("second-secret", extra), "[redacted]");
}

TEST(RedactCredential, LeavesWordsWherePlaceholdersAreKeys) {
  EXPECT_EQ(redacted("xylophone", {.type = AuthType::bearer, .secret = Secret("x")}), "xylophone");
  EXPECT_EQ(redacted("text", {}), "text");
}

}  // namespace
}  // namespace tokenrail::providers
