#include "common/chat/places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/kafka/partitioner.hpp"

namespace tokenrail::chat {
namespace {

using testing::HasSubstr;

const topics::Names topics;

TEST(PartitionFor, IsThePartitionOfTheKey) {
  const auto partition = partition_for(
      "conversation", topics, {{.name = "chat.requests", .partitions = 12}, {.name = "chat.chunks", .partitions = 16}});
  ASSERT_TRUE(partition);
  EXPECT_EQ(*partition, kafka::partition_of("conversation", 12));
}

TEST(PartitionFor, MissingTopicIsNamed) {
  const auto partition = partition_for("k", topics, {{.name = "chat.requests", .partitions = 12}});
  ASSERT_FALSE(partition);
  EXPECT_EQ(partition.error().kind, ErrorKind::not_found);
  EXPECT_THAT(partition.error().detail, HasSubstr("no topic chat.chunks"));
}

TEST(PartitionFor, PartitionWithoutAnswersIsRefused) {
  std::string key = "k";
  while (kafka::partition_of(key, 12) < 4) key += 'k';
  const auto partition = partition_for(
      key, topics, {{.name = "chat.requests", .partitions = 12}, {.name = "chat.chunks", .partitions = 4}});
  ASSERT_FALSE(partition);
  EXPECT_EQ(partition.error().kind, ErrorKind::rejected);
  EXPECT_THAT(partition.error().detail, HasSubstr("tokenrail topics apply"));
}

}  // namespace
}  // namespace tokenrail::chat
