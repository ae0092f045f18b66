#include "common/kafka/detail/statistics.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include "common/kafka/metric_families.hpp"

namespace tokenrail::kafka::detail {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

std::int64_t number(const object& from, const char* name) {
  std::int64_t value = 0;
  return from[name].get(value) == simdjson::SUCCESS ? value : 0;
}

std::string text(const object& from, const char* name) {
  std::string_view value;
  return from[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

// Calls `each` for every member that is an object.
template <class Each>
void members(const object& from, const char* name, Each each) {
  object inner;
  if (from[name].get(inner) != simdjson::SUCCESS) return;
  for (const auto field : inner) {
    object member;
    if (field.value.get(member) == simdjson::SUCCESS) each(member);
  }
}

}  // namespace

Statistics parse_statistics(std::string_view json) {
  Statistics statistics;
  simdjson::dom::parser parser;
  object root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return statistics;
  statistics.queued_messages = number(root, "msg_cnt");
  statistics.queued_bytes = number(root, "msg_size");
  members(root, "brokers", [&](const object& broker) {
    if (text(broker, "state") != "UP") return;
    if (number(broker, "nodeid") < 0) return;  // a bootstrap address or the coordinator's, not a broker of its own
    ++statistics.brokers_up;
    object rtt;
    if (broker["rtt"].get(rtt) != simdjson::SUCCESS || number(rtt, "cnt") == 0) return;
    statistics.brokers.push_back({.name = text(broker, "nodename"),
                                  .rtt_p50_ms = static_cast<double>(number(rtt, "p50")) / 1000.0,
                                  .rtt_p99_ms = static_cast<double>(number(rtt, "p99")) / 1000.0});
  });
  members(root, "topics", [&](const object& topic) {
    const std::string name = text(topic, "topic");
    members(topic, "partitions", [&](const object& partition) {
      const std::int64_t index = number(partition, "partition");
      const std::int64_t lag = number(partition, "consumer_lag");
      if (index >= 0 && lag >= 0 && text(partition, "fetch_state") == "active")
        statistics.lags.push_back({.topic = name, .partition = static_cast<std::int32_t>(index), .records = lag});
    });
  });
  return statistics;
}

StatisticsGauges::StatisticsGauges(telemetry::Metrics& metrics, std::string client)
    : metrics_(metrics),
      client_(std::move(client)),
      brokers_up_(metrics.gauge(metric_family("kafka_brokers_up"), {client_})),
      queued_messages_(metrics.gauge(metric_family("kafka_queued_records"), {client_})),
      queued_bytes_(metrics.gauge(metric_family("kafka_queued_bytes"), {client_})) {}

void StatisticsGauges::update(const Statistics& statistics) {
  brokers_up_.set(static_cast<double>(statistics.brokers_up));
  queued_messages_.set(static_cast<double>(statistics.queued_messages));
  queued_bytes_.set(static_cast<double>(statistics.queued_bytes));
  for (const auto& broker : statistics.brokers) {
    const auto rtt = [&](const char* quantile) -> telemetry::Gauge& {
      return metrics_.gauge(metric_family("kafka_broker_rtt_ms"), {broker.name, client_, quantile});
    };
    rtt("0.5").set(broker.rtt_p50_ms);
    rtt("0.99").set(broker.rtt_p99_ms);
  }
  for (auto& [partition, gauge] : lags_) gauge->set(0);  // no longer ours, no lag of ours
  for (const auto& lag : statistics.lags) {
    auto& gauge = lags_[{lag.topic, lag.partition}];
    if (gauge == nullptr)
      gauge = &metrics_.gauge(metric_family("kafka_consumer_lag_records"),
                              {lag.topic, fmt::format("{}", lag.partition), client_});
    gauge->set(static_cast<double>(lag.records));
  }
}

}  // namespace tokenrail::kafka::detail
