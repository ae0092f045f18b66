// What the brokers refuse, for good or for a while, and what else it may touch: nothing.
#include <algorithm>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "common/kafka/producer.hpp"
#include "tests/unit/common/kafka/mock_cluster.hpp"

namespace tokenrail::kafka {
namespace {

using testing::MockCluster;
using testing::ReadLog;
using testing::Reports;
using testing::run_until;
using testing::SeenReport;

constexpr std::int16_t produce_key = 0;
constexpr std::int16_t producer_id_key = 22;

class KafkaRefusedRecords : public ::testing::Test {
 protected:
  KafkaRefusedRecords() {
    cluster.topic("out", 4);
    cluster.topic("other", 4);
    auto made = Producer::make(loop, {.properties = cluster.properties()}, reports, metrics);
    EXPECT_TRUE(made.has_value()) << made.error().detail;
    producer = std::move(*made);
    out = producer->topic("out");
    other = producer->topic("other");
  }

  void produce(TopicHandle topic, std::int32_t partition, std::uint64_t token, std::uint64_t unit = 0) {
    ASSERT_EQ(producer->produce(topic, partition, "k", std::to_string(token), nullptr, token, unit),
              Produced::accepted);
  }

  /// Each lane's first record goes alone; what a test does next meets a client that the brokers know.
  void warm(TopicHandle topic, std::int32_t partition) {
    produce(topic, partition, 0);
    const auto before = reports.all.size();
    ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() > before; }));
    reports.all.clear();
  }

  /// The next Produce requests get these answers, whichever they are.
  void refuse(std::initializer_list<rd_kafka_resp_err_t> codes) {
    for (const auto code : codes) rd_kafka_mock_push_request_errors(cluster.get(), produce_key, 1, code);
  }

  [[nodiscard]] bool reported(std::size_t count) {
    return run_until(loop, [&] { return reports.all.size() >= count; });
  }

  [[nodiscard]] const SeenReport& of(std::uint64_t token) const {
    return *std::find_if(reports.all.begin(), reports.all.end(), [&](const auto& each) { return each.token == token; });
  }

  std::vector<std::string> read(const std::string& topic, std::int32_t partition, std::size_t count) {
    ReadLog log;
    auto reader = LogReader::make(loop, {.properties = cluster.properties(), .topics = {topic}}, log, metrics);
    (*reader)->start({{.partition = {.topic = topic, .partition = partition}, .offset = offset_beginning}});
    EXPECT_TRUE(run_until(loop, [&] { return log.records.size() >= count && !log.ends.empty(); }));
    std::vector<std::string> values;
    for (const auto& record : log.records) values.push_back(record.value.value_or(""));
    return values;
  }

  MockCluster cluster;
  boost::asio::io_context loop;
  telemetry::Metrics metrics;
  Reports reports;
  std::unique_ptr<Producer> producer;
  TopicHandle out{};
  TopicHandle other{};
};

