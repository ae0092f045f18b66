// What only a real broker shows: admin requests, how a group really rebalances, the limit on commit metadata, and what
// a member that was put out of its group may still do. TOKENRAIL_TEST_KAFKA_BOOTSTRAP names the broker.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/kafka/ledger.hpp"
#include "tests/integration/kafka/real_broker.hpp"
#include "tests/unit/common/kafka/mock_cluster.hpp"

namespace tokenrail::kafka {
namespace {

using testing::fill;
using testing::MemberLog;
using testing::ReadLog;
using testing::Reports;
using testing::run_until;
using namespace std::chrono_literals;

class KafkaBroker : public testing::RealBroker {
 protected:
  void SetUp() override {
    RealBroker::SetUp();
    properties.insert(properties.end(), {{"session.timeout.ms", "6000"}, {"heartbeat.interval.ms", "500"}});
  }

  // Names that no other test uses: the broker outlives the test.
  std::string fresh(const std::string& what) {
    static std::atomic<int> count{0};
    return "it-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + "-" + what;
  }

  std::string new_topic(std::int32_t partitions, std::map<std::string, std::string> config = {}) {
    const std::string name = fresh("topic");
    const auto created = admin->create({{.name = name, .partitions = partitions, .config = std::move(config)}}, 20s);
    EXPECT_TRUE(created.has_value()) << created.error().detail;
    return name;
  }

  std::unique_ptr<GroupConsumer> join(MemberLog& log, const std::string& group, const std::string& topic,
                                      const Properties& more = {}) {
    Properties all = properties;
    all.insert(all.end(), more.begin(), more.end());
    auto joined = GroupConsumer::join(loop, {.properties = all, .group_id = group, .topics = {topic}}, log, metrics);
    EXPECT_TRUE(joined.has_value()) << joined.error().detail;
    log.consumer = joined->get();
    return std::move(*joined);
  }

  void leave(std::unique_ptr<GroupConsumer>& member) {
    bool left = false;
    member->leave([&] { left = true; });
    ASSERT_TRUE(run_until(loop, [&] { return left; }));
  }

  boost::asio::io_context loop;
  telemetry::Metrics metrics;
};

TEST_F(KafkaBroker, TopicsAreMadeDescribedGrownAndChanged) {
  const std::string name = fresh("topic");
  ASSERT_TRUE(admin
                  ->create({{.name = name,
                             .partitions = 3,
                             .config = {{"cleanup.policy", "compact"}, {"message.timestamp.type", "LogAppendTime"}}}},
                           20s)
                  .has_value());
  // The controller has it when a change returns; the broker that is asked learns it a moment later.
  const auto described_until = [&](const std::vector<std::string>& names, bool with_config, auto condition) {
    auto found = admin->describe(names, with_config, 20s);
    for (int asked = 0; asked < 10'000 && !(found && !found->empty() && condition((*found)[0])); ++asked)
      found = admin->describe(names, with_config, 20s);
    return found;
  };
  auto described = described_until({name, fresh("absent")}, true, [](const auto& topic) {
    return topic.partitions == 3 && topic.config.contains("cleanup.policy");
  });
  ASSERT_TRUE(described.has_value()) << described.error().detail;
  ASSERT_EQ(described->size(), 1U) << "a topic that does not exist is left out, and is not made by asking";
  EXPECT_EQ((*described)[0].partitions, 3);
  EXPECT_EQ((*described)[0].config["cleanup.policy"], "compact");
  EXPECT_EQ((*described)[0].config["message.timestamp.type"], "LogAppendTime");
  EXPECT_FALSE((*described)[0].config["retention.ms"].empty()) << "effective values, also those that were not set";

  ASSERT_TRUE(admin->alter_config(name, {{"retention.ms", "3600000"}}, 20s).has_value());
  described =
      described_until({name}, true, [](const auto& topic) { return topic.config.at("retention.ms") == "3600000"; });
  ASSERT_TRUE(described.has_value());
  EXPECT_EQ((*described)[0].config["retention.ms"], "3600000");
  EXPECT_EQ((*described)[0].config["cleanup.policy"], "compact") << "what was set before stays";

  ASSERT_TRUE(admin->grow(name, 5, 20s).has_value());
  described = described_until({name}, false, [](const auto& topic) { return topic.partitions == 5; });
  ASSERT_TRUE(described.has_value());
  EXPECT_EQ((*described)[0].partitions, 5);
  EXPECT_TRUE((*described)[0].config.empty());
}

TEST_F(KafkaBroker, AdminErrorsSayWhatIsWrongWithWhat) {
  const std::string name = new_topic(2);
  const auto again = admin->create({{.name = name, .partitions = 2}}, 20s);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().kind, ErrorKind::rejected);
  EXPECT_NE(again.error().detail.find(name), std::string::npos) << again.error().detail;

  const auto shrunk = admin->grow(name, 1, 20s);
  ASSERT_FALSE(shrunk.has_value());
  EXPECT_EQ(shrunk.error().kind, ErrorKind::invalid_input) << shrunk.error().detail;
  EXPECT_NE(shrunk.error().detail.find(name), std::string::npos) << shrunk.error().detail;

  const auto wrong =
      admin->create({{.name = fresh("topic"), .partitions = 1, .config = {{"no.such.setting", "1"}}}}, 20s);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().kind, ErrorKind::invalid_input) << wrong.error().detail;

