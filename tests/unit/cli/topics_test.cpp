#include "cli/topics.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/topics/rules.hpp"

namespace tokenrail::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t mib = 1024 * 1024;

/// The topics as `topics apply` would have made them, with effective values as a broker reports them.
std::vector<kafka::TopicDescription> applied(const TopicOptions& options) {
  std::vector<kafka::TopicDescription> topics;
  for (const auto& wanted : wanted_topics(options)) {
    kafka::TopicDescription topic{.name = wanted.name, .partitions = wanted.partitions, .config = wanted.required};
    topic.config.insert(wanted.initial.begin(), wanted.initial.end());
    topic.config.emplace("message.timestamp.type", "CreateTime");
    topic.config["max.message.bytes"] = std::to_string(wanted.message_bytes_min.value_or(1048588));
    topics.push_back(std::move(topic));
  }
  return topics;
}

kafka::TopicDescription& named(std::vector<kafka::TopicDescription>& topics, std::string_view name) {
  return *std::ranges::find(topics, name, &kafka::TopicDescription::name);
}

std::vector<std::string> described(const TopicPlan& plan) {
  std::vector<std::string> out;
  for (const auto& action : plan.actions) out.push_back(describe(action));
  return out;
}

TEST(TopicPlan, CreatesAllTopicsWithRequestsLast) {
  const TopicOptions options{.prefix = "eu.", .partitions_default = 6};
  const auto plan = plan_topics(wanted_topics(options), {}, options);
  ASSERT_EQ(plan.actions.size(), 8U);
  for (const auto& action : plan.actions) {
    EXPECT_EQ(action.kind, TopicAction::Kind::create);
    EXPECT_TRUE(action.topic.starts_with("eu.")) << action.topic;
  }
  const auto& requests = plan.actions.back();
  EXPECT_EQ(requests.topic, "eu.chat.requests");
  EXPECT_EQ(requests.partitions, 6);
  EXPECT_EQ(requests.config.at("message.timestamp.type"), "LogAppendTime");
  EXPECT_EQ(requests.config.at("max.message.bytes"), std::to_string(8 * mib));
  const auto action_of = [&](std::string_view name) {
    return *std::ranges::find(plan.actions, name, &TopicAction::topic);
  };
  EXPECT_EQ(action_of("eu.chat.chunks").partitions, 6);
  EXPECT_EQ(action_of("eu.chat.chunks").config.at("message.timestamp.type"), "LogAppendTime");
  EXPECT_EQ(action_of("eu.llm.audit").config.at("message.timestamp.type"), "LogAppendTime");
  EXPECT_FALSE(action_of("eu.chat.requests.dlq").config.contains("message.timestamp.type"));
  EXPECT_EQ(action_of("eu.llm.audit").partitions, 6);
  EXPECT_EQ(action_of("eu.chat.requests.dlq").config.at("max.message.bytes"), std::to_string(8 * mib + 64 * 1024));
  EXPECT_EQ(action_of("eu.model_registry").partitions, 1);
  EXPECT_EQ(action_of("eu.model_registry").config.at("cleanup.policy"), "compact");
  EXPECT_EQ(action_of("eu.model_registry.credentials").config.at("cleanup.policy"), "compact");
  EXPECT_EQ(action_of("eu.chat.cancellations").config.at("cleanup.policy"), "delete");
  EXPECT_EQ(action_of("eu.chat.cancellations").config.at("message.timestamp.type"), "LogAppendTime");
  EXPECT_EQ(action_of("eu.chat.cancellations").config.at("segment.ms"), "600000");
}

TEST(TopicPlan, AppliedTopicsNeedNoChange) {
  const TopicOptions options;
  const auto plan = plan_topics(wanted_topics(options), applied(options), options);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_THAT(plan.notes, IsEmpty());
}

TEST(TopicPlan, ExistingNumbersStayUnlessMoreIsAskedFor) {
  const TopicOptions before{.partitions_default = 4};
  const auto existing = applied(before);
  const TopicOptions by_default{.partitions_default = 12};
  EXPECT_THAT(plan_topics(wanted_topics(by_default), existing, by_default).actions, IsEmpty());

  const TopicOptions asked{.partitions_asked = 8};
  const auto plan = plan_topics(wanted_topics(asked), existing, asked);
  EXPECT_THAT(
      described(plan),
      ElementsAre("grow chat.chunks from 4 to 8 partitions", "grow llm.audit from 4 to 8 partitions",
                  "grow chat.requests.dlq from 4 to 8 partitions", "grow chat.requests from 4 to 8 partitions"));
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("do not span that moment")));
}

TEST(TopicPlan, FewerThanThereAreCannotBeHad) {
  const auto existing = applied({.partitions_default = 9});
  const TopicOptions asked{.partitions_asked = 3};
  const auto plan = plan_topics(wanted_topics(asked), existing, asked);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("stays at 9")));
}

TEST(TopicPlan, GrowsOutputsToPartitionsOfRequests) {
  const TopicOptions options{.partitions_default = 4};
  auto existing = applied(options);
  named(existing, "chat.requests").partitions = 6;
  EXPECT_THAT(described(plan_topics(wanted_topics(options), existing, options)),
              ElementsAre("grow chat.chunks from 4 to 6 partitions", "grow llm.audit from 4 to 6 partitions",
                          "grow chat.requests.dlq from 4 to 6 partitions"));
}

