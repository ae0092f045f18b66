// Faults at bytes and in frames, how often a fault happens, and what steers calls of several dialects.
#include <regex>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "tests/simulator/running_simulator.hpp"

namespace tokenrail::simulator {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class SimulatorFaults : public testing::Test {
 protected:
  [[nodiscard]] CallResult ask(std::string_view directive, std::string_view path = "/v1/chat/completions",
                               std::string_view more = R"(,"stream":true)") const {
    return simulator_.call("POST", path,
                           fmt::format(R"({{"model":"sim-chat:1b","messages":[{{"role":"user",)"
                                       R"("content":"hello [[sim tokens=3 {}]]"}}],"max_tokens":50{}}})",
                                       directive, more));
  }
  [[nodiscard]] std::string last(std::string_view field) const {
    const auto journal = simulator_.call("GET", "/_sim/journal").body;
    simdjson::dom::parser parser;
    simdjson::dom::array calls;
    if (parser.parse(journal)["calls"].get_array().get(calls) != simdjson::SUCCESS || calls.size() == 0)
      return "no call";
    return simdjson::minify(calls.at(calls.size() - 1)[field].value());
  }
  const RunningSimulator simulator_{};
};

TEST_F(SimulatorFaults, ResetsBeforeTheHead) {
  const auto result = ask("fault=reset");
  EXPECT_EQ(result.status, 0);
  EXPECT_FALSE(result.whole);
  EXPECT_EQ(last("fault"), "\"reset\"");
  EXPECT_EQ(last("ending"), "\"fault\"");
}

TEST_F(SimulatorFaults, CutsAtTheByte) {
  const auto whole = ask("").body;
  ASSERT_GT(whole.size(), 300U);
  for (const std::size_t at : {0UL, 1UL, 57UL, 300UL}) {
    const auto ended = ask(fmt::format("fault=eof-at:{}", at));
    EXPECT_TRUE(ended.whole);
    EXPECT_EQ(ended.body, whole.substr(0, at));
    EXPECT_EQ(last("fault"), "\"eof-at\"");
    const auto closed = ask(fmt::format("fault=close-at:{}", at));
    EXPECT_FALSE(closed.whole);
    EXPECT_EQ(closed.body, whole.substr(0, at));
  }
  EXPECT_FALSE(ask("fault=reset-at:57").whole);
  // A body that is shorter breaks off at its end.
  EXPECT_EQ(ask("fault=close-at:100000").body, whole);
}

TEST_F(SimulatorFaults, StallsAtTheByte) {
  OpenCall call(
      simulator_.port(), "POST", "/v1/chat/completions",
      R"({"model":"sim-chat:1b","stream":true,"messages":[{"role":"user","content":"x [[sim fault=hang-at:6]]"}]})");
  EXPECT_TRUE(call.read_until("data: "));
  EXPECT_THAT(call.received(), Not(HasSubstr("data: {")));
  EXPECT_EQ(last("ending"), "\"open\"");
}

TEST_F(SimulatorFaults, DripsByteByByte) {
  const auto without_time = [](const std::string& body) {
    return std::regex_replace(body, std::regex(R"("created":\d+)"), R"("created":0)");
  };
  const auto whole = ask("").body;
  const auto dripped = ask("fault=drip:0");
  EXPECT_TRUE(dripped.whole);
  EXPECT_EQ(without_time(dripped.body), without_time(whole)) << "but for the second in which each was asked";
  EXPECT_EQ(last("text"), "\"amber fjord cedar\"");
}

TEST_F(SimulatorFaults, GarbledItemsAreBetweenGoodOnes) {
  constexpr std::string_view garbage = "this event is not JSON";
  for (const auto* path : {"/v1/chat/completions", "/v1/messages"}) {
    const auto once = ask("fault=garbled-after:1", path).body;
    const auto at = once.find("not JSON");
    EXPECT_LT(once.find("amber"), at) << path;
    EXPECT_GT(once.find("cedar"), at) << path;
    EXPECT_EQ(once.find("not JSON", at + 1), std::string::npos) << path;
    const auto twice = ask("fault=garbled-twice-after:1", path).body;
    EXPECT_NE(twice.find("not JSON", twice.find("not JSON") + 1), std::string::npos) << path;
  }
  EXPECT_THAT(ask("fault=garbled-after:1").body, HasSubstr(garbage));
}

TEST_F(SimulatorFaults, LeavesOutTheLastFrame) {
  EXPECT_THAT(ask("").body, HasSubstr("[DONE]"));
  const auto openai = ask("fault=no-end").body;
  EXPECT_THAT(openai, Not(HasSubstr("[DONE]")));
  EXPECT_THAT(openai, HasSubstr("\"finish_reason\":\"stop\""));
  const auto anthropic = ask("fault=no-end", "/v1/messages").body;
  EXPECT_THAT(anthropic, Not(HasSubstr("message_stop")));
  EXPECT_THAT(anthropic, HasSubstr("end_turn"));
  EXPECT_THAT(ask("fault=no-end", "/api/chat").body, Not(HasSubstr("\"done\":true")));
}

TEST_F(SimulatorFaults, AHugeFrameIsOneEvent) {
  const auto body = ask("fault=huge-line:1").body;
  EXPECT_THAT(body, HasSubstr(std::string(1'000'000, 'x') + "\"}"));
  EXPECT_THAT(body, HasSubstr("[DONE]"));
}

TEST_F(SimulatorFaults, StatusesHaveHeadersAndTypes) {
  const auto limited = ask("fault=status:429 retry_after=2 retry_after_ms=1500 should_retry=false");
  EXPECT_EQ(limited.status, 429);
  EXPECT_THAT(limited.headers, Contains(Pair("Retry-After", "2")));
  EXPECT_THAT(limited.headers, Contains(Pair("retry-after-ms", "1500")));
  EXPECT_THAT(limited.headers, Contains(Pair("x-should-retry", "false")));
  const auto moved = ask("fault=status:307 location=http://127.0.0.1:1/x");
  EXPECT_EQ(moved.status, 307);
  EXPECT_THAT(moved.headers, Contains(Pair("Location", "http://127.0.0.1:1/x")));
  const auto page = ask(R"(content_type=text/html)");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html");
}

TEST_F(SimulatorFaults, ConnectionsCanBeClosedAfterEachAnswer) {
  EXPECT_THAT(ask("").headers, Not(Contains(Pair("Connection", testing::_))));
  EXPECT_THAT(ask("keep_alive=off").headers, Contains(Pair("Connection", "close")));
  EXPECT_EQ(last("ending"), "\"complete\"");
}

TEST_F(SimulatorFaults, AnErrorCanQuoteTheKey) {
  ASSERT_EQ(simulator_.call("POST", "/_sim/behaviour", R"({"fault":"status:401","body":"no {key}"})").status, 200);
  const auto result = simulator_.call("POST", "/v1/chat/completions",
                                      R"({"model":"sim-chat:1b","messages":[{"role":"user","content":"x"}]})",
                                      {{"Authorization", "Bearer k"}});
  EXPECT_EQ(result.body, "no k");
}

TEST_F(SimulatorFaults, FlapByTurns) {
  for (const int status : {503, 503, 200, 200, 503}) EXPECT_EQ(ask("fault=status:503 flap=2").status, status);
}

TEST_F(SimulatorFaults, AModelCanRefuseAPrefill) {
  const auto ask_prefilled = [&](std::string_view directive) {
    return simulator_
        .call("POST", "/v1/messages",
              fmt::format(R"({{"model":"sim-chat:1b","max_tokens":50,"messages":[{{"role":"user","content":)"
                          R"("hello [[sim {}]]"}},{{"role":"assistant","content":"amber"}}]}})",
                          directive))
        .body;
  };
  EXPECT_THAT(ask_prefilled("tokens=3"), HasSubstr("\"text\":\" fjord cedar\""));
  EXPECT_THAT(ask_prefilled("prefill=off"), HasSubstr("prefill"));
}

TEST_F(SimulatorFaults, AnswerGoesOnWhereTheRequestAsksForIt) {
  const auto ask_prefilled = [&](std::string_view in_message, std::string_view beside) {
    return simulator_
        .call(
            "POST", "/v1/chat/completions",
            fmt::format(R"({{"model":"sim-chat:1b","messages":[{{"role":"user","content":)"
                        R"("hello [[sim continues=asked tokens=3]]"}},{{"role":"assistant","content":"amber"{}}}]{}}})",
                        in_message, beside))
        .body;
  };
  EXPECT_THAT(ask_prefilled("", ""), HasSubstr("prefill"));
  EXPECT_THAT(ask_prefilled("", R"(,"continue_final_message":true)"), HasSubstr("\"content\":\" fjord cedar\""));
  EXPECT_THAT(ask_prefilled(R"(,"prefix":true)", ""), HasSubstr("\"content\":\"amber fjord cedar\""));
}

TEST_F(SimulatorFaults, TokenLimitCountsOnlyWhatIsNew) {
  const auto result = simulator_.call("POST", "/v1/messages",
                                      R"({"model":"sim-chat:1b","max_tokens":1,"messages":[{"role":"user","content":)"
                                      R"("hello [[sim tokens=3]]"},{"role":"assistant","content":"amber"}]})");
  EXPECT_THAT(result.body, HasSubstr("\"text\":\" fjord\""));
  EXPECT_THAT(result.body, HasSubstr("max_tokens"));
}

TEST_F(SimulatorFaults, OneBehaviourServesAllDialectsAndRulesPickPaths) {
  ASSERT_EQ(simulator_
                .call("POST", "/_sim/script", R"({"behaviour":{"text":"all say so"},"rules":[
      {"path":"/first/","behaviour":{"text":"one"}},{"path":"/v2/","behaviour":{"fault":"status:503"}}]})")
                .status,
            200);
  for (const auto* path : {"/api/chat", "/v1/chat/completions", "/v1/messages", "/any/v1/chat/completions"}) {
    EXPECT_THAT(ask("", path, R"(,"stream":false)").body, HasSubstr("all say so")) << path;
  }
  EXPECT_THAT(ask("", "/first/v1/chat/completions").body, HasSubstr("\"one\""));
  EXPECT_EQ(ask("", "/v2/chat").status, 503);
}

TEST_F(SimulatorFaults, TheJournalHasEveryKindOfKeyHashed) {
  // SHA-256 of "k".
  constexpr auto hash = "\"8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a\"";
  for (const auto* header : {"Authorization", "x-api-key", "api-key", "x-goog-api-key"}) {
    static_cast<void>(simulator_.call("GET", "/v1/models", "", {{header, "k"}}));
    EXPECT_EQ(last("authorizationSha256"), hash) << header;
  }
  static_cast<void>(simulator_.call("GET", "/v1beta/models?key=k"));
  EXPECT_EQ(last("authorizationSha256"), hash);
}

}  // namespace
}  // namespace tokenrail::simulator