TEST_F(KafkaRefusedRecords, ReportsRefusedRecordAloneWithItsTopic) {
  warm(out, 0);
  refuse({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  produce(out, 0, 1);
  ASSERT_TRUE(reported(1));
  EXPECT_FALSE(reports.all[0].ok);
  EXPECT_TRUE(reports.all[0].refused);
  EXPECT_FALSE(reports.all[0].fate_unknown);
  EXPECT_NE(reports.all[0].detail.find("topic out"), std::string::npos) << reports.all[0].detail;
  EXPECT_NE(reports.all[0].detail.find("too large"), std::string::npos) << reports.all[0].detail;
  produce(out, 0, 2);
  ASSERT_TRUE(reported(2));
  EXPECT_TRUE(reports.all[1].ok) << reports.all[1].detail;
  EXPECT_FALSE(reports.fatal.has_value());
  EXPECT_TRUE(producer->blocked().empty());
}

TEST_F(KafkaRefusedRecords, WritesOtherRecordsOfRefusedBatchInOrder) {
  warm(out, 0);
  // The batch, then its first record alone.
  refuse({RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_INVALID_RECORD});
  for (std::uint64_t token = 1; token <= 20; ++token) produce(out, 0, token);
  ASSERT_TRUE(reported(20));
  EXPECT_TRUE(reports.all[0].refused);
  std::vector<std::string> expected{"0"};
  for (std::uint64_t token = 1; token <= 20; ++token) {
    EXPECT_EQ(reports.all[token - 1].token, token) << "reports come in the order of produce()";
    EXPECT_EQ(reports.all[token - 1].ok, token != 1) << token << ' ' << reports.all[token - 1].detail;
    if (token != 1) expected.push_back(std::to_string(token));
  }
  EXPECT_EQ(read("out", 0, 20), expected);
}

TEST_F(KafkaRefusedRecords, BatchThatPassesRecordByRecordIsWritten) {
  warm(out, 0);
  refuse({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  for (std::uint64_t token = 1; token <= 20; ++token) produce(out, 0, token);
  ASSERT_TRUE(reported(20));
  for (const auto& report : reports.all) EXPECT_TRUE(report.ok) << report.detail;
  EXPECT_EQ(read("out", 0, 21).size(), 21U);
}

TEST_F(KafkaRefusedRecords, RefusedRecordEndsOnlyItsUnit) {
  warm(out, 0);
  refuse({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  for (std::uint64_t token = 1; token <= 20; ++token) produce(out, 0, token, token % 2 + 10);
  ASSERT_TRUE(reported(20));
  std::vector<std::string> expected{"0"};
  for (std::uint64_t token = 1; token <= 20; ++token) {
    EXPECT_EQ(reports.all[token - 1].token, token);
    EXPECT_EQ(reports.all[token - 1].refused, token % 2 == 1) << token;
    EXPECT_EQ(reports.all[token - 1].ok, token % 2 == 0) << token;
    if (token % 2 == 0) expected.push_back(std::to_string(token));
  }
  EXPECT_EQ(read("out", 0, expected.size()), expected);
}

TEST_F(KafkaRefusedRecords, WritesOtherPartitionsOnceInOrder) {
  warm(out, 0);
  // One batch, of whichever partition; record by record it passes.
  refuse({RD_KAFKA_RESP_ERR_POLICY_VIOLATION});
  for (std::uint64_t token = 100; token < 400; ++token) {
    produce(out, static_cast<std::int32_t>(token % 3 + 1), token);
    produce(other, static_cast<std::int32_t>(token % 3 + 1), token + 1000);
  }
  ASSERT_TRUE(reported(600));
  std::map<std::uint64_t, std::uint64_t> last;
  for (const auto& report : reports.all) {
    EXPECT_TRUE(report.ok) << report.token << ' ' << report.detail;
    const auto lane = report.token % 1000 % 3 + (report.token > 1000 ? 10 : 0);
    EXPECT_GT(report.token, last[lane]);
    last[lane] = report.token;
  }
  for (std::int32_t partition = 1; partition <= 3; ++partition) {
    EXPECT_EQ(read("out", partition, 100).size(), 100U);
    EXPECT_EQ(read("other", partition, 100).size(), 100U);
  }
  EXPECT_EQ(producer->unreported(), 0U);
}

TEST_F(KafkaRefusedRecords, BlockedTopicKeepsItsRecords) {
  warm(out, 0);
  refuse({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
          RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  for (std::uint64_t token = 1; token <= 50; ++token) produce(out, 0, token);
  ASSERT_TRUE(run_until(loop, [&] { return !producer->blocked().empty(); }));
  const auto blocked = producer->blocked();
  ASSERT_EQ(blocked.size(), 1U);
  EXPECT_EQ(blocked[0].topic, "out");
  EXPECT_NE(blocked[0].cause.find("WRITE"), std::string::npos) << blocked[0].cause;
  EXPECT_TRUE(reports.all.empty());
  for (std::uint64_t token = 51; token <= 60; ++token) produce(out, 0, token);
  ASSERT_TRUE(reported(60));
  for (std::uint64_t token = 1; token <= 60; ++token) {
    EXPECT_EQ(reports.all[token - 1].token, token);
    EXPECT_TRUE(reports.all[token - 1].ok) << reports.all[token - 1].detail;
  }
  EXPECT_TRUE(producer->blocked().empty());
  EXPECT_FALSE(reports.fatal.has_value());
}

TEST_F(KafkaRefusedRecords, ATopicThatIsMissingIsWaitedFor) {
  const auto later = producer->topic("later");
  // The mock makes a topic for a client that asks with permission to; one without it gets the error that there is none.
  rd_kafka_mock_topic_set_error(cluster.get(), "later", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  for (std::uint64_t token = 1; token <= 20; ++token) produce(later, 2, token);
  produce(other, 1, 1000);
  ASSERT_TRUE(reported(1));
  EXPECT_EQ(reports.all[0].token, 1000U);
  ASSERT_TRUE(run_until(loop, [&] { return !producer->blocked().empty(); }));
  EXPECT_EQ(producer->blocked()[0].topic, "later");
  EXPECT_EQ(reports.all.size(), 1U);
  EXPECT_GT(producer->oldest_unreported_age(later, 2).count(), 0);
  EXPECT_EQ(producer->oldest_unreported_age(other, 1).count(), 0);
  EXPECT_EQ(producer->oldest_unreported_age(later, 1).count(), 0);
  rd_kafka_mock_topic_set_error(cluster.get(), "later", RD_KAFKA_RESP_ERR_NO_ERROR);
  ASSERT_TRUE(reported(21));
  for (const auto& report : reports.all) EXPECT_TRUE(report.ok) << report.detail;
  EXPECT_TRUE(producer->blocked().empty());
}

TEST_F(KafkaRefusedRecords, BlockedTopicIsBoundedAndReportsSpace) {
  auto small =
      Producer::make(loop, {.properties = cluster.properties(), .partition_records_max = 10}, reports, metrics);
  const auto topic = (*small)->topic("out");
  refuse({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  for (std::uint64_t token = 0; token < 10; ++token)
    ASSERT_EQ((*small)->produce(topic, 0, "k", "v", nullptr, token), Produced::accepted);
  EXPECT_EQ((*small)->produce(topic, 0, "k", "v", nullptr, 10), Produced::queue_full);
  ASSERT_TRUE(run_until(loop, [&] { return !(*small)->blocked().empty(); }));
  EXPECT_EQ((*small)->produce(topic, 0, "k", "v", nullptr, 10), Produced::queue_full);
  ASSERT_TRUE(run_until(loop, [&] { return reports.spaces > 0; }));
  ASSERT_TRUE(reported(10));
}

TEST_F(KafkaRefusedRecords, UnknownFateEndsOnlyItsPartition) {
  warm(out, 0);
  warm(out, 1);
  refuse({RD_KAFKA_RESP_ERR_UNKNOWN});
  produce(out, 0, 1);
  ASSERT_TRUE(run_until(loop, [&] {
    return !reports.all.empty() ||
           metrics.counter("kafka_producer_clients_replaced_total", "", {{"topic", "out"}}).value() > 0;
  }));
  produce(out, 0, 2);
  produce(out, 1, 3);
  ASSERT_TRUE(reported(3));
  EXPECT_TRUE(of(1).fate_unknown);
  EXPECT_TRUE(of(2).ok) << "what comes after the report is written";
  EXPECT_TRUE(of(3).ok) << of(3).detail;
}

TEST_F(KafkaRefusedRecords, WritesNothingAfterAnUnknownFate) {
  warm(out, 0);
  rd_kafka_mock_broker_set_down(cluster.get(), 1);
  produce(out, 0, 1);
  produce(out, 1, 2);
  producer->purge();
  produce(out, 0, 3);
  produce(out, 2, 4);
  rd_kafka_mock_broker_set_up(cluster.get(), 1);
  ASSERT_TRUE(reported(4));
  EXPECT_FALSE(of(1).ok);
  EXPECT_FALSE(of(2).ok);
  EXPECT_FALSE(of(3).ok);
  EXPECT_FALSE(of(3).fate_unknown);
  EXPECT_FALSE(of(3).refused);
  EXPECT_TRUE(of(4).ok) << of(4).detail;
  EXPECT_FALSE(reports.fatal.has_value());
  produce(out, 0, 5);
  ASSERT_TRUE(reported(5));
  EXPECT_TRUE(of(5).ok) << "the producer goes on after purge()";
}

TEST_F(KafkaRefusedRecords, PurgeReportMayProduceToEveryPartition) {
  for (std::int32_t partition = 0; partition < 4; ++partition) warm(out, partition);
  rd_kafka_mock_broker_set_down(cluster.get(), 1);
  for (std::uint64_t token = 1; token <= 8; ++token) produce(out, static_cast<std::int32_t>(token % 2), token);
  reports.then = [&](const Report& report) {
    if (report.token > 8) return;
    for (std::int32_t partition = 0; partition < 4; ++partition)
      produce(out, partition, 100 * report.token + static_cast<std::uint64_t>(partition));
  };
  producer->purge();
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() >= 8; }));
  rd_kafka_mock_broker_set_up(cluster.get(), 1);
  ASSERT_TRUE(reported(8 + 32));
  for (const auto& report : reports.all) EXPECT_EQ(report.ok, report.token > 8) << report.token << ' ' << report.detail;
  EXPECT_EQ(producer->unreported(), 0U);
}

TEST_F(KafkaRefusedRecords, ResentRecordsKeepKeyHeadersAndNulls) {
  warm(out, 0);
  refuse({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  const Headers headers = {{"a", std::string("\0\xff", 2)}, {"empty", ""}};
  ASSERT_EQ(producer->produce(out, 0, std::nullopt, std::nullopt, nullptr, 1), Produced::accepted);
  ASSERT_EQ(producer->produce(out, 0, "", "", &headers, 2), Produced::accepted);
  ASSERT_TRUE(reported(2));
  ReadLog log;
  auto reader = LogReader::make(loop, {.properties = cluster.properties(), .topics = {"out"}}, log, metrics);
  (*reader)->start({{.partition = {.topic = "out", .partition = 0}, .offset = offset_beginning}});
  ASSERT_TRUE(run_until(loop, [&] { return log.records.size() == 3; }));
  EXPECT_FALSE(log.records[1].key || log.records[1].value);
  EXPECT_EQ(log.records[2].key, "");
  EXPECT_EQ(log.records[2].value, "");
  EXPECT_EQ(log.records[2].headers, headers);
}

TEST_F(KafkaRefusedRecords, MayBeDestroyedInsideRefusalReport) {
  warm(out, 0);
  refuse({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  for (std::uint64_t token = 1; token <= 5; ++token) produce(out, 0, token, 7);
  reports.then = [&](const Report&) { producer.reset(); };
  ASSERT_TRUE(run_until(loop, [&] { return producer == nullptr; }));
  loop.poll();
  EXPECT_EQ(reports.all.size(), 1U);
}

TEST_F(KafkaRefusedRecords, RefusedProducerIdBlocksTopicUntilGranted) {
  rd_kafka_mock_push_request_errors(cluster.get(), producer_id_key, 2, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
                                    RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
  produce(out, 0, 1);
  ASSERT_TRUE(run_until(loop, [&] { return !producer->blocked().empty() || !reports.all.empty(); }));
  ASSERT_TRUE(reported(1));
  EXPECT_TRUE(reports.all[0].ok) << reports.all[0].detail;
  EXPECT_FALSE(reports.fatal.has_value());
}

}  // namespace
}  // namespace tokenrail::kafka
