// A second call beside one whose first token is slow.
#include <gmock/gmock.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"
#include "workers/router/core/hedge_policy.hpp"

namespace tokenrail::router {
namespace {

using ::testing::ElementsAre;

using ::testing::StartsWith;

constexpr HedgeRules rules{.after = 2s};
constexpr StartedCall slow{.more_targets = true, .calls_made = 1, .calls_max = 2, .started = 10s, .deadline = 1min};

TEST(HedgePolicy, IsDueSoLongAfterTheStart) {
  EXPECT_EQ(hedge_due(rules, slow), Millis(12s));
}

TEST(HedgePolicy, IsOffByDefault) {
  EXPECT_EQ(hedge_due({}, slow), std::nullopt);
}

TEST(HedgePolicy, NeedsAnotherDeploymentACallLeftAndTime) {
  auto call = slow;
  call.more_targets = false;
  EXPECT_EQ(hedge_due(rules, call), std::nullopt);
  call = slow;
  call.calls_made = 2;
  EXPECT_EQ(hedge_due(rules, call), std::nullopt);
  call = slow;
  call.deadline = 12s;
  EXPECT_EQ(hedge_due(rules, call), std::nullopt);
}

TEST(HedgePolicy, IsOnePerAttemptAndForStreamedAnswersThatBegin) {
  auto call = slow;
  call.hedged = true;
  EXPECT_EQ(hedge_due(rules, call), std::nullopt);
  call = slow;
  call.streamed = false;
  EXPECT_EQ(hedge_due(rules, call), std::nullopt);
  call = slow;
  call.continues = true;
  EXPECT_EQ(hedge_due(rules, call), std::nullopt);
}

/// A model with two deployments; the one on connection "a" comes first.
class HedgeTest : public RouterCoreTest {
 protected:
  HedgeTest() {
    add_model_on_two_connections();
    options.hedge.after = 2s;
    restart();
  }

