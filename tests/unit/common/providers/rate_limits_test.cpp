#include "common/providers/rate_limits.hpp"

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tokenrail::providers {
namespace {

using namespace std::chrono_literals;

http::ResponseHead head(std::vector<std::pair<std::string, std::string>> headers) {
  http::ResponseHead out{.status = 200};
  for (auto& [name, value] : headers) out.headers.push_back({.name = std::move(name), .value = std::move(value)});
  return out;
}

TEST(RateLimits, ReadsOpenAiAndCompatibleHeaders) {
  const auto limits = read_rate_limits(head({{"x-ratelimit-limit-requests", "14400"},
                                             {"x-ratelimit-remaining-requests", "14399"},
                                             {"x-ratelimit-reset-requests", "2m59.56s"},
                                             {"x-ratelimit-limit-tokens", "250000"},
                                             {"x-ratelimit-remaining-tokens", "249932"},
                                             {"x-ratelimit-reset-tokens", "19ms"}}));
  EXPECT_EQ(limits.requests, (RateLimit{.limit = 14'400, .remaining = 14'399, .reset_in = 179'560ms}));
  EXPECT_EQ(limits.tokens, (RateLimit{.limit = 250'000, .remaining = 249'932, .reset_in = 19ms}));
  EXPECT_EQ(limits.retry_after, std::nullopt);
}

TEST(RateLimits, ReadsAnthropicsHeadersByResponseDate) {
  const auto limits = read_rate_limits(head({{"date", "Sat, 07 Feb 2026 14:39:02 GMT"},
                                             {"anthropic-ratelimit-requests-limit", "4000"},
                                             {"anthropic-ratelimit-requests-remaining", "3999"},
                                             {"anthropic-ratelimit-requests-reset", "2026-02-07T14:39:09Z"},
                                             {"anthropic-ratelimit-input-tokens-limit", "4000000"},
                                             {"anthropic-ratelimit-input-tokens-remaining", "0"},
                                             {"anthropic-ratelimit-input-tokens-reset", "2026-02-07T14:40:02.5Z"},
                                             {"anthropic-ratelimit-output-tokens-remaining", "800000"},
                                             {"retry-after", "12"}}));
  EXPECT_EQ(limits.requests, (RateLimit{.limit = 4'000, .remaining = 3'999, .reset_in = 7s}));
  EXPECT_EQ(limits.input_tokens, (RateLimit{.limit = 4'000'000, .remaining = 0, .reset_in = 60s}));
  EXPECT_EQ(limits.output_tokens, (RateLimit{.remaining = 800'000}));
  EXPECT_EQ(limits.retry_after, 12s);
  EXPECT_EQ(exhausted_for(limits), 60s);
}

TEST(RateLimits, ATimeOfDayNeedsTheResponsesDate) {
  for (const auto* reset : {"2026-02-07T14:39:09Z", "1754667660000", "1754667660"}) {
    const auto limits = read_rate_limits(head({{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", reset}}));
    EXPECT_EQ(limits.requests, RateLimit{.remaining = 0}) << reset;
    EXPECT_EQ(exhausted_for(limits), std::nullopt);
  }
}

TEST(RateLimits, ReadsUnixTimesInSecondsOrMilliseconds) {
  for (const auto* reset : {"1754667660000", "1754667660"}) {
    const auto limits = read_rate_limits(head({{"date", "Fri, 08 Aug 2025 15:40:30 GMT"},
                                               {"x-ratelimit-limit", "1"},
                                               {"x-ratelimit-remaining", "0"},
                                               {"x-ratelimit-reset", reset}}));
    EXPECT_EQ(limits.requests, (RateLimit{.limit = 1, .remaining = 0, .reset_in = 30s})) << reset;
  }
}

TEST(RateLimits, ReadsMistralsHeadersAndTheDrafts) {
  auto limits = read_rate_limits(head({{"x-ratelimit-limit-req-minute", "360"},
                                       {"x-ratelimit-remaining-req-minute", "352"},
                                       {"x-ratelimit-limit-tokens-minute", "2000000"},
                                       {"x-ratelimit-remaining-tokens-minute", "1993916"}}));
  EXPECT_EQ(limits.requests, (RateLimit{.limit = 360, .remaining = 352}));
  EXPECT_EQ(limits.tokens, (RateLimit{.limit = 2'000'000, .remaining = 1'993'916}));
  limits = read_rate_limits(head({{"ratelimit", R"("api";r=999;t=286)"}}));
  EXPECT_EQ(limits.requests, (RateLimit{.remaining = 999, .reset_in = 286s}));
  limits = read_rate_limits(head({{"ratelimit-limit", "10"}, {"ratelimit-remaining", "0"}, {"ratelimit-reset", "7"}}));
  EXPECT_EQ(limits.requests, (RateLimit{.limit = 10, .remaining = 0, .reset_in = 7s}));
}

TEST(RateLimits, IgnoresUnreadableHeaders) {
  for (const auto* value : {"", "-1", "many", "1.5", "X-RATELIMIT-REMAINING-REQUESTS-XXX", "99999999999999999999"}) {
    EXPECT_EQ(read_rate_limits(head({{"x-ratelimit-remaining-requests", value}, {"x-ratelimit-reset-requests", "1s"}})),
              RateLimits{})
        << value;
  }
  for (const auto* reset : {"", "soon", "-1", "5x", "1s2", "nan", "inf", "2026-13-07T14:39:09Z", "2026-02-07 14:39:09Z",
                            "2026-02-07T25:39:09Z", "2026-02-07T14:39:09+01:00"}) {
    EXPECT_EQ(read_rate_limits(head({{"date", "Sat, 07 Feb 2026 14:39:02 GMT"},
                                     {"x-ratelimit-remaining-requests", "0"},
                                     {"x-ratelimit-reset-requests", reset}}))
                  .requests,
              RateLimit{.remaining = 0})
        << reset;
  }
  EXPECT_EQ(read_rate_limits(head({{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "400d"}}))
                .requests.reset_in,
            24h);
}

TEST(RateLimits, LongestResetOfUsedUpLimitsCounts) {
  RateLimits limits{.requests = {.remaining = 0, .reset_in = 2s},
                    .tokens = {.remaining = 0, .reset_in = 5s},
                    .input_tokens = {.remaining = 1, .reset_in = 9s}};
  EXPECT_EQ(exhausted_for(limits), 5s);
  limits.tokens.remaining = 1;
  EXPECT_EQ(exhausted_for(limits), 2s);
  limits.requests.reset_in = 0s;
  EXPECT_EQ(exhausted_for(limits), std::nullopt);
}

// ---- recorded heads ----

std::filesystem::path transcripts() {
  const char* named = std::getenv("TOKENRAIL_TRANSCRIPTS");
  return named != nullptr ? std::filesystem::path(named)
                          : std::filesystem::path(TOKENRAIL_SOURCE_DIR) / ".." / "shared" / "transcripts";
}

TEST(RateLimits, EveryRecordedHeadIsRead) {
  if (!std::filesystem::is_directory(transcripts())) GTEST_SKIP() << "no recordings; set TOKENRAIL_TRANSCRIPTS";
  std::size_t heads = 0;
  std::size_t with_limits = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(transcripts())) {
    if (file.path().filename() != "response.meta.json") continue;
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    // Each header is an array of its name and its value.
    static const std::regex pattern(R"re(\[\s*"([A-Za-z0-9-]+)",\s*"((?:[^"\\]|\\.)*)"\s*\])re");
    http::ResponseHead read{.status = 200};
    std::set<std::string> names;
    for (auto at = std::sregex_iterator(text.begin(), text.end(), pattern); at != std::sregex_iterator(); ++at) {
      std::string name = (*at)[1];
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      names.insert(name);
      read.headers.push_back({.name = std::move(name), .value = (*at)[2]});
    }
    ++heads;
    const auto limits = read_rate_limits(read);
    const auto number = [&](const char* name) {
      const auto value = read.header(name);
      return value && value->find_first_not_of("0123456789") == std::string_view::npos;
    };
    with_limits += limits.requests.remaining || limits.tokens.remaining ? 1 : 0;
    for (const auto* prefix : {"x-ratelimit-", "anthropic-ratelimit-"}) {
      const bool openai = prefix[0] == 'x';
      for (const auto* resource : {"requests", "tokens"}) {
        const auto& limit = resource[0] == 'r' ? limits.requests : limits.tokens;
        const auto name_of = [&](const char* what) {
          return openai ? std::string(prefix) + what + "-" + resource : std::string(prefix) + resource + "-" + what;
        };
        if (!number(name_of("remaining").c_str())) continue;
        EXPECT_TRUE(limit.remaining.has_value()) << file.path();
        EXPECT_EQ(limit.limit.has_value(), number(name_of("limit").c_str())) << file.path();
        const bool readable = names.contains(name_of("reset")) && (openai || names.contains("date"));
        EXPECT_EQ(limit.reset_in.has_value(), readable) << file.path();
      }
    }
  }
  RecordProperty("heads", static_cast<int>(heads));
  RecordProperty("heads_with_limits", static_cast<int>(with_limits));
  EXPECT_GT(heads, 0U);
}

}  // namespace
}  // namespace tokenrail::providers
