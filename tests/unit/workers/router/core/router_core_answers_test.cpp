// All answers together have a bound: what providers send into memory ends the largest answer, not the router.
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

class AnswersTest : public RouterCoreTest {
 protected:
  void begin(std::size_t bytes_max, int requests, const std::string& more = "") {
    options.answers_bytes_max = bytes_max;
    make_core(options);
    assign();
    for (int i = 0; i < requests; ++i) request("r" + std::to_string(i), more, "k" + std::to_string(i));
    settle();
    ASSERT_EQ(http.calls.size(), static_cast<std::size_t>(requests));
    for (const auto& [id, call] : http.calls) http.head(id);
  }

  std::size_t held() {
    core->refresh_gauges();
    return static_cast<std::size_t>(router_metrics.answers_bytes.value());
  }

  std::size_t too_large() {
    const auto all = chunks();
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [](const events::Chunk& chunk) { return chunk.error_code == "RESPONSE_TOO_LARGE"; }));
  }
};

TEST_F(AnswersTest, ShortLinesHoldNothing) {
  begin(1, 3);
  for (const auto& [id, call] : http.calls) speak(id, "a token");
  EXPECT_EQ(held(), 0U);
  EXPECT_EQ(http.calls.size(), 3U);
}

TEST_F(AnswersTest, ManyLongLinesAtOnceStayWithinTheBound) {
  // In proportion to 5,000 streams of 4 MiB under a bound of 256 MiB.
  constexpr std::size_t bound = 256 * 1024;
  begin(bound, 100);
  std::size_t most = 0;
  for (int piece = 0; piece < 40; ++piece) {
    std::vector<std::uint64_t> open;
    for (const auto& [id, call] : http.calls) open.push_back(id);
    for (const auto id : open) {
      if (!http.calls.contains(id)) continue;
      http.body(id, std::string(4 * 1024, 'x'));
      most = std::max(most, held());
    }
  }
  EXPECT_LE(most, bound);
  EXPECT_FALSE(http.calls.empty()) << "not all of them are ended";
  settle();
  EXPECT_GT(too_large(), 0U);
  EXPECT_EQ(too_large() + http.calls.size(), 100U);
}

TEST_F(AnswersTest, LargestAnswerEndsAndTheOthersGoOn) {
  begin(64 * 1024, 3);
  const auto first = http.calls.begin()->first;
  const auto second = std::next(http.calls.begin())->first;
  const auto third = http.newest();
  http.body(first, std::string(48 * 1024, 'x'));
  http.body(second, std::string(8 * 1024, 'x'));
  EXPECT_EQ(http.calls.size(), 3U);
  http.body(third, std::string(9 * 1024, 'x'));
  EXPECT_FALSE(http.calls.contains(first));
  EXPECT_EQ(http.calls.size(), 2U);
  settle();
  EXPECT_EQ(too_large(), 1U);
  for (const auto id : {second, third}) http.body(id, "\n");  // no JSON: ends as such
  settle();
  EXPECT_EQ(held(), 0U);
}

TEST_F(AnswersTest, WholeAnswersCountToo) {
  begin(64 * 1024, 2, R"("stream":false,)");
  const auto first = http.calls.begin()->first;
  const auto second = http.newest();
  http.body(first, std::string(30 * 1024, ' '));
  http.body(second, std::string(40 * 1024, ' '));
  EXPECT_TRUE(http.calls.contains(first));
  EXPECT_FALSE(http.calls.contains(second));
}

TEST_F(AnswersTest, AnAnswerAloneOverTheBoundEnds) {
  begin(64 * 1024, 1);
  http.body(http.newest(), std::string(65 * 1024, 'x'));
  EXPECT_TRUE(http.calls.empty());
  EXPECT_EQ(held(), 0U);
  settle();
  EXPECT_EQ(too_large(), 1U);
}

TEST_F(AnswersTest, EndedAnswersGiveTheirMemoryBack) {
  begin(1024 * 1024, 2, R"("stream":false,)");
  const auto first = http.calls.begin()->first;
  const auto second = http.newest();
  const std::string json = R"({"model":"m","message":{"role":"assistant","content":")" + std::string(50'000, 'a') +
                           R"("},"done":true,"done_reason":"stop"})";
  http.body(first, json);
  EXPECT_GE(held(), json.size());
  http.end(first);
  EXPECT_EQ(held(), 0U) << "before its terminal chunk is acknowledged";
  http.body(second, std::string(50'000, ' '));
  cancel("r1");
  settle();
  EXPECT_EQ(held(), 0U);
}

TEST_F(RouterCoreTest, CountsThatOverflowCostTheUsageAlone) {
  assign();
  request("r1");
  settle();
  http.head(1);
  http.body(1, R"({"model":"m","message":{"role":"assistant","content":"yes"},"done":true,"done_reason":"stop",)"
               R"("prompt_eval_count":9223372036854775807,"eval_count":1})"
               "\n");
  http.end(1);
  settle();
  const auto last = chunks().back();
  EXPECT_EQ(last.finish_reason, "stop");
  EXPECT_FALSE(last.usage);
  EXPECT_THAT(last.warnings, ::testing::Contains(::testing::HasSubstr("more tokens than an answer can have")));
  EXPECT_THAT(metrics.text(), ::testing::Not(::testing::ContainsRegex("llm_tokens_[a-z_]*total\\{.*\\} [1-9]")));
}

}  // namespace
}  // namespace tokenrail::router
