// The metrics of the event loop.
#pragma once

#include <array>
#include <string_view>

#include "common/telemetry/metric_family.hpp"

namespace tokenrail::telemetry {

inline constexpr auto metric_families = std::to_array<telemetry::MetricFamily>({
    {.name = "tokenrail_loop_turn_ms",
     .type = telemetry::MetricType::histogram,
     .unit = "ms",
     .help = "Time in which one handler held the event loop. Everything else in the process waits meanwhile."},
});

consteval telemetry::MetricFamily metric_family(std::string_view name) {
  return telemetry::family_of(metric_families, name);
}

}  // namespace tokenrail::telemetry
