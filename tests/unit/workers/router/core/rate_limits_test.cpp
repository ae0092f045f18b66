// What a provider says of its rate limits: gauges, and others first while nothing remains.
#include <algorithm>

#include <gmock/gmock.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"
#include "workers/router/core/exhausted.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

providers::RateLimits used_up(std::chrono::milliseconds reset) {
  return {.requests = {.remaining = 0, .reset_in = reset}};
}

TEST(Exhausted, UntilTheResetAndNotMuchLonger) {
  Exhausted exhausted;
  EXPECT_FALSE(exhausted.is("a", 0s));
  exhausted.note("a", used_up(2s), 10s);
  EXPECT_TRUE(exhausted.is("a", 11'999ms));
  EXPECT_FALSE(exhausted.is("a", 12s));
  EXPECT_FALSE(exhausted.is("b", 10s));
  exhausted.note("a", used_up(24h), 20s);
  EXPECT_TRUE(exhausted.is("a", 20s + Exhausted::longest - 1ms));
  EXPECT_FALSE(exhausted.is("a", 20s + Exhausted::longest));
}

TEST(Exhausted, AResponseWithSomethingLeftEndsIt) {
  Exhausted exhausted;
  exhausted.note("a", used_up(20s), 0s);
  exhausted.note("a", {}, 1s);
  EXPECT_TRUE(exhausted.is("a", 1s)) << "it said nothing of limits";
  exhausted.note("a", {.requests = {.remaining = 1}}, 1s);
  EXPECT_FALSE(exhausted.is("a", 1s));
}

TEST(Exhausted, HasABound) {
  Exhausted exhausted(2);
  exhausted.note("a", used_up(1s), 0s);
  exhausted.note("b", used_up(9s), 0s);
  exhausted.note("c", used_up(9s), 500ms);
  EXPECT_FALSE(exhausted.is("c", 500ms)) << "full";
  exhausted.note("c", used_up(9s), 1s);
  EXPECT_TRUE(exhausted.is("c", 1s)) << "what is over makes room";
  EXPECT_EQ(exhausted.size(), 2U);
}

TEST(Exhausted, AWaitThatWasAskedForCountsUpToItsBound) {
  Exhausted exhausted;
  exhausted.rest("a", 5s, 10s);
  EXPECT_TRUE(exhausted.is("a", 14'999ms));
  EXPECT_FALSE(exhausted.is("a", 15s));
  exhausted.rest("b", 1h, 0s);
  EXPECT_FALSE(exhausted.is("b", Exhausted::longest));
  exhausted.rest("c", 20s, 0s);
  exhausted.rest("c", 1s, 1s);
  EXPECT_TRUE(exhausted.is("c", 19s)) << "a longer one counts";
}

TEST(Exhausted, WhatIsAllowedInAMinuteSlides) {
  Exhausted exhausted;
  const Exhausted::Allowed four{.requests = 4};
  EXPECT_FALSE(exhausted.over("a", four, 60s));
  exhausted.used("a", 3, 0, 60s);
  EXPECT_FALSE(exhausted.over("a", four, 61s));
  exhausted.used("a", 1, 0, 61s);
  EXPECT_TRUE(exhausted.over("a", four, 119s));
  EXPECT_FALSE(exhausted.over("a", {}, 119s)) << "no bound";
  EXPECT_FALSE(exhausted.over("b", four, 119s));
  EXPECT_FALSE(exhausted.over("a", four, 121s)) << "a part of it is more than a minute back";
  exhausted.used("a", 2, 0, 121s);
  EXPECT_TRUE(exhausted.over("a", four, 122s));
  EXPECT_FALSE(exhausted.over("a", four, 170s));
  EXPECT_FALSE(exhausted.over("a", four, 300s));
  exhausted.used("c", 0, 1'000, 60s);
  EXPECT_TRUE(exhausted.over("c", {.tokens = 1'000}, 60s));
}

class RateLimitTest : public RouterCoreTest {
 protected:
  RateLimitTest() {
    add_model_on_two_connections();
    make_core(options);
    assign();
  }
  void ask(const std::string& id, const std::string& model = "two") {
    request(id, "", std::nullopt, R"("modelProvider":"ollama","modelName":")" + model + R"(",)");
    settle();
  }
  /// What the deployment on that connection may use in a minute.
  void allow(const std::string& connection, const Exhausted::Allowed& allowed) {
    events::ModelUpserted event;
    event.version = 3;
    event.model = *projection.find("", "", "ollama", "two");
    event.model.version = 3;
    for (auto& deployment : event.model.deployments) {
      if (deployment.connection_id != connection) continue;
      deployment.requests_per_minute = allowed.requests;
      deployment.tokens_per_minute = allowed.tokens;
    }
    event.key = events::model_key(event.model);
    ASSERT_EQ(projection.apply(event.key, events::to_json(event)), registry::Projection::Applied::changed);
  }
  void answer_used_up(std::uint64_t call) {
    http.calls.at(call).listener->on_head({.status = 200,
                                           .headers = {{.name = "x-ratelimit-limit-requests", .value = "100"},
                                                       {.name = "x-ratelimit-remaining-requests", .value = "0"},
                                                       {.name = "x-ratelimit-reset-requests", .value = "10s"}}});
    speak(call, "yes");
    finish(call);
    settle();
  }
  /// In steps that a loop may take.
  void pass(Millis time) {
    for (; time > 0s; time -= std::min<Millis>(time, 10s)) {
      wake_after(std::min<Millis>(time, 10s));
      settle();
    }
  }
  std::string url_of(std::uint64_t call) { return http.calls.at(call).request.url; }
};

TEST_F(RateLimitTest, ADeploymentWithNothingLeftComesAfterOthersUntilTheReset) {
  ask("r1");
  EXPECT_THAT(url_of(1), StartsWith("http://a"));
  answer_used_up(1);
  ask("r2");
  EXPECT_THAT(url_of(2), StartsWith("http://b"));
  answer(2);
  settle();
  wake_after(10s);
  ask("r3");
  EXPECT_THAT(url_of(3), StartsWith("http://a"));
}

TEST_F(RateLimitTest, TheOnlyDeploymentIsCalledAllTheSame) {
  ask("r1", "llama3");
  answer_used_up(1);
  ask("r2", "llama3");
  ASSERT_EQ(http.started, 2U);
  answer(2);
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "stop");
}

TEST_F(RateLimitTest, ARetryAfterHoldsForOtherRequests) {
  for (const int status : {429, 503}) {
    const auto before = http.started;
    ask("first" + std::to_string(status));
    EXPECT_THAT(url_of(before + 1), StartsWith("http://a"));
    http.calls.at(before + 1)
        .listener->on_head({.status = status, .headers = {{.name = "retry-after", .value = "20"}}});
    http.end(before + 1);
    settle();
    core->on_wake();
    EXPECT_THAT(url_of(before + 2), StartsWith("http://b"));
    answer(before + 2);
    settle();
    pass(19s);
    ask("second" + std::to_string(status));
    EXPECT_THAT(url_of(before + 3), StartsWith("http://b")) << "while a rests";
    answer(before + 3);
    settle();
    wake_after(1s);
  }
}

TEST_F(RateLimitTest, AConnectionWhoseKeyIsRefusedComesAfterOthersForMinutes) {
  const auto refused = [&](std::uint64_t call, int status) {
    http.head(call, status);
    http.end(call);
    settle();
    core->on_wake();
    settle();
  };
  ask("r1");
  EXPECT_THAT(url_of(1), StartsWith("http://a"));
  refused(1, 401);
  answer(2);
  settle();
  EXPECT_THAT(metrics.text(), HasSubstr("tokenrail_router_keys_rested_total{connection=\"a\",provider=\"ollama\","
                                        "reason=\"refused\"} 1\n"));
  pass(9min);
  ask("r2");
  EXPECT_THAT(url_of(3), StartsWith("http://b")) << "no call is spent on the refused key";
  answer(3);
  settle();
  pass(1min);
  ask("r3");
  EXPECT_THAT(url_of(4), StartsWith("http://a"));
  refused(4, 403);
  answer(5);
  settle();
  pass(59s);
  ask("r4");
  EXPECT_THAT(url_of(6), StartsWith("http://b"));
  answer(6);
  settle();
  wake_after(1s);
  ask("r5");
  EXPECT_THAT(url_of(7), StartsWith("http://a")) << "one that lacks a right is asked again sooner";
}

TEST_F(RateLimitTest, ARefusedKeyThatIsTheOnlyOneIsUsedAllTheSame) {
  ask("r1", "llama3");
  http.head(1, 401);
  http.end(1);
  settle();
  ask("r2", "llama3");
  ASSERT_EQ(http.started, 2U);
  answer(2);
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "stop");
}

TEST_F(RateLimitTest, ADeploymentThatUsedUpWhatItIsAllowedComesAfterOthers) {
  allow("a", {.requests = 2});
  for (const auto* const url : {"http://a", "http://a", "http://b"}) {
    const auto call = http.started + 1;
    ask("r" + std::to_string(call));
    EXPECT_THAT(url_of(call), StartsWith(url));
    answer(call);
    settle();
  }
  pass(2min);
  ask("later");
  EXPECT_THAT(url_of(4), StartsWith("http://a"));
}

TEST_F(RateLimitTest, HedgeIsARequestOfItsDeployment) {
  options.hedge.after = 2s;
  make_core(options);
  assign();
  allow("b", {.requests = 1});
  ask("r1");
  wake_after(2s);
  ASSERT_EQ(http.started, 2U);
  EXPECT_THAT(url_of(2), StartsWith("http://b"));
  answer(1);
  settle();
  ask("r2");
  wake_after(2s);
  EXPECT_EQ(http.started, 3U) << "b has used up its one request a minute";
}

TEST_F(RateLimitTest, TokensOfAnswersThatAreNotWholeCount) {
  allow("a", {.tokens = 20});
  const std::string twenty_tokens(80, 'x');
  const auto next_is_called_at = [&](const std::string& id, const std::string& url) {
    ask(id);
    const auto call = http.newest();
    EXPECT_THAT(url_of(call), StartsWith(url)) << id;
    answer(call);
    settle();
    pass(2min);
  };
  ask("broken");
  http.head(1);
  speak(1, twenty_tokens);
  http.end(1, http::Ending::broken);
  settle();
  next_is_called_at("after the broken one", "http://b");
  ask("cancelled");
  http.head(http.newest());
  speak(http.newest(), twenty_tokens);
  cancel("cancelled");
  settle();
  next_is_called_at("after the cancelled one", "http://b");
  ask("refused");
  http.head(http.newest(), 400);
  http.end(http.newest());
  settle();
  next_is_called_at("after the refused one", "http://a");
}

TEST_F(RateLimitTest, WhatRemainsIsAGauge) {
  ask("r1");
  answer_used_up(1);
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr("tokenrail_router_rate_limit{connection=\"a\",modelName=\"two\",provider=\"ollama\","
                              "resource=\"requests\"} 100\n"));
  EXPECT_THAT(text, HasSubstr("tokenrail_router_rate_limit_remaining{connection=\"a\",modelName=\"two\","
                              "provider=\"ollama\",resource=\"requests\"} 0\n"));
}

}  // namespace
}  // namespace tokenrail::router
