#include "workers/router/shell/topic_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<kafka::TopicDescription> topics(const RouterOptions& options) {
  std::vector<kafka::TopicDescription> all;
  for (const auto& name : {options.topics.requests, options.topics.chunks, options.topics.audit})
    all.push_back({.name = name, .partitions = 3, .config = {{"message.timestamp.type", "LogAppendTime"}}});
  for (const auto& name : {options.topics.dlq, options.topics.cancellations, std::string("model_registry")})
    all.push_back({.name = name, .partitions = 1, .config = {{"message.timestamp.type", "CreateTime"}}});
  return all;
}

TEST(TopicCheck, TimestampsOfSendersAreWarnedOfAndNothingMore) {
  const RouterOptions options;
  auto there = topics(options);
  const auto fine = check_topics(options, "model_registry", there);
  EXPECT_THAT(fine.problems, IsEmpty());
  EXPECT_THAT(fine.warnings, IsEmpty());

  for (auto& topic : there) topic.config["message.timestamp.type"] = "CreateTime";
  const auto found = check_topics(options, "model_registry", there);
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_THAT(found.warnings, ElementsAre(AllOf(HasSubstr("chat.requests"), HasSubstr("deadlines")),
                                          AllOf(HasSubstr("chat.chunks"), HasSubstr("tokenrail topics apply")),
                                          AllOf(HasSubstr("llm.audit"), HasSubstr("tokenrail verify"))));

  for (auto& topic : there) topic.config.clear();
  EXPECT_THAT(check_topics(options, "model_registry", there).warnings, IsEmpty()) << "the broker does not tell";
}

}  // namespace
}  // namespace tokenrail::router
