// What a successor must not forget, and what it must not wait for.
#include <gmock/gmock.h>

#include "tests/unit/workers/router/core/two_routers.hpp"

namespace tokenrail::router {
namespace {

class TakeoverTest : public RecoveryTest {
 protected:
  void pass(Router& router, int times, Millis each) {
    for (int i = 0; i < times; ++i) {
      environment.advance(each);
      router.wake();
    }
  }
};

// A request that came again when the window was over is run. To its successor, whose window is longer, it would be a
// duplicate: neither its attempt nor its readers would ever end.
TEST_F(TakeoverTest, WhatHasBeenRunIsNoDuplicateWhateverTheWindowSaysLater) {
  request("r1", "a");
  auto first = make();
  first.take();
  first.http.head(1);
  for (int i = 0; i < 20; ++i) {
    first.speak(1, "x");
    pass(first, 1, 10s);
  }
  first.finish(1);
  first.settle();
  pass(first, 43, 10s);
  constexpr std::uint64_t others = 300;
  for (std::uint64_t i = 0; i < others; ++i) {
    request("other" + std::to_string(i), "z");
    first.deliver();
    first.settle();
    first.answer(2 + i);
    first.settle();
  }
  pass(first, 1, 10s);
  request("r1", "a");
  first.deliver();
  first.settle();
  ASSERT_EQ(first.http.started, others + 2) << "640 s after the first it is no duplicate";
  first.http.head(others + 2);
  first.speak(others + 2, "half");
  first.settle();

  options.dedupe_window = 1h;
  auto second = make();
  second.take();
  pass(second, 5, 1s);
  ASSERT_EQ(second.http.started, 1U);
  second.answer(1);
  second.settle();
  pass(second, 5, 1s);
  EXPECT_EQ(committed.begin()->second.first, others + 2);
}

// The second came when the first's window was over, and began one of its own.
TEST_F(TakeoverTest, AThirdIsADuplicateOfTheSecondForTheNextOwnerToo) {
  auto first = make();
  first.take();
  for (const std::uint64_t call : {1U, 2U}) {
    request("r1", "a");
    first.deliver();
    first.settle();
    ASSERT_EQ(first.http.started, call);
    first.answer(call);
    first.settle();
    pass(first, 108, 10s);
  }
  request("r1", "a");
  first.deliver();
  first.settle();
  ASSERT_EQ(first.http.started, 3U);
  first.answer(3);
  first.settle();
  pass(first, 6, 10s);
  request("r1", "a");
  first.deliver();
  first.settle();
  pass(first, 1, 1s);
  EXPECT_EQ(first.http.started, 3U);
  EXPECT_EQ(terminals().back().duplicate_of_offset, 2);

  auto second = make();
  second.take();
  request("r1", "a");
  second.deliver();
  second.settle();
  EXPECT_EQ(second.http.started, 0U);
  EXPECT_EQ(terminals().back().duplicate_of_offset, 2);
}

// Retention has taken the chunk that may have ended it. Whoever finds that says so in the log, or the next one, which
// reads a chunk log that is whole again, would run it a second time.
TEST_F(TakeoverTest, AnAttemptWhoseChunksWereDeletedIsNotRunAgainByTheNextButOne) {
  request("r1", "a");
  auto first = make();
  first.take();
  first.answer(1);
  for (int i = 0; i < 2; ++i) first.producer.acknowledge_one();
  ASSERT_EQ(terminals().size(), 1U);
  for (auto& entry : logs[{"chat.chunks", 0}]) entry.deleted = true;

  auto second = make();
  second.group.stored = committed;
  second.core.consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
  second.settle();
  const auto closed = audit(Kind::response);
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].cause, "cut");

  auto third = make();
  third.take();
  pass(third, 1, 1s);
  EXPECT_EQ(third.http.started, 0U);
  const auto ends = terminals();
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends[1].error_code, "INTERRUPTED");
  EXPECT_EQ(committed.begin()->second.first, 1);
}

