#include "common/kafka/log_reader.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/unit/common/kafka/mock_cluster.hpp"

namespace tokenrail::kafka {
namespace {

using testing::fill;
using testing::MockCluster;
using testing::ReadLog;
using testing::run_until;

class KafkaLogReader : public ::testing::Test {
 protected:
  KafkaLogReader() {
    cluster.topic("log", 3);
    auto made = LogReader::make(loop, {.properties = cluster.properties()}, log, metrics);
    EXPECT_TRUE(made.has_value()) << made.error().detail;
    reader = std::move(*made);
  }

  static TopicPartition part(std::int32_t partition) { return {.topic = "log", .partition = partition}; }

  MockCluster cluster;
  boost::asio::io_context loop;
  telemetry::Metrics metrics;
  ReadLog log;
  std::unique_ptr<LogReader> reader;
};

TEST_F(KafkaLogReader, ReportsEndAlsoOfEmptyPartition) {
  fill(loop, cluster.properties(), "log", 0, 300);
  reader->start(
      {{.partition = part(0), .offset = offset_beginning}, {.partition = part(1), .offset = offset_beginning}});
  ASSERT_TRUE(run_until(loop, [&] { return log.ends.size() == 2; }));
  ASSERT_EQ(log.records.size(), 300U);
  for (std::size_t i = 0; i < 300; ++i) {
    EXPECT_EQ(log.records[i].offset, static_cast<std::int64_t>(i));
    EXPECT_EQ(log.records[i].value, std::to_string(i));
  }
  EXPECT_EQ(log.ends[part(0)], 300);
  EXPECT_EQ(log.ends[part(1)], 0);
}

TEST_F(KafkaLogReader, ReportsEndAgainAfterCatchingUp) {
  fill(loop, cluster.properties(), "log", 0, 3);
  reader->start({{.partition = part(0), .offset = offset_beginning}});
  ASSERT_TRUE(run_until(loop, [&] { return log.ends[part(0)] == 3; }));
  fill(loop, cluster.properties(), "log", 0, 2);
  ASSERT_TRUE(run_until(loop, [&] { return log.ends[part(0)] == 5; }));
  EXPECT_EQ(log.records.size(), 5U);
}

TEST_F(KafkaLogReader, StartsInMiddleAtEndOrAtEarliest) {
  for (std::int32_t partition = 0; partition < 3; ++partition) fill(loop, cluster.properties(), "log", partition, 10);
  reader->start({{.partition = part(0), .offset = 7},
                 {.partition = part(1), .offset = offset_end},
                 {.partition = part(2), .offset = 5000}});
  ASSERT_TRUE(run_until(loop, [&] { return log.ends.size() == 3; }));
  std::map<std::int32_t, std::size_t> counts;
  for (const auto& record : log.records) ++counts[record.partition];
  EXPECT_EQ(counts[0], 3U);
  EXPECT_EQ(counts[1], 0U);
  EXPECT_EQ(counts[2], 10U) << "outside the log: from the earliest";
  EXPECT_EQ(log.ends[part(1)], 10);
}

TEST_F(KafkaLogReader, RestartDropsRecordsOfOldPosition) {
  fill(loop, cluster.properties(), "log", 0, 2000);
  bool moved = false;
  std::size_t at_move = 0;
  log.then = [&] {
    if (moved || log.records.size() < 10) return;
    moved = true;
    at_move = log.records.size();
    reader->start({{.partition = part(0), .offset = 500}});
  };
  reader->start({{.partition = part(0), .offset = 1000}});
  ASSERT_TRUE(run_until(loop, [&] { return log.ends[part(0)] == 2000; }));
  ASSERT_TRUE(moved);
  ASSERT_EQ(log.records.size(), at_move + 1500);
  for (std::size_t i = at_move; i < log.records.size(); ++i)
    ASSERT_EQ(log.records[i].offset, 500 + static_cast<std::int64_t>(i - at_move));
}

// A start that comes right after a stop, or moves a partition, used to lose its records now and then.
TEST_F(KafkaLogReader, StoppingAndStartingAtOnceReadsEverything) {
  fill(loop, cluster.properties(), "log", 0, 200);
  for (int round = 0; round < 20; ++round) {
    log.records.clear();
    log.ends.clear();
    reader->stop({part(0)});
    reader->start({{.partition = part(0), .offset = 150}});
    ASSERT_TRUE(run_until(loop, [&] { return log.ends.contains(part(0)); })) << "round " << round;
    ASSERT_EQ(log.records.size(), 50U);
    ASSERT_EQ(log.records[0].offset, 150);
  }
}

TEST_F(KafkaLogReader, StopEndsOnePartitionOnly) {
  fill(loop, cluster.properties(), "log", 0, 500);
  bool stopped = false;
  std::size_t after = 0;
  log.then = [&] {
    if (log.records.back().partition != 0) return;
    if (stopped) ++after;
    stopped = true;
    reader->stop({part(0)});
  };
  reader->start({{.partition = part(0), .offset = 0}, {.partition = part(1), .offset = 0}});
  ASSERT_TRUE(run_until(loop, [&] { return stopped && log.ends.contains(part(1)); }));
  fill(loop, cluster.properties(), "log", 1, 5);
  ASSERT_TRUE(run_until(loop, [&] { return log.ends[part(1)] == 5; }));
  EXPECT_EQ(after, 0U);
  EXPECT_FALSE(log.ends.contains(part(0)));
}

TEST_F(KafkaLogReader, StopsAndGoesWithoutGaps) {
  fill(loop, cluster.properties(), "log", 0, 3000);
  reader->start({{.partition = part(0), .offset = 0}});
  log.then = [&] {
    if (log.records.size() % 400 == 0) reader->set_reading(false);
  };
  std::size_t stops = 0;
  while (!log.ends.contains(part(0))) {
    const std::size_t before = log.records.size();
    ASSERT_TRUE(
        run_until(loop, [&] { return log.ends.contains(part(0)) || log.records.size() >= (before / 400 + 1) * 400; }));
    loop.poll();
    if (log.ends.contains(part(0))) break;
    ASSERT_EQ(log.records.size(), (before / 400 + 1) * 400) << "records came while not reading";
    ++stops;
    reader->set_reading(true);
  }
  EXPECT_GE(stops, 7U);
  ASSERT_EQ(log.records.size(), 3000U);
  for (std::size_t i = 0; i < 3000; ++i) ASSERT_EQ(log.records[i].offset, static_cast<std::int64_t>(i));
}

TEST_F(KafkaLogReader, FailureNamesMissingTopic) {
  rd_kafka_mock_topic_set_error(cluster.get(), "absent", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  reader->start({{.partition = {.topic = "absent", .partition = 0}, .offset = 0}});
  ASSERT_TRUE(run_until(loop, [&] { return !log.failures.empty(); }));
  EXPECT_EQ(log.failures[0].first.topic, "absent");
  EXPECT_EQ(log.failures[0].second.kind, ErrorKind::not_found);
  EXPECT_NE(log.failures[0].second.detail.find("topics apply"), std::string::npos) << log.failures[0].second.detail;
}

TEST_F(KafkaLogReader, MayBeDestroyedInsideItsOwnCall) {
  fill(loop, cluster.properties(), "log", 0, 50);
  log.then = [&] { reader.reset(); };
  reader->start({{.partition = part(0), .offset = 0}});
  ASSERT_TRUE(run_until(loop, [&] { return reader == nullptr; }));
  loop.poll();
  EXPECT_EQ(log.records.size(), 1U);
}

}  // namespace
}  // namespace tokenrail::kafka
