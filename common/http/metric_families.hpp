// The metrics of the HTTP client.
#pragma once

#include <array>
#include <string_view>

#include "common/telemetry/metric_family.hpp"

namespace tokenrail::http {

inline constexpr auto metric_families = std::to_array<telemetry::MetricFamily>({
    {.name = "http_client_connections_opened_total",
     .type = telemetry::MetricType::counter,
     .unit = "connections",
     .help = "Connections that the HTTP client opened."},
    {.name = "http_client_name_lookups",
     .type = telemetry::MetricType::gauge,
     .unit = "host names",
     .help = "Host names that are being looked up now."},
    {.name = "http_client_name_lookups_total",
     .type = telemetry::MetricType::counter,
     .unit = "lookups",
     .help = "Lookups of host names that ended. outcome: found, not_found or failed.",
     .labels = {"outcome"}},
    {.name = "http_client_transfers",
     .type = telemetry::MetricType::gauge,
     .unit = "exchanges",
     .help = "HTTP exchanges that run now."},
    {.name = "http_client_transfers_total",
     .type = telemetry::MetricType::counter,
     .unit = "exchanges",
     .help = "HTTP exchanges that ended. ending: complete or failed; an answer with an error status is complete.",
     .labels = {"ending"}},
});

consteval telemetry::MetricFamily metric_family(std::string_view name) {
  return telemetry::family_of(metric_families, name);
}

}  // namespace tokenrail::http
