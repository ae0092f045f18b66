// Topics that are created again, or whose logs go back, under a router that reads and writes them.
#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

class AnotherLogTest : public RouterCoreTest {
 protected:
  void answer_all() {
    for (int i = 0; i < 40; ++i) {
      settle();
      while (!http.calls.empty()) {
        answer(http.newest());
        settle();
      }
      wake_after(1s);
    }
  }
  void look() {
    wake_after(5s);
    settle();
  }
  /// The topic is deleted and created again; what the group had committed goes with it.
  void create_again(const std::string& topic) {
    for (auto& [where, log] : logs) {
      if (where.first == topic) log.clear();
    }
    if (topic == "chat.requests") {
      group->stored.clear();
      next_offset = 0;
    }
  }
  /// Lies in the log, and the group hands out nothing yet.
  void append(const std::string& id) {
    logs[{"chat.requests", 0}].push_back({.key = id, .value = text(id), .timestamp_ms = environment.wall.count()});
  }
  static std::string text(const std::string& id) {
    return R"({"requestId":")" + id +
           R"(","orgId":"o","modelProvider":"ollama","modelName":"llama3","messages":[{"role":"user","content":"hi"}]})";
  }
  /// The group hands out what lies in the log from there on.
  void hand_out(std::int64_t from) {
    const auto log = logs[{"chat.requests", 0}];
    for (auto offset = from; offset < static_cast<std::int64_t>(log.size()); ++offset) {
      const auto& entry = log[static_cast<std::size_t>(offset)];
      core->consumer_listener().on_record({.topic = "chat.requests",
                                           .partition = 0,
                                           .offset = offset,
                                           .key = entry.key,
                                           .value = entry.value,
                                           .timestamp_ms = entry.timestamp_ms,
                                           .log_append_time = true});
    }
    next_offset = static_cast<std::int64_t>(log.size());
  }
  /// Terminal chunks of that request, of any kind.
  std::vector<events::Chunk> answers_of(const std::string& id) {
    std::vector<events::Chunk> all;
    for (auto& chunk : chunks()) {
      if (chunk.done && chunk.request_id == id) all.push_back(chunk);
    }
    return all;
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> losses() {
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    for (const auto& event : audit(Kind::lost)) all.emplace_back(event.lost_from.value(), event.lost_to.value());
    return all;
  }

  const kafka::TopicPartition place{.topic = "chat.requests", .partition = 0};
};

TEST_F(AnotherLogTest, RequestsCreatedAgainAreAnsweredFromTheirBeginning) {
  assign();
  for (const auto* id : {"a0", "a1", "a2", "a3"}) request(id);
  answer_all();
  ASSERT_EQ(group->stored[place].first, 4);

  create_again("chat.requests");
  wake_after(1s);
  for (int i = 0; i < 10; ++i) append("b" + std::to_string(i));
  hand_out(4);  // as a consumer does that stood at offset 4
  look();
  ASSERT_FALSE(group->sought.empty());
  EXPECT_EQ(group->sought.back().offset, 0);
  hand_out(0);
  answer_all();

  for (int i = 0; i < 10; ++i) {
    const auto all = answers_of("b" + std::to_string(i));
    ASSERT_EQ(all.size(), 1U) << i;
    EXPECT_EQ(all[0].finish_reason, "stop") << i;
    EXPECT_EQ(all[0].source_offset, i);
  }
  EXPECT_EQ(group->stored[place].first, 10);
  EXPECT_TRUE(losses().empty());
  EXPECT_EQ(router_metrics.topics_replaced.value(), 1U);
}

TEST_F(AnotherLogTest, WhatNobodyAnsweredInTheOldLogIsTold) {
  assign();
  request("a0");
  answer_all();
  request("a1", "", "k1");
  request("a2", "", "k2");
  settle();
  create_again("chat.requests");
  wake_after(1s);
  append("a2");  // sent again
  look();
  hand_out(group->sought.back().offset);
  answer_all();
  EXPECT_EQ(losses(), (std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 3}}));
  EXPECT_EQ(router_metrics.requests_lost.value(), 2U);
  const auto all = answers_of("a2");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].finish_reason, "stop");
  EXPECT_EQ(group->stored[place].first, 1);
}

