#include "common/crypto/credential_text.hpp"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

CredentialText credential(std::string_view secret, std::vector<std::pair<std::string, std::string>> headers = {}) {
  CredentialText text{.secret = Secret(secret)};
  for (auto& [name, value] : headers) text.headers.emplace_back(name, Secret(std::move(value)));
  return text;
}

std::string written(const CredentialText& text) {
  const auto json = to_text(text);
  return json ? std::string(json->reveal()) : "error: " + json.error().detail;
}

std::string refusal(std::string_view json) {
  const auto read = credential_from_text(Secret(json));
  return read ? "none" : read.error().detail;
}

// Stored credentials depend on this form.
TEST(CredentialText, IsAJsonObject) {
  EXPECT_EQ(written(credential("sk-1")), R"({"secret":"sk-1"})");
  EXPECT_EQ(written(credential("a\"b\\c", {{"X-One", "1"}, {"X-Two", "2"}})),
            R"({"secret":"a\"b\\c","headers":{"X-One":"1","X-Two":"2"}})");
  EXPECT_EQ(written(credential("", {{"X-One", "1"}})), R"({"headers":{"X-One":"1"}})");
}

TEST(CredentialText, ReadsBackWhatItWrites) {
  std::string all;
  for (char c = ' '; c <= '~'; ++c) all += c;
  const auto text = to_text(credential(all, {{"X-One", all}, {"x-two", "2"}}));
  ASSERT_TRUE(text) << text.error().detail;
  const auto read = credential_from_text(*text);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->secret.reveal(), all);
  ASSERT_EQ(read->headers.size(), 2U);
  EXPECT_EQ(read->headers[0].first, "X-One");
  EXPECT_EQ(read->headers[0].second.reveal(), all);
  EXPECT_EQ(read->headers[1].second.reveal(), "2");
}

TEST(CredentialText, ValuesThatAreNoHeaderValuesAreRefused) {
  EXPECT_THAT(written(credential("")), HasSubstr("neither a secret nor a header"));
  EXPECT_THAT(written(credential("canary\r\nX-Other: 1")), HasSubstr("other than printable ASCII"));
  EXPECT_THAT(written(credential("k", {{"X-One", "canary\n"}})), HasSubstr("X-One"));
  EXPECT_THAT(written(credential("k", {{"X-One", ""}})), HasSubstr("is empty"));
  EXPECT_THAT(written(credential(std::string(credential_secret_bytes_max + 1, 'a'))), HasSubstr("too long"));
  EXPECT_THAT(written(credential("k", {{"X-One", std::string(credential_header_value_bytes_max + 1, 'a')}})),
              HasSubstr("too long"));
  EXPECT_THAT(written(credential("k", {{"X-One", "1"}, {"x-ONE", "2"}})), HasSubstr("twice"));
  CredentialText many = credential("k");
  for (std::size_t i = 0; i <= credential_headers_max; ++i)
    many.headers.emplace_back("X-" + std::to_string(i), Secret("v"));
  EXPECT_THAT(written(many), HasSubstr("more than 16 headers"));
}

TEST(CredentialText, RefusesWrongHeaderNamesWithoutShowingThem) {
  for (const auto* name : {"", "a b", "a:b", "a\r\nb", "Host", "content-length", "Transfer-Encoding", "sk canary"}) {
    EXPECT_FALSE(is_secret_header_name(name)) << name;
    const auto said = written(credential("k", {{name, "v"}}));
    EXPECT_THAT(said, HasSubstr("whose name cannot be used"));
    EXPECT_THAT(said, Not(HasSubstr("canary")));
  }
  EXPECT_TRUE(is_secret_header_name("X-Api-Key"));
  EXPECT_FALSE(is_secret_header_name(std::string(129, 'a')));
}

TEST(CredentialText, RefusesOtherFormsWithoutQuotingThem) {
  for (const auto* json : {"", "canary", "[]", "\"canary\"", "{}", R"({"secret":7})", R"({"secret":"canary")",
                           R"({"secret":"canary","x":1})", R"({"secret":"canary","headers":["canary"]})",
                           R"({"secret":"canary","headers":{"X-One":7}})", R"({"secret":"canary","secret":"canary"})",
                           R"({"secret":"canary\u0000"})", R"({"secret":"canary\n"})",
                           R"({"secret":"canary","headers":{"X-One":"canary\r"}})"}) {
    EXPECT_THAT(refusal(json), Not(HasSubstr("canary"))) << json;
    EXPECT_NE(refusal(json), "none") << json;
  }
}

}  // namespace
}  // namespace tokenrail::crypto
