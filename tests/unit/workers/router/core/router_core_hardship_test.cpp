// What a long life brings: requests that end out of order for hours, providers at their limit while clocks run out and
// people lose patience, topics that grow, numbers that nobody would write.
#include <algorithm>
#include <deque>
#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

/// One call at a time, and a window so small that those who wait are put back at once.
class PutBackTest : public RouterCoreTest {
 protected:
  PutBackTest() {
    options.connection_in_flight_max = 1;
    options.window_requests_max = 4;
    make_core(options);
    assign();
  }

  void acknowledge() {
    for (int i = 0; i < 20; ++i) {
      producer->acknowledge_all();
      group->answer_commits();
    }
  }
  /// Until a record that was put back is being read again; it has not come yet.
  void until_fetching(const std::string& more) {
    for (int i = 0; i < 10; ++i) request("r" + std::to_string(i), more, "key" + std::to_string(i));
    acknowledge();
    for (int i = 0; i < 20 && !reader->reads("chat.requests"); ++i) {
      if (!http.calls.empty()) answer(http.newest());
      acknowledge();
    }
    ASSERT_TRUE(reader->reads("chat.requests"));
  }
  void go_on() {
    for (int i = 0; i < 50; ++i) {
      if (!http.calls.empty()) answer(http.newest());
      wake_after(1s);
      settle();
    }
  }
  void expect_each_ended_once() {
    std::map<std::int64_t, int> began;
    std::map<std::int64_t, int> ended;
    for (const auto& facts : audit(Kind::request)) ++began[facts.ids.source_offset.value()];
    for (const auto& facts : audit(Kind::response)) ++ended[facts.ids.source_offset.value()];
    EXPECT_EQ(began.size(), 10U);
    for (const auto& [offset, count] : began) {
      EXPECT_EQ(count, 1) << "offset " << offset;
      EXPECT_EQ(ended[offset], 1) << "offset " << offset;
    }
    EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 10);
  }
};

TEST_F(PutBackTest, ADeadlineMayComeWhileTheRecordIsReadAgain) {
  until_fetching(R"("timeoutMs":60000,)");
  wake_after(61s);
  reader->deliver();
  settle();
  go_on();
  expect_each_ended_once();
}

TEST_F(PutBackTest, ACancellationMayComeWhileTheRecordIsReadAgain) {
  until_fetching("");
  for (int i = 0; i < 10; ++i) {
    cancel("r" + std::to_string(i), i);
  }
  reader->deliver();
  settle();
  go_on();
  expect_each_ended_once();
}

TEST_F(PutBackTest, ThePlaceThatWasKeptForItIsGivenBack) {
  until_fetching(R"("timeoutMs":60000,)");
  wake_after(61s);
  settle();
  const auto before = http.started;
  request("new");
  settle();
  wake_after(1s);
  settle();
  EXPECT_EQ(http.started, before + 1);
}

TEST_F(RouterCoreTest, ACancellationEndsEveryRequestOfThatName) {
  options.dedupe_window = 0s;
  make_core(options);
  assign();
  request("same");
  settle();
  answer(1);
  settle();
  request("same");  // runs
  request("same");  // waits behind it
  request("same", "", std::nullopt);
  request("another", "", std::nullopt);
  settle();
  ASSERT_EQ(http.calls.size(), 3U);
  cancel("same");
  settle();
  EXPECT_EQ(http.calls.size(), 1U) << "the other one";
  EXPECT_EQ(std::ranges::count(audit(Kind::response), "cancelled", &events::AuditFacts::outcome), 3);
}

