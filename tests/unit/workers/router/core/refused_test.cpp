// What the brokers refuse for good, and topics that acknowledge nothing: the harm stays where it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"
#include "workers/router/core/refusals.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view too_large = "chat.chunks: Broker: Message size too large";
constexpr std::string_view invalid = "Broker: Broker failed to validate record";

class RefusedTest : public RouterCoreTest {
 protected:
  std::string problem(const std::string& name) {
    for (const auto& condition : core->conditions()) {
      if (condition.name == name) return condition.problem;
    }
    return "there is no such condition";
  }
  std::int64_t committed(std::int32_t partition = 0) {
    return group->stored[{.topic = "chat.requests", .partition = partition}].first;
  }
  std::vector<events::Chunk> chunks_of(const std::string& id) {
    auto all = chunks();
    std::erase_if(all, [&](const events::Chunk& chunk) { return chunk.request_id != id; });
    return all;
  }
  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      wake_after(1s);
      settle();
    }
  }
};

TEST_F(RefusedTest, RefusedChunkEndsItsRequestAndNoOther) {
  assign();
  request("r1", "", std::nullopt);
  request("r2", "", std::nullopt);
  settle();
  http.head(1);
  http.head(2);
  speak(1, "x");
  settle();
  speak(1, "y");
  speak(1, "z");
  ASSERT_TRUE(producer->refuse_one("chat.chunks", 0, too_large));
  EXPECT_FALSE(http.calls.contains(1)) << "its transfer is cancelled";
  ASSERT_TRUE(http.calls.contains(2));
  settle();
  const auto r1 = chunks_of("r1");
  ASSERT_EQ(r1.size(), 2U);
  EXPECT_FALSE(r1[0].done);
  EXPECT_TRUE(r1[1].done);
  EXPECT_GT(r1[1].attempt, r1[0].attempt);
  EXPECT_EQ(r1[1].error_code, "RESPONSE_TOO_LARGE");
  EXPECT_THAT(r1[1].error_message, HasSubstr("chat.chunks refused a record"));
  EXPECT_THAT(r1[1].error_message, HasSubstr("max.message.bytes"));
  const auto responses = audit(Kind::response);
  ASSERT_EQ(responses.size(), 2U);
  EXPECT_EQ(responses[0].cause, "refused");
  EXPECT_EQ(responses[1].outcome, "rejected");
  speak(2, "whole");
  finish(2);
  settle();
  EXPECT_EQ(chunks_of("r2").back().finish_reason, "stop");
  EXPECT_EQ(http.started, 2U);
  EXPECT_EQ(audit(Kind::claimed).size(), 1U);
  EXPECT_EQ(router_metrics.repairs.value(), 0U);
  rounds(1);
  EXPECT_EQ(committed(), 2);
  EXPECT_THAT(problem("outputs"), HasSubstr("chat.chunks refused"));
  wake_after(301s);
  EXPECT_THAT(problem("outputs"), IsEmpty());
}

TEST_F(RefusedTest, RefusedTerminalChunkEndsItsRequest) {
  assign();
  request("r1");
  settle();
  http.head(1);
  finish(1);
  ASSERT_TRUE(producer->refuse_one("chat.chunks", 0, invalid));
  settle();
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].error_code, "INTERNAL");
  EXPECT_THAT(chunks()[0].error_message, HasSubstr("chat.chunks"));
  EXPECT_EQ(http.started, 1U);
}

TEST_F(RefusedTest, NextOwnerAnswersWhatWasRefused) {
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "x");
  ASSERT_TRUE(producer->refuse_one("chat.chunks", 0, too_large));
  ASSERT_TRUE(producer->acknowledge_one());  // the response that closes it
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  make_core(options);
  assign();
  next_offset = 0;
  request("r1");
  settle();
  EXPECT_EQ(http.started, 1U);
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].error_code, "RESPONSE_TOO_LARGE");
}

