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
    for (const auto& facts : audit(Kind::request)) ++began[facts.ids.source_offset];
    for (const auto& facts : audit(Kind::response)) ++ended[facts.ids.source_offset];
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
    core->log_listener().on_record({.topic = "chat.cancellations",
                                    .partition = 0,
                                    .offset = i,
                                    .value = R"({"orgId":"o","requestId":"r)" + std::to_string(i) + "\"}",
                                    .timestamp_ms = environment.wall.count()});
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

TEST_F(RouterCoreTest, AnOrganisationAtItsBoundDoesNotHaveItsRecordsReadAgainInFlocks) {
  options.connection_in_flight_max = 2;
  options.org_in_flight_max = 3;
  options.window_requests_max = 20;
  make_core(options);
  add_model("other", "ollama", "c2");
  assign();
  for (int i = 0; i < 300; ++i) request("slow" + std::to_string(i), "", "key" + std::to_string(i));
  for (int i = 0; i < 3; ++i)
    request("quick" + std::to_string(i), "", "q" + std::to_string(i),
            R"("modelProvider":"ollama","modelName":"other",)");
  producer->acknowledge_all();
  std::size_t most = 0;
  for (int i = 0; i < 400; ++i) {
    if (!http.calls.empty()) answer(http.calls.begin()->first);
    for (int k = 0; k < 5; ++k) {
      producer->acknowledge_all();
      group->answer_commits();
      reader->deliver();
      core->refresh_gauges();
      most = std::max(most, static_cast<std::size_t>(router_metrics.window_requests.value()));
    }
  }
  EXPECT_LE(most, 20U);
  EXPECT_EQ(audit(Kind::response).size(), 303U) << "and yet all were served";
}

/// Whoever floods waits beside the window: somebody else's request is read and served behind it.
class FloodTest : public RouterCoreTest {
 protected:
  FloodTest() { options.window_requests_max = 20; }

  void begin(const std::function<void()>& flood) {
    make_core(options);
    assign();
    flood();
    settle();
    EXPECT_TRUE(group->reading);
    record(R"({"requestId":"quick","orgId":"other","modelProvider":"ollama","modelName":"llama3",)"
           R"("messages":[{"role":"user","content":"hi"}]})",
           "q");
    settle();
    const auto call = http.newest();
    answer(call);
    settle();
    const auto all = chunks();
    EXPECT_EQ(std::ranges::count(all, "quick", &events::Chunk::request_id), 2) << "the other's answer";
    EXPECT_GE(router_metrics.put_back.value(), 80U);
  }
  /// All that waited is served, with what it said, and the window holds.
  void expect_all_served(std::size_t requests) {
    std::size_t most = 0;
    for (int i = 0; i < 500; ++i) {
      if (!http.calls.empty()) answer(http.calls.begin()->first);
      settle();
      core->refresh_gauges();
      most = std::max(most, static_cast<std::size_t>(router_metrics.window_requests.value()));
    }
    EXPECT_LE(most, options.window_requests_max);
    EXPECT_EQ(audit(Kind::response).size(), requests);
    EXPECT_FALSE(reader->reads("chat.requests"));
    wake_after(1s);
    settle();
    EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), next_offset);
    core->refresh_gauges();
    EXPECT_EQ(router_metrics.window_requests.value(), 0);
  }
};

TEST_F(FloodTest, OfOneConversationWhoseOrderIsKept) {
  begin([&] {
    for (int i = 0; i < 100; ++i) request("c" + std::to_string(i));
  });
  expect_all_served(101);
  std::vector<std::int64_t> offsets;
  for (const auto& facts : audit(Kind::response))
    if (facts.ids.org_id == "o") offsets.push_back(facts.ids.source_offset);
  EXPECT_TRUE(std::ranges::is_sorted(offsets));
}

TEST_F(FloodTest, OfOneConversationWithRequestsThatAreRefused) {
  begin([&] {
    request("c");
    for (int i = 0; i < 100; ++i) request("c" + std::to_string(i), R"("temperature":"warm",)");
  });
  expect_all_served(102);
}

TEST_F(FloodTest, OfAnOrganisationAtItsBound) {
  options.org_in_flight_max = 2;
  begin([&] {
    for (int i = 0; i < 100; ++i) request("c" + std::to_string(i), "", "key" + std::to_string(i));
  });
  expect_all_served(101);
}

