#include "common/kafka/detail/statistics.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tokenrail::kafka::detail {
namespace {

constexpr std::string_view example = R"({
  "name": "rdkafka#consumer-1", "msg_cnt": 7, "msg_size": 1234,
  "brokers": {
    "127.0.0.1:9092/bootstrap": {"nodeid": -1, "nodename": "127.0.0.1:9092", "state": "UP", "rtt": {"p50": 1, "p99": 1, "cnt": 1}},
    "127.0.0.1:9092/1": {"nodeid": 1, "nodename": "127.0.0.1:9092", "state": "UP", "rtt": {"p50": 1500, "p99": 9000, "cnt": 12}},
    "127.0.0.1:9093/2": {"nodeid": 2, "nodename": "127.0.0.1:9093", "state": "DOWN", "rtt": {"p50": 0, "p99": 0, "cnt": 0}}
  },
  "topics": {
    "chat.requests": {"topic": "chat.requests", "partitions": {
      "0": {"partition": 0, "consumer_lag": 5, "fetch_state": "active"},
      "1": {"partition": 1, "consumer_lag": -1, "fetch_state": "active"},
      "2": {"partition": 2, "consumer_lag": 9, "fetch_state": "none"},
      "-1": {"partition": -1, "consumer_lag": 3, "fetch_state": "active"}}}
  }
})";

TEST(KafkaStatistics, ReadsBrokersQueuesAndLag) {
  const auto statistics = parse_statistics(example);
  EXPECT_EQ(statistics.brokers_up, 1U);
  EXPECT_EQ(statistics.queued_messages, 7);
  EXPECT_EQ(statistics.queued_bytes, 1234);
  ASSERT_EQ(statistics.brokers.size(), 1U);
  EXPECT_EQ(statistics.brokers[0].name, "127.0.0.1:9092");
  EXPECT_DOUBLE_EQ(statistics.brokers[0].rtt_p50_ms, 1.5);
  EXPECT_DOUBLE_EQ(statistics.brokers[0].rtt_p99_ms, 9.0);
  ASSERT_EQ(statistics.lags.size(), 1U)
      << "unknown lag, partitions that are not read and the unassigned one are left out";
  EXPECT_EQ(statistics.lags[0].topic, "chat.requests");
  EXPECT_EQ(statistics.lags[0].partition, 0);
  EXPECT_EQ(statistics.lags[0].records, 5);
}

TEST(KafkaStatistics, ZeroIsABrokerAndALag) {
  const auto statistics = parse_statistics(R"({
    "brokers": {
      "a:1/0": {"nodeid": 0, "nodename": "a:1", "state": "UP", "rtt": {"p50": 1000, "p99": 2000, "cnt": 1}},
      "a:1/1": {"nodeid": 1, "nodename": "a:1", "state": "UP", "rtt": {"p50": 0, "p99": 0, "cnt": 0}},
      "a:1/2": {"nodeid": 2, "nodename": "a:1", "state": "UP"}
    },
    "topics": {"t": {"topic": "t", "partitions": {"0": {"partition": 0, "consumer_lag": 0, "fetch_state": "active"}}}}
  })");
  EXPECT_EQ(statistics.brokers_up, 3U);
  EXPECT_EQ(statistics.brokers.size(), 1U) << "without a request there is no round trip";
  ASSERT_EQ(statistics.lags.size(), 1U);
  EXPECT_EQ(statistics.lags[0].records, 0);
}

TEST(KafkaStatistics, EveryFieldIsOptional) {
  for (const std::string_view text : {"", "{", "null", "[]", "{}", R"({"brokers": 3, "topics": {"x": 1}})",
                                      R"({"brokers": {"a": {"state": 5}}, "topics": {"t": {"partitions": []}}})"}) {
    SCOPED_TRACE(text);
    const auto statistics = parse_statistics(text);
    EXPECT_EQ(statistics.brokers_up, 0U);
    EXPECT_TRUE(statistics.lags.empty());
  }
}

TEST(KafkaStatistics, ReleasedPartitionHasNoLag) {
  telemetry::Metrics metrics;
  StatisticsGauges gauges(metrics, "group");
  gauges.update(parse_statistics(example));
  auto& lag = metrics.gauge("kafka_consumer_lag_records", "",
                            {{"topic", "chat.requests"}, {"partition", "0"}, {"client", "group"}});
  EXPECT_DOUBLE_EQ(lag.value(), 5);
  const auto text = metrics.text();
  for (const std::string_view sample : {
           "kafka_broker_rtt_ms{broker=\"127.0.0.1:9092\",client=\"group\",quantile=\"0.5\"} 1.5\n",
           "kafka_broker_rtt_ms{broker=\"127.0.0.1:9092\",client=\"group\",quantile=\"0.99\"} 9\n",
           "kafka_brokers_up{client=\"group\"} 1\n",
           "kafka_queued_records{client=\"group\"} 7\n",
           "kafka_queued_bytes{client=\"group\"} 1234\n",
       })
    EXPECT_NE(text.find(sample), std::string::npos) << sample;
  gauges.update(parse_statistics("{}"));
  EXPECT_DOUBLE_EQ(lag.value(), 0);
  EXPECT_DOUBLE_EQ(metrics.gauge("kafka_brokers_up", "", {{"client", "group"}}).value(), 0);
}

}  // namespace
}  // namespace tokenrail::kafka::detail