TEST(TopicPlan, RequestsFollowAnOutputThatIsAhead) {
  const TopicOptions options{.partitions_default = 4};
  auto existing = applied(options);
  named(existing, "llm.audit").partitions = 5;
  EXPECT_EQ(described(plan_topics(wanted_topics(options), existing, options)).back(),
            "grow chat.requests from 4 to 5 partitions");
}

TEST(TopicPlan, AcceptsExtraDeadLetterPartitions) {
  const TopicOptions options{.partitions_default = 4};
  auto existing = applied(options);
  named(existing, "chat.requests.dlq").partitions = 20;
  EXPECT_THAT(plan_topics(wanted_topics(options), existing, options).actions, IsEmpty());
}

TEST(TopicPlan, MissingTopicsGetPartitionsOfExistingOnes) {
  const TopicOptions options{.partitions_default = 12};
  auto existing = applied({.partitions_default = 3});
  std::erase_if(existing, [](const auto& topic) { return topic.name == "llm.audit"; });
  const auto plan = plan_topics(wanted_topics(options), existing, options);
  ASSERT_EQ(plan.actions.size(), 1U);
  EXPECT_EQ(plan.actions[0].kind, TopicAction::Kind::create);
  EXPECT_EQ(plan.actions[0].partitions, 3);
}

TEST(TopicPlan, FixesWrongSettingsAndKeepsOperatorsOwn) {
  const TopicOptions options;
  auto existing = applied(options);
  for (const auto* topic : {"chat.requests", "chat.chunks", "llm.audit"})
    named(existing, topic).config["message.timestamp.type"] = "CreateTime";
  named(existing, "model_registry").config["cleanup.policy"] = "delete";
  named(existing, "chat.chunks").config["retention.ms"] = "1000";
  EXPECT_THAT(described(plan_topics(wanted_topics(options), existing, options)),
              ElementsAre("set message.timestamp.type=LogAppendTime on chat.chunks",
                          "set message.timestamp.type=LogAppendTime on llm.audit",
                          "set cleanup.policy=compact on model_registry",
                          "set message.timestamp.type=LogAppendTime on chat.requests"));
}

TEST(TopicPlan, RaisedRequestLimitRaisesDeadLetterLimit) {
  const TopicOptions options;
  auto existing = applied(options);
  named(existing, "chat.requests").config["max.message.bytes"] = std::to_string(64 * mib);
  EXPECT_THAT(described(plan_topics(wanted_topics(options), existing, options)),
              ElementsAre("set max.message.bytes=67174400 on chat.requests.dlq"));
}

TEST(TopicPlan, RaisesOnlyLimitsThatAreTooLow) {
  const TopicOptions options{.request_bytes_max = 3 * mib};
  auto existing = applied(options);
  const auto needed = 3 * mib + 64 * 1024;
  named(existing, "chat.requests.dlq").config["max.message.bytes"] = std::to_string(needed);
  EXPECT_THAT(plan_topics(wanted_topics(options), existing, options).actions, IsEmpty());
  named(existing, "chat.requests.dlq").config["max.message.bytes"] = std::to_string(needed - 1);
  named(existing, "chat.requests").config["max.message.bytes"] = std::to_string(3 * mib - 1);
  EXPECT_THAT(described(plan_topics(wanted_topics(options), existing, options)),
              ElementsAre("set max.message.bytes=3211264 on chat.requests.dlq",
                          "set max.message.bytes=3145728 on chat.requests"));
}

TEST(TopicPlan, PlannedTopicsPassTheTopicRules) {
  const TopicOptions options{.request_bytes_max = 64 * mib};
  const auto created = plan_topics(wanted_topics(options), {}, options);
  EXPECT_THAT(topics::judge({}, topics::Names{}, planned({}, created)), IsEmpty());

  auto existing = applied(options);
  named(existing, "llm.audit").config["cleanup.policy"] = "compact";
  named(existing, "chat.chunks").partitions = 3;
  named(existing, "chat.requests.dlq").config["max.message.bytes"] = "1000000";
  EXPECT_FALSE(topics::judge({}, topics::Names{}, existing).empty());
  const auto plan = plan_topics(wanted_topics(options), existing, options);
  EXPECT_THAT(topics::judge({}, topics::Names{}, planned(existing, plan)), IsEmpty());
}

TEST(TopicPlan, ChecksSettingsThatTheOperatorChose) {
  const TopicOptions options;
  auto existing = applied(options);
  named(existing, "chat.chunks").config["max.message.bytes"] = "2000";
  const auto plan = plan_topics(wanted_topics(options), existing, options);
  EXPECT_THAT(plan.actions, IsEmpty());
  const auto findings = topics::judge({}, topics::Names{}, planned(existing, plan));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_THAT(findings.front().text, HasSubstr("max.message.bytes of chat.chunks is 2000"));
}

TEST(TopicPlan, AcceptsBrokerThatReportsNoSettings) {
  const TopicOptions options;
  auto existing = applied(options);
  for (auto& topic : existing) topic.config.clear();
  EXPECT_THAT(plan_topics(wanted_topics(options), existing, options).actions, IsEmpty());
}

}  // namespace
}  // namespace tokenrail::cli
