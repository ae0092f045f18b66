// The metrics of tokenrail-registry-sync.
#pragma once

#include <array>
#include <string_view>

#include "common/telemetry/metric_family.hpp"

namespace tokenrail::registry_sync {

inline constexpr auto metric_families = std::to_array<telemetry::MetricFamily>({
    {.name = "ollama_health_status",
     .type = telemetry::MetricType::gauge,
     .unit = "boolean",
     .help = "1 if the connection listed its models when it was last asked, else 0. org is platform where no "
             "organisation owns it.",
     .labels = {"connection", "org"}},
    {.name = "registry_connection_health",
     .type = telemetry::MetricType::gauge,
     .unit = "boolean",
     .help = "1 for the health that a connection has, 0 for one that it had. health: unknown, healthy, degraded or "
             "down. 1 only in the leader, for every connection that is enabled.",
     .labels = {"connection", "org", "provider", "health"}},
    {.name = "registry_outbox_oldest_seconds",
     .type = telemetry::MetricType::gauge,
     .unit = "s",
     .help = "Age of the oldest event that a part waits for. part: state, history (what the state has already) or "
             "credentials.",
     .labels = {"part"}},
    {.name = "registry_outbox_rows",
     .type = telemetry::MetricType::gauge,
     .unit = "events",
     .help = "Events that a part waits for. part: state, history (what the state has already) or credentials.",
     .labels = {"part"}},
    {.name = "registry_records_published_total",
     .type = telemetry::MetricType::counter,
     .unit = "records",
     .help = "Records that the brokers acknowledged.",
     .labels = {"topic"}},
    {.name = "registry_records_refused_total",
     .type = telemetry::MetricType::counter,
     .unit = "records",
     .help = "Records that the brokers refused for good. They are left out."},
    {.name = "registry_records_too_large_total",
     .type = telemetry::MetricType::counter,
     .unit = "records",
     .help = "Records above the limit of their topic. They are left out."},
    {.name = "registry_state_repairs_total",
     .type = telemetry::MetricType::counter,
     .unit = "records",
     .help = "Records of a compacted topic that were published again. reason: missing, older, unreadable, unknown (to "
             "the database: removed) or mark.",
     .labels = {"reason", "topic"}},
    {.name = "registry_sync_duration_ms",
     .type = telemetry::MetricType::histogram,
     .unit = "ms",
     .help = "Time that one sync of one connection took."},
    {.name = "registry_sync_leader",
     .type = telemetry::MetricType::gauge,
     .unit = "boolean",
     .help = "1 while this process leads, that is publishes the registry, else 0."},
    {.name = "registry_sync_runs_total",
     .type = telemetry::MetricType::counter,
     .unit = "syncs",
     .help = "Syncs of one connection that ended. status: ok, held or failed.",
     .labels = {"status"}},
    {.name = "registry_syncs_running",
     .type = telemetry::MetricType::gauge,
     .unit = "connections",
     .help = "Connections that are being synced now."},
});

consteval telemetry::MetricFamily metric_family(std::string_view name) {
  return telemetry::family_of(metric_families, name);
}

}  // namespace tokenrail::registry_sync
