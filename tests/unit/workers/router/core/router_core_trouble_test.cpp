// The router's core when things go wrong side by side: what waits, what is full, what comes too late.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;

TEST_F(RouterCoreTest, AJobThatEndedWhileItWaitedForAConnectionLeavesItsTurnToTheNext) {
  options.connection_in_flight_max = 1;
  make_core(options);
  assign();
  request("r1", "", std::nullopt);
  request("r2", R"("timeoutMs":5000,)", std::nullopt);
  request("r3", "", std::nullopt);
  settle();
  wake_after(6s);  // r2 ends uncalled
  settle();
  answer(1);
  settle();
  ASSERT_EQ(http.started, 2U) << "r3 got the room that r2 no longer needs";
  answer(2);
  settle();
  EXPECT_EQ(chunks().back().request_id, "r3");
}

TEST_F(RouterCoreTest, RoomOnAConnectionThatAnAttemptMovedAwayFromIsUsed) {
  add_model_on_two_connections();
  options.connection_in_flight_max = 1;
  options.retry.calls_per_target_max = 1;
  make_core(options);
  assign();
  const std::string two = R"("modelProvider":"ollama","modelName":"two",)";
  request("r1", "", std::nullopt, two);
  request("r2", "", std::nullopt, two);
  settle();
  ASSERT_EQ(http.started, 1U);
  const auto first = http.calls.at(1).request.url;
  http.end(1, http::Ending::connect_failed);
  wake_after(1ms);
  settle();
  ASSERT_EQ(http.started, 3U) << "r1 goes on elsewhere, and r2 has its place";
  EXPECT_NE(http.calls.at(2).request.url, first);
  EXPECT_EQ(http.calls.at(3).request.url, first);
}

TEST_F(RouterCoreTest, ARequestThatIsReadPastItsDeadlineIsNotCalled) {
  assign();
  core->consumer_listener().on_record(
      {.topic = "chat.requests",
       .partition = 0,
       .offset = next_offset++,
       .value = R"({"requestId":"r","orgId":"o","timeoutMs":5000,"messages":[{"role":"user","content":"hi"}]})",
       .timestamp_ms = environment.wall.count() - 6'000});
  settle();
  wake_after(1ms);
  settle();
  EXPECT_EQ(http.started, 0U);
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].error_code, "DEADLINE_EXCEEDED");
  EXPECT_FALSE(audit(Kind::response).at(0).called);
}

TEST_F(RouterCoreTest, ARequestWhoseTimeRunsOutWhileItIsAnnouncedIsNotCalled) {
  assign();
  request("r1", R"("timeoutMs":5000,)");
  ASSERT_EQ(producer->unreported(), 1U);  // llm.request
  wake_after(6s);
  settle();
  EXPECT_EQ(http.started, 0U);
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].error_code, "DEADLINE_EXCEEDED");
}

TEST_F(RouterCoreTest, APartitionAssignedWhileThereIsNoProducerIsClaimedByTheNextOne) {
  assign();
  core->producer_listener().on_fatal({.kind = ErrorKind::unavailable, .detail = "told to be fatal"});
  assign();
  request("r1");
  settle();
  EXPECT_EQ(http.started, 0U);
  auto fresh = std::make_unique<testing::FakeProducer>(core->producer_listener(), logs, environment);
  fresh->logs = producer->logs;
  producer = std::move(fresh);
  core->connect(producer.get());
  settle();
  EXPECT_EQ(audit(Kind::claimed).size(), 2U);
  EXPECT_EQ(http.started, 1U);
}

TEST_F(RouterCoreTest, WhatIsInterruptedInTheMiddleOfACallSaysThatItWasCalled) {
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "a");
  core->drain(0s, [] {});
  settle();
  wake_after(1ms);
  settle();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_TRUE(audit(Kind::response)[0].called);
  const auto& event = producer->logs[{"llm.audit", 0}].back().value;
  EXPECT_THAT(event.value(), HasSubstr(R"("errorClass":"interrupted")"));
}

TEST_F(RouterCoreTest, NoFieldOfARequestMakesItsAuditEventTooLarge) {
  options.record_bytes_max = 16'384;
  make_core(options);
  assign();
  request("r1", R"("metadata":{"conversationId":")" + std::string(100'000, 'c') + R"("},)");
  settle();
  ASSERT_EQ(audit(Kind::request).size(), 1U);
  EXPECT_LE(producer->logs[std::pair("llm.audit", 0)].back().value->size(), 16'384U);
}

TEST_F(RouterCoreTest, AToolCallThatFillsARecordPasses) {
  options.record_bytes_max = 16'384;
  make_core(options);
  assign();
  // {"id":"call_1","name":"t","arguments":"{\"a\":\"…\"}"}, and a comma
  const auto around = events::ChunkWriter("r1", "o", 1'740'800'000'000'001).overhead_bytes() + 54;
  const auto fitting = options.record_bytes_max - around;
  std::uint64_t call = 0;
  for (const bool stream : {true, false}) {
    for (const auto bytes : {fitting, fitting + 1}) {
      const auto id = "r" + std::to_string(++call);
      request(id, stream ? "" : R"("stream":false,)", std::nullopt);
      settle();
      http.head(call);
      http.body(call, R"({"message":{"tool_calls":[{"function":{"name":"t","arguments":{"a":")" +
                          std::string(bytes, 'x') + R"("}}}]},"done":true,"done_reason":"stop"})" + "\n");
      http.end(call);
      settle();
      const auto last = chunks().back();
      EXPECT_EQ(last.request_id, id);
      EXPECT_EQ(last.finish_reason, bytes == fitting ? "tool_calls" : "error") << stream;
      EXPECT_EQ(last.error_code, bytes == fitting ? "" : "RESPONSE_TOO_LARGE");
    }
  }
  for (const auto& entry : producer->logs[{"chat.chunks", 0}]) EXPECT_LE(entry.value->size(), 16'384U);
}

