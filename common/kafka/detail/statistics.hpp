// librdkafka's statistics (a JSON text every statistics.interval.ms) as gauges: which brokers answer and how fast, what
// waits in the client, how far a group's partitions lag.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/telemetry/metrics.hpp"

namespace tokenrail::kafka::detail {

struct Statistics {
  std::size_t brokers_up = 0;
  std::int64_t queued_messages = 0;  ///< in the client, produced and not reported
  std::int64_t queued_bytes = 0;
  struct Broker {
    std::string name;
    double rtt_p50_ms = 0;
    double rtt_p99_ms = 0;
  };
  std::vector<Broker> brokers{};
  struct Lag {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t records = 0;  ///< between the group's position and the end of the partition
  };
  std::vector<Lag> lags{};
};

/// The fields of the text that are understood; none is required. Pure.
[[nodiscard]] Statistics parse_statistics(std::string_view json);

/// Keeps the gauges of one client. Their labels contain `client`: group, producer, reader.
class StatisticsGauges {
 public:
  StatisticsGauges(telemetry::Metrics& metrics, std::string client);
  void update(const Statistics& statistics);

 private:
  telemetry::Metrics& metrics_;
  std::string client_;
  telemetry::Gauge& brokers_up_;
  telemetry::Gauge& queued_messages_;
  telemetry::Gauge& queued_bytes_;
  std::map<std::pair<std::string, std::int32_t>, telemetry::Gauge*> lags_;
};

}  // namespace tokenrail::kafka::detail