TEST_F(RefusedTest, RefusedErrorWaitsAndIsTriedAgain) {
  assign();
  request("r1", R"("timeoutMs":5000,)", std::nullopt);
  request("r2", "", std::nullopt);
  settle();
  http.head(1);
  http.head(2);
  speak(1, "x");
  ASSERT_TRUE(producer->refuse_one("chat.chunks", 0, invalid));
  for (int refused = 0; refused < 3; ++refused) {
    while (!producer->refuse_one("chat.chunks", 0, invalid)) ASSERT_TRUE(producer->acknowledge_one()) << refused;
    settle();
    core->refresh_gauges();
    EXPECT_EQ(router_metrics.refused_waiting.value(), 1.0);
    for (int second = 0; second < 5 && producer->unreported() == 0; ++second) wake_after(1s);
  }
  speak(2, "yes");
  finish(2);
  rounds(10);
  EXPECT_EQ(chunks_of("r1").size(), 1U);
  EXPECT_EQ(chunks_of("r1").back().error_code, "INTERNAL");
  EXPECT_EQ(chunks_of("r2").back().finish_reason, "stop");
  EXPECT_EQ(http.started, 2U);
  EXPECT_EQ(committed(), 2);
  EXPECT_EQ(audit(Kind::claimed).size(), 1U);
}

TEST_F(RefusedTest, RefusedAnswerToDuplicateIsTriedAgain) {
  assign();
  request("r1");
  settle();
  answer(1);
  settle();
  request("r1");
  ASSERT_TRUE(producer->refuse_one("chat.chunks", 0, invalid));
  settle();
  EXPECT_TRUE(std::ranges::none_of(chunks(), [](const auto& c) { return c.attempt == 0; }));
  rounds(3);
  EXPECT_EQ(chunks().back().attempt, 0);
  EXPECT_EQ(chunks().back().finish_reason, "duplicate");
  EXPECT_EQ(committed(), 2);
}