// The end of a log that is written to without a pause is never reached by reading it.
TEST_F(TakeoverTest, AChunkLogThatOthersGoOnWritingToHoldsNobodyUp) {
  request("r1", "a");
  auto first = make();
  first.take();
  first.http.head(1);
  first.speak(1, "half");
  first.settle();
  auto second = make();
  second.reader.busy = "chat.chunks";
  second.take();
  EXPECT_EQ(second.http.started, 1U);
  second.answer(1);
  second.settle();
  pass(second, 1, 1s);
  EXPECT_EQ(committed.begin()->second.first, 1);
}

TEST_F(TakeoverTest, ALeaseRunsOutThoughTheChunkLogIsWrittenToWithoutAPause) {
  request("r1", "a");
  auto first = make();
  first.take();
  first.http.head(1);
  first.speak(1, "half");
  first.settle();
  first.revoke();
  auto second = make();
  second.reader.busy = "chat.chunks";
  second.take();
  EXPECT_EQ(second.http.started, 0U);
  pass(second, 40, 1s);
  EXPECT_EQ(second.http.started, 1U);
}

// It waits for its connection, and the partition runs as many attempts as it may, when its cancellation comes.
TEST_F(TakeoverTest, ACancellationIsHeardThoughNoMoreAttemptsMayBeginWhenItComes) {
  add_model("other", "ollama", "c2");
  options.partition_attempts_max = 2;
  options.connection_in_flight_max = 1;
  request("r1", std::nullopt);
  request("r2", std::nullopt);
  request("r3", std::nullopt);
  auto& third = *requests.back().value;
  third.replace(third.find("llama3"), std::string("llama3").size(), "other");
  auto router = make();
  router.take();
  ASSERT_EQ(router.http.started, 2U);
  router.core.log_listener().on_record({.topic = "chat.cancellations",
                                        .partition = 0,
                                        .offset = 0,
                                        .value = R"({"orgId":"o","requestId":"r2"})",
                                        .timestamp_ms = environment.wall.count()});
  for (const std::uint64_t call : {2U, 1U}) {
    router.answer(call);
    router.settle();
  }
  pass(router, 2, 1s);
  EXPECT_EQ(router.http.started, 2U);
  const auto ends = terminals();
  ASSERT_EQ(ends.size(), 3U);
  EXPECT_EQ(ends[2].request_id, "r2");
  EXPECT_EQ(ends[2].finish_reason, "cancelled");
}

// While Kafka is away nobody can be ended, however late it is; it is looked at again when somebody can be.
TEST_F(TakeoverTest, TimesThatHaveComeAreNotLookedAtOverAndOverWhileNothingCanEnd) {
  request("r1", "a", R"("timeoutMs":1000,)");
  auto router = make();
  router.take();
  ASSERT_EQ(router.http.started, 1U);
  router.core.producer_listener().on_fatal({.kind = ErrorKind::unavailable, .detail = "told to be fatal"});
  environment.advance(2s);
  router.core.on_wake();
  const auto asked = environment.wake;
  EXPECT_GE(asked, environment.steady + options.commit_interval - 1ms) << "woken for nothing";
}

// A round may be longer than the group's patience; whoever looks at the clock only then has not stood still.
TEST_F(TakeoverTest, RoundsLongerThanTheSessionAreNoStall) {
  options.commit_interval = 60s;
  options.session_timeout = 15s;
  auto router = make();
  router.take();
  const auto claims = audit(Kind::claimed).size();
  const auto until = environment.steady + 300s;
  while (environment.steady < until) {
    ASSERT_TRUE(environment.wake.has_value());
    environment.advance(std::max(1ms, *environment.wake - environment.steady));
    environment.wake.reset();
    router.wake();
  }
  EXPECT_EQ(audit(Kind::claimed).size(), claims);
}

}  // namespace
}  // namespace tokenrail::router
