#include "common/kafka/topic_follower.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

/// Keeps where reading was started.
struct Starts final : LogReader {
  void start(const std::vector<StartingPoint>& points) override {
    for (const auto& point : points)
      started.push_back(point.partition.topic + "/" + std::to_string(point.partition.partition) +
                        (point.offset == offset_beginning ? "" : " elsewhere"));
  }
  void stop(const std::vector<TopicPartition>& partitions) override {
    for (const auto& partition : partitions)
      stopped.push_back(partition.topic + "/" + std::to_string(partition.partition));
  }
  void set_reading(bool) override {}
  std::vector<std::string> started{};
  std::vector<std::string> stopped{};
};

class TopicFollowerTest : public ::testing::Test {
 protected:
  void record(std::int32_t partition, std::int64_t offset) {
    follower_.on_record({.topic = "models", .partition = partition, .offset = offset, .timestamp_ms = 1000 + offset});
  }
  void record(std::int32_t partition, std::int64_t offset, const std::string& key, bool tombstone = false) {
    Record record{.topic = "models", .partition = partition, .offset = offset};
    record.timestamp_ms = 1000 + offset;
    record.key = key;
    if (!tombstone) record.value = "{}";
    follower_.on_record(record);
  }
  /// Asks behind one question of another's, and answers each of its own with the verdict.
  void survey(LogVerdict verdict, std::map<std::string, std::int32_t> partitions = {}) {
    std::vector<WitnessQuestion> questions(1);
    const auto asked = follower_.ask(questions);
    LogSurvey survey{.partitions = std::move(partitions)};
    survey.answers.emplace_back(WitnessAnswer{.verdict = LogVerdict::another});
    for (std::size_t i = 0; i < asked.size(); ++i) survey.answers.emplace_back(WitnessAnswer{.verdict = verdict});
    follower_.on_survey(reader_, survey, 1, asked);
  }

  Starts reader_{};
  TopicFollower follower_{"models", "models", "_mark"};
};

TEST_F(TopicFollowerTest, IsWholeAfterReadingEveryPartition) {
  EXPECT_FALSE(follower_.whole());
  follower_.read(reader_, 2);
  EXPECT_THAT(reader_.started, ElementsAre("models/0", "models/1"));
  follower_.on_end(0, 5);
  follower_.on_end(0, 6);
  EXPECT_FALSE(follower_.whole());
  follower_.on_end(1, 0);
  EXPECT_TRUE(follower_.whole());
}

TEST_F(TopicFollowerTest, ATopicThatIsCreatedLaterIsRead) {
  survey(LogVerdict::same);
  EXPECT_THAT(reader_.started, IsEmpty());
  survey(LogVerdict::same, {{"other", 9}, {"models", 1}});
  EXPECT_THAT(reader_.started, ElementsAre("models/0"));
}

TEST_F(TopicFollowerTest, ReadsOnlyNewPartitionsOfGrownTopic) {
  follower_.read(reader_, 1);
  follower_.on_end(0, 0);
  survey(LogVerdict::same, {{"models", 3}});
  EXPECT_THAT(reader_.started, ElementsAre("models/0", "models/1", "models/2"));
  EXPECT_FALSE(follower_.whole());
  survey(LogVerdict::same, {{"models", 2}});
  EXPECT_EQ(follower_.partitions(), 3);
}

TEST_F(TopicFollowerTest, ReadsReplacedLogAgain) {
  follower_.read(reader_, 2);
  record(0, 1);
  record(1, 7);
  reader_.started.clear();
  survey(LogVerdict::another, {{"models", 2}});
  EXPECT_THAT(reader_.started, ElementsAre("models/0", "models/1"));
  survey(LogVerdict::same, {{"models", 2}});
  survey(LogVerdict::doubtful, {{"models", 2}});
  EXPECT_THAT(reader_.started, ElementsAre("models/0", "models/1"));
}

TEST_F(TopicFollowerTest, ReadsEveryPartitionAgainWhereOneWasReplaced) {
  follower_.read(reader_, 2);
  record(0, 1);
  reader_.started.clear();
  survey(LogVerdict::another, {{"models", 2}});
  EXPECT_THAT(reader_.started, ElementsAre("models/0", "models/1"));
}