TEST_F(RefusedTest, RefusedAuditEventIsWrittenSmaller) {
  options.content_policy = events::ContentPolicy::full;
  options.content_bytes_max = 100'000;
  make_core(options);
  assign();
  const auto ask = [&](const std::string& id) {
    record(R"({"requestId":")" + id + R"(","orgId":"o","modelProvider":"ollama","modelName":"llama3","messages":[)" +
               R"({"role":"user","content":")" + std::string(4'000, 'a') + R"("}]})",
           std::nullopt);
  };
  ask("r1");
  ASSERT_TRUE(producer->refuse_one("llm.audit", 0, "llm.audit: Broker: Message size too large"));
  settle();
  ASSERT_EQ(http.started, 1U);
  const auto& log = logs[{"llm.audit", 0}];
  EXPECT_LT(log.back().value->size(), 2'500U);
  // What was learned holds for those that come.
  ask("r2");
  settle();
  EXPECT_LT(log.back().value->size(), 2'500U);
  // The response is written again too.
  http.head(1);
  speak(1, std::string(3'000, 'b'));
  finish(1);
  while (producer->unreported() > 0 && audit(Kind::response).empty()) {
    if (!producer->refuse_one("llm.audit", 0, "Broker: Message size too large")) {
      producer->acknowledge_one();
    } else {
      settle();
    }
  }
  answer(2);
  settle();
  rounds(1);
  EXPECT_EQ(committed(), 2);
  EXPECT_EQ(audit(Kind::claimed).size(), 1U);
}

TEST_F(RefusedTest, EventRefusedInItsSmallestFormHoldsItsRequestAlone) {
  assign();
  request("r1", "", std::nullopt);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(producer->refuse_one("llm.audit", 0, invalid));
  settle();
  EXPECT_EQ(http.started, 0U);
  request("r2", "", std::nullopt);
  settle();
  ASSERT_EQ(http.started, 1U);
  answer(1);
  settle();
  core->refresh_gauges();
  EXPECT_EQ(router_metrics.refused_waiting.value(), 1.0);
  EXPECT_THAT(problem("outputs"), HasSubstr("llm.audit refused"));
  rounds(3);
  ASSERT_EQ(http.started, 2U);
  answer(2);
  settle();
  rounds(1);
  EXPECT_EQ(committed(), 2);
  EXPECT_EQ(audit(Kind::claimed).size(), 1U);
}

TEST_F(RefusedTest, EventRefusedBehindTheReleaseBeginsNoAttempt) {
  assign();
  request("r1");
  // The request's event is on its way when the partition is given up, and is refused then.
  core->consumer_listener().on_revoked({{.topic = "chat.requests", .partition = 0}});
  ASSERT_TRUE(producer->refuse_one("llm.audit", 0, invalid));
  settle();
  rounds(2);
  EXPECT_TRUE(audit(Kind::request).empty());
  EXPECT_EQ(http.started, 0U);
  // The next owner finds a request that nobody has begun.
  make_core(options);
  assign();
  next_offset = 0;
  request("r1");
  settle();
  EXPECT_EQ(http.started, 1U);
}

TEST_F(RefusedTest, RefusedClaimIsTriedAgain) {
  core->consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
  ASSERT_TRUE(producer->refuse_one("llm.audit", 0, invalid));
  request("r1");
  rounds(2);
  EXPECT_EQ(http.started, 1U);
}

TEST_F(RefusedTest, DeadLetterThatIsRefusedHoldsItsOwnOffsetAlone) {
  assign();
  record("no JSON", std::nullopt);
  ASSERT_TRUE(producer->refuse_one("chat.requests.dlq", 0, "chat.requests.dlq: Broker: Message size too large"));
  request("r1", "", std::nullopt);
  settle();
  http.head(1);
  speak(1, "x");
  settle();
  core->refresh_gauges();
  EXPECT_EQ(router_metrics.dead_letters_waiting.value(), 1.0);
  EXPECT_THAT(problem("dead_letters"), HasSubstr("chat.requests.dlq: Broker: Message size too large"));
  finish(1);
  settle();
  EXPECT_EQ(committed(), 0);
  rounds(3);
  EXPECT_EQ(committed(), 2);
  EXPECT_EQ((logs[{"chat.requests.dlq", 0}].size()), 1U);
  EXPECT_EQ(http.started, 1U);
  EXPECT_EQ(audit(Kind::claimed).size(), 1U);
  EXPECT_THAT(problem("dead_letters"), IsEmpty());
}

TEST_F(RefusedTest, DeadLetterOfUnknownFateFailsNothing) {
  assign();
  record("no JSON", std::nullopt);
  producer->fail_all();
  rounds(3);
  EXPECT_EQ((logs[{"chat.requests.dlq", 0}].size()), 1U);
  EXPECT_EQ(committed(), 1);
  EXPECT_EQ(audit(Kind::claimed).size(), 1U);
}

TEST_F(RefusedTest, DeadLetterFitsTheProducer) {
  core->set_dead_letters(1, 1024UL * 1024 * 1024);
  assign();
  record(std::string(producer->message_bytes_max(), 'x'), std::nullopt);
  settle();
  ASSERT_EQ((logs[{"chat.requests.dlq", 0}].size()), 1U);
  EXPECT_FALSE((logs[{"chat.requests.dlq", 0}].front().value.has_value()));
}

TEST_F(RefusedTest, BlockedTopicIsNamed) {
  assign();
  producer->blocked_topics = {{.topic = "chat.chunks", .cause = "no right to write", .since = 7s}};
  EXPECT_THAT(problem("outputs"), HasSubstr("chat.chunks takes no records for 7 s: no right to write"));
}

TEST_F(RefusedTest, SilentPartitionFailsAlone) {
  assign({{.topic = "chat.requests", .partition = 0}, {.topic = "chat.requests", .partition = 1}});
  request("r1");
  settle();
  http.head(1);
  speak(1, "x");
  settle();
  record(R"({"requestId":"r2","orgId":"o","modelProvider":"ollama","modelName":"llama3",)"
         R"("messages":[{"role":"user","content":"hi"}]})",
         "k", 1);
  ASSERT_EQ(producer->unreported(), 1U);  // its llm.request
  producer->ages[{"llm.audit", 1}] = 121s;
  bool lost = false;
  core->on_producer_lost = [&] { lost = true; };
  for (int i = 0; i < 5; ++i) wake_after(10s);
  EXPECT_FALSE(lost);
  EXPECT_THAT(problem("partitions"), HasSubstr("partition 1 of llm.audit has acknowledged nothing"));
  EXPECT_EQ(audit(Kind::claimed, 1).size(), 1U) << "it is not claimed again before its records are reported";
  EXPECT_TRUE(http.calls.contains(1));
  producer->ages.clear();
  settle();
  rounds(2);
  EXPECT_EQ(audit(Kind::claimed, 1).size(), 2U);
  EXPECT_EQ(audit(Kind::claimed, 0).size(), 1U);
  EXPECT_THAT(problem("partitions"), IsEmpty());
  EXPECT_EQ(http.started, 2U);
}

TEST_F(RefusedTest, RepairsOfOneWorkerAreNotLostWorkers) {
  assign();
  request("r1");
  settle();
  for (std::uint64_t call = 1; call <= 7; ++call) {
    ASSERT_EQ(http.started, call);
    http.head(call);
    speak(call, "x");
    producer->fail_all();
    rounds(12);
  }
  for (const auto& response : audit(Kind::response)) EXPECT_EQ(response.cause, "repair");
  EXPECT_TRUE(std::ranges::none_of(chunks(), &events::Chunk::done));
}

TEST_F(RefusedTest, ToolCallBelowTheRefusedSizeIsLeftToTheBrokers) {
  assign();
  for (const auto* id : {"large", "smaller", "as-large"}) request(id, "", std::nullopt);
  settle();
  const auto call = [&](std::uint64_t number, std::size_t bytes) {
    http.head(number);
    http.body(number, R"({"message":{"tool_calls":[{"function":{"name":"t","arguments":{"a":")" +
                          std::string(bytes, 'x') + R"("}}}]},"done":true,"done_reason":"stop"})" + "\n");
    http.end(number);
  };
  call(1, 80'000);
  ASSERT_TRUE(producer->refuse_one("chat.chunks", 0, too_large));
  settle();
  call(2, 60'000);  // above half of what was refused, below which text is split
  settle();
  EXPECT_EQ(chunks_of("smaller").back().finish_reason, "tool_calls") << chunks_of("smaller").back().error_message;
  call(3, 80'000);
  settle();
  EXPECT_EQ(chunks_of("as-large").back().error_code, "RESPONSE_TOO_LARGE");
}

TEST_F(RefusedTest, RefusalOfTheProducerIsHandledAtOnce) {
  assign();
  request("r1");
  settle();
  http.head(1);
  producer->value_bytes_max = 8'000;
  speak(1, std::string(9'000, 'x'));
  EXPECT_LE(environment.wake, environment.steady) << "and not with the next round";
  wake_after(0s);
  EXPECT_FALSE(http.calls.contains(1));
  settle();
  ASSERT_FALSE(chunks_of("r1").empty());
  EXPECT_EQ(chunks_of("r1").back().error_code, "RESPONSE_TOO_LARGE");
}

TEST(Refusals, WholeLimitIsTheSmallestRefused) {
  Refusals refusals;
  EXPECT_EQ(refusals.whole_limit(Output::chunks, 900'000, 0ms), 900'000U);
  refusals.refused(Output::chunks, 8'000, "not about that", 0ms);
  EXPECT_EQ(refusals.whole_limit(Output::chunks, 900'000, 1ms), 900'000U);
  refusals.refused(Output::chunks, 8'000, "Message size too large", 1ms);
  refusals.refused(Output::chunks, 9'000, "Message size too large", 2ms);
  EXPECT_EQ(refusals.whole_limit(Output::chunks, 900'000, 3ms), 7'999U);
  EXPECT_EQ(refusals.whole_limit(Output::chunks, 5'000, 3ms), 5'000U);
  EXPECT_EQ(refusals.whole_limit(Output::chunks, 900'000, Refusals::kept + 2ms), 900'000U);
}

TEST(Refusals, LearnsALimitAndForgetsIt) {
  Refusals refusals;
  EXPECT_TRUE(refusals.refused(Output::audit, 4'000, "Message size too large", 0ms));
  EXPECT_FALSE(refusals.refused(Output::audit, 2'000, "Message size too large", 1ms));
  EXPECT_EQ(refusals.limit(Output::audit, 900'000, 2ms), 1'000U);
  EXPECT_EQ(refusals.limit(Output::chunks, 900'000, 2ms), 900'000U);
  EXPECT_EQ(refusals.limit(Output::audit, 900'000, Refusals::kept + 1ms), 900'000U);
  EXPECT_TRUE(refusals.refused(Output::chunks, 4'000, "not about that", 0ms));
  EXPECT_EQ(refusals.limit(Output::chunks, 900'000, 1ms), 900'000U);
}

TEST(Refusals, WaitGrowsWithinBounds) {
  EXPECT_EQ(refusal_wait(1), 1s);
  EXPECT_EQ(refusal_wait(2), 2s);
  EXPECT_EQ(refusal_wait(7), 60s);
  EXPECT_EQ(refusal_wait(100), 60s);
  EXPECT_EQ(refusal_wait(101), 600s);
}

}  // namespace
}  // namespace tokenrail::router
