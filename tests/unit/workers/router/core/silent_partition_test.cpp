// A partition that waits for long, because a topic of it acknowledges nothing, leaves the others what they need.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SilentPartitionTest : public RouterCoreTest {
 protected:
  void begin(RouterOptions changed) {
    make_core(std::move(changed));
    assign_both();
  }
  void assign_both() {
    assign({{.topic = "chat.requests", .partition = 0}, {.topic = "chat.requests", .partition = 1}});
  }
  void ask(std::int32_t partition, int count, const std::string& name) {
    next_offset = static_cast<std::int64_t>(logs[{"chat.requests", partition}].size());
    for (int i = 0; i < count; ++i) {
      record(R"({"requestId":")" + name + std::to_string(i) +
                 R"(","orgId":"o","modelProvider":"ollama","modelName":"llama3",)"
                 R"("messages":[{"role":"user","content":"hi"}]})",
             std::nullopt, partition);
    }
  }
  /// The consumer hands out what the group sought.
  void hand_out_again() {
    ASSERT_EQ(group->sought.size(), 1U);
    const auto point = group->sought[0];
    const auto& log = logs[{"chat.requests", point.partition.partition}];
    for (auto offset = point.offset; offset < static_cast<std::int64_t>(log.size()); ++offset) {
      const auto& entry = log[static_cast<std::size_t>(offset)];
      core->consumer_listener().on_record({.topic = "chat.requests",
                                           .partition = point.partition.partition,
                                           .offset = offset,
                                           .key = entry.key,
                                           .value = entry.value,
                                           .timestamp_ms = entry.timestamp_ms,
                                           .log_append_time = true});
    }
    settle();
  }
  void answer_all() {
    for (int i = 0; i < 200 && !http.calls.empty(); ++i) {
      answer(http.calls.begin()->first);
      settle();
    }
  }
  std::vector<std::int64_t> begun(std::int32_t partition) {
    std::vector<std::int64_t> offsets;
    for (const auto& facts : audit(Kind::request, partition)) offsets.push_back(facts.ids.source_offset.value());
    return offsets;
  }
  std::string problem(const std::string& name) {
    for (const auto& condition : core->conditions()) {
      if (condition.name == name) return condition.problem;
    }
    return "there is no such condition";
  }
  double window_requests() {
    core->refresh_gauges();
    return router_metrics.window_requests.value();
  }
  static std::vector<std::int64_t> numbers(std::int64_t count) {
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i < count; ++i) all.push_back(i);
    return all;
  }
};

TEST_F(SilentPartitionTest, UnclaimedPartitionLeavesWindowToOthers) {
  options.window_requests_max = 40;
  make_core(options);
  producer->silent = {{"llm.audit", 0}};
  assign_both();
  ask(0, 60, "w");
  EXPECT_TRUE(group->reading);
  EXPECT_EQ(window_requests(), 5);
  ask(1, 1, "other");
  settle();
  answer_all();
  EXPECT_EQ(chunks(1).size(), 2U);
  wake_after(340s);
  settle();
  EXPECT_THAT(problem("partitions"), HasSubstr("1 of 2 partitions are not claimed yet, one of them for 340 s"));
  core->refresh_gauges();
  EXPECT_EQ(router_metrics.partitions_waiting.value(), 1);

  producer->silent.clear();
  settle();
  EXPECT_THAT(problem("partitions"), IsEmpty());
  ASSERT_EQ(group->sought.size(), 1U);
  EXPECT_EQ(group->sought[0].offset, 5);
  hand_out_again();
  answer_all();
  EXPECT_EQ(begun(0), numbers(60)) << "each once, in order";
  wake_after(1s);
  settle();
  EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 60);
  EXPECT_EQ(window_requests(), 0);
}

