// What a real broker refuses, and what a topic that is deleted and made again does to the records on their way.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include "tests/integration/kafka/real_broker.hpp"
#include "tests/unit/common/kafka/mock_cluster.hpp"

namespace tokenrail::kafka {
namespace {

using testing::ReadLog;
using testing::Reports;
using testing::run_until;
using testing::SeenReport;
using namespace std::chrono_literals;

class KafkaRefusals : public testing::RealBroker {
 protected:
  void SetUp() override {
    RealBroker::SetUp();
    if (!IsSkipped()) make({});
  }

  void make(const Properties& more) {
    Properties all = properties;
    all.insert(all.end(), more.begin(), more.end());
    auto made = Producer::make(loop, {.properties = all}, reports, metrics);
    ASSERT_TRUE(made.has_value()) << made.error().detail;
    producer = std::move(*made);
  }

  std::string name(const std::string& what) { return "it-" + std::to_string(::getpid()) + "-refusals-" + what; }

  void create(const std::string& topic, std::int32_t partitions, std::map<std::string, std::string> config = {}) {
    // A topic that was deleted a moment ago may still be known.
    Result<void> made;
    for (int tried = 0; tried < 200; ++tried) {
      made = admin->create({{.name = topic, .partitions = partitions, .config = config}}, 20s);
      if (made.has_value()) return;
      loop.run_one_for(50ms);
    }
    FAIL() << made.error().detail;
  }