TEST_F(RouterCoreTest, NoTwoAttemptsOfANameShareANumberHoweverOftenItIsUsed) {
  options.dedupe_window = 0s;
  make_core(options);
  assign();
  for (int i = 0; i < 1'100; ++i) request("same", "", std::nullopt, R"("modelProvider":"ollama","modelName":"no",)");
  settle();
  std::map<std::int64_t, int> numbers;
  for (const auto& facts : audit(Kind::response)) ++numbers[facts.ids.attempt];
  EXPECT_EQ(numbers.extract(0).mapped(), 101) << "as duplicates";
  EXPECT_EQ(numbers.size(), 999U);
  for (const auto& [number, times] : numbers) EXPECT_EQ(times, 1) << number;
}

TEST_F(RouterCoreTest, NoMoreRunOfAPartitionThanCanBeHandedOver) {
  options.partition_attempts_max = 3;
  make_core(options);
  assign();
  for (int i = 0; i < 10; ++i) request("r" + std::to_string(i), "", std::nullopt);
  settle();
  EXPECT_EQ(http.calls.size(), 3U);
  for (int i = 0; i < 10; ++i) {
    EXPECT_LE(http.calls.size(), 3U);
    ASSERT_FALSE(http.calls.empty());
    answer(http.newest());
    settle();
  }
  EXPECT_EQ(audit(Kind::response).size(), 10U);
}

TEST_F(RouterCoreTest, WhatHasEndedWhileItWasHeldTakesNobodysTurn) {
  options.partition_attempts_max = 1;
  make_core(options);
  assign();
  for (int i = 0; i < 3; ++i) request("r" + std::to_string(i), "", std::nullopt);
  settle();
  ASSERT_EQ(http.calls.size(), 1U);
  cancel("r1");
  settle();
  answer(http.newest());
  settle();
  wake_after(1s);
  settle();
  EXPECT_EQ(http.started, 2U) << "r2 waits for ever";
}

TEST_F(RouterCoreTest, NoMoreThanCanBeHandedOverEndUncalledAtOnce) {
  options.partition_attempts_max = 3;
  make_core(options);
  assign();
  for (int i = 0; i < 3; ++i) request("r" + std::to_string(i), "", std::nullopt);
  for (int i = 0; i < 20; ++i) request("h" + std::to_string(i), R"("timeoutMs":5000,)", std::nullopt);
  settle();
  ASSERT_EQ(http.calls.size(), 3U);
  wake_after(6s);
  core->consumer_listener().on_revoked({{.topic = "chat.requests", .partition = 0}});
  settle();
  ASSERT_EQ(audit(Kind::released).size(), 1U);
  EXPECT_LE(audit(Kind::released).front().continuing.size(), 3U);
}

// Requests overlap all the time; where the audit tail begins goes on with the committed offset.
TEST_F(RouterCoreTest, TheAuditTailStaysShortHoweverLongRequestsEndOutOfOrder) {
  options.dedupe_window = 5s;
  make_core(options);
  assign();
  std::deque<std::uint64_t> running;
  int next = 0;
  const auto begin = [&] {
    request("r" + std::to_string(next++), "", std::nullopt);
    settle();
    running.push_back(http.newest());
  };
  const auto end = [&](std::size_t which) {
    const auto call = running[which];
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(which));
    answer(call);
    settle();
    begin();
  };
  for (int i = 0; i < 6; ++i) begin();
  for (int i = 0; i < 600; ++i) {
    // Never the oldest alone: those behind it have always ended before.
    if (i % 2 == 1) end(1);
    end(i % 2 == 0 ? 1 : 0);
    wake_after(1s);
    settle();
  }
  const auto metadata =
      events::decode_commit_metadata(group->stored[{.topic = "chat.requests", .partition = 0}].second);
  ASSERT_TRUE(metadata.has_value());
  EXPECT_GT(metadata->audit_offset.value(), static_cast<std::int64_t>(logs[{"llm.audit", 0}].size()) - 700);
}

/// Refuses what is meant for a partition that it does not know yet.
class SmallProducer final : public kafka::Producer {
 public:
  explicit SmallProducer(testing::FakeProducer& real) : real_(real) {}
  kafka::TopicHandle topic(const std::string& name) override { return real_.topic(name); }
  kafka::Produced produce(kafka::TopicHandle topic, std::int32_t partition, std::optional<std::string_view> key,
                          std::optional<std::string_view> value, const kafka::Headers* headers, std::uint64_t token,
                          std::uint64_t unit) override {
    if (partition >= 1 && !grown) return kafka::Produced::unknown_topic;
    return real_.produce(topic, partition, key, value, headers, token, unit);
  }
  void set_topic_bytes_max(kafka::TopicHandle topic, std::size_t bytes) override {
    real_.set_topic_bytes_max(topic, bytes);
  }
  [[nodiscard]] std::size_t unreported() const override { return real_.unreported(); }
  [[nodiscard]] std::chrono::milliseconds oldest_unreported_age(kafka::TopicHandle topic,
                                                                std::int32_t partition) const override {
    return real_.oldest_unreported_age(topic, partition);
  }
  [[nodiscard]] std::vector<kafka::BlockedTopic> blocked() const override { return real_.blocked(); }
  void purge() override { real_.purge(); }
  [[nodiscard]] std::size_t message_bytes_max() const override { return real_.message_bytes_max(); }
  bool grown = false;

 private:
  testing::FakeProducer& real_;
};

TEST_F(RouterCoreTest, APartitionWithoutItsPairIsTriedAgainWithoutHasteUntilThePairIsThere) {
  SmallProducer small(*producer);
  core->connect(&small);
  assign({{.topic = "chat.requests", .partition = 0}, {.topic = "chat.requests", .partition = 1}});
  const auto repairs = [&] { return router_metrics.repairs.value(); };
  for (int i = 0; i < 120; ++i) {
    wake_after(500ms);
    settle();
  }
  EXPECT_GE(repairs(), 5U);
  EXPECT_LE(repairs(), 20U) << "a minute long";
  small.grown = true;
  for (int i = 0; i < 25; ++i) {
    wake_after(500ms);
    settle();
  }
  record(R"({"requestId":"r1","orgId":"o","modelProvider":"ollama","modelName":"nope","messages":[{"role":"user",)"
         R"("content":"hi"}]})",
         "k", 1);
  settle();
  EXPECT_EQ(chunks(1).size(), 1U);
  core->connect(static_cast<kafka::Producer*>(nullptr));
}