TEST_F(TopicFollowerTest, GivesKeysOfReplacedLogOnceItIsWholeWithItsMark) {
  follower_.read(reader_, 1);
  record(0, 0, "a");
  record(0, 1, "revoked");
  record(0, 2, "_mark");
  follower_.on_end(0, 3);
  EXPECT_EQ(follower_.take_keys(), std::nullopt) << "it is the first log";
  survey(LogVerdict::another, {{"models", 1}});
  record(0, 0, "a");
  record(0, 1, "gone");
  record(0, 2, "gone", true);
  record(0, 3, "_mark");
  EXPECT_EQ(follower_.take_keys(), std::nullopt) << "more may come";
  record(0, 4, "b");
  follower_.on_end(0, 5);
  EXPECT_THAT(follower_.take_keys(), Optional(ElementsAre("a", "b")));
  EXPECT_EQ(follower_.take_keys(), std::nullopt) << "once";
  record(0, 5, "c");
  follower_.on_end(0, 6);
  EXPECT_EQ(follower_.take_keys(), std::nullopt);
}

TEST_F(TopicFollowerTest, ReplacedLogWithoutMarkProvesNothing) {
  follower_.read(reader_, 1);
  record(0, 0, "a");
  survey(LogVerdict::another, {{"models", 1}});
  follower_.on_end(0, 0);
  EXPECT_EQ(follower_.take_keys(), std::nullopt) << "its writer has not filled it yet";
  record(0, 0, "a");
  EXPECT_EQ(follower_.take_keys(), std::nullopt);
  record(0, 1, "_mark", true);
  EXPECT_EQ(follower_.take_keys(), std::nullopt) << "the mark was taken away";
  record(0, 2, "_mark");
  EXPECT_THAT(follower_.take_keys(), Optional(ElementsAre("a")));
}

TEST_F(TopicFollowerTest, LogThatIsReplacedAgainBeginsAnew) {
  follower_.read(reader_, 1);
  record(0, 0, "a");
  survey(LogVerdict::another, {{"models", 1}});
  record(0, 0, "of the second log");
  record(0, 1, "_mark");
  survey(LogVerdict::another, {{"models", 1}});
  follower_.on_end(0, 0);
  EXPECT_EQ(follower_.take_keys(), std::nullopt);
  record(0, 0, "_mark");
  EXPECT_THAT(follower_.take_keys(), Optional(IsEmpty()));
}

TEST_F(TopicFollowerTest, GivesKeysOnlyAfterEndOfEveryPartition) {
  follower_.read(reader_, 2);
  record(0, 0, "a");
  survey(LogVerdict::another, {{"models", 3}});
  record(0, 0, "a");
  record(0, 1, "_mark");
  follower_.on_end(0, 2);
  follower_.on_end(1, 0);
  EXPECT_EQ(follower_.take_keys(), std::nullopt);
  record(2, 0, "b");
  follower_.on_end(2, 1);
  EXPECT_THAT(follower_.take_keys(), Optional(ElementsAre("a", "b")));
}

TEST_F(TopicFollowerTest, ReplacedTopicMayHaveFewerPartitions) {
  follower_.read(reader_, 3);
  for (const auto partition : {0, 1, 2}) {
    record(partition, 0, "a");
    follower_.on_end(partition, 1);
  }
  reader_.started.clear();
  survey(LogVerdict::another, {{"models", 1}});
  EXPECT_THAT(reader_.stopped, ElementsAre("models/1", "models/2"));
  EXPECT_THAT(reader_.started, ElementsAre("models/0"));
  EXPECT_TRUE(follower_.whole());
  record(0, 0, "_mark");
  follower_.on_end(0, 1);
  EXPECT_THAT(follower_.take_keys(), Optional(IsEmpty()));
  std::vector<WitnessQuestion> questions;
  EXPECT_THAT(follower_.ask(questions), ElementsAre(0));
}

TEST_F(TopicFollowerTest, AsksWithWhatItHasRead) {
  follower_.read(reader_, 1);
  record(0, 4);
  std::vector<WitnessQuestion> questions;
  EXPECT_THAT(follower_.ask(questions), ElementsAre(0));
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(questions[0].partition.topic, "models");
  EXPECT_EQ(questions[0].witness.position, 5);
}

}  // namespace
}  // namespace tokenrail::kafka
