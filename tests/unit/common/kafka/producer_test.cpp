#include "common/kafka/producer.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/common/kafka/mock_cluster.hpp"

namespace tokenrail::kafka {
namespace {

using testing::MockCluster;
using testing::ReadLog;
using testing::Reports;
using testing::run_until;

class KafkaProducer : public ::testing::Test {
 protected:
  KafkaProducer() { cluster.topic("out", 4); }

  std::unique_ptr<Producer> make(ProducerOptions options = {}, const Properties& more = {}) {
    options.properties = cluster.properties(more);
    auto producer = Producer::make(loop, options, reports, metrics);
    EXPECT_TRUE(producer.has_value()) << producer.error().detail;
    return std::move(*producer);
  }

  /// One that knows its topic and has its producer id, so that what a test does next meets neither question.
  std::unique_ptr<Producer> make_warm() {
    auto producer = make();
    EXPECT_EQ(producer->produce(producer->topic("out"), 3, "k", "v", nullptr, 0), Produced::accepted);
    EXPECT_TRUE(run_until(loop, [&] { return reports.all.size() == 1; }));
    reports.all.clear();
    return producer;
  }

  std::vector<Record> read(std::int32_t partition, std::size_t count) {
    ReadLog log;
    auto reader = LogReader::make(loop, {.properties = cluster.properties(), .topics = {"out"}}, log, metrics);
    (*reader)->start({{.partition = {.topic = "out", .partition = partition}, .offset = offset_beginning}});
    EXPECT_TRUE(run_until(loop, [&] { return log.records.size() >= count; }));
    return std::move(log.records);
  }

  MockCluster cluster;
  boost::asio::io_context loop;
  telemetry::Metrics metrics;
  Reports reports;
};

TEST_F(KafkaProducer, ReportsInTheOrderOfProducingWithOffsets) {
  auto producer = make();
  const auto out = producer->topic("out");
  EXPECT_EQ(producer->topic("out"), out);
  for (std::uint64_t token = 0; token < 500; ++token)
    ASSERT_EQ(producer->produce(out, 1, "key", "value", nullptr, ~token), Produced::accepted);
  EXPECT_EQ(producer->unreported(), 500U);
  EXPECT_GT(producer->oldest_unreported_age(out, 1).count(), 0);
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 500; }));
  for (std::size_t i = 0; i < 500; ++i) {
    EXPECT_TRUE(reports.all[i].ok);
    EXPECT_EQ(reports.all[i].token, ~static_cast<std::uint64_t>(i));
    EXPECT_EQ(reports.all[i].offset, static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(producer->unreported(), 0U);
  EXPECT_EQ(producer->oldest_unreported_age(out, 1).count(), 0);
}

TEST_F(KafkaProducer, DistinguishesNullFromEmptyAndKeepsHeaderBytes) {
  auto producer = make();
  const auto out = producer->topic("out");
  const Headers headers = {
      {"ce_id", "a"}, {"binary", std::string("\0\x01\xff", 3)}, {"empty", ""}, {"null", std::nullopt}};
  ASSERT_EQ(producer->produce(out, 0, std::nullopt, std::nullopt, nullptr, 1), Produced::accepted);
  ASSERT_EQ(producer->produce(out, 0, "", "", nullptr, 2), Produced::accepted);
  ASSERT_EQ(producer->produce(out, 0, std::string_view(), std::string_view(), nullptr, 3), Produced::accepted);
  ASSERT_EQ(producer->produce(out, 0, "k", std::string("v\0w", 3), &headers, 4), Produced::accepted);
  ASSERT_EQ(producer->produce(out, 0, std::nullopt, std::nullopt, &headers, 5), Produced::accepted);
  const auto records = read(0, 5);
  ASSERT_EQ(records.size(), 5U);
  EXPECT_FALSE(records[0].key || records[0].value);
  EXPECT_EQ(records[1].key, "");
  EXPECT_EQ(records[1].value, "");
  EXPECT_EQ(records[2].key, "");
  EXPECT_EQ(records[2].value, "");
  EXPECT_EQ(records[3].key, "k");
  EXPECT_EQ(records[3].value, std::string("v\0w", 3));
  EXPECT_EQ(records[3].headers, headers);
  EXPECT_FALSE(records[4].key || records[4].value);
  EXPECT_EQ(records[4].headers, headers);
  EXPECT_TRUE(records[0].headers.empty());
  EXPECT_GT(records[0].timestamp_ms, 1'500'000'000'000);
}

TEST_F(KafkaProducer, HandsOnOneHeaderMoreThanTheBound) {
  auto producer = make();
  const auto out = producer->topic("out");
  const Headers most(record_headers_max, {"h", ""});
  const Headers more(record_headers_max + 5, {"h", ""});
  ASSERT_EQ(producer->produce(out, 0, "k", "v", &most, 1), Produced::accepted);
  ASSERT_EQ(producer->produce(out, 0, "k", "v", &more, 2), Produced::accepted);
  const auto records = read(0, 2);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].headers.size(), record_headers_max);
  EXPECT_EQ(records[1].headers.size(), record_headers_max + 1);
}

