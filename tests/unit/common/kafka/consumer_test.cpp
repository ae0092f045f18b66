#include "common/kafka/consumer.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/common/kafka/mock_cluster.hpp"

namespace tokenrail::kafka {
namespace {

using testing::fill;
using testing::MemberLog;
using testing::MockCluster;
using testing::run_until;

constexpr std::int16_t offset_commit_key = 8;
constexpr std::int16_t offset_fetch_key = 9;

// The mock lets three seconds pass before a group's first generation, so each test here does several things.
// For tests whose group does not rebalance, which would take so long: no stall of the machine ends this session.
const Properties long_session{{"session.timeout.ms", "60000"}};

class KafkaGroupConsumer : public ::testing::Test {
 protected:
  KafkaGroupConsumer() { cluster.topic("in", 2); }

  std::unique_ptr<GroupConsumer> join(MemberLog& log, const Properties& more = {}) {
    auto joined = GroupConsumer::join(
        loop, {.properties = cluster.properties(more), .group_id = "workers", .topics = {"in"}}, log, metrics);
    EXPECT_TRUE(joined.has_value()) << joined.error().detail;
    log.consumer = joined->get();
    return std::move(*joined);
  }

  void leave(std::unique_ptr<GroupConsumer>& member) {
    bool left = false;
    member->leave([&] { left = true; });
    ASSERT_TRUE(run_until(loop, [&] { return left; }));
  }

  static TopicPartition part(std::int32_t partition) { return {.topic = "in", .partition = partition}; }

