// What becomes of calls that fail: circuits, the retry budget, and answers that break off.
#include <algorithm>
#include <vector>

#include <gmock/gmock.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"
#include "workers/router/core/circuit.hpp"

namespace tokenrail::router {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Circuits, OpenAfterFailuresInARowAndAdmitOneProbeAtATime) {
  Circuits circuits({.failures_to_open = 3, .open_base = 1s, .open_max = 4s});
  EXPECT_FALSE(circuits.failed("a", 0s));
  EXPECT_FALSE(circuits.failed("a", 0s));
  EXPECT_TRUE(circuits.admit("a", 0s));
  EXPECT_TRUE(circuits.failed("a", 0s)) << "the third opens it";
  EXPECT_EQ(circuits.open(), 1U);
  EXPECT_FALSE(circuits.admit("a", 999ms));
  EXPECT_TRUE(circuits.admit("b", 0s)) << "others are not concerned";
  EXPECT_TRUE(circuits.admit("a", 1s)) << "the probe";
  EXPECT_FALSE(circuits.admit("a", 1'999ms)) << "one probe at a time";
  EXPECT_FALSE(circuits.failed("a", 1'500ms)) << "it was open already";
  EXPECT_FALSE(circuits.admit("a", 3'499ms)) << "twice as long as before";
  EXPECT_TRUE(circuits.admit("a", 3'500ms));
  EXPECT_TRUE(circuits.succeeded("a"));
  EXPECT_EQ(circuits.open(), 0U);
  EXPECT_TRUE(circuits.admit("a", 3'501ms));
  EXPECT_FALSE(circuits.succeeded("a"));
}

TEST(Circuits, ASuccessBetweenStartsTheCountAgain) {
  Circuits circuits({.failures_to_open = 2});
  EXPECT_FALSE(circuits.failed("a", 0s));
  EXPECT_FALSE(circuits.succeeded("a"));
  EXPECT_FALSE(circuits.failed("a", 0s));
  EXPECT_TRUE(circuits.failed("a", 0s));
}

TEST(Circuits, TheOpenTimeHasABound) {
  Circuits circuits({.failures_to_open = 1, .open_base = 1s, .open_max = 4s});
  circuits.failed("a", 0s);
  auto now = 0ms;
  for (const auto wait : {1s, 2s, 4s, 4s, 4s}) {
    EXPECT_FALSE(circuits.admit("a", now + wait - 1ms));
    now += wait;
    EXPECT_TRUE(circuits.admit("a", now)) << "the probe";
    circuits.failed("a", now);
  }
}

TEST(Circuits, FailuresOfCallsBegunBeforeDoNotLengthenIt) {
  Circuits circuits({.failures_to_open = 5, .open_base = 1s, .open_max = 30s});
  for (int i = 0; i < 200; ++i) circuits.failed("a", 0s);
  EXPECT_EQ(circuits.open(), 1U);
  EXPECT_FALSE(circuits.admit("a", 999ms));
  EXPECT_TRUE(circuits.admit("a", 1s)) << "200 calls that fail together open it once";
  EXPECT_FALSE(circuits.failed("a", 1s));
  for (int i = 0; i < 200; ++i) circuits.failed("a", 1s);
  EXPECT_FALSE(circuits.admit("a", 2'999ms));
  EXPECT_TRUE(circuits.admit("a", 3s)) << "the probe failed once";
}

TEST(Circuits, AreNotKeptForEveryNameThatEverFailed) {
  Circuits circuits({.failures_to_open = 1, .entries_max = 2});
  EXPECT_TRUE(circuits.failed("a", 0s));
  EXPECT_TRUE(circuits.failed("b", 0s));
  EXPECT_FALSE(circuits.failed("c", 0s));
  EXPECT_TRUE(circuits.admit("c", 0s));
  circuits.succeeded("a");
  EXPECT_TRUE(circuits.failed("c", 0s));
}

TEST(RetryBudgets, IsAShareOfTheCalls) {
  RetryBudgets budgets(0.5, 2);
  budgets.take("a");
  EXPECT_TRUE(budgets.has_one("a"));
  budgets.take("a");
  EXPECT_FALSE(budgets.has_one("a"));
  budgets.call_made("a");
  EXPECT_FALSE(budgets.has_one("a"));
  budgets.call_made("a");
  EXPECT_TRUE(budgets.has_one("a"));
  for (int i = 0; i < 100; ++i) budgets.call_made("a");
  budgets.take("a");
  budgets.take("a");
  EXPECT_FALSE(budgets.has_one("a")) << "the stock has a bound";
}

TEST(RetryBudgets, OneThatFailsTakesNoneOfAnother) {
  RetryBudgets budgets(0.5, 1);
  budgets.take("a");
  EXPECT_FALSE(budgets.has_one("a"));
  EXPECT_TRUE(budgets.has_one("b"));
  budgets.call_made("b");
  EXPECT_FALSE(budgets.has_one("a")) << "nor do the calls of another give it one";
  EXPECT_EQ(budgets.used(), 1U) << "what has its whole stock is not kept";
  budgets.call_made("a");
  budgets.call_made("a");
  EXPECT_EQ(budgets.used(), 0U);
}

/// A model with two deployments; the one on connection "a" comes first.
class CallPolicyTest : public RouterCoreTest {
 protected:
  CallPolicyTest() {
    add_model_on_two_connections();
    options.retry.calls_per_target_max = 1;
    make_core(options);
    assign();
  }

  void ask(const std::string& id, const std::string& more = "") {
    request(id, more, std::nullopt, R"("modelProvider":"ollama","modelName":"two",)");
    settle();
  }
  /// The provider's answer to that call breaks off after this text.
  void break_off_after(std::uint64_t call, const std::string& text) {
    http.head(call);
    speak(call, text);
    http.end(call, http::Ending::broken);
    settle();
  }
  std::string url_of(std::uint64_t call) { return http.calls.at(call).request.url; }
  /// What readers have of an attempt.
  /// Of the request that was answered last.
  std::string text_of(std::int64_t attempt) {
    std::string text;
    const auto request = chunks().back().request_id;
    for (const auto& chunk : chunks()) {
      if (chunk.request_id == request && chunk.attempt == attempt && chunk.delta) text += *chunk.delta;
    }
    return text;
  }
};

TEST_F(CallPolicyTest, AnAnswerThatBreaksOffEndsWithTheErrorUnlessTheSenderAskedForMore) {
  ask("r1");
  break_off_after(1, "half");
  wake_after(10s);
  settle();
  EXPECT_EQ(http.started, 1U);
  EXPECT_EQ(chunks().back().finish_reason, "error");
  EXPECT_EQ(chunks().back().error_code, "PROVIDER_UNAVAILABLE");
}

TEST_F(CallPolicyTest, AnErrorWithoutEndIsClassifiedOnceEnoughOfItIsThere) {
  ask("r1");
  http.head(1, 503);
  http.body(1, std::string(16 * 1024 - 1, 'x'));
  EXPECT_EQ(http.transfers(), 1U);
  http.body(1, "xx");
  EXPECT_EQ(http.transfers(), 0U);
  settle();
  core->on_wake();
  ASSERT_EQ(http.started, 2U);
  answer(2);
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "stop");
}

TEST_F(CallPolicyTest, AnErrorThatStallsIsClassifiedByWhatHasCome) {
  ask("r1");
  http.head(1, 503);
  http.body(1, R"({"error":")");
  wake_after(4'999ms);
  EXPECT_EQ(http.transfers(), 1U);
  wake_after(1ms);
  EXPECT_EQ(http.transfers(), 0U);
  core->on_wake();
  ASSERT_EQ(http.started, 2U);
  answer(2);
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "stop");
}

TEST_F(CallPolicyTest, RestartRunsTheRequestAgainAsANewAttemptElsewhere) {
  ask("r1", R"("onInterrupt":"restart",)");
  EXPECT_THAT(url_of(1), StartsWith("http://a"));
  break_off_after(1, "half of it");
  ASSERT_EQ(http.started, 2U);
  EXPECT_THAT(url_of(2), StartsWith("http://b")) << "the deployment whose answer broke off comes last";
  answer(2, "all of it");
  settle();
  const auto last = chunks().back();
  EXPECT_EQ(last.finish_reason, "stop");
  const auto first = chunks().front().attempt;
  EXPECT_GT(last.attempt, first) << "readers drop what they have of the attempt before";
  EXPECT_EQ(text_of(last.attempt), "all of it");
  const auto responses = audit(Kind::response);
  ASSERT_EQ(responses.size(), 2U);
  EXPECT_EQ(responses[0].outcome, "interrupted");
  EXPECT_EQ(responses[0].cause, "restart");
  EXPECT_EQ(responses[1].outcome, "completed");
}

TEST_F(CallPolicyTest, TheUsageOfAnAnswerThatBreaksOffIsEstimated) {
  ask("r1");
  break_off_after(1, "twelve bytes");
  ASSERT_TRUE(chunks().back().usage);
  EXPECT_EQ(chunks().back().usage->output_tokens, 3);
  EXPECT_EQ(chunks().back().usage->input_tokens, 1);
  EXPECT_TRUE(chunks().back().usage->estimated);
}

TEST_F(CallPolicyTest, TheUsageOfAnAnswerThatIsCancelledIsEstimated) {
  ask("r1");
  http.head(1);
  speak(1, "twelve bytes");
  cancel("r1");
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "cancelled");
  ASSERT_TRUE(chunks().back().usage);
  EXPECT_EQ(chunks().back().usage->output_tokens, 3);
  EXPECT_TRUE(chunks().back().usage->estimated);
}

TEST_F(CallPolicyTest, ACallWithoutAnAnswerHasNoUsage) {
  ask("r1");
  cancel("r1");
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "cancelled");
  EXPECT_FALSE(chunks().back().usage);
}

TEST_F(CallPolicyTest, WhatTheBeginningOfAStreamCountsIsNotTheUsageOfABrokenAnswer) {
  add_model_on_connections("claude-3-5-haiku", {"a", "b"}, "anthropic");
  request("r1", "", std::nullopt, R"("modelProvider":"ollama","modelName":"claude-3-5-haiku",)");
  settle();
  http.head(1);
  http.body(1,
            "data: "
            R"({"type":"message_start","message":{"id":"m1","usage":{"input_tokens":500,"output_tokens":1}}})"
            "\n\n"
            "data: "
            R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"sixteen bytes..."}})"
            "\n\n");
  http.end(1, http::Ending::broken);
  settle();
  ASSERT_TRUE(chunks().back().usage);
  EXPECT_EQ(chunks().back().usage->input_tokens, 500);
  EXPECT_EQ(chunks().back().usage->output_tokens, 4);
  EXPECT_TRUE(chunks().back().usage->estimated);
}

TEST_F(CallPolicyTest, RestartsHaveABound) {
  ask("r1", R"("onInterrupt":"restart",)");
  for (std::uint64_t call = 1; call <= 3; ++call) {
    ASSERT_EQ(http.started, call);
    break_off_after(call, "half");
  }
  EXPECT_EQ(http.started, 3U) << "the first attempt and two restarts";
  EXPECT_EQ(chunks().back().finish_reason, "error");
  EXPECT_EQ(audit(Kind::response).size(), 3U);
}

TEST_F(CallPolicyTest, ARestartHasANumberOfItsOwnAfterManyOtherRequests) {
  options.dedupe_requests_max = 2;
  make_core(options);
  assign();
  ask("r1", R"("onInterrupt":"restart",)");
  for (int i = 0; i < 5; ++i) record(R"({"requestId":"x)" + std::to_string(i) + R"(","orgId":"o"})", std::nullopt);
  settle();
  break_off_after(1, "half");
  ASSERT_EQ(http.started, 2U) << "an attempt whose llm.request repeats an earlier one would never be called";
  answer(2, "whole");
  settle();
  EXPECT_EQ(text_of(chunks().back().attempt), "whole");
}

TEST_F(CallPolicyTest, AFallbackOnTheSameConnectionNeedsAPlaceInTheRetryBudget) {
  add_model_on_connections("three", {"a", "a", "b"});
  make_core(options);
  assign();
  std::vector<std::size_t> calls;
  for (int i = 0; i < 200; ++i) {
    const auto first = http.started + 1;
    request("r" + std::to_string(i), "", std::nullopt, R"("modelProvider":"ollama","modelName":"three",)");
    settle();
    for (auto call = first; call <= http.started; ++call) {
      if (url_of(call).starts_with("http://b")) {
        answer(call);
      } else {
        http.head(call, 404);
        http.end(call);
      }
      settle();
      core->on_wake();
      settle();
    }
    EXPECT_EQ(chunks().back().finish_reason, "stop");
    calls.push_back(http.started + 1 - first);
  }
  EXPECT_EQ(calls.front(), 3U);
  // A fifth of the calls, once the stock is used up.
  EXPECT_GE(std::count(calls.end() - 20, calls.end(), 2U), 14);
}

TEST_F(CallPolicyTest, WhatTheRequestIsToBlameForIsNotRestarted) {
  ask("r1", R"("onInterrupt":"restart",)");
  http.head(1);
  speak(1, "half");
  http.end(1, http::Ending::too_large);
  settle();
  EXPECT_EQ(http.started, 1U);
  EXPECT_EQ(chunks().back().finish_reason, "error");
}

TEST_F(CallPolicyTest, ContinueGoesOnFromWhatWasPublished) {
  ask("r1", R"("onInterrupt":"continue",)");
  break_off_after(1, "Hello ");
  wake_after(1ms);
  settle();
  ASSERT_EQ(http.started, 2U);
  EXPECT_THAT(url_of(2), StartsWith("http://b"));
  EXPECT_THAT(http.calls.at(2).request.body, HasSubstr(R"({"role":"assistant","content":"Hello"}],)"))
      << "without the blank at its end, which some providers refuse";
  http.head(2);
  speak(2, " wor");
  speak(2, " ld");
  finish(2);
  settle();
  const auto last = chunks().back();
  EXPECT_EQ(last.finish_reason, "stop");
  EXPECT_EQ(last.continued, 1);
  EXPECT_EQ(last.attempt, chunks().front().attempt) << "the same attempt";
  EXPECT_EQ(text_of(last.attempt), "Hello wor ld") << "no blank twice, and none lost";
  ASSERT_TRUE(last.usage);
  EXPECT_TRUE(last.usage->estimated) << "what the first call used is not known";
  ASSERT_FALSE(last.warnings.empty());
  EXPECT_THAT(last.warnings.back(), HasSubstr("continued"));
  EXPECT_EQ(audit(Kind::response).size(), 1U);
}

TEST_F(CallPolicyTest, WhatABrokenCallUsedIsNotTheUsageOfTheNextDeployment) {
  add_model_on_connections("claude-3-5-haiku", {"a", "b"}, "anthropic");
  request("r1", R"("onInterrupt":"continue",)", std::nullopt,
          R"("modelProvider":"ollama","modelName":"claude-3-5-haiku",)");
  settle();
  ASSERT_EQ(http.started, 1U);
  http.head(1);
  http.body(1,
            "data: "
            R"({"type":"message_start","message":{"id":"m1","usage":{"input_tokens":500,"output_tokens":1}}})"
            "\n\n"
            "data: "
            R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
            "\n\n"
            "data: "
            R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}})"
            "\n\n");
  http.end(1, http::Ending::broken);
  settle();
  wake_after(1ms);
  ASSERT_EQ(http.started, 2U);
  http.end(2, http::Ending::connect_failed);
  settle();
  for (int i = 0; i < 20 && !chunks().back().done; ++i) {
    wake_after(10s);
    if (http.calls.contains(http.newest())) http.end(http.newest(), http::Ending::connect_failed);
    settle();
  }
  const auto last = chunks().back();
  ASSERT_TRUE(last.done);
  EXPECT_FALSE(last.usage) << "the deployment that is named has counted nothing";
}

TEST_F(CallPolicyTest, ContinuationMayUseOnlyWhatIsLeftOfMaxTokens) {
  ask("r1", R"("onInterrupt":"continue","maxTokens":100,)");
  EXPECT_THAT(http.calls.at(1).request.body, HasSubstr(R"("num_predict":100)"));
  break_off_after(1, std::string(360, 'x'));
  wake_after(1ms);
  ASSERT_EQ(http.started, 2U);
  EXPECT_THAT(http.calls.at(2).request.body, HasSubstr(R"("num_predict":10)")) << "four bytes are taken for a token";
  break_off_after(2, std::string(360, 'y'));
  wake_after(1ms);
  ASSERT_EQ(http.started, 3U);
  EXPECT_THAT(http.calls.at(3).request.body, HasSubstr(R"("num_predict":1})")) << "no provider takes less";
}

TEST_F(CallPolicyTest, ContinuationKeepsToTheDefaultOfMaxTokens) {
  events::ModelUpserted event;
  event.model = *projection.find("", "", "ollama", "two");
  event.version = event.model.version = 3;
  for (auto& deployment : event.model.deployments) deployment.parameters.tokens_max = 50;
  event.key = events::model_key(event.model);
  ASSERT_EQ(projection.apply(event.key, events::to_json(event)), registry::Projection::Applied::changed);
  ask("r1", R"("onInterrupt":"continue",)");
  break_off_after(1, std::string(40, 'x'));
  wake_after(1ms);
  ASSERT_EQ(http.started, 2U);
  EXPECT_THAT(http.calls.at(2).request.body, HasSubstr(R"("num_predict":40)"));
}

TEST_F(CallPolicyTest, AContinuationMayBeginWithoutTheBlank) {
  ask("r1", R"("onInterrupt":"continue",)");
  break_off_after(1, "Hello  ");
  wake_after(1ms);
  settle();
  http.head(2);
  speak(2, "world ");
  speak(2, " !");
  finish(2);
  settle();
  EXPECT_EQ(text_of(chunks().back().attempt), "Hello  world  !");
}

TEST_F(CallPolicyTest, AContinuedAnswerMayBreakOffAgain) {
  ask("r1", R"("onInterrupt":"continue",)");
  break_off_after(1, "one");
  wake_after(1ms);
  break_off_after(2, " two");
  wake_after(1ms);
  ASSERT_EQ(http.started, 3U);
  EXPECT_THAT(http.calls.at(3).request.body, HasSubstr(R"("content":"one two"}],)"));
  http.head(3);
  speak(3, " three");
  finish(3);
  settle();
  EXPECT_EQ(text_of(chunks().back().attempt), "one two three");
  EXPECT_EQ(chunks().back().continued, 2);
}

TEST_F(CallPolicyTest, AProviderThatBeginsAgainIsNotJoined) {
  ask("r1", R"("onInterrupt":"continue",)");
  break_off_after(1, "Once upon a time ");
  wake_after(1ms);
  ASSERT_EQ(http.started, 2U);
  http.head(2);
  speak(2, "Once upon");
  speak(2, " a time there");
  settle();
  wake_after(1s);
  settle();
  ASSERT_EQ(http.started, 3U);
  EXPECT_THAT(url_of(3), StartsWith("http://a")) << "the other one may go on";
  http.head(3);
  speak(3, "Once upon a time there was a king.");
  settle();
  wake_after(1ms);
  ASSERT_EQ(http.started, 4U) << "none goes on: it runs again";
  EXPECT_THAT(http.calls.at(4).request.body, ::testing::Not(HasSubstr("assistant")));
  answer(4, "Once upon a time there was a queen.");
  settle();
  EXPECT_EQ(text_of(chunks().back().attempt), "Once upon a time there was a queen.");
  EXPECT_EQ(text_of(chunks().front().attempt), "Once upon a time ");
  EXPECT_EQ(audit(Kind::response).front().cause, "restart");
}

TEST_F(CallPolicyTest, AContinuationThatBeginsLikeTheAnswerIsJoinedWhole) {
  ask("r1", R"("onInterrupt":"continue",)");
  break_off_after(1, "ten green bottles, ");
  wake_after(1ms);
  http.head(2);
  speak(2, "ten green");
  speak(2, " glasses");
  finish(2);
  settle();
  EXPECT_EQ(text_of(chunks().back().attempt), "ten green bottles, ten green glasses");
  ask("r2", R"("onInterrupt":"continue",)");
  break_off_after(3, "ten green bottles, ");
  wake_after(1ms);
  http.head(4);
  speak(4, "ten green");
  finish(4);
  settle();
  EXPECT_EQ(text_of(chunks().back().attempt), "ten green bottles, ten green");
}

TEST_F(CallPolicyTest, WhatCannotBeContinuedIsRestarted) {
  ask("r1", R"("onInterrupt":"continue",)");
  http.head(1);
  http.body(1, R"({"model":"m","message":{"role":"assistant","content":"","tool_calls":[)"
               R"({"function":{"name":"f","arguments":{}}}]},"done":false})"
               "\n");
  http.end(1, http::Ending::broken);
  settle();
  ASSERT_EQ(http.started, 2U);
  EXPECT_THAT(http.calls.at(2).request.body, ::testing::Not(HasSubstr("assistant")));
  answer(2, "whole");
  settle();
  EXPECT_EQ(text_of(chunks().back().attempt), "whole");
  EXPECT_EQ(audit(Kind::response).front().cause, "restart");
}

TEST_F(CallPolicyTest, AnIdleContinuationIsGivenTheTimeOfAFirstToken) {
  options.idle_timeout = 2s;
  options.first_token_timeout = 10s;
  make_core(options);
  assign();
  ask("r1", R"("onInterrupt":"continue",)");
  http.head(1);
  speak(1, "one");
  http.end(1, http::Ending::broken);
  wake_after(1ms);
  ASSERT_EQ(http.started, 2U);
  wake_after(9s);
  EXPECT_EQ(http.calls.size(), 1U) << "the model may have to be loaded there";
  wake_after(2s);
  settle();
  EXPECT_EQ(http.calls.count(2), 0U);
}

TEST_F(CallPolicyTest, ADeploymentThatKeepsFailingIsTriedAfterOthers) {
  std::uint64_t call = 0;
  for (int i = 0; i < 5; ++i) {
    ask("r" + std::to_string(i));
    ASSERT_THAT(url_of(++call), StartsWith("http://a"));
    http.end(call, http::Ending::connect_failed);
    wake_after(1ms);
    settle();
    ASSERT_THAT(url_of(++call), StartsWith("http://b"));
    answer(call);
    settle();
  }
  const std::string series = R"(tokenrail_router_circuits_open{connection="a",provider="ollama"} )";
  EXPECT_THAT(metrics.text(), HasSubstr(series + "1\n"));
  ask("later");
  EXPECT_THAT(url_of(++call), StartsWith("http://b")) << "a's circuit is open";
  answer(call);
  settle();
  environment.advance(1s);
  ask("probe");
  EXPECT_THAT(url_of(++call), StartsWith("http://a"));
  ask("beside the probe");
  EXPECT_THAT(url_of(++call), StartsWith("http://b"));
  answer(call - 1);
  settle();
  EXPECT_THAT(metrics.text(), HasSubstr(series + "0\n"));
  ask("again");
  EXPECT_THAT(url_of(++call), StartsWith("http://a")) << "the probe went well";
}

/// As many failures in a row as open a circuit, of the deployment on connection "a".
constexpr int failures_to_open = 5;

TEST_F(CallPolicyTest, DeploymentWithOpenCircuitIsCalledAfterTheOthersFailed) {
  std::uint64_t call = 0;
  for (int i = 0; i < failures_to_open; ++i) {
    ask("r" + std::to_string(i));
    http.end(++call, http::Ending::connect_failed);
    wake_after(1ms);
    settle();
    answer(++call);
    settle();
  }
  ask("later");
  ASSERT_THAT(url_of(++call), StartsWith("http://b")) << "a's circuit is open";
  http.end(call, http::Ending::connect_failed);
  wake_after(1ms);
  settle();
  ASSERT_EQ(http.started, call + 1) << "a is all that is left";
  EXPECT_THAT(url_of(++call), StartsWith("http://a"));
  answer(call, "well again");
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "stop");
  EXPECT_EQ(text_of(chunks().back().attempt), "well again");
}

TEST_F(CallPolicyTest, NoDeploymentIsCalledAgainAfterAllHaveFailed) {
  std::uint64_t call = 0;
  for (int i = 0; i < failures_to_open; ++i) {
    ask("r" + std::to_string(i));
    http.end(++call, http::Ending::connect_failed);
    wake_after(1ms);
    settle();
    answer(++call);
    settle();
  }
  ask("later");
  for (int i = 0; i < 2; ++i) {
    http.end(++call, http::Ending::connect_failed);
    wake_after(1ms);
    settle();
  }
  EXPECT_EQ(http.started, call) << "b, then a";
  EXPECT_EQ(chunks().back().error_code, "PROVIDER_UNAVAILABLE");
  EXPECT_EQ(audit(Kind::response).back().outcome, "failed");
}

TEST_F(CallPolicyTest, FallbackPassesOverAConnectionWithoutRoom) {
  options.connection_in_flight_max = 1;
  make_core(options);
  assign();
  add_model("only-b", "ollama", "b");
  add_model_on_connections("three", {"a", "b", "c"});
  request("r0", "", std::nullopt, R"("modelProvider":"ollama","modelName":"only-b",)");
  settle();
  request("r1", "", std::nullopt, R"("modelProvider":"ollama","modelName":"three",)");
  settle();
  ASSERT_THAT(url_of(2), StartsWith("http://a"));
  http.end(2, http::Ending::connect_failed);
  wake_after(1ms);
  ASSERT_EQ(http.started, 3U);
  EXPECT_THAT(url_of(3), StartsWith("http://c")) << "b has no room";
  http.end(3, http::Ending::connect_failed);
  wake_after(1ms);
  ASSERT_EQ(http.started, 4U) << "b is all that is left";
  EXPECT_THAT(url_of(4), StartsWith("http://b"));
  answer(4);
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "stop");
}

TEST_F(CallPolicyTest, WithoutAnotherDeploymentAnOpenCircuitIsCalledAllTheSame) {
  for (std::uint64_t call = 1; call <= 7; ++call) {
    request("r" + std::to_string(call), "", std::nullopt);
    settle();
    ASSERT_EQ(http.started, call);
    http.end(call, http::Ending::connect_failed);
    settle();
  }
}

TEST_F(CallPolicyTest, OneDeploymentsRateLimitIsNotWaitedForWhereAnotherIsLeft) {
  const RetryRules rules{.calls_per_target_max = 2, .retry_after_max = 60s, .retry_after_short = 5s};
  const auto decide = [&](std::chrono::milliseconds after, bool more) {
    return decide_retry(
               rules,
               {.retry = true, .try_next = true, .more_targets = more, .retry_after = after, .until_deadline = 1h})
        .action;
  };
  EXPECT_EQ(decide(5s, true), RetryDecision::Action::same_target);
  EXPECT_EQ(decide(5'001ms, true), RetryDecision::Action::next_target);
  EXPECT_EQ(decide(5'001ms, false), RetryDecision::Action::same_target);
}

}  // namespace
}  // namespace tokenrail::router