  const auto marks = admin->watermarks({.topic = fresh("absent"), .partition = 0}, 5s);
  ASSERT_FALSE(marks.has_value());
  EXPECT_EQ(marks.error().kind, ErrorKind::not_found) << marks.error().detail;
}

TEST_F(KafkaBroker, NamesMissingBroker) {
  const auto lost = Admin::connect({{"bootstrap.servers", "127.0.0.1:1"}});
  ASSERT_TRUE(lost.has_value());
  const auto described = (*lost)->describe({"x"}, false, 500ms);
  ASSERT_FALSE(described.has_value());
  EXPECT_EQ(described.error().kind, ErrorKind::unavailable);
  EXPECT_NE(described.error().detail.find("127.0.0.1:1"), std::string::npos) << described.error().detail;
}

TEST_F(KafkaBroker, WatermarksAndTheReaderSeeWhatWasProduced) {
  const std::string topic = new_topic(2, {{"message.timestamp.type", "LogAppendTime"}});
  fill(loop, properties, topic, 1, 120);
  const auto marks = admin->watermarks({.topic = topic, .partition = 1}, 20s);
  ASSERT_TRUE(marks.has_value()) << marks.error().detail;
  EXPECT_EQ(marks->first, 0);
  EXPECT_EQ(marks->next, 120);

  ReadLog log;
  auto reader = LogReader::make(loop, {.properties = properties}, log, metrics);
  ASSERT_TRUE(reader.has_value());
  (*reader)->start({{.partition = {.topic = topic, .partition = 0}, .offset = offset_beginning},
                    {.partition = {.topic = topic, .partition = 1}, .offset = 100}});
  ASSERT_TRUE(run_until(loop, [&] { return log.ends.size() == 2; }));
  ASSERT_EQ(log.records.size(), 20U);
  EXPECT_EQ(log.records[0].offset, 100);
  EXPECT_TRUE(log.records[0].log_append_time);
  EXPECT_EQ((log.ends[{.topic = topic, .partition = 1}]), 120);
}

TEST_F(KafkaBroker, KeepsMetadataOf4096CharactersAndRefusesMore) {
  const std::string topic = new_topic(1);
  const std::string group = fresh("group");
  const TopicPartition partition{.topic = topic, .partition = 0};
  MemberLog log;
  auto member = join(log, group, topic);
  ASSERT_TRUE(run_until(loop, [&] { return log.assignments == 1; }));

  std::optional<Result<std::vector<Committed>>> answer;
  member->committed({partition}, [&](Result<std::vector<Committed>> result) { answer = std::move(result); });
  ASSERT_TRUE(run_until(loop, [&] { return answer.has_value(); }));
  ASSERT_TRUE(answer->has_value()) << answer->error().detail;
  ASSERT_EQ((*answer)->size(), 1U);
  EXPECT_FALSE((**answer)[0].offset.has_value());

  member->commit(1, partition, 7, std::string(4096, 'x'));
  ASSERT_TRUE(run_until(loop, [&] { return log.commits.size() == 1; }));
  EXPECT_EQ(log.commits[0].outcome, CommitOutcome::ok) << log.commits[0].detail;
  member->commit(2, partition, 8, std::string(4097, 'y'));
  ASSERT_TRUE(run_until(loop, [&] { return log.commits.size() == 2; }));
  EXPECT_EQ(log.commits[1].outcome, CommitOutcome::failed);

  answer.reset();
  member->committed({partition}, [&](Result<std::vector<Committed>> result) { answer = std::move(result); });
  ASSERT_TRUE(run_until(loop, [&] { return answer.has_value(); }));
  ASSERT_TRUE(answer->has_value()) << answer->error().detail;
  EXPECT_EQ((**answer)[0].offset, 7);
  EXPECT_EQ((**answer)[0].metadata, std::string(4096, 'x'));
  leave(member);

  const auto seen = admin->committed(group, {partition}, 20s);
  ASSERT_TRUE(seen.has_value()) << seen.error().detail;
  ASSERT_EQ(seen->size(), 1U);
  EXPECT_EQ((*seen)[0].offset, 7);
}

TEST_F(KafkaBroker, ListsMembersOfAGroup) {
  const std::string topic = new_topic(2);
  const std::string group = fresh("group");
  const auto nobody = admin->members(group, 20s);
  ASSERT_TRUE(nobody.has_value()) << nobody.error().detail;
  EXPECT_TRUE(nobody->members.empty());

  MemberLog log;
  auto member = join(log, group, topic);
  ASSERT_TRUE(run_until(loop, [&] { return log.assigned.size() == 2; }));
  const auto one = admin->members(group, 20s);
  ASSERT_TRUE(one.has_value()) << one.error().detail;
  ASSERT_EQ(one->members.size(), 1U);
  EXPECT_FALSE(one->rebalancing);
  ASSERT_EQ(one->members[0].partitions.size(), 2U);
  EXPECT_EQ(one->members[0].partitions[0].topic, topic);
  EXPECT_FALSE(one->members[0].client_id.empty());

  leave(member);
  const auto left = admin->members(group, 20s);
  ASSERT_TRUE(left.has_value()) << left.error().detail;
  EXPECT_TRUE(left->members.empty());
}

TEST_F(KafkaBroker, TwoMembersRebalanceWithAnOrderlyRelease) {
  const std::string topic = new_topic(4);
  const std::string group = fresh("group");
  for (std::int32_t partition = 0; partition < 4; ++partition) fill(loop, properties, topic, partition, 200);

  MemberLog one_log;
  auto one = join(one_log, group, topic);
  ASSERT_TRUE(run_until(loop, [&] { return one_log.records.size() == 800; }));
  // What is complete is committed before the release, as a worker does it.
  one_log.give = false;
  std::uint64_t token = 0;
  one_log.before_release = [&] {
    for (const auto& partition : one_log.revoked.back()) one->commit(++token, partition, 200, "tr1 1 0 0");
  };
  MemberLog other_log;
  other_log.from = 200;
  auto other = join(other_log, group, topic);
  ASSERT_TRUE(run_until(loop, [&] { return one_log.commits.size() == 4; }));
  EXPECT_EQ(other_log.assignments, 0) << "no member gets anything before the release";
  for (const auto& commit : one_log.commits) EXPECT_EQ(commit.outcome, CommitOutcome::ok) << commit.detail;
  one_log.from = 200;
  one_log.before_release = nullptr;
  one_log.give = true;
  one_log.records.clear();
  one->release();
  ASSERT_TRUE(run_until(loop, [&] { return one_log.assigned.size() == 2 && other_log.assigned.size() == 2; }));
  std::set<TopicPartition> all(one_log.assigned.begin(), one_log.assigned.end());
  all.insert(other_log.assigned.begin(), other_log.assigned.end());
  EXPECT_EQ(all.size(), 4U);

  for (std::int32_t partition = 0; partition < 4; ++partition) fill(loop, properties, topic, partition, 50);
  ASSERT_TRUE(run_until(loop, [&] { return one_log.records.size() + other_log.records.size() >= 200; }));
  EXPECT_EQ(one_log.records.size(), 100U);
  EXPECT_EQ(other_log.records.size(), 100U);
  for (const auto* log : {&one_log, &other_log})
    for (const auto& record : log->records) {
      EXPECT_GE(record.offset, 200);
      EXPECT_EQ(std::count(log->assigned.begin(), log->assigned.end(),
                           TopicPartition{.topic = topic, .partition = record.partition}),
                1);
    }
  leave(one);
  ASSERT_TRUE(run_until(loop, [&] { return other_log.assigned.size() == 4; }));
  leave(other);
}

TEST_F(KafkaBroker, ReplacesVanishedMemberAtSessionEnd) {
  const std::string topic = new_topic(2);
  const std::string group = fresh("group");
  MemberLog gone_log;
  auto gone = join(gone_log, group, topic);
  ASSERT_TRUE(run_until(loop, [&] { return gone_log.assigned.size() == 2; }));
  gone_log.consumer = nullptr;
  gone.reset();  // as a crash: it does not leave
  MemberLog next_log;
  auto next = join(next_log, group, topic);
  ASSERT_TRUE(run_until(loop, [&] { return next_log.assigned.size() == 2; }));
  leave(next);
}

TEST_F(KafkaBroker, LateReleaseLosesPartitionsAndJoinsAgain) {
  const std::string topic = new_topic(2);
  const std::string group = fresh("group");
  MemberLog slow_log;
  slow_log.give = false;
  // The broker waits for max.poll.interval.ms of the members for their release.
  auto slow = join(slow_log, group, topic, {{"max.poll.interval.ms", "6000"}});
  ASSERT_TRUE(run_until(loop, [&] { return slow_log.assigned.size() == 2; }));
  MemberLog next_log;
  auto next = join(next_log, group, topic, {{"max.poll.interval.ms", "6000"}});
  ASSERT_TRUE(run_until(loop, [&] { return slow_log.revoked.size() == 1; }));
  // librdkafka says nothing here, although the group goes on without this member.
  ASSERT_TRUE(run_until(loop, [&] { return slow_log.lost.size() == 1; }));
  EXPECT_EQ(slow_log.lost[0], slow_log.revoked[0]);
  slow->release();  // too late, and harmless
  ASSERT_TRUE(run_until(loop, [&] { return slow_log.assigned.size() == 1 && next_log.assigned.size() == 1; }))
      << "it joins again by itself";
  slow_log.give = true;
  leave(slow);
  leave(next);
}

TEST_F(KafkaBroker, NextMemberReadsFromTheLedgersOffset) {
  const std::string topic = new_topic(1);
  const std::string group = fresh("group");
  const TopicPartition partition{.topic = topic, .partition = 0};
  fill(loop, properties, topic, 0, 100);
  OffsetLedger ledger(0);
  MemberLog log;
  auto member = join(log, group, topic);
  ASSERT_TRUE(run_until(loop, [&] { return log.records.size() == 100; }));
  for (const auto& record : log.records) ASSERT_TRUE(ledger.delivered(record.offset));
  for (std::int64_t offset = 99; offset >= 0; --offset)  // in the wrong order, one of them never
    if (offset != 40) ASSERT_TRUE(ledger.complete(offset));
  member->commit(1, partition, ledger.committable(), "tr1 1 0 0");
  ASSERT_TRUE(run_until(loop, [&] { return log.commits.size() == 1; }));
  leave(member);

  const auto committed = admin->committed(group, {partition}, 20s);
  ASSERT_TRUE(committed.has_value());
  ASSERT_EQ((*committed)[0].offset, 40);
  MemberLog next_log;
  next_log.from = *(*committed)[0].offset;
  auto next = join(next_log, group, topic);
  ASSERT_TRUE(run_until(loop, [&] { return next_log.records.size() == 60; }));
  EXPECT_EQ(next_log.records[0].offset, 40);
  leave(next);
}

TEST_F(KafkaBroker, LargeRecordPassesWithRaisedLimits) {
  constexpr std::size_t size = 20 * 1024 * 1024;
  const std::string topic = new_topic(1, {{"max.message.bytes", "33554432"}});
  Properties raised = properties;
  raised.emplace_back("message.max.bytes", "33554432");
  Reports reports;
  auto producer = Producer::make(loop, {.properties = raised}, reports, metrics);
  ASSERT_TRUE(producer.has_value()) << producer.error().detail;
  const auto handle = (*producer)->topic(topic);
  ASSERT_EQ((*producer)->produce(handle, 0, "k", std::string(size, 'z'), nullptr, 1), Produced::accepted);
  ASSERT_EQ((*producer)->produce(handle, 0, "k", "small", nullptr, 2), Produced::accepted);
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 2; }));
  ASSERT_TRUE(reports.all[0].ok) << reports.all[0].detail;

  MemberLog log;
  auto member = join(log, fresh("group"), topic);  // whose own limits are the small ones
  ASSERT_TRUE(run_until(loop, [&] { return log.records.size() == 2; }));
  EXPECT_EQ(log.records[0].value->size(), size);
  EXPECT_EQ(log.records[1].value, "small");
  leave(member);
}

TEST_F(KafkaBroker, ReportsRecordAboveTopicsLimit) {
  const std::string topic = new_topic(1, {{"max.message.bytes", "10000"}});
  Reports reports;
  auto producer = Producer::make(loop, {.properties = properties}, reports, metrics);
  ASSERT_TRUE(producer.has_value());
  const auto handle = (*producer)->topic(topic);
  ASSERT_EQ((*producer)->produce(handle, 0, "k", std::string(50'000, 'z'), nullptr, 1), Produced::accepted);
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 1; }));
  EXPECT_FALSE(reports.all[0].ok);
  EXPECT_NE(reports.all[0].detail.find("too large"), std::string::npos) << reports.all[0].detail;
}

}  // namespace
}  // namespace tokenrail::kafka