TEST_F(RouterCoreTest, ToolCallsOfAnUnstreamedAnswerAreSplitIntoRecordsThatFit) {
  options.record_bytes_max = 16'384;
  make_core(options);
  assign();
  request("r1", R"("stream":false,)");
  settle();
  std::string calls;
  for (int i = 0; i < 10; ++i) {
    if (i > 0) calls += ',';
    calls += R"({"function":{"name":"t","arguments":{"a":")" + std::string(6'000, 'x') + "\"}}}";
  }
  http.head(1);
  http.body(1, R"({"model":"m","message":{"role":"assistant","content":"","tool_calls":[)" + calls +
                   R"(]},"done":true,"done_reason":"stop"})");
  http.end(1);
  settle();
  std::size_t seen = 0;
  for (const auto& entry : producer->logs[{"chat.chunks", 0}]) {
    EXPECT_LE(entry.value->size(), 16'384U);
    for (auto at = entry.value->find("\"arguments\""); at != std::string::npos;
         at = entry.value->find("\"arguments\"", at + 1)) {
      ++seen;
    }
  }
  EXPECT_EQ(seen, 10U);
  EXPECT_EQ(chunks().back().finish_reason, "tool_calls");
}

TEST_F(RouterCoreTest, APartitionWhoseSpanIsTooLongWaitsForItsOldestAndOthersGoOn) {
  options.partition_span_max = 3;
  make_core(options);
  assign({{.topic = "chat.requests", .partition = 0}, {.topic = "chat.requests", .partition = 1}});
  for (int i = 0; i < 5; ++i) request("r" + std::to_string(i), "", std::nullopt);
  settle();
  EXPECT_EQ(http.started, 3U);
  answer(2);
  answer(3);
  settle();
  EXPECT_EQ(http.started, 3U) << "the oldest still runs";
  record(R"({"requestId":"s","orgId":"o","messages":[{"role":"user","content":"hi"}]})", std::nullopt, 1);
  settle();
  EXPECT_EQ(http.started, 4U) << "the other partition is not held up";
  answer(1);
  settle();
  EXPECT_EQ(http.started, 6U);
}

TEST_F(RouterCoreTest, ATimestampOutOfTheFutureCountsAsNow) {
  assign();
  core->consumer_listener().on_record(
      {.topic = "chat.requests",
       .partition = 0,
       .offset = next_offset++,
       .value = R"({"requestId":"r","orgId":"o","timeoutMs":5000,"messages":[{"role":"user","content":"hi"}]})",
       .timestamp_ms = std::numeric_limits<std::int64_t>::max()});
  settle();
  EXPECT_EQ(http.started, 1U);
  wake_after(5s);
  settle();
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].error_code, "DEADLINE_EXCEEDED");
}

TEST_F(RouterCoreTest, ARevokeCommitsAlsoWhatEndedWhileACommitWasUnderWay) {
  assign();
  request("r1", "", "a");
  request("r2", "", "b");
  settle();
  answer(1);
  producer->acknowledge_all();
  wake_after(1s);
  ASSERT_EQ(group->pending().size(), 1U);
  answer(2);
  producer->acknowledge_all();
  core->consumer_listener().on_revoked({{.topic = "chat.requests", .partition = 0}});
  producer->acknowledge_all();
  ASSERT_EQ(group->pending().size(), 2U);
  EXPECT_EQ(group->pending()[1].offset, 2);
}

TEST_F(RouterCoreTest, TheWindowCountsKeysAndHeadersToo) {
  options.window_bytes_max = 1'048'576;
  make_core(options);
  assign();
  for (int i = 0; i < 4; ++i) record("not JSON", std::string(3'000, 'k'));
  EXPECT_EQ(router_metrics.put_back.value(), 0U);
  for (int i = 0; i < 4; ++i) record("not JSON", std::string(300'000, 'k'));
  EXPECT_GT(router_metrics.put_back.value(), 0U) << "of 1.2 MB of keys some are put back";
  settle();
  EXPECT_TRUE(group->reading);
  EXPECT_EQ(router_metrics.dead_letters.value(), 8U);
}

}  // namespace
}  // namespace tokenrail::router
