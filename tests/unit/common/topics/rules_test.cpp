#include "common/topics/rules.hpp"

#include <functional>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/events/epochs.hpp"

namespace tokenrail::topics {
namespace {

using kafka::TopicDescription;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Severity = Finding::Severity;

constexpr std::int64_t record_bytes = 100'000;

/// Three brokers, and every topic as it should be.
std::vector<TopicDescription> healthy(const Names& names) {
  std::vector<TopicDescription> all;
  const auto add = [&](const std::string& name, std::string_view cleanup, std::int64_t bytes) {
    all.push_back({.name = name,
                   .partitions = 3,
                   .config = {{"cleanup.policy", std::string(cleanup)},
                              {"max.message.bytes", std::to_string(bytes)},
                              {"segment.bytes", "1073741824"},
                              {"min.insync.replicas", "2"},
                              {"unclean.leader.election.enable", "false"},
                              {"message.timestamp.type", "LogAppendTime"}},
                   .config_error = {},
                   .replicas = 3,
                   .brokers = 3});
  };
  add(names.requests, "delete", 1'000'000);
  add(names.chunks, "delete", 1'000'000);
  add(names.audit, "delete", 1'000'000);
  add(names.dlq, "delete", 1'100'000);
  add(names.cancellations, "delete", 1'000'000);
  add(names.registry, "compact", 1'000'000);
  add(names.registry_events, "delete", 1'000'000);
  add(names.credentials, "compact", 1'000'000);
  return all;
}

class TopicRules : public testing::Test {
 protected:
  TopicDescription& topic(const std::string& name) { return *std::ranges::find(there, name, &TopicDescription::name); }
  void set(const std::string& name, const std::string& setting, const std::string& value) {
    topic(name).config[setting] = value;
  }
  void set(const std::string& name, const std::string& setting, std::int64_t value) {
    set(name, setting, std::to_string(value));
  }
  [[nodiscard]] std::vector<Finding> found() const { return judge(limits, names, there); }
  /// The one finding there is.
  Finding only() {
    const auto all = found();
    EXPECT_THAT(all, SizeIs(1));
    return all.empty() ? Finding{} : all.front();
  }