TEST_F(KafkaProducer, OneKeyGoesToOnePartition) {
  auto producer = make();
  const auto out = producer->topic("out");
  for (std::uint64_t token = 0; token < 50; ++token)
    ASSERT_EQ(producer->produce(out, partition_by_key, "conversation", "x", nullptr, token), Produced::accepted);
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 50; }));
  std::int64_t next = 0;
  for (const auto& report : reports.all) EXPECT_EQ(report.offset, next++);
}

TEST_F(KafkaProducer, ReportsSpaceAfterAFullPartition) {
  auto producer = make({.partition_records_max = 100});
  const auto out = producer->topic("out");
  for (std::uint64_t token = 0; token < 100; ++token)
    ASSERT_EQ(producer->produce(out, 0, "k", "v", nullptr, token), Produced::accepted);
  EXPECT_EQ(producer->produce(out, 0, "k", "v", nullptr, 100), Produced::queue_full);
  EXPECT_EQ(producer->produce(out, 1, "k", "v", nullptr, 101), Produced::accepted) << "another partition has room";
  ASSERT_TRUE(run_until(loop, [&] { return reports.spaces > 0; }));
  EXPECT_EQ(producer->produce(out, 0, "k", "v", nullptr, 102), Produced::accepted);
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 102; }));
  EXPECT_TRUE(std::none_of(reports.all.begin(), reports.all.end(), [](const auto& each) { return each.token == 100; }));
  EXPECT_EQ(reports.spaces, 1);
}

TEST_F(KafkaProducer, ReportsSpaceAfterAFullProcess) {
  auto producer = make({}, {{"queue.buffering.max.messages", "200"}});
  const auto out = producer->topic("out");
  std::uint64_t token = 0;
  Produced last = Produced::accepted;
  for (; last == Produced::accepted && token < 1000; ++token)
    last = producer->produce(out, static_cast<std::int32_t>(token % 4), "k", "v", nullptr, token);
  EXPECT_EQ(last, Produced::queue_full);
  EXPECT_EQ(producer->unreported(), 100U) << "four partitions that are given nothing back leave half of the room";
  ASSERT_TRUE(run_until(loop, [&] { return reports.spaces > 0; }));
  EXPECT_EQ(producer->produce(out, 0, "k", "v", nullptr, token), Produced::accepted);
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 101; }));
}

TEST_F(KafkaProducer, TakesLargestRecordAndRefusesLarger) {
  auto producer = make({}, {{"message.max.bytes", "2000000"}});
  const auto out = producer->topic("out");
  const std::size_t most = producer->message_bytes_max();
  EXPECT_GT(most, 1'990'000U);
  EXPECT_EQ(producer->produce(out, 0, "k", std::string(most, 'x'), nullptr, 1), Produced::too_large);
  EXPECT_EQ(producer->produce(out, 0, "k", std::string(most - 1, 'x'), nullptr, 2), Produced::accepted);
  const Headers large = {{"h", std::string(most, 'x')}};
  EXPECT_EQ(producer->produce(out, 0, "k", "v", &large, 3), Produced::too_large);
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 1; }));
  EXPECT_TRUE(reports.all[0].ok) << reports.all[0].detail;
  EXPECT_EQ(reports.all[0].token, 2U);
}