TEST_F(FloodTest, BehindACallThatDoesNotEnd) {
  options.partition_span_max = 1;
  make_core(options);
  assign({{.topic = "chat.requests", .partition = 0}, {.topic = "chat.requests", .partition = 1}});
  for (int i = 0; i < 100; ++i) request("c" + std::to_string(i), "", std::nullopt);
  settle();
  EXPECT_EQ(http.started, 1U);
  EXPECT_TRUE(group->reading);
  record(R"({"requestId":"quick","orgId":"o","messages":[{"role":"user","content":"hi"}]})", std::nullopt, 1);
  settle();
  EXPECT_EQ(http.started, 2U);
  answer(http.newest());
  settle();
  EXPECT_EQ(chunks(1).size(), 2U);
  next_offset = 100;
  for (int i = 0; i < 200; ++i) {
    if (!http.calls.empty()) answer(http.calls.begin()->first);
    settle();
  }
  EXPECT_EQ(audit(Kind::response).size(), 100U);
}

TEST_F(FloodTest, OfTwoProvidersAtTheirLimit) {
  options.connection_in_flight_max = 1;
  make_core(options);
  add_model("second", "ollama", "c2");
  add_model("third", "ollama", "c3");
  assign();
  for (int i = 0; i < 60; ++i) {
    request("c" + std::to_string(i), "", "key" + std::to_string(i));
    request("d" + std::to_string(i), "", "yek" + std::to_string(i),
            R"("modelProvider":"ollama","modelName":"second",)");
  }
  EXPECT_TRUE(group->reading);
  request("quick", "", "q", R"("modelProvider":"ollama","modelName":"third",)");
  settle();
  EXPECT_EQ(http.started, 3U);
  expect_all_served(121);
}

TEST_F(FloodTest, WhatIsKeptOfThoseThatWaitIsBounded) {
  options.window_bytes_max = 200'000;
  make_core(options);
  assign();
  int read = 0;
  for (; read < 2'000 && group->reading; ++read) request("c" + std::to_string(read));
  EXPECT_GT(read, 25);
  EXPECT_LT(read, 200) << "reading stops when even the ids are too many";
  settle();
  for (int i = 0; i < 300 && !http.calls.empty(); ++i) {
    answer(http.newest());
    settle();
  }
  EXPECT_TRUE(group->reading);
  EXPECT_EQ(audit(Kind::response).size(), static_cast<std::size_t>(read));
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
  core->log_listener().on_record({.topic = "chat.cancellations",
                                  .partition = 0,
                                  .offset = 0,
                                  .value = R"({"orgId":"o","requestId":"same"})",
                                  .timestamp_ms = environment.wall.count()});
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
  core->log_listener().on_record({.topic = "chat.cancellations",
                                  .partition = 0,
                                  .offset = 0,
                                  .value = R"({"orgId":"o","requestId":"r1"})",
                                  .timestamp_ms = environment.wall.count()});
  settle();
  answer(http.newest());
  settle();
  wake_after(1s);
  settle();
  EXPECT_EQ(http.started, 2U) << "r2 waits for ever";
}

TEST_F(FloodTest, OfManyOrganisationsIsReadBackOneByOne) {
  options.in_flight_max = 3;
  options.partition_span_max = 60;
  make_core(options);
  assign();
  const auto ask = [&](int i) {
    record(R"({"requestId":"r","orgId":"o)" + std::to_string(i) +
               R"(","modelProvider":"ollama","modelName":"llama3","messages":[{"role":"user","content":"hi"}]})",
           std::nullopt);
  };
  int i = 0;
  for (; i < 60; ++i) {
    ask(i);
    settle();
    if (i > 0) {
      answer(http.newest());
      settle();
    }
  }
  for (; i < 119 && group->reading; ++i) {
    ask(i);
    settle();
  }
  core->refresh_gauges();
  answer(http.calls.begin()->first);
  settle();
  core->refresh_gauges();
  double most = 0;
  for (int k = 0; k < 12; ++k) {
    answer(http.calls.begin()->first);
    settle();
    core->refresh_gauges();
    most = std::max(most, router_metrics.window_requests.value());
  }
  EXPECT_LE(most, 23);
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

/// Three workers were lost before they could say anything.
class CarefulTest : public RouterCoreTest {
 protected:
  void be_careful() {
    for (int i = 0; i < 3; ++i) {
      make_core(options);
      core->consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
      producer->acknowledge_all();
      environment.advance(2s);
    }
    make_core(options);
    assign();
  }
};

// What waits has not been read yet, and may have been given more time than the default.
TEST_F(CarefulTest, NobodyIsEndedBeforeItsOwnDeadlineIsRead) {
  options.request_timeout_default = 30s;
  be_careful();
  for (const auto* id : {"first", "patient"}) request(id, R"("timeoutMs":7200000,)");
  request("of the default");
  settle();
  ASSERT_EQ(http.calls.size(), 1U);
  wake_after(40s);
  settle();
  for (int i = 0; i < 2; ++i) {
    answer(http.newest());
    settle();
    wake_after(0s);
    settle();
  }
  std::map<std::string, std::string> ends;
  for (const auto& chunk : chunks())
    if (chunk.done) ends[chunk.request_id] = chunk.finish_reason;
  EXPECT_EQ(ends,
            (std::map<std::string, std::string>{{"first", "stop"}, {"patient", "stop"}, {"of the default", "error"}}));
}

