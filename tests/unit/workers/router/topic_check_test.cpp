#include "workers/router/shell/topic_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

std::vector<kafka::TopicDescription> topics_for(const RouterOptions& options) {
  std::vector<kafka::TopicDescription> all;
  for (const auto& name : {options.topics.requests, options.topics.chunks, options.topics.audit})
    all.push_back({.name = name, .partitions = 3, .config = {{"message.timestamp.type", "LogAppendTime"}}});
  for (const auto& name : {options.topics.dlq, options.topics.cancellations, options.topics.registry})
    all.push_back({.name = name, .partitions = 1, .config = {{"message.timestamp.type", "CreateTime"}}});
  return all;
}

TEST(TopicCheck, TimestampsOfSendersAreWarnedOfAndNothingMore) {
  const RouterOptions options;
  auto there = topics_for(options);
  const auto fine = check_topics(options, {}, there);
  EXPECT_THAT(fine.problems, IsEmpty());
  EXPECT_THAT(fine.warnings, IsEmpty());

  for (auto& topic : there) topic.config["message.timestamp.type"] = "CreateTime";
  const auto found = check_topics(options, {}, there);
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_THAT(found.warnings, ElementsAre(AllOf(HasSubstr("chat.requests"), HasSubstr("deadlines")),
                                          AllOf(HasSubstr("chat.chunks"), HasSubstr("tokenrail topics apply")),
                                          AllOf(HasSubstr("llm.audit"), HasSubstr("tokenrail verify"))));

  for (auto& topic : there) topic.config.clear();
  EXPECT_THAT(check_topics(options, {}, there).warnings, IsEmpty()) << "the broker does not tell";
}

TEST(TopicCheck, LimitsOfBatchesAreThoseThatTheBrokersTell) {
  const RouterOptions options;
  auto there = topics_for(options);
  there[1].config["max.message.bytes"] = "524288";
  there[2].config["max.message.bytes"] = "many";
  const auto found = check_topics(options, {}, there);
  EXPECT_THAT(found.batch_bytes_max, ElementsAre(Pair(options.topics.chunks, 524'288U)));
}

TEST(TopicCheck, EveryMissingTopicIsNamed) {
  const RouterOptions options;
  const auto found = check_topics(options, {}, {});
  EXPECT_THAT(found.problems, SizeIs(5));
  EXPECT_THAT(found.problems, Each(HasSubstr("does not exist; run: tokenrail topics apply")));
  EXPECT_EQ(found.no_cancellations, "topic chat.cancellations does not exist; run: tokenrail topics apply");
}

TEST(TopicCheck, RouterCanStartWithoutCancellations) {
  const RouterOptions options;
  auto there = topics_for(options);
  EXPECT_EQ(check_topics(options, {}, there).no_cancellations, "");
  std::erase_if(there, [&](const auto& topic) { return topic.name == options.topics.cancellations; });
  const auto found = check_topics(options, {}, there);
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_EQ(found.cancellation_partitions, 0);
  EXPECT_EQ(found.no_cancellations, "topic chat.cancellations does not exist; run: tokenrail topics apply");
}

TEST(TopicCheck, RefusesInTheWordsOfTheTopicRules) {
  const RouterOptions options;
  const topics::Limits limits{.record_bytes_max = 500'000};
  auto there = topics_for(options);
  there[1].config["max.message.bytes"] = "500000";
  const auto found = check_topics(options, limits, there);
  const auto judged = topics::judge(limits, topics::Names{}, there);
  ASSERT_EQ(judged.size(), 1U);
  EXPECT_THAT(found.problems, ElementsAre(topics::line_of(judged.front())));
  EXPECT_THAT(found.problems.front(), HasSubstr("router.record_bytes_max is 500000"));
}

TEST(TopicCheck, DeadLettersAreCutToWhatTopicAndProducerTake) {
  const RouterOptions options;
  auto there = topics_for(options);
  EXPECT_EQ(check_topics(options, {}, there).dead_letter_bytes_max, 1'000'000U);
  there[3].config["max.message.bytes"] = "500000";
  EXPECT_EQ(check_topics(options, {}, there).dead_letter_bytes_max, 498'976U);
  there[3].config["max.message.bytes"] = "90000000";
  EXPECT_EQ(check_topics(options, {}, there).dead_letter_bytes_max,
            static_cast<std::size_t>(topics::produced_bytes_max - 1'024));
}

}  // namespace
}  // namespace tokenrail::router