  Limits limits{.record_bytes_max = record_bytes};
  Names names = Names::with_prefix("eu.");
  std::vector<TopicDescription> there = healthy(names);
};

TEST_F(TopicRules, HealthyTopicsHaveNoFinding) {
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(TopicRules, IgnoresSettingsThatTheBrokerOmits) {
  for (auto& each : there) each.config.clear();
  for (auto& each : there) each.replicas = each.brokers = 0;
  EXPECT_THAT(found(), IsEmpty());
  there.clear();
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(TopicRules, IgnoresOneMissingTopicOrSetting) {
  const auto all = there;
  for (std::size_t i = 0; i < all.size(); ++i) {
    there.erase(there.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_THAT(found(), IsEmpty()) << all[i].name << " is missing";
    there = all;
    for (const auto& [setting, value] : all[i].config) {
      there[i].config.erase(setting);
      EXPECT_THAT(found(), IsEmpty()) << setting << " of " << all[i].name << " is unknown";
      there = all;
    }
  }
}

TEST_F(TopicRules, UnknownReplicaCountIsNoFinding) {
  topic(names.audit).replicas = 0;
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(TopicRules, OutputTakesLargestRecordWithItsFrame) {
  for (const auto& name : {names.chunks, names.audit}) {
    set(name, "max.message.bytes", record_bytes + record_frame_bytes);
    EXPECT_THAT(found(), IsEmpty()) << name;
    set(name, "max.message.bytes", record_bytes + record_frame_bytes - 1);
    const auto finding = only();
    EXPECT_EQ(finding.severity, Severity::problem);
    EXPECT_THAT(finding.topics, ElementsAre(name));
    EXPECT_EQ(line_of(finding), "max.message.bytes of " + name +
                                    " is 116383, but router.record_bytes_max is 100000 and a record needs 16384 bytes "
                                    "beside its value; lower the setting or raise the topic's limit");
    set(name, "max.message.bytes", 1'000'000);
  }
}

TEST_F(TopicRules, DeadLetterFitsTheRoutersProducer) {
  constexpr auto most = produced_bytes_max - dead_letter_frame_bytes;
  set(names.requests, "max.message.bytes", most);
  set(names.dlq, "max.message.bytes", produced_bytes_max);
  EXPECT_THAT(found(), IsEmpty());
  set(names.requests, "max.message.bytes", most + 1);
  const auto finding = only();
  EXPECT_EQ(finding.severity, Severity::problem);
  EXPECT_THAT(finding.text, HasSubstr("eu.chat.requests is 75431937"));
  EXPECT_THAT(finding.remedy, HasSubstr("75431936"));
}

TEST_F(TopicRules, TheDeadLetterTopicTakesEveryRequest) {
  set(names.dlq, "max.message.bytes", 1'000'000 + record_frame_bytes);
  EXPECT_THAT(found(), IsEmpty());
  set(names.dlq, "max.message.bytes", 1'000'000 + record_frame_bytes - 1);
  EXPECT_EQ(only().severity, Severity::warning);
  set(names.dlq, "max.message.bytes", 1'000'000);
  EXPECT_EQ(only().severity, Severity::warning);
  set(names.dlq, "max.message.bytes", 999'999);
  EXPECT_EQ(only().severity, Severity::problem);
}

TEST_F(TopicRules, ASegmentHoldsTheLargestBatch) {
  for (const auto& each : healthy(names)) {
    const auto limit = each.config.at("max.message.bytes");
    set(each.name, "segment.bytes", limit);
    EXPECT_THAT(found(), IsEmpty()) << each.name;
    set(each.name, "segment.bytes", std::stoll(limit) - 1);
    const auto finding = only();
    EXPECT_EQ(finding.severity, Severity::problem);
    EXPECT_THAT(finding.text, HasSubstr("segment.bytes of " + each.name));
    EXPECT_THAT(finding.remedy, HasSubstr(limit));
    set(each.name, "segment.bytes", "1073741824");
  }
}

TEST_F(TopicRules, ClientsReadTheLargestRecord) {
  limits.receive_bytes_max = 1'100'000 + record_frame_bytes;
  EXPECT_THAT(found(), IsEmpty());
  --limits.receive_bytes_max;
  const auto finding = only();
  EXPECT_THAT(finding.topics, ElementsAre(names.dlq));
  EXPECT_EQ(finding.severity, Severity::problem);
  EXPECT_THAT(line_of(finding), HasSubstr("set TOKENRAIL_KAFKA_RECEIVE_MESSAGE_MAX_BYTES to 1116384 or more"));
}

TEST_F(TopicRules, OnlyTheRegistryIsCompacted) {
  for (const auto& name :
       {names.requests, names.chunks, names.audit, names.dlq, names.cancellations, names.registry_events}) {
    for (const auto* policy : {"compact", "compact,delete", "delete,compact"}) {
      set(name, "cleanup.policy", policy);
      const auto finding = only();
      EXPECT_EQ(finding.severity, Severity::problem);
      EXPECT_THAT(finding.text, HasSubstr("cleanup.policy of " + name + " is " + policy));
    }
    set(name, "cleanup.policy", "delete");
  }
  for (const auto& name : {names.registry, names.credentials}) {
    for (const auto* policy : {"delete", "compact,delete", ""}) {
      set(name, "cleanup.policy", policy);
      EXPECT_EQ(only().severity, Severity::problem) << name << " " << policy;
    }
    set(name, "cleanup.policy", "compact");
  }
}

TEST_F(TopicRules, TooManyInSyncReplicasAreAProblem) {
  set(names.audit, "min.insync.replicas", "3");
  EXPECT_THAT(found(), IsEmpty());
  set(names.audit, "min.insync.replicas", "4");
  const auto finding = only();
  EXPECT_EQ(finding.severity, Severity::problem);
  EXPECT_EQ(
      finding.text,
      "min.insync.replicas of eu.llm.audit is 4, but a partition has 3 replicas: the brokers refuse every record");
}

TEST_F(TopicRules, RisksOfReplicationAreWarnings) {
  set(names.audit, "unclean.leader.election.enable", "true");
  EXPECT_THAT(only().text, HasSubstr("unclean.leader.election.enable of eu.llm.audit is true"));
  set(names.audit, "unclean.leader.election.enable", "false");

  set(names.audit, "min.insync.replicas", "1");
  EXPECT_THAT(only().text, HasSubstr("min.insync.replicas of eu.llm.audit is 1 with 3 replicas"));
  topic(names.audit).replicas = 2;
  EXPECT_THAT(found(), IsEmpty()) << "with two replicas, one must be allowed to be away";
  topic(names.audit).replicas = 1;
  EXPECT_THAT(only().text, HasSubstr("eu.llm.audit: 1 replica in a cluster of 3 brokers"));
  topic(names.audit).brokers = 1;
  EXPECT_THAT(found(), IsEmpty()) << "one broker has no place for a second";
  for (const auto& finding : found()) EXPECT_EQ(finding.severity, Severity::warning);
}

TEST_F(TopicRules, AlikeTopicsShareOneWarning) {
  for (auto& each : there) each.config["min.insync.replicas"] = "1";
  const auto finding = only();
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_THAT(finding.topics, SizeIs(8));
  EXPECT_THAT(finding.text, HasSubstr("eu.chat.requests, eu.chat.chunks, eu.llm.audit"));
}

TEST_F(TopicRules, TopicsThatDifferHaveAWarningEach) {
  for (const auto& name : {names.chunks, names.audit, names.dlq}) set(name, "unclean.leader.election.enable", "true");
  topic(names.audit).replicas = 2;
  set(names.dlq, "min.insync.replicas", "3");
  const auto all = found();
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_THAT(all[0].topics, ElementsAre(names.chunks));
  EXPECT_THAT(all[1].topics, ElementsAre(names.audit));
  EXPECT_THAT(all[2].topics, ElementsAre(names.dlq));
}

TEST_F(TopicRules, FewerOutputPartitionsFailAndMoreWarn) {
  topic(names.chunks).partitions = 2;
  EXPECT_EQ(only().severity, Severity::problem);
  EXPECT_THAT(only().topics, ElementsAre(names.requests, names.chunks));
  topic(names.chunks).partitions = 4;
  EXPECT_EQ(only().severity, Severity::warning);
}

TEST_F(TopicRules, AttemptNumbersDifferOnEveryPartition) {
  EXPECT_EQ(request_partitions_max, events::partitions_told_apart);
  for (const auto& name : {names.requests, names.chunks, names.audit}) topic(name).partitions = request_partitions_max;
  EXPECT_THAT(found(), IsEmpty());
  for (const auto& name : {names.requests, names.chunks, names.audit}) ++topic(name).partitions;
  const auto finding = only();
  EXPECT_EQ(finding.severity, Severity::problem);
  EXPECT_THAT(finding.topics, ElementsAre(names.requests));
  EXPECT_EQ(line_of(finding),
            "eu.chat.requests has 1025 partitions, but attempts have different numbers on at most 1024: readers could "
            "mix two answers; create it again with 1024 partitions or fewer (topics.partitions)");
}

TEST_F(TopicRules, ProblemsComeBeforeWarnings) {
  set(names.chunks, "message.timestamp.type", "CreateTime");
  set(names.registry, "cleanup.policy", "delete");
  const auto all = found();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].severity, Severity::problem);
  EXPECT_EQ(all[1].severity, Severity::warning);
}

TEST_F(TopicRules, AMissingRightToReadSettingsIsNamed) {
  topic(names.audit).config.clear();
  topic(names.audit).config_error = Error{ErrorKind::forbidden, "Topic authorization failed"};
  const auto finding = only();
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_EQ(finding.remedy, "grant DESCRIBE_CONFIGS on the topic eu.llm.audit");
  topic(names.audit).config_error = Error{ErrorKind::rejected, "this broker does not give settings"};
  EXPECT_THAT(found(), IsEmpty());
}

TEST(TopicNames, PrefixPrecedesEachName) {
  const auto plain = Names{}.all();
  const auto prefixed = Names::with_prefix("eu.").all();
  ASSERT_EQ(prefixed.size(), plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(prefixed[i], "eu." + plain[i]);
  EXPECT_EQ((std::set<std::string>(plain.begin(), plain.end()).size()), 8U);
}

TEST_F(TopicRules, TheLongestNameFitsBehindTheLongestPrefix) {
  const auto longest = Names::with_prefix(std::string(config::topic_prefix_bytes_max, 'x'));
  std::size_t most = 0;
  for (const auto& name : longest.all()) most = std::max(most, name.size());
  EXPECT_EQ(most, 249U) << "what Kafka takes";
}

TEST_F(TopicRules, LimitsComeFromTheSettings) {
  static constexpr std::array table{record_bytes_setting};
  const auto loaded = config::load({.settings = table,
                                    .arguments = {"--router.record-bytes-max=64MiB"},
                                    .environment = {{"TOKENRAIL_KAFKA_RECEIVE_MESSAGE_MAX_BYTES", "2000000"}},
                                    .file_text = {},
                                    .file_name = {}});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(limits_of(loaded->values).record_bytes_max, 64 << 20);
  EXPECT_EQ(limits_of(loaded->values).receive_bytes_max, 2'000'000);
  const auto defaults =
      config::load({.settings = table, .arguments = {}, .environment = {}, .file_text = {}, .file_name = {}});
  ASSERT_TRUE(defaults);
  EXPECT_EQ(limits_of(defaults->values).record_bytes_max, Limits{}.record_bytes_max);
  EXPECT_EQ(limits_of(defaults->values).receive_bytes_max, receive_bytes_default);
}

}  // namespace
}  // namespace tokenrail::topics