TEST_F(AnotherLogTest, TheLossIsToldBySuccessorsUntilItCounts) {
  assign();
  request("a0");
  answer_all();
  request("a1");
  settle();
  create_again("chat.requests");
  wake_after(1s);
  append("b0");
  environment.advance(5s);
  core->on_wake();
  questions.answer(*core);
  for (int i = 0; i < 5; ++i) {  // all but the event itself
    producer->acknowledge_all();
    reader->deliver();
    if (losses().empty()) group->answer_commits();
  }
  const auto metadata = events::decode_commit_metadata(group->stored[place].second);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->requests_log.position, 2) << "of the log that is gone";
}

TEST_F(AnotherLogTest, DuplicatesByNameStaySoAcrossLogs) {
  assign();
  for (const auto* id : {"a0", "a1", "a2"}) request(id);
  answer_all();
  create_again("chat.requests");
  append("a1");
  append("b");
  look();
  hand_out(group->sought.back().offset);
  answer_all();
  const auto all = answers_of("a1");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].finish_reason, "duplicate");
  EXPECT_EQ(answers_of("b").at(0).finish_reason, "stop");
}

TEST_F(AnotherLogTest, ALogThatGoesBackGoesOnWhereItEnds) {
  assign();
  for (const auto* id : {"a0", "a1"}) request(id);
  answer_all();
  for (int i = 0; i < 10; ++i) {
    wake_after(10s);
    settle();
  }
  for (const auto* id : {"a2", "a3"}) request(id);
  answer_all();
  logs[{"chat.requests", 0}].resize(2);
  append("c2");
  append("c3");
  append("c4");
  look();
  ASSERT_FALSE(group->sought.empty());
  EXPECT_EQ(group->sought.back().offset, 2);
  hand_out(2);
  answer_all();
  for (const auto* id : {"a0", "a1", "a2", "a3", "c2", "c3", "c4"}) {
    EXPECT_EQ(answers_of(id).size(), 1U) << id;
  }
  EXPECT_EQ(http.started, 7U);
}

TEST_F(AnotherLogTest, WhatIsReadAgainOfALogThatWentBackIsNotRunAgain) {
  assign();
  for (const auto* id : {"a0", "a1", "a2", "a3"}) request(id);
  answer_all();
  logs[{"chat.requests", 0}].resize(2);
  append("c2");
  look();
  ASSERT_FALSE(group->sought.empty());
  EXPECT_EQ(group->sought.back().offset, 0) << "as far back as clocks may differ";
  hand_out(0);
  answer_all();
  EXPECT_EQ(answers_of("c2").size(), 1U);
  EXPECT_EQ(http.started, 5U);
  EXPECT_EQ(group->stored[place].first, 3);
}

TEST_F(AnotherLogTest, RequestsReadSinceTheLastLookAreToldToBeLost) {
  assign();
  request("a0");
  answer_all();
  request("a1");
  settle();
  logs[{"chat.requests", 0}].resize(1);
  look();
  hand_out(group->sought.back().offset);
  answer_all();
  EXPECT_EQ(losses(), (std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 2}}));
}

TEST_F(AnotherLogTest, WhatALogThatWentBackHasKeptIsNotLost) {
  assign();
  request("a0");
  answer_all();
  for (const auto* id : {"a1", "a2", "a3"}) request(id, "", std::string(id));
  settle();
  logs[{"chat.requests", 0}].resize(3);
  look();
  ASSERT_FALSE(group->sought.empty());
  EXPECT_TRUE(losses().empty()) << "what is kept is not known yet";
  append("c3");
  hand_out(group->sought.back().offset);
  answer_all();
  EXPECT_EQ(losses(), (std::vector<std::pair<std::int64_t, std::int64_t>>{{3, 4}}));
  for (const auto* id : {"a0", "a1", "a2", "c3"}) EXPECT_EQ(answers_of(id).size(), 1U) << id;
  EXPECT_EQ(group->stored[place].first, 4);
  const auto metadata = events::decode_commit_metadata(group->stored[place].second);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->requests_log.position, 4) << "of the log that is there";
}

