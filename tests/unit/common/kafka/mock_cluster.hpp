// librdkafka's in-process mock cluster (the real protocol on loopback ports) and what the tests of the clients share.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "common/kafka/consumer.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/kafka/producer.hpp"

namespace tokenrail::kafka::testing {

class MockCluster {
 public:
  explicit MockCluster(int brokers = 1) {
    char text[256];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "2", nullptr, 0);  // it misses bootstrap.servers, which are its own to be
    client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (client_ == nullptr) throw std::runtime_error(text);
    cluster_ = rd_kafka_mock_cluster_new(client_, brokers);
    if (cluster_ == nullptr) throw std::runtime_error("no mock cluster");
  }
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(client_);
  }
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  void topic(const std::string& name, int partitions) {
    if (rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1) != RD_KAFKA_RESP_ERR_NO_ERROR)
      throw std::runtime_error("no topic " + name);
  }

  /// The mock answers a fetch after this time, not when a record comes.
  [[nodiscard]] Properties properties(const Properties& more = {}) const {
    Properties all = {{"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster_)},
                      {"fetch.wait.max.ms", "10"},
                      {"session.timeout.ms", "3000"},  // and a rebalance takes the session's time less a second
                      {"heartbeat.interval.ms", "300"},
                      {"reconnect.backoff.ms", "20"},
                      {"reconnect.backoff.max.ms", "100"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  [[nodiscard]] rd_kafka_mock_cluster_t* get() const { return cluster_; }

 private:
  rd_kafka_t* client_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

/// Runs the loop until `done` holds; false: it did not within a time that only a fault can take.
inline bool run_until(boost::asio::io_context& loop, const std::function<bool()>& done,
                      std::chrono::seconds at_most = std::chrono::seconds(120)) {
  const auto give_up = std::chrono::steady_clock::now() + at_most;
  loop.restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    loop.run_one_for(std::chrono::milliseconds(100));
  }
  return true;
}

struct SeenReport {
  std::uint64_t token = 0;
  bool ok = false;
  bool fate_unknown = false;
  std::int64_t offset = -1;
  std::string detail{};
  bool refused = false;
};

class Reports final : public ProducerListener {
 public:
  void on_report(const Report& report) override {
    all.push_back({report.token, report.ok, report.fate_unknown, report.offset, std::string(report.detail),
                   report.refused == Refusal::record});
    if (then) then(report);
  }
  void on_space() override { ++spaces; }
  void on_fatal(const Error& error) override { fatal = error; }

  std::vector<SeenReport> all;
  int spaces = 0;
  std::optional<Error> fatal;
  std::function<void(const Report&)> then;
};

class ReadLog final : public LogReaderListener {
 public:
  void on_record(Record&& record) override {
    records.push_back(std::move(record));
    if (then) then();
  }
  void on_end(const TopicPartition& partition, std::int64_t next_offset) override { ends[partition] = next_offset; }
  void on_failure(const TopicPartition& partition, const Error& error) override {
    failures.emplace_back(partition, error);
  }

  std::vector<Record> records;
  std::map<TopicPartition, std::int64_t> ends;
  std::vector<std::pair<TopicPartition, Error>> failures;
  std::function<void()> then;
};

struct SeenCommit {
  std::uint64_t token = 0;
  TopicPartition partition{};
  CommitOutcome outcome = CommitOutcome::failed;
  std::string detail{};
};

/// A member that takes what it is given from the earliest record on and releases at once, unless set otherwise.
class MemberLog final : public ConsumerListener {
 public:
  void on_record(Record&& record) override {
    records.push_back(std::move(record));
    if (then) then();
  }
  void on_assigned(const std::vector<TopicPartition>& partitions) override {
    ++assignments;
    assigned = partitions;
    if (forget) records.clear();
    if (!take || consumer == nullptr) return;
    std::vector<StartingPoint> points;
    for (const auto& partition : partitions) points.push_back({.partition = partition, .offset = from});
    consumer->assign(points);
  }
  void on_revoked(const std::vector<TopicPartition>& partitions) override {
    revoked.push_back(partitions);
    assigned.clear();
    if (before_release) before_release();
    if (give && consumer != nullptr) consumer->release();
  }
  void on_lost(const std::vector<TopicPartition>& partitions) override {
    lost.push_back(partitions);
    assigned.clear();
  }
  void on_committed(std::uint64_t token, const TopicPartition& partition, CommitOutcome outcome,
                    const std::string& detail) override {
    commits.push_back({token, partition, outcome, detail});
  }
  void on_fatal(const Error& error) override { fatal = error; }

  GroupConsumer* consumer = nullptr;
  bool take = true;
  bool give = true;
  bool forget = false;  ///< keep the records of the present assignment only
  std::int64_t from = offset_beginning;
  int assignments = 0;
  std::vector<Record> records;
  std::vector<TopicPartition> assigned;
  std::vector<std::vector<TopicPartition>> revoked;
  std::vector<std::vector<TopicPartition>> lost;
  std::vector<SeenCommit> commits;
  std::optional<Error> fatal;
  std::function<void()> then;
  std::function<void()> before_release;
};

/// Produces `count` records "0", "1", … to one partition and waits until all are reported.
inline void fill(boost::asio::io_context& loop, const Properties& properties, const std::string& topic,
                 std::int32_t partition, int count, std::size_t size_min = 0) {
  telemetry::Metrics metrics;
  Reports reports;
  auto producer = Producer::make(loop, {.properties = properties}, reports, metrics);
  ASSERT_TRUE(producer.has_value()) << producer.error().detail;
  const auto handle = (*producer)->topic(topic);
  for (int i = 0; i < count; ++i) {
    std::string value = std::to_string(i);
    if (value.size() < size_min) value.resize(size_min, ' ');
    ASSERT_EQ((*producer)->produce(handle, partition, "k", value, nullptr, static_cast<std::uint64_t>(i)),
              Produced::accepted);
  }
  ASSERT_TRUE(run_until(loop, [&] { return reports.all.size() == static_cast<std::size_t>(count); }));
  for (const auto& report : reports.all) ASSERT_TRUE(report.ok) << report.detail;
}

}  // namespace tokenrail::kafka::testing