TEST_F(SilentPartitionTest, UnclaimedPartitionLeavesBytesToOthers) {
  options.window_bytes_max = 100'000;
  make_core(options);
  producer->silent = {{"llm.audit", 0}};
  assign_both();
  ask(0, 1'000, "w");
  EXPECT_TRUE(group->reading);
  core->refresh_gauges();
  EXPECT_LE(router_metrics.window_bytes.value(), 12'800);
  EXPECT_GT(router_metrics.window_bytes.value(), 12'000);
}

TEST_F(SilentPartitionTest, LostPartitionFreesWhatItKept) {
  options.window_requests_max = 40;
  make_core(options);
  producer->silent = {{"llm.audit", 0}};
  for (int i = 0; i < 3; ++i) {
    assign_both();
    ask(0, 10, "w");
    EXPECT_EQ(window_requests(), 5);
    core->consumer_listener().on_lost({{.topic = "chat.requests", .partition = 0}});
    EXPECT_EQ(window_requests(), 0);
  }
}

TEST_F(SilentPartitionTest, FailedPartitionKeepsOnlyIds) {
  options.window_requests_max = 20;
  begin(options);
  ask(0, 20, "w");
  settle();
  EXPECT_EQ(http.started, 20U);
  EXPECT_FALSE(group->reading);
  producer->ages[{"llm.audit", 0}] = 121s;
  producer->silent = {{"llm.audit", 0}, {"chat.chunks", 0}};
  http.head(http.newest());
  speak(http.newest(), "x");  // a record without a report: the partition is not claimed again
  wake_after(1s);
  EXPECT_TRUE(http.calls.empty());
  EXPECT_TRUE(group->reading);
  ask(1, 1, "other");
  settle();
  EXPECT_EQ(http.started, 21U);
  answer_all();
  producer->ages.clear();
  producer->silent.clear();
  for (int i = 0; i < 3; ++i) {
    wake_after(1s);
    settle();
    answer_all();
  }
  EXPECT_EQ(audit(Kind::response, 1).size(), 1U);
  wake_after(1s);
  settle();
  EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 20);
}

/// Requests that are no JSON.
class SilentLettersTest : public SilentPartitionTest {
 protected:
  SilentLettersTest() {
    options.window_requests_max = 16;
    options.window_bytes_max = 100'000;
    make_core(options);
    producer->silent = {{"chat.requests.dlq", 0}};
    assign_both();
  }
  void send_unreadable(int count) {
    for (int i = 0; i < count; ++i) record(std::string(1'000, 'x'), std::nullopt, 0);
  }
  void expect_others_are_served() {
    EXPECT_TRUE(group->reading);
    ask(1, 1, "other");
    settle();
    answer_all();
    EXPECT_EQ(chunks(1).size(), 2U);
  }
  /// In rounds: they are written, or read again.
  void write_all(std::size_t count, std::int64_t committed) {
    producer->silent.clear();
    for (int i = 0; i < 20; ++i) {
      wake_after(10s);
      settle();
      answer_all();
    }
    std::set<std::string> values;
    for (const auto& entry : logs[{"chat.requests.dlq", 0}]) values.insert(entry.value.value_or("nothing"));
    EXPECT_EQ(values, std::set<std::string>{std::string(1'000, 'x')});
    EXPECT_EQ((logs[{"chat.requests.dlq", 0}].size()), count);
    EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), committed);
    EXPECT_EQ(window_requests(), 0);
    EXPECT_EQ(router_metrics.window_bytes.value(), 0);
  }
};

TEST_F(SilentLettersTest, LeaveTheWindowToOthers) {
  send_unreadable(40);
  EXPECT_LE(window_requests(), 8);
  expect_others_are_served();
  write_all(40, 40);
}

TEST_F(SilentLettersTest, LeaveTheWindowToOthersWhenTheirPartitionFails) {
  send_unreadable(40);
  ask(0, 1, "w");
  settle();
  http.head(http.newest());
  speak(http.newest(), "x");
  producer->silent.insert({"llm.audit", 0});
  producer->fail_all();  // the partition is not claimed again
  wake_after(1s);
  settle();
  EXPECT_TRUE(http.calls.empty());
  expect_others_are_served();
  EXPECT_LE(window_requests(), 8);
  write_all(40, 41);
}

TEST_F(SilentLettersTest, FreeTheWindowWhenTheirPartitionIsLost) {
  send_unreadable(40);
  core->consumer_listener().on_lost({{.topic = "chat.requests", .partition = 0}});
  EXPECT_EQ(window_requests(), 0);
  EXPECT_EQ(router_metrics.window_bytes.value(), 0);
}

TEST_F(SilentPartitionTest, UnacknowledgedRequestsLeavePlacesToOthers) {
  options.in_flight_max = 8;
  begin(options);
  producer->silent = {{"llm.audit", 0}};
  ask(0, 20, "w");
  settle();
  EXPECT_EQ(core->in_flight(), 2U);
  ask(1, 6, "other");
  settle();
  EXPECT_EQ(http.started, 6U);
  answer_all();
  EXPECT_EQ(audit(Kind::response, 1).size(), 6U);

  producer->silent.clear();
  settle();
  EXPECT_EQ(http.started, 14U) << "as many as there are places";
  answer_all();
  EXPECT_EQ(begun(0), numbers(20)) << "each once, in order";
  EXPECT_EQ(core->in_flight(), 0U);
}

TEST_F(SilentPartitionTest, UnacknowledgedAnswersLeavePlacesToOthers) {
  options.in_flight_max = 8;
  begin(options);
  ask(0, 8, "w");
  settle();
  EXPECT_EQ(core->in_flight(), 8U);
  producer->silent = {{"chat.chunks", 0}};
  answer_all();
  EXPECT_EQ(core->in_flight(), 0U) << "nothing is called any more";
  ask(0, 1, "late");
  ask(1, 3, "other");
  settle();
  EXPECT_EQ(http.started, 11U) << "no more of the partition that waits";
  answer_all();
  EXPECT_EQ(audit(Kind::response, 1).size(), 3U);

  producer->silent.clear();
  settle();
  answer_all();
  EXPECT_EQ(audit(Kind::response, 0).size(), 9U);
  EXPECT_EQ(http.started, 12U);
}

TEST_F(SilentPartitionTest, HeldEventDoesNotHoldItsPartition) {
  options.in_flight_max = 4;  // one attempt of a partition may wait for reports
  begin(options);
  ask(0, 1, "refused");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(producer->refuse_one("llm.audit", 0, "Broker failed to validate record"));
  ask(0, 2, "after");
  settle();
  EXPECT_EQ(http.started, 2U);
}

}  // namespace
}  // namespace tokenrail::router