TEST_F(AnotherLogTest, AnsweredRequestsBehindAKeptOneAreNotReported) {
  assign();
  request("a0");
  answer_all();
  request("a1", "", "slow");
  for (const auto* id : {"a2", "a3", "a4"}) request(id, "", std::string(id));
  settle();
  while (http.calls.size() > 1) {  // all but that of a1
    answer(http.newest());
    settle();
  }
  look();
  logs[{"chat.requests", 0}].resize(3);
  append("c3");
  append("c4");
  append("c5");
  look();
  hand_out(group->sought.back().offset);
  answer_all();
  EXPECT_TRUE(losses().empty()) << "a3 and a4 were answered, a1 and a2 are there";
  for (const auto* id : {"a1", "c3", "c4", "c5"}) EXPECT_EQ(answers_of(id).size(), 1U) << id;
  EXPECT_EQ(group->stored[place].first, 6);
}

TEST_F(AnotherLogTest, UnreadRequestsThatTheLogKeptAreNotReported) {
  assign();
  request("a0");
  answer_all();
  for (const auto* id : {"a1", "a2", "a3"}) append(id);  // the group does not hand them out yet
  look();
  look();
  logs[{"chat.requests", 0}].resize(3);
  look();
  ASSERT_FALSE(group->sought.empty());
  hand_out(group->sought.back().offset);
  answer_all();
  EXPECT_EQ(losses(), (std::vector<std::pair<std::int64_t, std::int64_t>>{{3, 4}}));
  for (const auto* id : {"a0", "a1", "a2"}) EXPECT_EQ(answers_of(id).size(), 1U) << id;
}

TEST_F(AnotherLogTest, UnreadRequestsOfAReplacedLogAreReported) {
  assign();
  request("a0");
  answer_all();
  for (const auto* id : {"a1", "a2", "a3"}) append(id);
  look();
  look();
  create_again("chat.requests");
  wake_after(1s);
  for (const auto* id : {"b0", "b1", "b2", "b3", "b4"}) append(id);
  look();
  ASSERT_FALSE(group->sought.empty());
  hand_out(group->sought.back().offset);
  answer_all();
  EXPECT_EQ(losses(), (std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 4}}))
      << "another record lies where a0 was";
}

TEST_F(AnotherLogTest, SuccessorDoesNotReportWhatTheLogKept) {
  assign();
  request("a0");
  answer_all();
  request("a1");
  settle();
  look();
  logs[{"chat.requests", 0}].resize(1);
  look();  // commits offset 0, to read again from there
  const auto kept = group->stored;
  ASSERT_EQ(kept.at(place).first, 0);
  for (int successor = 0; successor < 2; ++successor) {
    make_core({});
    group->stored = kept;
    core->consumer_listener().on_assigned({place});
    settle();
    EXPECT_TRUE(losses().empty()) << "a0 is read first";
    const auto metadata = events::decode_commit_metadata(group->stored[place].second);
    ASSERT_TRUE(metadata);
    EXPECT_EQ(metadata->requests_log.position, 2) << "of the log that is gone, for the next successor";
    EXPECT_EQ(metadata->requests_log.offset, 0);
  }
  hand_out(0);
  answer_all();
  EXPECT_EQ(losses(), (std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 2}}));
  EXPECT_EQ(answers_of("a0").size(), 1U);
}

TEST_F(AnotherLogTest, LogThatGoesBackTwiceKeepsTheRest) {
  assign();
  request("a0");
  answer_all();
  for (const auto* id : {"a1", "a2", "a3"}) request(id, "", std::string(id));
  settle();
  look();
  logs[{"chat.requests", 0}].resize(3);
  look();
  const auto sought = group->sought.size();
  core->consumer_listener().on_record({.topic = "chat.requests",
                                       .partition = 0,
                                       .key = "k",
                                       .value = text("a0"),
                                       .timestamp_ms = logs[{"chat.requests", 0}][0].timestamp_ms,
                                       .log_append_time = true});
  look();
  logs[{"chat.requests", 0}].resize(2);
  look();
  ASSERT_GT(group->sought.size(), sought) << "it was read to its first record only";
  hand_out(group->sought.back().offset);
  answer_all();
  EXPECT_EQ(losses(), (std::vector<std::pair<std::int64_t, std::int64_t>>{{2, 4}}));
  for (const auto* id : {"a0", "a1"}) EXPECT_EQ(answers_of(id).size(), 1U) << id;
  EXPECT_EQ(group->stored[place].first, 2);
}

