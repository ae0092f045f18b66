// Requests that were deleted before they were read, and gaps that are no loss.
#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

class LossTest : public RouterCoreTest {
 protected:
  /// The group has committed `committed`, and chat.requests has been deleted up to `begins`.
  void start(std::int64_t committed, std::int64_t begins) {
    group->stored[place] = {committed, "tr1 7 0 0"};
    next_offset = begins;
    requests().resize(static_cast<std::size_t>(begins));
    for (auto& entry : requests()) entry.deleted = true;
    assign();
    ASSERT_EQ(audit(Kind::claimed).back().epoch, events::epoch_above(7, 0));
  }
  void answer_all() {
    while (!http.calls.empty()) {
      answer(http.newest());
      settle();
    }
    wake_after(1s);
    settle();
  }
  std::vector<testing::LogEntry>& requests() { return logs[{"chat.requests", 0}]; }
  std::int64_t committed() { return group->stored[place].first; }

  const kafka::TopicPartition place{.topic = "chat.requests", .partition = 0};
};

TEST_F(LossTest, IsToldBeforeAnyCommitPassesIt) {
  start(5, 9);
  EXPECT_EQ(questions.asked, 0) << "nothing is asked before a record was read";
  request("r", "", "k");
  ASSERT_EQ(questions.waiting().size(), 1U);
  EXPECT_EQ(questions.waiting()[0].second.partition, place);
  for (int i = 0; i < 10; ++i) {  // all but the answer to the question
    producer->acknowledge_all();
    reader->deliver();
    if (!http.calls.empty()) answer(http.newest());
    group->answer_commits();
    wake_after(1s);
  }
  EXPECT_EQ(chunks().back().done, true);
  EXPECT_EQ(committed(), 5);

  questions.answer(*core);
  wake_after(1s);
  group->answer_commits();
  EXPECT_EQ(committed(), 5) << "the event is not in the log yet";
  settle();
  wake_after(1s);
  settle();
  EXPECT_EQ(committed(), 10);
  const auto lost = audit(Kind::lost);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].lost_from.value(), 5);
  EXPECT_EQ(lost[0].lost_to.value(), 9);
  EXPECT_EQ(lost[0].epoch, events::epoch_above(7, 0));
  EXPECT_EQ(lost[0].partition, 0);
  EXPECT_EQ(lost[0].instance, audit(Kind::claimed)[0].instance);
  EXPECT_EQ(router_metrics.requests_lost.value(), 4U);
  const auto& entry = logs[{"llm.audit", 0}];
  const auto told =
      std::ranges::find_if(entry, [](const auto& e) { return e.value->find("requests.lost") != std::string::npos; });
  EXPECT_FALSE(told->key);
  EXPECT_EQ(kafka::header(told->headers, "ce_type"), "requests.lost");
  EXPECT_TRUE(kafka::header(told->headers, "ce_id")->ends_with(":2")) << "the counter of the ownership events";
}

TEST_F(LossTest, TheRequestRightBehindAGapIsNotHeldForLost) {
  start(5, 9);
  const auto without_an_answer = [&] {
    for (int i = 0; i < 10; ++i) {
      producer->acknowledge_all();
      reader->deliver();
      group->answer_commits();
    }
  };
  ASSERT_EQ(request("r", "", std::nullopt), 9);
  without_an_answer();
  ASSERT_EQ(http.started, 1U);
  answer(http.newest());
  without_an_answer();
  request("r", "", std::nullopt);
  without_an_answer();
  EXPECT_EQ(http.started, 1U) << "it is the duplicate of the one at offset 9, which has been answered";
  EXPECT_EQ(chunks().back().finish_reason, "duplicate");
}

struct Row {
  const char* name;
  std::int64_t committed;
  std::int64_t begins;      ///< chat.requests, as the brokers say
  std::int64_t read_first;  ///< offset of the first record
  std::vector<std::pair<std::int64_t, std::int64_t>> told;
  int asked;
};

TEST_F(LossTest, OnlyTheBeginningOfTheLogDecides) {
  for (const auto& row : {
           Row{"the record is where it was expected", 5, 0, 5, {}, 0},
           Row{"markers of a transaction lie in between", 5, 0, 9, {}, 1},
           Row{"deleted up to the committed offset, then a gap", 5, 5, 9, {}, 1},
           Row{"deleted, then a gap", 5, 7, 9, {{5, 7}}, 1},
           Row{"deleted up to the record", 5, 9, 9, {{5, 9}}, 1},
           Row{"deleted beyond the record before the question was answered", 5, 20, 9, {{5, 9}}, 1},
           Row{"the topic was made anew", 5, 0, 2, {}, 0},
       }) {
    logs.clear();
    questions.asked = 0;
    make_core({});
    next_offset = 0;
    start(row.committed, 0);
    next_offset = row.read_first;
    request("r");
    requests().resize(std::max<std::size_t>(requests().size(), 21));
    for (std::int64_t i = 0; i < row.begins; ++i) requests()[static_cast<std::size_t>(i)].deleted = true;
    settle();
    answer_all();
    std::vector<std::pair<std::int64_t, std::int64_t>> told;
    for (const auto& event : audit(Kind::lost)) told.emplace_back(event.lost_from.value(), event.lost_to.value());
    EXPECT_EQ(told, row.told) << row.name;
    EXPECT_EQ(questions.asked, row.asked) << row.name;
    EXPECT_EQ(committed(), row.read_first + 1) << row.name;
  }
}

