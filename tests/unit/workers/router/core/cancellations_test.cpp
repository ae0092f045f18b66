// Reading chat.cancellations: from how far back, by whose clock, and what happens where it cannot be read.
#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

class CancellationsTest : public RouterCoreTest {
 protected:
  void connect() {
    core->set_cancellation_partitions(1);
    core->connect(reader.get());
  }
  std::vector<testing::LogEntry>& log() { return logs[{"chat.cancellations", 0}]; }
  void append(const std::string& id) {
    log().push_back({.value = R"({"orgId":"o","requestId":")" + id + "\"}", .timestamp_ms = environment.wall.count()});
  }
  void read(const std::string& id, Millis at, bool stamped) {
    core->log_listener().on_record({.topic = "chat.cancellations",
                                    .partition = 0,
                                    .offset = 0,
                                    .value = R"({"orgId":"o","requestId":")" + id + "\"}",
                                    .timestamp_ms = at.count(),
                                    .log_append_time = stamped});
  }
  telemetry::Condition condition() {
    const auto all = core->conditions();
    return *std::ranges::find(all, "cancellations", &telemetry::Condition::name);
  }
};

TEST_F(CancellationsTest, AreReadFromAsFarBackAsTheyAreRemembered) {
  for (int i = 0; i < 30; ++i) {
    append("c" + std::to_string(i));
    environment.advance(60s);
  }
  connect();
  settle();
  ASSERT_EQ(reader->asked_for.size(), 1U);
  // Ten minutes, and one for the clocks of brokers.
  EXPECT_EQ(reader->asked_for[0], std::pair(std::string("chat.cancellations"), std::int64_t{19}));
  EXPECT_TRUE(core->cancellations_read());
  EXPECT_EQ(router_metrics.cancellations.value(), 10U);
}

TEST_F(CancellationsTest, WithNoneOfLateReadingBeginsAtTheEnd) {
  append("c0");
  environment.advance(3'600s);
  connect();
  settle();
  ASSERT_EQ(reader->asked_for.size(), 1U);
  EXPECT_EQ(reader->asked_for[0].second, 1);
  EXPECT_TRUE(core->cancellations_read());
}

TEST_F(CancellationsTest, OfATopicThatAppearsLaterAreReadThen) {
  questions.partitions.erase("chat.cancellations");
  core->go_on_without_cancellations("topic chat.cancellations does not exist; run: tokenrail topics apply");
  core->connect(reader.get());
  assign();
  request("r1");
  settle();
  EXPECT_EQ(http.started, 1U);
  EXPECT_TRUE(condition().problem.empty());
  EXPECT_TRUE(condition().note.contains("does not exist")) << condition().note;
  append("r1");
  append("r2");
  questions.partitions["chat.cancellations"] = 1;
  wake_after(5s);
  settle();
  EXPECT_EQ(router_metrics.cancellations.value(), 2U);
  EXPECT_TRUE(condition().note.empty()) << condition().note;
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].finish_reason, "cancelled");
  request("r2");
  settle();
  EXPECT_EQ(http.started, 1U);
}

TEST_F(CancellationsTest, ThatCannotBeReadDoNotStopTheRouter) {
  questions.refused = 1'000;
  connect();
  assign();
  request("r");
  for (int i = 0; i < 14; ++i) {
    wake_after(1s);
    settle();
  }
  EXPECT_EQ(http.started, 0U);
  EXPECT_FALSE(core->cancellations_read());
  EXPECT_FALSE(condition().problem.empty());
  wake_after(1s);
  settle();
  EXPECT_TRUE(core->cancellations_read());
  EXPECT_EQ(http.started, 1U);
  EXPECT_TRUE(condition().problem.empty());
  EXPECT_TRUE(condition().note.contains("chat.cancellations")) << condition().note;

  questions.refused = 0;
  for (int i = 0; i < 3; ++i) {
    wake_after(1s);
    settle();
  }
  EXPECT_TRUE(condition().note.empty()) << "read when it can be";
}

TEST_F(CancellationsTest, OfASlowSenderCount) {
  assign();
  read("late", environment.wall - 660s, false);
  request("late");
  settle();
  EXPECT_EQ(http.started, 0U);
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].finish_reason, "cancelled");
}

TEST_F(CancellationsTest, AreForgottenByTheBrokersClock) {
  assign();
  read("old", environment.wall - 660s, true);
  request("old");
  settle();
  EXPECT_EQ(http.started, 1U);
}

TEST_F(CancellationsTest, OfATopicCreatedAgainAreReadFromItsBeginning) {
  for (int i = 0; i < 5; ++i) append("c" + std::to_string(i));
  connect();
  settle();
  assign();
  log().clear();
  wake_after(1s);
  append("unwanted");
  wake_after(5s);
  settle();
  request("unwanted");
  settle();
  EXPECT_EQ(http.started, 0U);
  EXPECT_EQ(chunks().back().finish_reason, "cancelled");
}

// A process that was stopped for a minute finds a look that nobody answered.
TEST_F(CancellationsTest, AreNotMixedUpWithALookThatWasGivenUp) {
  for (int i = 0; i < 5; ++i) append("c" + std::to_string(i));
  connect();
  settle();
  assign();
  questions.silent = true;
  wake_after(5s);
  settle();
  wake_after(61s);
  questions.silent = false;
  settle();
  EXPECT_EQ(router_metrics.topics_replaced.value(), 0U);
  append("unwanted");
  wake_after(5s);
  settle();
  request("unwanted");
  settle();
  EXPECT_EQ(http.started, 0U);
}

TEST_F(CancellationsTest, OfNewPartitionsAreRead) {
  connect();
  settle();
  assign();
  questions.partitions["chat.cancellations"] = 3;
  wake_after(5s);
  settle();
  EXPECT_TRUE(reader->reads("chat.cancellations", 1));
  EXPECT_TRUE(reader->reads("chat.cancellations", 2));
}

}  // namespace
}  // namespace tokenrail::router