TEST_F(AnotherLogTest, LogThatEndsBelowTheReadingIsComparedToItsEnd) {
  assign();
  request("a0");
  answer_all();
  for (const auto* id : {"a1", "a2", "a3"}) request(id, "", std::string(id));
  settle();
  look();
  logs[{"chat.requests", 0}].resize(3);
  look();
  logs[{"chat.requests", 0}].resize(2);  // before anything of it was read again
  hand_out(group->sought.back().offset);
  EXPECT_TRUE(losses().empty()) << "a2 may follow";
  look();
  answer_all();
  EXPECT_EQ(losses(), (std::vector<std::pair<std::int64_t, std::int64_t>>{{2, 4}}));
}

TEST_F(AnotherLogTest, EachLossOfALogThatGoesBackTwiceIsReported) {
  assign();
  for (const auto* id : {"a0", "a1", "a2"}) request(id, "", std::string(id));
  answer_all();
  request("a3", "", "slow");
  settle();
  look();
  logs[{"chat.requests", 0}].resize(3);
  environment.advance(5s);
  core->on_wake();
  for (int i = 0; i < 5; ++i) {  // all but the event that reports the loss
    questions.answer(*core);
    if (losses().empty()) producer->acknowledge_all();
    reader->deliver();
    if (losses().empty()) group->answer_commits();
  }
  hand_out(0);
  request("b3", "", "slow");
  settle();
  look();
  logs[{"chat.requests", 0}].resize(3);
  look();
  hand_out(group->sought.back().offset);
  answer_all();
  for (const auto& [from, to] : losses()) {
    EXPECT_EQ(from, 3) << "a0 to a2 are there and answered";
    EXPECT_EQ(to, 4);
  }
  EXPECT_FALSE(losses().empty());
}

TEST_F(AnotherLogTest, WhatIsReadAgainIsKnownWhereverTheCommittedTailBegins) {
  constexpr int count = 300;  // more than the audit fold knows the beginning of as one
  RouterOptions changed;
  changed.dedupe_window = 1s;
  make_core(changed);
  assign();
  const auto answer_calls = [&] {
    settle();
    while (!http.calls.empty()) {
      while (!http.calls.empty()) answer(http.newest());
      settle();
    }
    wake_after(5s);
    settle();
  };
  request("a0");
  answer_calls();
  const auto answered_to = static_cast<std::int64_t>(logs[{"llm.audit", 0}].size());
  for (int i = 1; i < count; ++i) request("a" + std::to_string(i), "", "k" + std::to_string(i));
  answer_calls();
  request("last");
  answer_calls();
  const auto metadata = events::decode_commit_metadata(group->stored[place].second);
  ASSERT_TRUE(metadata);
  ASSERT_GE(metadata->audit_offset.value(), answered_to) << "behind the answer to a0";
  ASSERT_EQ(http.started, static_cast<std::size_t>(count) + 1);

  logs[{"chat.requests", 0}].resize(count);
  look();
  ASSERT_FALSE(group->sought.empty());
  ASSERT_EQ(group->sought.back().offset, 0);
  hand_out(0);
  answer_calls();
  EXPECT_EQ(http.started, static_cast<std::size_t>(count) + 1);
  const auto all = chunks();
  EXPECT_EQ(std::ranges::count_if(all, &events::Chunk::done), count + 1) << "nothing is answered a second time";
}

