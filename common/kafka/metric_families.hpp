// The metrics of the Kafka clients. The label client is group (reads as a member of the consumer group), reader (reads
// logs by offset) or producer.
#pragma once

#include <array>
#include <string_view>

#include "common/telemetry/metric_family.hpp"

namespace tokenrail::kafka {

inline constexpr auto metric_families = std::to_array<telemetry::MetricFamily>({
    {.name = "kafka_broker_rtt_ms",
     .type = telemetry::MetricType::gauge,
     .unit = "ms",
     .help = "Round trip to a broker over the last statistics interval. quantile: 0.5 or 0.99.",
     .labels = {"broker", "client", "quantile"}},
    {.name = "kafka_brokers_up",
     .type = telemetry::MetricType::gauge,
     .unit = "brokers",
     .help = "Brokers that the Kafka client is connected to.",
     .labels = {"client"}},
    {.name = "kafka_consumer_lag_records",
     .type = telemetry::MetricType::gauge,
     .unit = "records",
     .help = "Records between the position of the routers' consumer group and the end of the partition.",
     .labels = {"topic", "partition", "client"}},
    {.name = "kafka_producer_clients_replaced_total",
     .type = telemetry::MetricType::counter,
     .unit = "clients",
     .help = "Producer clients that were given up after an error and replaced.",
     .labels = {"topic"}},
    {.name = "kafka_queue_full_total",
     .type = telemetry::MetricType::counter,
     .unit = "records",
     .help = "Records that the producer did not take because its queue was full. They are offered again."},
    {.name = "kafka_queued_bytes",
     .type = telemetry::MetricType::gauge,
     .unit = "bytes",
     .help = "Bytes that wait in the Kafka client for the brokers.",
     .labels = {"client"}},
    {.name = "kafka_queued_records",
     .type = telemetry::MetricType::gauge,
     .unit = "records",
     .help = "Records that wait in the Kafka client for the brokers.",
     .labels = {"client"}},
    {.name = "kafka_records_failed_total",
     .type = telemetry::MetricType::counter,
     .unit = "records",
     .help = "Records whose delivery report was not OK, those that were refused included."},
    {.name = "kafka_records_produced_total",
     .type = telemetry::MetricType::counter,
     .unit = "records",
     .help = "Records that the producer took for sending."},
    {.name = "kafka_records_read_total",
     .type = telemetry::MetricType::counter,
     .unit = "records",
     .help = "Records that the Kafka client handed to the program.",
     .labels = {"client"}},
    {.name = "kafka_records_refused_total",
     .type = telemetry::MetricType::counter,
     .unit = "records",
     .help = "Records that the brokers refused for good.",
     .labels = {"topic"}},
    {.name = "kafka_topic_blocked",
     .type = telemetry::MetricType::gauge,
     .unit = "boolean",
     .help = "1 while the brokers take no record of this topic, else 0.",
     .labels = {"topic"}},
});

consteval telemetry::MetricFamily metric_family(std::string_view name) {
  return telemetry::family_of(metric_families, name);
}

}  // namespace tokenrail::kafka