TEST_F(KafkaProducer, APartitionThatDoesNotExistIsRefused) {
  auto producer = make_warm();
  const auto out = producer->topic("out");
  const Headers headers = {{"a", "b"}};
  EXPECT_EQ(producer->produce(out, 99, "k", "v", nullptr, 1), Produced::unknown_topic);
  EXPECT_EQ(producer->produce(out, 99, "k", "v", &headers, 2), Produced::unknown_topic);
  EXPECT_EQ(producer->unreported(), 0U);
}

TEST_F(KafkaProducer, RetriesWhatPassesByItselfWithoutLosingOrder) {
  auto producer = make_warm();
  constexpr std::int16_t produce_key = 0;
  rd_kafka_mock_push_request_errors(cluster.get(), produce_key, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
  const auto out = producer->topic("out");
  for (std::uint64_t token = 0; token < 200; ++token)
    ASSERT_EQ(producer->produce(out, 2, "k", std::to_string(token), nullptr, token), Produced::accepted);
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 200; }));
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(reports.all[i].ok) << reports.all[i].detail;
    EXPECT_EQ(reports.all[i].token, i);
  }
  const auto records = read(2, 200);
  for (std::size_t i = 0; i < 200; ++i) ASSERT_EQ(records[i].value, std::to_string(i));
}

TEST_F(KafkaProducer, RecordsOutliveBrokerOutageAndPurgeReportsAll) {
  auto producer = make_warm();
  const auto out = producer->topic("out");
  ASSERT_EQ(producer->produce(out, 0, "k", "v", nullptr, 1), Produced::accepted);
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 1; }));
  rd_kafka_mock_broker_set_down(cluster.get(), 1);
  ASSERT_EQ(producer->produce(out, 0, "k", "v", nullptr, 2), Produced::accepted);
  ASSERT_TRUE(
      run_until(loop, [&] { return producer->oldest_unreported_age(out, 0) > std::chrono::milliseconds(300); }));
  EXPECT_EQ(reports.all.size(), 1U);
  producer->purge();
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 2; }));
  EXPECT_EQ(reports.all[1].token, 2U);
  EXPECT_FALSE(reports.all[1].ok);
  EXPECT_EQ(producer->unreported(), 0U);
}

TEST_F(KafkaProducer, GoesOnWhenTheBrokerIsBack) {
  auto producer = make_warm();
  const auto out = producer->topic("out");
  rd_kafka_mock_broker_set_down(cluster.get(), 1);
  for (std::uint64_t token = 0; token < 10; ++token)
    ASSERT_EQ(producer->produce(out, 0, "k", "v", nullptr, token), Produced::accepted);
  ASSERT_TRUE(
      run_until(loop, [&] { return producer->oldest_unreported_age(out, 0) > std::chrono::milliseconds(200); }));
  EXPECT_TRUE(reports.all.empty());
  rd_kafka_mock_broker_set_up(cluster.get(), 1);
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == 10; }));
  for (const auto& report : reports.all) EXPECT_TRUE(report.ok) << report.detail;
}

TEST_F(KafkaProducer, MayBeDestroyedInsideItsOwnReport) {
  auto producer = make();
  const auto out = producer->topic("out");
  for (std::uint64_t token = 0; token < 10; ++token)
    ASSERT_EQ(producer->produce(out, 0, "k", "v", nullptr, token), Produced::accepted);
  reports.then = [&](const Report&) { producer.reset(); };
  ASSERT_TRUE(run_until(loop, [&] { return producer == nullptr; }));
  loop.poll();
  EXPECT_EQ(reports.all.size(), 1U) << "nothing is reported after the destruction";
}

TEST_F(KafkaProducer, RefusesPropertyByNameWithoutSecrets) {
  const auto wrong =
      Producer::make(loop, {.properties = cluster.properties({{"linger.ms", "soon"}})}, reports, metrics);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().kind, ErrorKind::invalid_input);
  EXPECT_NE(wrong.error().detail.find("linger.ms"), std::string::npos) << wrong.error().detail;

  const auto secret =
      Producer::make(loop, {.properties = cluster.properties({{"no.such.password", "hunter2"}})}, reports, metrics);
  ASSERT_FALSE(secret.has_value());
  EXPECT_NE(secret.error().detail.find("no.such.password"), std::string::npos);
  EXPECT_EQ(secret.error().detail.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace tokenrail::kafka