  void destroy(const std::string& topic) {
    char text[256];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    for (const auto& [key, value] : properties) rd_kafka_conf_set(conf, key.c_str(), value.c_str(), text, sizeof text);
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
    rd_kafka_DeleteTopic_t* wish = rd_kafka_DeleteTopic_new(topic.c_str());
    rd_kafka_DeleteTopics(client, &wish, 1, nullptr, queue);
    rd_kafka_event_t* answer = rd_kafka_queue_poll(queue, 20'000);
    ASSERT_NE(answer, nullptr);
    EXPECT_EQ(rd_kafka_event_error(answer), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(answer);
    rd_kafka_DeleteTopic_destroy(wish);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
  }

  struct Sent {
    std::int32_t partition;
    std::uint64_t unit;
    bool large;
  };

  void produce(TopicHandle topic, std::int32_t partition, std::uint64_t unit = 0, bool large = false) {
    std::string value = std::to_string(sent.size());
    value.resize(large ? 20'000 : 200, ' ');
    const auto token = sent.size();
    ASSERT_EQ(producer->produce(topic, partition, "k", value, nullptr, token, unit), Produced::accepted);
    sent.push_back({partition, unit, large});
  }

  [[nodiscard]] bool all_reported() {
    return run_until(loop, [&] { return reports.all.size() == sent.size(); });
  }

  /// The tokens in the log, in its order.
  std::vector<std::uint64_t> read(const std::string& topic, std::int32_t partition) {
    const auto marks = admin->watermarks({.topic = topic, .partition = partition}, 20s);
    EXPECT_TRUE(marks.has_value());
    ReadLog log;
    auto reader = LogReader::make(loop, {.properties = properties, .topics = {topic}}, log, metrics);
    (*reader)->start({{.partition = {.topic = topic, .partition = partition}, .offset = offset_beginning}});
    EXPECT_TRUE(run_until(loop, [&] {
      const auto end = log.ends.find({topic, partition});
      return end != log.ends.end() && end->second >= marks->next;
    }));
    std::vector<std::uint64_t> tokens;
    for (const auto& record : log.records) tokens.push_back(std::stoull(*record.value));
    return tokens;
  }

  /// A broker learns of a deletion a moment after the controller: what it took until then went with the old topic.
  static bool is_end_of(const std::vector<std::uint64_t>& part, const std::vector<std::uint64_t>& whole) {
    return part.size() <= whole.size() && std::equal(part.rbegin(), part.rend(), whole.rbegin());
  }

  boost::asio::io_context loop;
  telemetry::Metrics metrics;
  Reports reports;
  std::unique_ptr<Producer> producer;
  std::vector<Sent> sent;
};

TEST_F(KafkaRefusals, LoweredLimitRefusesOnlyRecordsAboveIt) {
  const auto lowered = name("lowered");
  const auto other = name("other");
  create(lowered, 3);
  create(other, 3);
  const auto to = producer->topic(lowered);
  const auto beside = producer->topic(other);
  // Units of ten records, two interleaved in each of three partitions; some have a large one in their middle.
  const auto round = [&](std::uint64_t number, bool some_large) {
    for (int i = 0; i < 10; ++i) {
      for (std::int32_t partition = 0; partition < 3; ++partition) {
        for (std::uint64_t twin = 0; twin < 2; ++twin) {
          const auto unit = 1 + number * 6 + static_cast<std::uint64_t>(partition) * 2 + twin;
          produce(to, partition, unit, some_large && i == 5 && unit % 5 == 0);
        }
        produce(beside, partition);
      }
    }
  };
  round(0, true);
  ASSERT_TRUE(all_reported());
  for (const auto& report : reports.all)
    ASSERT_TRUE(report.ok) << "what the limit allows is written: " << report.detail;

  ASSERT_TRUE(admin->alter_config(lowered, {{"max.message.bytes", "10000"}}, 20s).has_value());
  // The broker knows when it has refused one.
  const auto probe_from = sent.size();
  ASSERT_TRUE(run_until(loop, [&] {
    if (reports.all.size() < sent.size()) return false;
    if (sent.size() > probe_from && !reports.all.back().ok) return true;
    produce(to, 0, 0, true);
    return false;
  }));
  const auto judged_from = sent.size();
  for (std::uint64_t number = 1; number <= 12; ++number) {
    round(number, true);
    for (int turn = 0; turn < 5; ++turn) loop.run_one_for(5ms);
  }
  ASSERT_TRUE(all_reported());
  EXPECT_FALSE(reports.fatal.has_value());
  EXPECT_TRUE(producer->blocked().empty());

  std::map<std::uint64_t, const SeenReport*> of;
  for (const auto& report : reports.all) EXPECT_TRUE(of.emplace(report.token, &report).second) << "reported once";
  std::map<std::uint64_t, bool> ended;  // units
  std::map<std::int32_t, std::vector<std::uint64_t>> expected;
  std::size_t refused = 0;
  for (std::uint64_t token = 0; token < sent.size(); ++token) {
    const auto& record = sent[token];
    const auto& report = *of.at(token);
    if (token < judged_from) {
      if (report.ok && record.unit + (record.large ? 1 : 0) > 0) expected[record.partition].push_back(token);
      continue;
    }
    const bool wrong = record.large || (record.unit != 0 && ended[record.unit]);
    if (wrong) ended[record.unit] = true;
    EXPECT_EQ(report.refused, wrong) << token << ' ' << report.detail;
    EXPECT_EQ(report.ok, !wrong) << token << ' ' << report.detail;
    refused += wrong ? 1U : 0U;
    if (!wrong && record.unit != 0) expected[record.partition].push_back(token);
  }
  EXPECT_GT(refused, 12U);
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    SCOPED_TRACE(partition);
    EXPECT_EQ(read(lowered, partition), expected[partition]) << "once, in order, units without gaps";
    const auto beside_log = read(other, partition);
    EXPECT_EQ(beside_log.size(), 13 * 10U);
    EXPECT_TRUE(std::is_sorted(beside_log.begin(), beside_log.end()));
  }
}

TEST_F(KafkaRefusals, RefusedFirstRecordLeavesNoGapInItsUnit) {
  const auto topic = name("first");
  create(topic, 1, {{"max.message.bytes", "10000"}});
  const auto to = producer->topic(topic);
  produce(to, 0, 1, true);
  ASSERT_FALSE(::testing::Test::HasFatalFailure());
  // An owner goes on with a unit until the refusal is reported.
  while (reports.all.empty() && sent.size() < 1000) {
    produce(to, 0, 1);
    loop.run_one_for(1ms);
  }
  const auto last = sent.size();
  produce(to, 0, 2);
  ASSERT_TRUE(all_reported());
  for (std::size_t i = 0; i < last; ++i) EXPECT_TRUE(reports.all[i].refused) << i << ' ' << reports.all[i].detail;
  EXPECT_TRUE(reports.all[last].ok) << reports.all[last].detail;
  EXPECT_EQ(read(topic, 0), std::vector<std::uint64_t>{last});
}

TEST_F(KafkaRefusals, RecreatedTopicTakesRecordsProducedMeanwhile) {
  const auto again = name("again");
  const auto other = name("beside");
  create(again, 3);
  create(other, 3);
  const auto to = producer->topic(again);
  const auto beside = producer->topic(other);
  const auto some = [&](int count) {
    for (int i = 0; i < count; ++i) {
      for (std::int32_t partition = 0; partition < 3; ++partition) {
        produce(to, partition);
        produce(beside, partition);
      }
      loop.run_one_for(1ms);
    }
  };
  some(50);
  ASSERT_TRUE(all_reported());
  destroy(again);
  const auto first = sent.size();
  some(50);
  ASSERT_TRUE(run_until(loop, [&] { return !producer->blocked().empty(); }));
  EXPECT_EQ(producer->blocked()[0].topic, again);
  some(50);  // 100 of a partition wait or come later, of which the old topic can have had none
  create(again, 3);
  ASSERT_TRUE(all_reported());
  some(50);
  ASSERT_TRUE(all_reported());
  EXPECT_TRUE(producer->blocked().empty());
  std::map<std::int32_t, std::vector<std::uint64_t>> expected;
  for (const auto& report : reports.all) EXPECT_TRUE(report.ok) << report.token << ' ' << report.detail;
  for (std::uint64_t token = first; token < sent.size(); ++token)
    if (token % 2 == 0) expected[sent[token].partition].push_back(token);
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    const auto log = read(again, partition);
    EXPECT_GE(log.size(), 100U);
    EXPECT_TRUE(is_end_of(log, expected[partition])) << log.size();
    EXPECT_EQ(read(other, partition).size(), 200U);
  }
}

TEST_F(KafkaRefusals, TopicRecreatedAtOnceTakesLaterRecords) {
  const auto again = name("at-once");
  create(again, 3);
  const auto to = producer->topic(again);
  for (std::int32_t partition = 0; partition < 3; ++partition)
    for (int i = 0; i < 50; ++i) produce(to, partition);
  ASSERT_TRUE(all_reported());
  destroy(again);
  create(again, 3);
  const auto first = sent.size();
  // A busy broker may learn of the deletion only after it has taken all of a round: until it has some in the new topic.
  for (int rounds = 0; rounds < 1'000; ++rounds) {
    for (int i = 0; i < 50; ++i) {
      for (std::int32_t partition = 0; partition < 3; ++partition) produce(to, partition);
      loop.run_one_for(1ms);
    }
    ASSERT_TRUE(all_reported());
    int taken = 0;
    for (std::int32_t partition = 0; partition < 3; ++partition) {
      const auto marks = admin->watermarks({.topic = again, .partition = partition}, 20s);
      if (marks && marks->next > 0 && marks->next < static_cast<std::int64_t>(50 * (rounds + 2))) ++taken;
    }
    if (taken == 3) break;
  }
  std::map<std::int32_t, std::vector<std::uint64_t>> expected;
  for (const auto& report : reports.all) EXPECT_TRUE(report.ok) << report.token << ' ' << report.detail;
  for (std::uint64_t token = first; token < sent.size(); ++token) expected[sent[token].partition].push_back(token);
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    const auto log = read(again, partition);
    EXPECT_FALSE(log.empty());
    EXPECT_TRUE(is_end_of(log, expected[partition])) << log.size();
  }
}

TEST_F(KafkaRefusals, BatchesStayBelowTheLimitThatWasStated) {
  const auto topic = name("batches");
  create(topic, 1, {{"max.message.bytes", "20000"}});
  make({{"linger.ms", "200"}});
  const auto to = producer->topic(topic);
  producer->set_topic_bytes_max(to, 20'000);
  for (int i = 0; i < 1000; ++i) produce(to, 0);
  ASSERT_TRUE(all_reported());
  for (const auto& report : reports.all) EXPECT_TRUE(report.ok) << report.detail;
  EXPECT_EQ(metrics.counter("kafka_producer_clients_replaced_total", "", {{"topic", topic}}).value(), 0U);
}

}  // namespace
}  // namespace tokenrail::kafka