  void restart() {
    make_core(options);
    assign();
  }
  void ask(const std::string& id, const std::string& more = "") {
    request(id, more, std::nullopt, R"("modelProvider":"ollama","modelName":"two",)");
    settle();
  }
  std::string url_of(std::uint64_t call) { return http.calls.at(call).request.url; }
  bool runs(std::uint64_t call) { return http.calls.contains(call); }
  /// deploymentId and errorClass of each call in the newest llm.response.
  std::vector<std::string> calls() {
    const auto& log = producer->logs[{"llm.audit", 0}];
    const auto text = log.back().value.value();
    std::vector<std::string> all;
    for (auto at = text.find(R"("deploymentId":")"); at != std::string::npos;
         at = text.find(R"("deploymentId":")", at + 1)) {
      const auto end = text.find('}', at);
      const auto one = text.substr(at, end - at);
      const auto value = [&](const std::string& name) {
        const auto begin = one.find('"' + name + R"(":")");
        if (begin == std::string::npos) return std::string();
        const auto from = begin + name.size() + 4;
        return one.substr(from, one.find('"', from) - from);
      };
      all.push_back(value("deploymentId") + " " + value("errorClass"));
    }
    return all;
  }
  std::string text() {
    std::string all;
    for (const auto& chunk : chunks()) all += chunk.delta.value_or("");
    return all;
  }
  std::uint64_t hedges() { return router_metrics.hedges.value(); }
  std::uint64_t hedges_won() { return router_metrics.hedges_won.value(); }
};

TEST_F(HedgeTest, SecondDeploymentIsCalledAfterTheWait) {
  ask("r1");
  ASSERT_EQ(http.started, 1U);
  wake_after(1'999ms);
  EXPECT_EQ(http.started, 1U);
  wake_after(1ms);
  ASSERT_EQ(http.started, 2U);
  EXPECT_THAT(url_of(1), StartsWith("http://a"));
  EXPECT_THAT(url_of(2), StartsWith("http://b"));
  EXPECT_EQ(hedges(), 1U);
  wake_after(10s);
  EXPECT_EQ(http.started, 2U) << "one each attempt";
}

TEST_F(HedgeTest, FirstTokenOfTheHedgeEndsTheFirstCall) {
  ask("r1");
  wake_after(2s);
  http.head(1);
  answer(2, "from b");
  settle();
  EXPECT_FALSE(runs(1));
  EXPECT_EQ(text(), "from b");
  EXPECT_EQ(chunks().back().finish_reason, "stop");
  EXPECT_THAT(calls(), ElementsAre("d-a hedge_lost", "d-b "));
  EXPECT_EQ(hedges_won(), 1U);
}

TEST_F(HedgeTest, FirstTokenOfTheFirstCallEndsTheHedge) {
  ask("r1");
  wake_after(2s);
  http.head(1);
  http.head(2);
  speak(1, "from a");
  EXPECT_FALSE(runs(2));
  finish(1);
  settle();
  EXPECT_EQ(text(), "from a");
  EXPECT_THAT(calls(), ElementsAre("d-b hedge_lost", "d-a "));
  EXPECT_EQ(hedges(), 1U);
  EXPECT_EQ(hedges_won(), 0U);
}

TEST_F(HedgeTest, NothingIsHedgedOnceATokenHasCome) {
  ask("r1");
  http.head(1);
  speak(1, "a token");
  wake_after(5s);
  EXPECT_EQ(http.started, 1U);
}

TEST_F(HedgeTest, NoHedgeWithoutTheSetting) {
  options.hedge.after = 0s;
  restart();
  ask("r1");
  wake_after(60s);
  EXPECT_EQ(http.started, 1U);
}

TEST_F(HedgeTest, AnswersThatAreNotStreamedAreNotHedged) {
  ask("r1", R"("stream":false,)");
  wake_after(60s);
  EXPECT_EQ(http.started, 1U);
}

TEST_F(HedgeTest, AnswerGoesOnWhereTheFirstCallFails) {
  ask("r1");
  wake_after(2s);
  http.end(1, http::Ending::connect_failed);
  wake_after(1s);
  EXPECT_EQ(http.started, 2U) << "the hedge is the next call already";
  answer(2, "from b");
  settle();
  EXPECT_EQ(text(), "from b");
  EXPECT_THAT(calls(), ElementsAre("d-a connect_failed", "d-b "));
  EXPECT_EQ(hedges_won(), 0U) << "it did not win, it was left";
}

TEST_F(HedgeTest, AnswerGoesOnWhereTheHedgeFails) {
  ask("r1");
  wake_after(2s);
  http.end(2, http::Ending::connect_failed);
  answer(1, "from a");
  settle();
  EXPECT_EQ(text(), "from a");
  EXPECT_THAT(calls(), ElementsAre("d-b connect_failed", "d-a "));
}

TEST_F(HedgeTest, BothCallsFailingEndsTheAttemptWithinItsCalls) {
  options.retry.calls_max = 2;
  restart();
  ask("r1");
  wake_after(2s);
  http.end(2, http::Ending::connect_failed);
  http.end(1, http::Ending::connect_failed);
  wake_after(10s);
  settle();
  EXPECT_EQ(http.started, 2U);
  EXPECT_EQ(chunks().back().error_code, "PROVIDER_UNAVAILABLE");
  EXPECT_THAT(calls(), ElementsAre("d-b connect_failed", "d-a connect_failed"));
}

TEST_F(HedgeTest, TimeoutOfTheFirstCallLeavesTheHedge) {
  options.first_token_timeout = 5s;
  restart();
  ask("r1");
  wake_after(2s);
  wake_after(3s);
  EXPECT_FALSE(runs(1));
  ASSERT_TRUE(runs(2));
  wake_after(1'999ms);
  EXPECT_TRUE(runs(2)) << "it has its own time";
  answer(2, "late");
  settle();
  EXPECT_EQ(text(), "late");
  EXPECT_THAT(calls(), ElementsAre("d-a timeout", "d-b "));
}

TEST_F(HedgeTest, CancellationEndsAndListsBothCalls) {
  ask("r1");
  wake_after(2s);
  cancel("r1");
  settle();
  EXPECT_FALSE(runs(1));
  EXPECT_FALSE(runs(2));
  EXPECT_THAT(calls(), ElementsAre("d-a cancelled", "d-b cancelled"));
}

TEST_F(HedgeTest, DeadlineEndsAndListsBothCalls) {
  ask("r1", R"("timeoutMs":3000,)");
  wake_after(2s);
  ASSERT_EQ(http.started, 2U);
  wake_after(1s);
  settle();
  EXPECT_EQ(http.transfers(), 0U);
  EXPECT_EQ(chunks().back().error_code, "DEADLINE_EXCEEDED");
  EXPECT_THAT(calls(), ElementsAre("d-a deadline", "d-b deadline"));
}

TEST_F(HedgeTest, ClientsClockAfterTheDeadlineEndsAndListsBothCalls) {
  ask("r1", R"("timeoutMs":3000,)");
  wake_after(2s);
  ASSERT_EQ(http.started, 2U);
  environment.advance(3s);
  http.end(1, http::Ending::total_timeout);
  settle();
  EXPECT_EQ(http.transfers(), 0U);
  EXPECT_EQ(chunks().back().error_code, "DEADLINE_EXCEEDED");
  EXPECT_THAT(calls(), ElementsAre("d-a deadline", "d-b deadline"));
}

TEST_F(HedgeTest, UsageIsThatOfTheCallThatAnswers) {
  ask("r1");
  wake_after(2s);
  answer(2);
  settle();
  const auto last = chunks().back();
  ASSERT_TRUE(last.usage);
  EXPECT_EQ(last.usage->input_tokens, 5);
  ASSERT_TRUE(last.model);
}

TEST_F(HedgeTest, BrokenCircuitIsNotHedgedTo) {
  options.hedge.after = 100ms;
  restart();
  // As many failures in a row as open it: of the deployment on connection "b".
  for (int i = 0; i < 5; ++i) {
    ask("r" + std::to_string(i));
    const auto first = http.newest();
    wake_after(100ms);
    ASSERT_NE(http.newest(), first);
    http.end(http.newest(), http::Ending::connect_failed);
    answer(first);
    settle();
  }
  const auto before = http.started;
  ask("later");
  wake_after(100ms);
  EXPECT_EQ(http.started, before + 1);
}

TEST_F(HedgeTest, ConnectionAtItsLimitIsNotHedgedTo) {
  options.connection_in_flight_max = 1;
  restart();
  add_model("only-b", "ollama", "b");
  request("r0", "", std::nullopt, R"("modelProvider":"ollama","modelName":"only-b",)");
  settle();
  ask("r1");
  ASSERT_EQ(http.started, 2U);
  wake_after(2s);
  EXPECT_EQ(http.started, 2U);
}

TEST_F(HedgeTest, HedgeCountsAtItsConnection) {
  options.connection_in_flight_max = 1;
  restart();
  add_model("only-b", "ollama", "b");
  ask("r1");
  wake_after(2s);
  ASSERT_EQ(http.started, 2U);
  request("r2", "", std::nullopt, R"("modelProvider":"ollama","modelName":"only-b",)");
  settle();
  EXPECT_EQ(http.started, 2U) << "the hedge takes the room of b";
  answer(1);
  settle();
  wake_after(1ms);
  EXPECT_EQ(http.started, 3U);
}

TEST_F(HedgeTest, HedgesTakeFromTheRetryBudget) {
  std::uint64_t hedged = 0;
  for (int i = 0; i < 200; ++i) {
    ask("r" + std::to_string(i));
    const auto first = http.newest();
    wake_after(2s);
    hedged += http.newest() != first ? 1U : 0U;
    answer(first);
    settle();
  }
  EXPECT_LT(hedged, 200U);
  EXPECT_GT(hedged, 100U) << "the stock and a fifth of the calls";
}

}  // namespace
}  // namespace tokenrail::router
