// The clocks of a call while the provider streams what readers get only when it is whole.
#include <algorithm>

#include <gmock/gmock.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

using ::testing::StartsWith;

/// A model with deployments on the connections "a" and "b", which speak OpenAI's API.
class IdleClockTest : public RouterCoreTest {
 protected:
  IdleClockTest() {
    add_model_on_connections("two", {"a", "b"}, "openai");
    options.idle_timeout = 60s;
    options.first_token_timeout = 300s;
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
  /// In steps that a loop may take.
  void pass(Millis time) {
    for (; time > 0s; time -= std::min<Millis>(time, 10s)) {
      wake_after(std::min<Millis>(time, 10s));
      settle();
    }
  }
  void say(std::uint64_t call, const std::string& delta, const std::string& reason = "null") {
    http.body(call, R"(data: {"choices":[{"index":0,"delta":)" + delta + R"(,"finish_reason":)" + reason + "}]}\n\n");
  }
  void begin_call(std::uint64_t call) {
    say(call, R"({"tool_calls":[{"index":0,"id":"c","function":{"name":"look","arguments":"{\"a\":\""}}]})");
  }
  void fragment(std::uint64_t call) { say(call, R"({"tool_calls":[{"index":0,"function":{"arguments":"x"}}]})"); }
  void end_call(std::uint64_t call) {
    say(call, R"({"tool_calls":[{"index":0,"function":{"arguments":"\"}"}}]})");
    say(call, "{}", R"("tool_calls")");
    http.body(call, "data: [DONE]\n\n");
    http.end(call);
    settle();
  }
};

TEST_F(IdleClockTest, FragmentsOfArgumentsKeepTheAnswerAlive) {
  ask("r1");
  http.head(1);
  say(1, R"({"content":"Let me see."})");
  begin_call(1);
  for (int i = 0; i < 5; ++i) {
    pass(40s);
    ASSERT_EQ(http.transfers(), 1U) << "after " << i << " fragments";
    fragment(1);
  }
  end_call(1);
  EXPECT_EQ(chunks().back().finish_reason, "tool_calls");
}

TEST_F(IdleClockTest, SilenceWithinArgumentsIsATimeout) {
  ask("r1");
  http.head(1);
  begin_call(1);
  wake_after(59'999ms);
  EXPECT_EQ(http.transfers(), 1U);
  wake_after(1ms);
  settle();
  core->on_wake();
  EXPECT_EQ(http.started, 2U) << "nothing was published, so another deployment is tried";
}

TEST_F(IdleClockTest, EventsWithoutContentAreNoProgress) {
  ask("r1");
  http.head(1);
  begin_call(1);
  wake_after(40s);
  say(1, R"({"tool_calls":[{"index":0,"function":{"arguments":""}}]})");
  wake_after(20s);
  settle();
  core->on_wake();
  EXPECT_EQ(http.started, 2U);
}

TEST_F(IdleClockTest, AnAnswerThatIsNotStreamedHasTheTimeOfTheWholeCall) {
  ask("r1", R"("stream":false,)");
  wake_after(600s);
  ASSERT_EQ(http.transfers(), 1U);
  http.head(1);
  http.body(1, R"({"choices":[{"index":0,"message":{"content":"yes"},"finish_reason":"stop"}]})");
  http.end(1);
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "stop");
}

TEST_F(IdleClockTest, ACallThatSendsArgumentsIsNotHedged) {
  options.hedge.after = 2s;
  restart();
  ask("r1");
  http.head(1);
  begin_call(1);
  wake_after(5s);
  EXPECT_EQ(http.started, 1U);
  end_call(1);
  EXPECT_EQ(chunks().back().finish_reason, "tool_calls");
}

TEST_F(IdleClockTest, TheFirstOfTwoThatSendsArgumentsGoesOn) {
  options.hedge.after = 2s;
  restart();
  ask("r1");
  wake_after(2s);
  ASSERT_EQ(http.started, 2U);
  EXPECT_THAT(http.calls.at(2).request.url, StartsWith("http://b"));
  http.head(2);
  begin_call(2);
  EXPECT_EQ(http.transfers(), 1U) << "the other call is ended";
  end_call(2);
  EXPECT_EQ(chunks().back().finish_reason, "tool_calls");
}

}  // namespace
}  // namespace tokenrail::router