TEST_F(AnotherLogTest, AnEventAtAKnownOffsetShowsThatAuditWentBack) {
  assign();
  request("a0");
  answer_all();
  look();
  request("a1");
  settle();
  logs[{"llm.audit", 0}].resize(3);  // the claim, and all about a0
  answer_all();                      // the log is as long as it was before anybody looks
  const auto all = answers_of("a1");
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all.back().finish_reason, "stop");
  EXPECT_EQ(group->stored[place].first, 2);
  EXPECT_EQ(router_metrics.repairs.value(), 1U);
  EXPECT_EQ(router_metrics.topics_replaced.value(), 1U);
}

TEST_F(AnotherLogTest, ClaimInThePlaceOfALostEventShowsThatAuditWentBack) {
  assign();
  request("a0");
  settle();
  answer(http.newest());
  settle();
  wake_after(1s);  // no look comes in between, so the newest events bear no witness yet
  settle();
  ASSERT_EQ(group->stored[place].first, 1);
  logs[{"llm.audit", 0}].resize(2);  // the response is gone, and the next claim takes its place
  const auto kept = group->stored;
  make_core({});
  group->stored = kept;
  assign();
  answer_all();
  EXPECT_EQ(router_metrics.topics_replaced.value(), 1U);
  const auto responses = audit(Kind::response);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_TRUE(responses[0].recovered);
  EXPECT_EQ(answers_of("a0").size(), 1U);
  EXPECT_EQ(http.started, 1U) << "its whole answer is in the log";
  EXPECT_EQ(router_metrics.repairs.value(), 1U);
}

// The release takes the place of the lost response, and the next claim lies where the last commit said that the log
// ends. Only the owner that gave the partition up has seen what happened.
TEST_F(AnotherLogTest, ReleaseInThePlaceOfALostEventIsToldToTheNextOwner) {
  assign();
  request("a0");
  settle();
  answer(http.newest());
  settle();
  wake_after(1s);
  settle();
  ASSERT_EQ(group->stored[place].first, 1);
  logs[{"llm.audit", 0}].resize(2);  // the response is gone
  core->consumer_listener().on_revoked({{.topic = "chat.requests", .partition = 0}});
  settle();
  ASSERT_EQ(audit(Kind::released).size(), 1U);
  EXPECT_EQ(group->stored[place].first, 1) << "it was answered";
  const auto metadata = events::decode_commit_metadata(group->stored[place].second);
  ASSERT_TRUE(metadata);
  EXPECT_TRUE(metadata->tails_by_time);
  EXPECT_TRUE(metadata->requests_log.knows()) << "or nobody would notice that chat.requests is created again";
  EXPECT_FALSE(metadata->audit_log.knows());
  const auto kept = group->stored;
  make_core({});
  group->stored = kept;
  assign();
  answer_all();
  const auto responses = audit(Kind::response);
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_TRUE(responses[0].recovered);
  EXPECT_EQ(answers_of("a0").size(), 1U);
  EXPECT_EQ(http.started, 1U) << "its whole answer is in the log";
}

TEST_F(AnotherLogTest, IdleOwnerCommitsWitnessesOfItsNewestRecords) {
  assign();
  request("a0");
  settle();
  answer(http.newest());
  settle();
  wake_after(1s);
  settle();
  const auto early = events::decode_commit_metadata(group->stored[place].second);
  ASSERT_TRUE(early);
  look();
  answer_all();
  const auto late = events::decode_commit_metadata(group->stored[place].second);
  ASSERT_TRUE(late);
  EXPECT_LT(early->audit_log.offset, 2);
  EXPECT_EQ(late->audit_log.offset, 2);
  EXPECT_EQ(late->chunks_log.offset, 1);
  EXPECT_EQ(late->requests_log.offset, 0);
  const auto commits = router_metrics.commits.value();
  answer_all();
  EXPECT_EQ(router_metrics.commits.value(), commits) << "once is enough";
}

TEST_F(AnotherLogTest, ChunksReadAtATakeoverAreAWitnessToo) {
  assign();
  request("a0");
  settle();
  http.head(http.newest());
  speak(http.newest(), "half");
  settle();
  make_core({});
  assign();
  const auto metadata = events::decode_commit_metadata(group->stored[place].second);
  ASSERT_TRUE(metadata);
  EXPECT_GT(metadata->chunks_log.position, 0);
  EXPECT_EQ(metadata->chunks_log.offset, 0);
}