TEST_F(LossTest, AGroupThatHasCommittedNothingBeginsWhereTheLogDoes) {
  requests().resize(9);
  for (auto& entry : requests()) entry.deleted = true;
  next_offset = 9;
  assign();
  EXPECT_EQ(committed(), 9);
  const auto asked = questions.asked;
  request("r");
  settle();
  answer_all();
  EXPECT_EQ(questions.asked, asked);
  EXPECT_TRUE(audit(Kind::lost).empty());
  EXPECT_EQ(committed(), 10);
}

TEST_F(LossTest, AQuestionThatIsRefusedIsAskedAgain) {
  start(5, 9);
  questions.refused = 2;
  request("r");
  settle();
  answer_all();
  EXPECT_EQ(questions.asked, 2);
  EXPECT_EQ(committed(), 5);
  answer_all();
  EXPECT_EQ(questions.asked, 3);
  answer_all();
  EXPECT_EQ(audit(Kind::lost).size(), 1U);
  EXPECT_EQ(committed(), 10);
}

TEST_F(LossTest, ARepairTellsItAgain) {
  start(5, 9);
  request("r");
  questions.answer(*core);
  producer->fail_all();  // the llm.request and the event: nobody knows whether they arrived
  settle();
  answer_all();
  const auto lost = audit(Kind::lost);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].epoch, events::epoch_above(events::epoch_above(7, 0), 0));
  EXPECT_EQ(lost[0].lost_from.value(), 5);
  EXPECT_EQ(lost[0].lost_to.value(), 9);
  EXPECT_EQ(committed(), 10);
  EXPECT_EQ(router_metrics.requests_lost.value(), 4U);
}

TEST_F(LossTest, WhatIsDeletedUnderAnOwnerThatDoesNotReadIsToldToo) {
  start(5, 5);
  request("r5");
  settle();
  answer_all();
  EXPECT_EQ(committed(), 6);
  requests().resize(20);
  for (auto& entry : requests()) entry.deleted = true;
  next_offset = 20;
  request("r20");
  settle();
  answer_all();
  const auto lost = audit(Kind::lost);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].lost_from.value(), 6);
  EXPECT_EQ(lost[0].lost_to.value(), 20);
  EXPECT_EQ(committed(), 21);
}

TEST_F(LossTest, ManyGapsAreOneQuestionAnInterval) {
  start(5, 5);
  for (int i = 0; i < 50; ++i) {
    request("r" + std::to_string(i), "", std::nullopt);
    ++next_offset;  // the marker of a transaction
  }
  settle();
  answer_all();
  answer_all();
  EXPECT_LE(questions.asked, 2);
  EXPECT_TRUE(audit(Kind::lost).empty());
  EXPECT_EQ(committed(), 104);
}

TEST_F(LossTest, ALostRequestThatIsSentAgainIsNoDuplicate) {
  group->stored[place] = {5, "tr1 7 0 0"};
  // Attempted by a worker that died; then its record was deleted.
  events::AttemptIds ids{.epoch = 7,
                         .instance = "i",
                         .source_offset = events::RequestOffset(5),
                         .org_id = "o",
                         .request_id = "r",
                         .attempt = 7001};
  auto& log = logs[{"llm.audit", 0}];
  const auto now = environment.wall.count();
  log.push_back({.value = events::to_json(events::RouterClaimed{.epoch = 7, .instance = "i"}), .timestamp_ms = now});
  log.push_back({.value = events::to_json(events::LlmRequest{.ids = ids}, 10'000), .timestamp_ms = now});
  start(5, 9);
  request("r", "", std::nullopt);
  settle();
  ASSERT_EQ(http.started, 1U);
  request("r", "", std::nullopt);  // once more: this one is
  settle();
  EXPECT_EQ(http.started, 1U);
  answer_all();
  request("r", "", std::nullopt);
  settle();
  answer_all();
  EXPECT_EQ(http.started, 1U);
  const auto all = chunks();
  EXPECT_EQ(std::ranges::count(all, "duplicate", &events::Chunk::finish_reason), 2);
  EXPECT_EQ(std::ranges::count(all, "stop", &events::Chunk::finish_reason), 1);
  EXPECT_EQ(all.back().duplicate_of_offset, 9);
}

// What was handed over may have lost its record: it is waited for, and whoever comes next can find it.
TEST_F(LossTest, AnAttemptThatGoesOnElsewhereHoldsItsKeyAndTheCommit) {
  events::AttemptIds ids{.epoch = 7,
                         .instance = "i",
                         .source_offset = events::RequestOffset(5),
                         .org_id = "o",
                         .request_id = "r",
                         .attempt = 7001};
  auto& log = logs[{"llm.audit", 0}];
  const auto now = environment.wall.count();
  const auto append = [&](std::string value) {
    log.push_back({.key = "k", .value = std::move(value), .timestamp_ms = now});
  };
  append(events::to_json(events::RouterClaimed{.epoch = 7, .instance = "i"}));
  append(events::to_json(events::LlmRequest{.ids = ids}, 10'000));
  append(events::to_json(events::RouterReleased{.epoch = 7,
                                                .instance = "i",
                                                .continuing = {{.offset = events::RequestOffset(5), .attempt = 7001}},
                                                .lease_ms = 600'000}));
  start(5, 9);
  request("next", "", "k");
  request("other", "", "l");
  settle();
  ASSERT_EQ(http.started, 1U) << "the other key's";
  answer_all();
  EXPECT_EQ(audit(Kind::lost).size(), 1U);
  EXPECT_EQ(committed(), 5);
  append(events::to_json(events::LlmResponse{.ids = ids, .called = true}, 10'000));
  settle();
  ASSERT_EQ(http.started, 2U);
  answer_all();
  EXPECT_EQ(committed(), 11);
}

}  // namespace
}  // namespace tokenrail::router