  MockCluster cluster;
  boost::asio::io_context loop;
  telemetry::Metrics metrics;
};

TEST_F(KafkaGroupConsumer, StopsAndContinuesWithoutGaps) {
  fill(loop, cluster.properties(), "in", 0, 3000, 500);
  MemberLog log;
  // Little is fetched ahead, so that the stops really reach back to the broker.
  Properties little_ahead{{"queued.max.messages.kbytes", "64"}, {"queued.min.messages", "50"}};
  little_ahead.insert(little_ahead.end(), long_session.begin(), long_session.end());
  auto member = join(log, little_ahead);
  log.then = [&] {
    if (log.records.size() % 500 == 0) member->set_reading(false);
  };
  for (std::size_t due = 500; due <= 3000; due += 500) {
    ASSERT_TRUE(run_until(loop, [&] { return log.records.size() >= due; }));
    loop.restart();
    loop.run_for(std::chrono::milliseconds(50));  // whatever is on its way has the time to come
    ASSERT_EQ(log.records.size(), due) << "records came while not reading";
    member->set_reading(true);
  }
  for (std::size_t i = 0; i < 3000; ++i) ASSERT_EQ(log.records[i].offset, static_cast<std::int64_t>(i));
  EXPECT_TRUE(member->connected());

  const std::set<TopicPartition> ours(log.assigned.begin(), log.assigned.end());
  EXPECT_EQ(ours, (std::set<TopicPartition>{part(0), part(1)}));
  log.before_release = [&] { member->commit(77, part(0), 3000, "tr1 9 1 1"); };
  leave(member);
  ASSERT_EQ(log.revoked.size(), 1U);
  EXPECT_EQ(log.revoked[0].size(), 2U);
  EXPECT_TRUE(log.lost.empty());
  ASSERT_EQ(log.commits.size(), 1U) << "a commit made before the release still counts";
  EXPECT_EQ(log.commits[0].outcome, CommitOutcome::ok) << log.commits[0].detail;
}

TEST_F(KafkaGroupConsumer, CommitsWithMetadataAndReadsThemBack) {
  MemberLog log;
  auto member = join(log, long_session);
  ASSERT_TRUE(run_until(loop, [&] { return log.assignments > 0; }));

  std::optional<Result<std::vector<Committed>>> answer;
  const auto ask = [&] {
    answer.reset();
    member->committed({part(0), part(1)}, [&](Result<std::vector<Committed>> result) { answer = std::move(result); });
    EXPECT_FALSE(answer.has_value()) << "the answer never comes inside the question";
    ASSERT_TRUE(run_until(loop, [&] { return answer.has_value(); }));
    ASSERT_TRUE(answer->has_value()) << answer->error().detail;
    ASSERT_EQ((*answer)->size(), 2U);
    std::sort((*answer)->begin(), (*answer)->end(),
              [](const auto& a, const auto& b) { return a.partition < b.partition; });
  };
  ASSERT_NO_FATAL_FAILURE(ask());
  EXPECT_FALSE((**answer)[0].offset.has_value()) << "never committed";

  const std::string metadata(4096, 'm');
  member->commit(1, part(0), 5, metadata);
  member->commit(2, part(1), 0, "");
  ASSERT_TRUE(run_until(loop, [&] { return log.commits.size() == 2; }));
  for (const auto& commit : log.commits) {
    EXPECT_EQ(commit.outcome, CommitOutcome::ok) << commit.detail;
    EXPECT_EQ(commit.partition, part(commit.token == 1 ? 0 : 1));
  }
  ASSERT_NO_FATAL_FAILURE(ask());
  EXPECT_EQ((**answer)[0].offset, 5);
  EXPECT_EQ((**answer)[0].metadata, metadata);
  EXPECT_EQ((**answer)[1].offset, 0);
  EXPECT_EQ((**answer)[1].metadata, "");

  // A coordinator that is still loading is asked again.
  rd_kafka_mock_push_request_errors(cluster.get(), offset_fetch_key, 2, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                    RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
  ASSERT_NO_FATAL_FAILURE(ask());
  EXPECT_EQ((**answer)[0].offset, 5);

  // What no repetition fixes is reported at once.
  rd_kafka_mock_push_request_errors(cluster.get(), offset_fetch_key, 1, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
  answer.reset();
  member->committed({part(0)}, [&](Result<std::vector<Committed>> result) { answer = std::move(result); });
  ASSERT_TRUE(run_until(loop, [&] { return answer.has_value(); }));
  ASSERT_FALSE(answer->has_value());
  EXPECT_EQ(answer->error().kind, ErrorKind::forbidden);
  EXPECT_NE(answer->error().detail.find("workers"), std::string::npos) << answer->error().detail;
  leave(member);
}

TEST_F(KafkaGroupConsumer, ReadsCommitsAfterCoordinatorMoved) {
  MockCluster two(2);
  two.topic("in", 2);
  rd_kafka_mock_coordinator_set(two.get(), "group", "workers", 1);
  MemberLog log;
  auto joined = GroupConsumer::join(
      loop, {.properties = two.properties(long_session), .group_id = "workers", .topics = {"in"}}, log, metrics);
  ASSERT_TRUE(joined.has_value()) << joined.error().detail;
  auto member = std::move(*joined);
  log.consumer = member.get();
  ASSERT_TRUE(run_until(loop, [&] { return log.assignments > 0; }));

  std::optional<Result<std::vector<Committed>>> answer;
  const auto ask = [&] {
    answer.reset();
    member->committed({part(0)}, [&](Result<std::vector<Committed>> result) { answer = std::move(result); });
    return run_until(loop, [&] { return answer.has_value(); }) && answer->has_value();
  };
  ASSERT_TRUE(ask());
  // The first broker lives on and says that it is the wrong one, however often it is asked.
  rd_kafka_mock_coordinator_set(two.get(), "group", "workers", 2);
  for (int i = 0; i < 200; ++i)
    rd_kafka_mock_broker_push_request_error_rtts(two.get(), 1, offset_fetch_key, 1, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                                                 0);
  EXPECT_TRUE(ask()) << (answer && !*answer ? answer->error().detail : "no answer");
  leave(member);
}

TEST_F(KafkaGroupConsumer, ClassifiesRefusedCommits) {
  MemberLog log;
  auto member = join(log);
  ASSERT_TRUE(run_until(loop, [&] { return log.assignments > 0; }));
  struct Row {
    rd_kafka_resp_err_t error;
    CommitOutcome outcome;
  };
  // Last what makes librdkafka take the assignment away.
  const std::vector<Row> rows = {
      {RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, CommitOutcome::failed},
      {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, CommitOutcome::failed},
      {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, CommitOutcome::not_owner},
      {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, CommitOutcome::not_owner},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(rd_kafka_err2name(rows[i].error));
    rd_kafka_mock_push_request_errors(cluster.get(), offset_commit_key, 1, rows[i].error);
    member->commit(i, part(0), 1, "m");
    ASSERT_TRUE(run_until(loop, [&] { return log.commits.size() == i + 1; }));
    EXPECT_EQ(log.commits[i].outcome, rows[i].outcome) << log.commits[i].detail;
    EXPECT_FALSE(log.commits[i].detail.empty());
  }
  // The generation was refused: everything is lost, and nothing has to be released.
  ASSERT_TRUE(run_until(loop, [&] { return log.lost.size() == 1; }));
  EXPECT_EQ(log.lost[0].size(), 2U);
  EXPECT_TRUE(log.revoked.empty());
  // It joins again by itself.
  ASSERT_TRUE(run_until(loop, [&] { return log.assignments == 2 && log.assigned.size() == 2; }));
  leave(member);
}

TEST_F(KafkaGroupConsumer, ReturnedPartitionHasNoRecordsOfOldAssignment) {
  fill(loop, cluster.properties(), "in", 0, 400);
  fill(loop, cluster.properties(), "in", 1, 400);
  MemberLog one_log;
  auto one = join(one_log);
  one_log.then = [&] {
    if (one_log.records.size() == 20) one->set_reading(false);  // the rest is fetched already, in the queue
  };
  ASSERT_TRUE(run_until(loop, [&] { return one_log.records.size() == 20; }));

  one_log.forget = true;
  MemberLog other_log;
  other_log.forget = true;
  auto other = join(other_log);
  // The revoke is served although the records are not being read. (The mock may go round more than once.)
  const auto shared = [&] { return one_log.assigned.size() == 1 && other_log.assigned.size() == 1; };
  ASSERT_TRUE(run_until(loop, shared));
  EXPECT_NE(one_log.assigned, other_log.assigned);
  EXPECT_GE(one_log.revoked.size(), 1U);

  one_log.then = nullptr;
  one->set_reading(true);
  ASSERT_TRUE(
      run_until(loop, [&] { return shared() && one_log.records.size() >= 400 && other_log.records.size() >= 400; }));
  for (const auto* log : {&one_log, &other_log}) {
    ASSERT_EQ(log->records.size(), 400U);
    for (std::size_t i = 0; i < 400; ++i) {
      ASSERT_EQ(log->records[i].partition, log->assigned[0].partition);
      ASSERT_EQ(log->records[i].offset, static_cast<std::int64_t>(i));
    }
  }

  leave(other);
  other.reset();
  ASSERT_TRUE(run_until(loop, [&] { return one_log.assigned.size() == 2; })) << "who stays gets both";
  leave(one);
}

TEST_F(KafkaGroupConsumer, RefusedCommitDuringReleaseLosesPartitions) {
  // A session that a slow machine does not let run out: the revoke is to come in order.
  const Properties patient{{"session.timeout.ms", "8000"}};
  MemberLog one_log;
  one_log.give = false;
  auto one = join(one_log, patient);
  ASSERT_TRUE(run_until(loop, [&] { return one_log.assignments == 1; }));
  MemberLog other_log;
  auto other = join(other_log, patient);
  ASSERT_TRUE(run_until(loop, [&] { return one_log.revoked.size() == 1; }));
  rd_kafka_mock_push_request_errors(cluster.get(), offset_commit_key, 1, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
  one->commit(5, part(0), 1, "");
  ASSERT_TRUE(run_until(loop, [&] { return one_log.lost.size() == 1; }));
  ASSERT_EQ(one_log.commits.size(), 1U) << "the refusal is reported first";
  EXPECT_EQ(one_log.commits[0].outcome, CommitOutcome::not_owner);
  EXPECT_EQ(one_log.lost[0], one_log.revoked[0]);
  one_log.give = true;
  leave(other);
  leave(one);
}

TEST_F(KafkaGroupConsumer, ReadsOnlyFromTheGivenOffset) {
  fill(loop, cluster.properties(), "in", 0, 100);
  fill(loop, cluster.properties(), "in", 1, 100);
  MemberLog log;
  log.take = false;
  auto member = join(log, long_session);
  ASSERT_TRUE(run_until(loop, [&] { return log.assignments == 1; }));
  loop.restart();
  loop.run_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(log.records.empty()) << "nothing is read before assign()";
  member->assign({{.partition = part(0), .offset = 90}, {.partition = part(1), .offset = 5000}});
  ASSERT_TRUE(run_until(loop, [&] { return log.records.size() >= 110; }));
  std::array<std::vector<std::int64_t>, 2> offsets;
  for (const auto& record : log.records)
    offsets.at(static_cast<std::size_t>(record.partition)).push_back(record.offset);
  ASSERT_EQ(offsets[0].size(), 10U);
  EXPECT_EQ(offsets[0][0], 90);
  ASSERT_EQ(offsets[1].size(), 100U) << "an offset outside the log: from the earliest";
  EXPECT_EQ(offsets[1][0], 0);
  leave(member);
}

TEST_F(KafkaGroupConsumer, LeavesBeforeAndDuringAssignment) {
  MemberLog log;
  auto member = join(log);
  leave(member);
  EXPECT_EQ(log.assignments, 0);

  MemberLog waiting_log;
  waiting_log.take = false;
  auto waiting = join(waiting_log);
  ASSERT_TRUE(run_until(loop, [&] { return waiting_log.assignments == 1; }));
  leave(waiting);
  EXPECT_TRUE(waiting_log.revoked.empty()) << "what was never taken is not to be released";
  waiting->assign({{.partition = part(0), .offset = 0}});  // too late, and harmless
}

TEST_F(KafkaGroupConsumer, LeavesInBoundedTimeWhenNoBrokerAnswers) {
  MemberLog log;
  auto member = join(log);
  ASSERT_TRUE(run_until(loop, [&] { return log.assignments == 1; }));
  rd_kafka_mock_broker_set_down(cluster.get(), 1);
  bool left = false;
  member->leave([&] { left = true; });
  EXPECT_TRUE(run_until(loop, [&] { return left; }, std::chrono::seconds(25)));
  member.reset();
}

TEST_F(KafkaGroupConsumer, MayBeDestroyedInsideItsOwnCalls) {
  fill(loop, cluster.properties(), "in", 0, 10);
  MemberLog log;
  auto member = join(log, long_session);
  log.then = [&] {
    log.consumer = nullptr;
    member.reset();
  };
  ASSERT_TRUE(run_until(loop, [&] { return member == nullptr; }));
  loop.poll();
  EXPECT_EQ(log.records.size(), 1U);

  MemberLog never_log;
  auto never = join(never_log);
  never.reset();
}

TEST_F(KafkaGroupConsumer, GoesOnWhenTheBrokerIsBack) {
  fill(loop, cluster.properties(), "in", 0, 10);
  MemberLog log;
  auto member = join(log, long_session);
  ASSERT_TRUE(run_until(loop, [&] { return log.records.size() == 10; }));
  rd_kafka_mock_broker_set_down(cluster.get(), 1);
  loop.restart();
  loop.run_for(std::chrono::milliseconds(300));
  rd_kafka_mock_broker_set_up(cluster.get(), 1);
  fill(loop, cluster.properties(), "in", 0, 10);
  ASSERT_TRUE(run_until(loop, [&] { return log.records.size() >= 20; }));
  EXPECT_EQ(log.records[19].offset, 19);
  leave(member);
}

TEST_F(KafkaGroupConsumer, RefusesMissingGroupIdAndWrongProperty) {
  MemberLog log;
  const auto nameless =
      GroupConsumer::join(loop, {.properties = cluster.properties(), .group_id = "", .topics = {"in"}}, log, metrics);
  ASSERT_FALSE(nameless.has_value());
  EXPECT_EQ(nameless.error().kind, ErrorKind::invalid_input);
  const auto wrong = GroupConsumer::join(
      loop, {.properties = cluster.properties({{"session.timeout.ms", "-4"}}), .group_id = "workers", .topics = {"in"}},
      log, metrics);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_NE(wrong.error().detail.find("session.timeout.ms"), std::string::npos) << wrong.error().detail;
}

}  // namespace
}  // namespace tokenrail::kafka