TEST_F(AnotherLogTest, ARecordBelowThePositionIsAskedAboutAtOnce) {
  assign();
  for (const auto* id : {"a0", "a1"}) request(id);
  answer_all();
  settle();
  create_again("chat.requests");
  append("b0");
  const auto looked = questions.looked;
  hand_out(0);
  wake_after(500ms);
  EXPECT_GT(questions.looked, looked);
  settle();
  hand_out(0);
  answer_all();
  EXPECT_EQ(answers_of("b0").size(), 1U);
}

TEST_F(AnotherLogTest, ARestartFindsThatItsCommitIsOfAnotherLog) {
  struct Row {
    const char* name;
    int records;  ///< in the new log
  };
  for (const auto& row :
       {Row{"the committed offset is beyond its end", 2}, Row{"within it", 10}, Row{"at its end", 4}}) {
    logs.clear();
    next_offset = 0;
    make_core({});
    assign();
    for (const auto* id : {"a0", "a1", "a2", "a3"}) request(id);
    answer_all();
    const auto kept = group->stored;
    create_again("chat.requests");
    wake_after(1s);
    for (int i = 0; i < row.records; ++i) append("b" + std::to_string(i));
    make_core({});
    group->stored = kept;
    core->consumer_listener().on_assigned({place});
    // A consumer that is told to begin at 4.
    hand_out(row.records < 4 ? 0 : 4);
    settle();
    ASSERT_FALSE(group->sought.empty()) << row.name;
    hand_out(group->sought.back().offset);
    answer_all();
    for (int i = 0; i < row.records; ++i) {
      ASSERT_EQ(answers_of("b" + std::to_string(i)).size(), 1U) << row.name << i;
    }
    EXPECT_EQ(group->stored[place].first, row.records) << row.name;
  }
}

TEST_F(AnotherLogTest, ARestartWithoutACommitAnswersTheNewLog) {
  assign();
  for (const auto* id : {"a0", "a1", "a2", "a3"}) request(id);
  answer_all();
  create_again("chat.requests");
  wake_after(1s);
  append("a0");  // the same name at the same offset, within the window
  append("b1");
  make_core({});
  assign();
  hand_out(0);
  answer_all();
  ASSERT_EQ(answers_of("b1").size(), 1U);
  EXPECT_EQ(answers_of("b1")[0].finish_reason, "stop");
  EXPECT_EQ(answers_of("a0").size(), 2U) << "whatever it is answered, it is answered";
}

TEST_F(AnotherLogTest, AuditCreatedAgainIsClaimedAgain) {
  assign();
  for (const auto* id : {"a0", "a1", "a2"}) request(id);
  answer_all();
  request("a3");
  settle();
  create_again("llm.audit");
  request("b0", "", "other");
  look();
  answer_all();
  request("b1");
  answer_all();
  for (const auto* id : {"a3", "b0", "b1"}) {
    const auto all = answers_of(id);
    ASSERT_EQ(all.size(), 1U) << id;
    EXPECT_EQ(all[0].finish_reason, "stop") << id;
  }
  EXPECT_EQ(group->stored[place].first, 6);
  EXPECT_TRUE(losses().empty());
  const auto metadata = events::decode_commit_metadata(group->stored[place].second);
  ASSERT_TRUE(metadata);
  EXPECT_LE(metadata->audit_offset.value(), static_cast<std::int64_t>(logs[{"llm.audit", 0}].size()));
}

TEST_F(AnotherLogTest, AuditCreatedAgainAndLongerThanBefore) {
  assign();
  request("a0");
  answer_all();
  create_again("llm.audit");
  wake_after(1s);
  for (int i = 0; i < 50; ++i)
    logs[{"llm.audit", 0}].push_back({.value = R"({"type":"other"})", .timestamp_ms = environment.wall.count()});
  look();
  request("b0");
  answer_all();
  EXPECT_EQ(answers_of("b0").size(), 1U);
  EXPECT_GE(router_metrics.repairs.value(), 1U);
}