TEST_F(CarefulTest, KeepsToTheBounds) {
  options.connection_in_flight_max = 1;
  options.org_in_flight_max = 2;
  options.in_flight_max = 3;
  be_careful();
  for (int i = 0; i < 150; ++i) request("c" + std::to_string(i), "", std::nullopt);
  settle();
  for (int i = 0; i < 10; ++i) {
    wake_after(0s);
    settle();
  }
  for (int i = 0; i < 1000; ++i) {
    wake_after(0s);
    settle();
  }
  EXPECT_LE(core->in_flight(), 3U);
}

TEST_F(CarefulTest, KeepsToTheWindow) {
  options.org_in_flight_max = 10;
  options.window_requests_max = 40;
  be_careful();
  int i = 0;
  for (; i < 10; ++i) {
    request("c" + std::to_string(i), "", std::nullopt);
    settle();
    wake_after(0s);
    settle();
  }
  ASSERT_EQ(http.calls.size(), 10U);
  for (; i < 300 && group->reading; ++i) request("c" + std::to_string(i), "", std::nullopt);
  core->refresh_gauges();
  while (!http.calls.empty()) answer(http.calls.begin()->first);
  double most = 0;
  for (int k = 0; k < 200; ++k) {
    producer->acknowledge_all();
    reader->deliver();
    core->refresh_gauges();
    most = std::max(most, router_metrics.window_requests.value());
  }
  for (int k = 0; k < 500; ++k) {
    wake_after(0s);
    settle();
  }
  EXPECT_LE(most, 40);
  EXPECT_LE(http.calls.size(), 10U);
}

TEST_F(FloodTest, OfAModelWithManyDeploymentsIsNotReadAgainAndAgain) {
  options.connection_in_flight_max = 1;
  options.window_requests_max = 10;
  make_core(options);
  events::ModelUpserted event;
  event.version = 1;
  event.cause = "sync";
  event.actor = "test";
  event.model = {.id = "many", .provider = "ollama", .model_name = "many", .slug = "ollama/many", .version = 1};
  for (int d = 0; d < 8; ++d) {
    const auto n = std::to_string(d);
    event.model.deployments.push_back({.id = "d" + n,
                                       .connection_id = "k" + n,
                                       .connection_name = "local",
                                       .provider = "ollama",
                                       .adapter = "ollama",
                                       .base_url = "http://provider",
                                       .auth_type = "none",
                                       .upstream_name = "many"});
  }
  event.key = events::model_key(event.model);
  projection.apply(event.key, events::to_json(event));
  assign();
  for (int i = 0; i < 200; ++i)
    request("c" + std::to_string(i), "", std::nullopt, R"("modelProvider":"ollama","modelName":"many",)");
  settle();
  for (int i = 0; i < 600 && !http.calls.empty(); ++i) {
    answer(http.calls.begin()->first);
    settle();
  }
  EXPECT_EQ(audit(Kind::response).size(), 200U);
  EXPECT_LE(router_metrics.put_back.value(), 400U);
}

TEST_F(FloodTest, AtTheBoundOfAPartitionIsNotReadAgainAndAgain) {
  options.partition_attempts_max = 200;
  options.window_requests_max = 600;
  options.in_flight_max = 1000;
  make_core(options);
  assign();
  for (int i = 0; i < 4000; ++i) request("c" + std::to_string(i), "", std::nullopt);
  settle();
  for (int i = 0; i < 300 && !http.calls.empty(); ++i) {
    for (int k = 0; k < 100 && !http.calls.empty(); ++k) {
      answer(http.calls.begin()->first);
      producer->acknowledge_all();
    }
    reader->deliver();
    settle();
  }
  EXPECT_LE(router_metrics.put_back.value(), 8000U);
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
  EXPECT_GT(metadata->audit_offset, static_cast<std::int64_t>(logs[{"llm.audit", 0}].size()) - 700);
}

/// Refuses what is meant for a partition that it does not know yet.
class SmallProducer final : public kafka::Producer {
 public:
  explicit SmallProducer(testing::FakeProducer& real) : real_(real) {}
  kafka::TopicHandle topic(const std::string& name) override { return real_.topic(name); }
  kafka::Produced produce(kafka::TopicHandle topic, std::int32_t partition, std::optional<std::string_view> key,
                          std::optional<std::string_view> value, const kafka::Headers* headers,
                          std::uint64_t token) override {
    if (partition >= 1 && !grown) return kafka::Produced::unknown_topic;
    return real_.produce(topic, partition, key, value, headers, token);
  }
  [[nodiscard]] std::size_t unreported() const override { return real_.unreported(); }
  [[nodiscard]] std::chrono::milliseconds oldest_unreported_age() const override { return real_.age; }
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