/// As the real group does, asks only later for what it wants given up, and ends only when it is told to.
class PatientGroup final : public kafka::GroupConsumer {
 public:
  explicit PatientGroup(testing::FakeGroup& real) : real_(real) {}
  void assign(const std::vector<kafka::StartingPoint>& points) override { real_.assign(points); }
  void seek(const kafka::StartingPoint& point) override { real_.seek(point); }
  void release() override { released = true; }
  void set_reading(bool reading) override { real_.set_reading(reading); }
  void commit(std::uint64_t token, const kafka::TopicPartition& partition, std::int64_t offset,
              const std::string& metadata) override {
    real_.commit(token, partition, offset, metadata);
  }
  void committed(const std::vector<kafka::TopicPartition>& partitions, CommittedCallback then) override {
    if (!slow) return real_.committed(partitions, std::move(then));
    real_.committed(partitions, [this, then](auto answer) { answer_committed = [then, answer] { then(answer); }; });
  }
  void leave(std::function<void()> then) override { left = std::move(then); }

  bool slow = false;
  bool released = false;
  std::function<void()> answer_committed{};
  std::function<void()> left{};

 private:
  testing::FakeGroup& real_;
};

TEST_F(RouterCoreTest, ADrainWithoutTimeCutsWhatRunsWhenTheGroupHasLetGoOfIt) {
  PatientGroup patient(*group);
  core->connect(&patient);
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "a");
  bool drained = false;
  core->drain(30s, [&] { drained = true; });
  core->drain(0s, nullptr);
  core->consumer_listener().on_revoked({{.topic = "chat.requests", .partition = 0}});
  settle();
  ASSERT_TRUE(patient.released);
  patient.left();
  settle();
  wake_after(1s);
  settle();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_EQ(audit(Kind::response)[0].cause, "drain");
  EXPECT_TRUE(http.calls.empty());
  EXPECT_TRUE(drained);
  core->connect(static_cast<kafka::GroupConsumer*>(nullptr));
}

TEST_F(RouterCoreTest, ADrainWaitsForAReleaseThatTheGroupDidNotWaitFor) {
  PatientGroup patient(*group);
  core->connect(&patient);
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "a");
  bool drained = false;
  core->drain(30s, [&] { drained = true; });
  core->consumer_listener().on_revoked({{.topic = "chat.requests", .partition = 0}});
  patient.left();
  EXPECT_FALSE(drained) << "the release is not acknowledged";
  settle();
  EXPECT_FALSE(drained) << "the call runs";
  finish(1);
  settle();
  EXPECT_TRUE(drained);
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "completed");
  core->connect(static_cast<kafka::GroupConsumer*>(nullptr));
}

TEST_F(RouterCoreTest, ADrainEndsWhereAReleaseIsNeverAcknowledged) {
  PatientGroup patient(*group);
  core->connect(&patient);
  assign();
  request("r1");
  settle();
  bool drained = false;
  core->drain(30s, [&] { drained = true; });
  core->consumer_listener().on_revoked({{.topic = "chat.requests", .partition = 0}});
  patient.left();
  wake_after(options.release_wait);
  EXPECT_TRUE(drained);
  core->connect(static_cast<kafka::GroupConsumer*>(nullptr));
}

TEST_F(RouterCoreTest, AWorkerThatLeavesClaimsNothingMore) {
  PatientGroup patient(*group);
  patient.slow = true;
  core->connect(&patient);
  assign();
  ASSERT_TRUE(patient.answer_committed);
  core->drain(30s, [] {});
  patient.answer_committed();
  settle();
  EXPECT_TRUE(audit(Kind::claimed).empty());
  core->connect(static_cast<kafka::GroupConsumer*>(nullptr));
}

TEST_F(RouterCoreTest, ADeadLetterThatCameBeforeTheClaimWasThroughIsWrittenOnce) {
  core->consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
  record("nope");
  settle();
  EXPECT_EQ((logs[{"chat.requests.dlq", 0}].size()), 1U);
}

TEST_F(RouterCoreTest, AClaimThatLeavesNoHigherNumberIsNobodys) {
  logs[{"llm.audit", 0}].push_back(
      {.value = R"({"type":"router.claimed","epoch":9223372036854775807,"instance":"x","partition":0})"});
  assign();
  request("r1");
  settle();
  EXPECT_EQ(http.started, 1U);
}

}  // namespace
}  // namespace tokenrail::router