TEST_F(AnotherLogTest, ChunksCreatedAgainInterruptAndRunAgain) {
  assign();
  request("a0");
  answer_all();
  request("a1");
  settle();
  http.head(http.newest());
  speak(http.newest(), "half");
  settle();
  create_again("chat.chunks");
  look();
  answer_all();
  const auto all = answers_of("a1");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].finish_reason, "stop");
  EXPECT_EQ(all[0].attempt % 1000, 1);
  const auto metadata = events::decode_commit_metadata(group->stored[place].second);
  ASSERT_TRUE(metadata);
  EXPECT_LE(metadata->chunk_offset.value(), static_cast<std::int64_t>(logs[{"chat.chunks", 0}].size()));
}

TEST_F(AnotherLogTest, ARestartDoesNotBelievePositionsOfAnotherAudit) {
  assign();
  for (const auto* id : {"a0", "a1"}) request(id);
  answer_all();
  const auto kept = group->stored;
  create_again("llm.audit");
  create_again("chat.chunks");
  make_core({});
  group->stored = kept;
  assign();
  request("b0");
  answer_all();
  EXPECT_EQ(answers_of("b0").size(), 1U);
  EXPECT_EQ(group->stored[place].first, 3);
}

TEST_F(AnotherLogTest, WithoutAnAnswerARestartGoesOnAfterAWhile) {
  assign();
  request("a0");
  answer_all();
  const auto kept = group->stored;
  make_core({});
  group->stored = kept;
  questions.silent = true;
  assign();
  request("b0");
  answer_all();
  EXPECT_EQ(answers_of("b0").size(), 1U);
}

TEST_F(AnotherLogTest, DeadLettersCreatedAgainAreSaidOnce) {
  assign();
  for (int i = 0; i < 2; ++i) record("no JSON", std::nullopt);
  answer_all();
  ASSERT_EQ((logs[{"chat.requests.dlq", 0}].size()), 2U);
  look();
  EXPECT_EQ(router_metrics.topics_replaced.value(), 0U);
  create_again("chat.requests.dlq");
  look();
  EXPECT_EQ(router_metrics.topics_replaced.value(), 1U);
  record("no JSON", std::nullopt);
  answer_all();
  look();
  EXPECT_EQ((logs[{"chat.requests.dlq", 0}].size()), 1U);
  EXPECT_EQ(router_metrics.topics_replaced.value(), 1U);
}

TEST_F(AnotherLogTest, TheSameLogsChangeNothing) {
  assign();
  for (int round = 0; round < 5; ++round) {
    request("a" + std::to_string(round));
    answer_all();
    look();
  }
  EXPECT_GT(questions.looked, 5);
  EXPECT_TRUE(group->sought.empty());
  EXPECT_EQ(router_metrics.repairs.value(), 0U);
  EXPECT_EQ(router_metrics.topics_replaced.value(), 0U);
}

TEST(TopicProblems, NameTheTopicAndTheCommand) {
  const topics::Names names;
  const std::map<std::string, std::int32_t> good{
      {"chat.requests", 4}, {"chat.chunks", 4}, {"llm.audit", 5}, {"chat.requests.dlq", 1}, {"chat.cancellations", 1}};
  EXPECT_TRUE(topic_problems(names, good).empty());
  auto grown = good;
  grown["chat.requests"] = 5;
  const auto told = topic_problems(names, grown);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0],
            "chat.chunks has 4 partitions and chat.requests has 5: requests in those without a pair wait; run: "
            "tokenrail topics apply");
  auto gone = good;
  gone.erase("llm.audit");
  EXPECT_EQ(topic_problems(names, gone),
            std::vector<std::string>{"topic llm.audit does not exist; run: tokenrail topics apply"});
}

TEST_F(AnotherLogTest, MissingTopicsAreShown) {
  assign();
  questions.partitions["chat.requests"] = 8;
  look();
  const auto all = core->conditions();
  const auto topics = std::ranges::find(all, "topics", &telemetry::Condition::name);
  ASSERT_NE(topics, all.end());
  EXPECT_TRUE(topics->problem.contains("tokenrail topics apply"));
}

}  // namespace
}  // namespace tokenrail::router
