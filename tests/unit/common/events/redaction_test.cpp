#include "common/events/redaction.hpp"

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/events/redaction_patterns.hpp"

namespace tokenrail::events {
namespace {

// Of this thread: what else the machine does is no part of it.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

TEST(Redaction, TakesSecretsOut) {
  struct Row {
    std::string_view text;
    std::string_view kept;
  };
  const Row rows[] = {
      {"key sk-proj-abcdefgh12345678 end", "key [redacted] end"},
      {"sk-ant-api03-AbCdEf_0123456789-xyz", "[redacted]"},
      {"\"sk-abcdefghijklmnop\"", "\"[redacted]\""},
      {"AKIAIOSFODNN7EXAMPLE", "[redacted]"},
      {"ghp_abcdefghijklmnopqrstuv, hf_abcdefghijklmnopqrstuv", "[redacted], [redacted]"},
      {"AIzaSyA1234567890abcdefghijklmnopqrstu", "[redacted]"},
      {"xoxb-1234567890-abc", "[redacted]"},
      {"Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted]"},
      {"say bearer a1b2c3d4e5 now", "say bearer [redacted] now"},
      {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def", "[redacted]"},
      {"a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b", "a [redacted] b"},
      {"-----BEGIN PRIVATE KEY-----\nnever closed", "[redacted]"},
      {"password=hunter2 rest", "password=[redacted] rest"},
      {"DB_PASSWORD = 'two words' rest", "DB_PASSWORD = '[redacted]' rest"},
      {R"({"api_key": "abc", "n": 1})", R"({"api_key": "[redacted]", "n": 1})"},
      {R"({\"clientSecret\":\"abc\"})", R"({\"clientSecret\":\"[redacted]\"})"},
      {"?access_token=abc&x=1", "?access_token=[redacted]&x=1"},
      {"postgres://user:pa55@host/db", "postgres://user:[redacted]@host/db"},
  };
  for (const auto& row : rows) {
    const auto result = redact_secrets(row.text);
    EXPECT_EQ(result.text, row.kept);
    EXPECT_TRUE(result.redacted) << row.text;
  }
}

TEST(Redaction, LeavesOrdinaryTextAlone) {
  for (const std::string_view text :
       {"", "a risk-free task", "sk-short", "basic understanding", "bearer certificates", "the password is asked for",
        "password:", "https://example.org/a:b@c", "http://host:8080/path", "eyJust text", "AKIA is a prefix",
        "-----BEGIN CERTIFICATE-----", "tokens: 12", "secretary = Ann"}) {
    const auto result = redact_secrets(text);
    EXPECT_EQ(result.text, text);
    EXPECT_FALSE(result.redacted) << text;
  }
}

TEST(Redaction, OurOwnServiceTokensAreSecrets) {
  EXPECT_EQ(redact_secrets("trk_abcdefgh_0123456789abcdefghij").text, "[redacted]");
}

TEST(RedactionPatterns, RemovesMatchesEverywhere) {
  const auto patterns = RedactionPatterns::compile({"Project \\w+", "\\d{2}-\\d{2}"}).value();
  std::string text = "Project Falcon is 42-17, Project Eagle!";
  EXPECT_TRUE(patterns.take_out(text));
  EXPECT_EQ(text, "[redacted] is [redacted], [redacted]!");
  EXPECT_FALSE(patterns.take_out(text));
  std::string broken =
      "a\xff"
      "42-17\xc3";
  EXPECT_NO_FATAL_FAILURE(patterns.take_out(broken));
}

TEST(RedactionPatterns, WithoutPatternsNothingIs) {
  const auto patterns = RedactionPatterns::compile({}).value();
  EXPECT_TRUE(patterns.empty());
  std::string text = "Project Falcon";
  EXPECT_FALSE(patterns.take_out(text));
  EXPECT_EQ(text, "Project Falcon");
}

TEST(RedactionPatterns, OnesThatCannotWorkAreNamed) {
  const auto detail = [](const std::vector<std::string>& patterns) {
    const auto compiled = RedactionPatterns::compile(patterns);
    return compiled ? std::string("accepted") : compiled.error().detail;
  };
  EXPECT_THAT(detail({"ok", "a(b"}), testing::HasSubstr("the pattern 'a(b' cannot be read (missing )"));
  EXPECT_THAT(detail({"x*"}), testing::HasSubstr("'x*' matches the empty text"));
  EXPECT_THAT(detail({"(a)\\1"}), testing::HasSubstr("cannot be read"));  // back references are not linear
  EXPECT_THAT(detail({std::string(1001, 'a')}), testing::HasSubstr("longer than 1000 bytes"));
  EXPECT_THAT(detail(std::vector<std::string>(101, "a")), testing::HasSubstr("at most 100"));
}

// A pattern that takes a backtracking engine longer than the age of the universe.
TEST(RedactionPatterns, ProvokingTextTakesLinearTime) {
  const auto patterns = RedactionPatterns::compile({"(a+)+b"}).value();
  std::string text(100'000, 'a');
  EXPECT_FALSE(patterns.take_out(text));
}

// Each of these makes a naive search look at the rest of the text again and again.
TEST(Redaction, TimeGrowsLinearlyWithTheText) {
  const auto repeated = [](std::string_view piece, std::size_t bytes) {
    std::string text;
    while (text.size() < bytes) {
      text += piece;
    }
    return text;
  };
  for (const std::string_view piece : {"eyJ-", "eyJabcdefghij.", "sk-", "-----BEGIN ", "://a:", "a-", "password",
                                       "bearer ", "AKIA", "password:\"", "\\\"", "=", "apikey: ", ":\"a\" "}) {
    const auto seconds = [&](std::size_t bytes) {
      const auto text = repeated(piece, bytes);
      const double start = cpu_seconds();
      const auto result = redact_secrets(text);
      EXPECT_LE(result.text.size(), 20 * text.size());
      return cpu_seconds() - start;
    };
    // Were it the square, 16 times the text would take 256 times the time.
    const double small = seconds(32'768);
    const double large = seconds(32'768 * 16);
    EXPECT_LT(large, 128 * std::max(small, 0.0005)) << piece;
  }
}

}  // namespace
}  // namespace tokenrail::events
