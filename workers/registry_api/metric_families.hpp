// The metrics of tokenrail-registry-api.
#pragma once

#include <array>
#include <string_view>

#include "common/telemetry/metric_family.hpp"

namespace tokenrail::registry_api {

inline constexpr auto metric_families = std::to_array<telemetry::MetricFamily>({
    {.name = "registry_api_refusals_total",
     .type = telemetry::MetricType::counter,
     .unit = "requests",
     .help = "Requests that were not let through. reason: unauthenticated, forbidden, not_found (an organisation that "
             "the caller does not see) or rate_limited.",
     .labels = {"reason"}},
    {.name = "registry_api_request_duration_ms",
     .type = telemetry::MetricType::histogram,
     .unit = "ms",
     .help = "Time from a whole request to its answer, without sending it.",
     .labels = {"operation"}},
    {.name = "registry_api_requests_running",
     .type = telemetry::MetricType::gauge,
     .unit = "requests",
     .help = "Requests that are being answered now."},
    {.name = "registry_api_requests_total",
     .type = telemetry::MetricType::counter,
     .unit = "requests",
     .help =
         "Requests that were answered. operation: as in the OpenAPI document, or none. status: 2xx, 3xx, 4xx or 5xx.",
     .labels = {"operation", "status"}},
});

consteval telemetry::MetricFamily metric_family(std::string_view name) {
  return telemetry::family_of(metric_families, name);
}

}  // namespace tokenrail::registry_api
