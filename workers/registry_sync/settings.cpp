#include "workers/registry_sync/settings.hpp"

#include <array>

namespace tokenrail::registry_sync {

namespace {

using config::Kind;
using config::Setting;

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t mebibyte = 1'048'576;

constexpr std::array settings{
    Setting{.name = "sync.interval",
            .env = {},
            .kind = Kind::duration,
            .default_value = "5m",
            .help = "Time between two syncs of a connection; each is up to a tenth earlier or later.",
            .min = second_ms,
            .max = day_ms},
    Setting{.name = "sync.on_new",
            .env = {},
            .kind = Kind::choice,
            .default_value = "enabled",
            .help = "Whether models found on the platform's own connections (env-ollama and kin) may be used at once.",
            .choices = "enabled|disabled"},
    Setting{.name = "sync.missing_grace",
            .env = {},
            .kind = Kind::duration,
            .default_value = "24h",
            .help = "How long a model that its provider lists no longer may still be routed to.",
            .min = 0,
            .max = 365 * day_ms},
    Setting{.name = "sync.missing_runs",
            .env = {},
            .kind = Kind::integer,
            .default_value = "3",
            .help = "Successful syncs in which a model must be missing before it is routed to no longer.",
            .min = 1,
            .max = 1000},
    Setting{.name = "sync.details_max_age",
            .env = {},
            .kind = Kind::duration,
            .default_value = "24h",
            .help = "After that time the details of a model (capabilities, limits) are asked for again, also where its "
                    "list says nothing new.",
            .min = second_ms,
            .max = 365 * day_ms},
    Setting{.name = "sync.show_concurrency",
            .env = {},
            .kind = Kind::integer,
            .default_value = "4",
            .help = "Model details asked for at the same time, for each connection.",
            .min = 1,
            .max = 64},
    Setting{.name = "sync.connection_concurrency",
            .env = {},
            .kind = Kind::integer,
            .default_value = "8",
            .help = "Connections that one process syncs at the same time.",
            .min = 1,
            .max = 256},
    Setting{.name = "sync.models_max",
            .env = {},
            .kind = Kind::integer,
            .default_value = "10000",
            .help = "Models a connection. New ones above that are left out and counted; known ones stay.",
            .min = 1,
            .max = 1'000'000},
    Setting{.name = "sync.list_bytes_max",
            .env = {},
            .kind = Kind::bytes,
            .default_value = "32MiB",
            .help = "Largest list of models that is read.",
            .min = 1024,
            .max = 1024 * mebibyte},
    Setting{.name = "sync.show_bytes_max",
            .env = {},
            .kind = Kind::bytes,
            .default_value = "16MiB",
            .help = "Largest answer about one model that is read.",
            .min = 1024,
            .max = 1024 * mebibyte},
    Setting{.name = "sync.connect_timeout",
            .env = {},
            .kind = Kind::duration,
            .default_value = "5s",
            .help = "How long connecting to a provider may take.",
            .min = 10,
            .max = 60 * second_ms},
    Setting{.name = "sync.answer_timeout",
            .env = {},
            .kind = Kind::duration,
            .default_value = "30s",
            .help = "How long a provider may take to answer one question of a sync.",
            .min = 10,
            .max = 600 * second_ms},
    Setting{.name = "sync.connection_timeout",
            .env = {},
            .kind = Kind::duration,
            .default_value = "2m",
            .help = "How long all questions of one sync to one connection may take. What was answered by then is "
                    "applied; the rest comes with a later sync.",
            .min = 10,
            .max = 3600 * second_ms},
    Setting{.name = "sync.reconcile_interval",
            .env = {},
            .kind = Kind::duration,
            .default_value = "10m",
            .help = "How often the compacted topics are read to their ends and compared with the database. It is also "
                    "done when a topic does not end where this process left it, and on SIGHUP.",
            .min = second_ms,
            .max = day_ms},
    Setting{.name = "sync.poll_interval",
            .env = {},
            .kind = Kind::duration,
            .default_value = "250ms",
            .help = "How often the outbox is looked at, and whether someone asked for a sync.",
            .min = 10,
            .max = 60 * second_ms},
    Setting{
        .name = "sync.history_days",
        .env = {},
        .kind = Kind::integer,
        .default_value = "30",
        .help =
            "Days for which published outbox rows and records of syncs, their requests and held changes that are over "
            "are kept.",
        .min = 1,
        .max = 3650},
};

}  // namespace

std::span<const Setting> registry_sync_settings() {
  return settings;
}

Result<Options> options_from(const config::Values& values) {
  const auto connections = providers::environment_connections(values);
  if (!connections) return std::unexpected(connections.error());
  auto by_hand = providers::models_by_hand(values, *connections);
  if (!by_hand) return std::unexpected(by_hand.error());
  auto egress = http::egress_from(values);
  if (!egress) return std::unexpected(egress.error());
  const bool enabled = values.text("sync.on_new") == "enabled";
  std::vector<registry::PlatformConnection> platform{
      {.name = "env-ollama",
       .provider = "ollama",
       .base_url = providers::normal_base_url(values.text("ollama.base_url")),
       .new_models_enabled = enabled}};
  for (const auto& connection : *connections) {
    platform.push_back({.name = connection.name,
                        .provider = std::string(connection.profile->provider),
                        .base_url = connection.base_url,
                        .auth_type = std::string(connection.keys.empty() ? std::string_view("none")
                                                                         : name_of(connection.profile->auth)),
                        .new_models_enabled = enabled});
  }
  const auto size = [&](std::string_view name) { return static_cast<std::size_t>(values.integer(name)); };
  return Options{
      .platform = std::move(platform),
      .models_by_hand = std::move(*by_hand),
      .interval = values.duration("sync.interval"),
      .rules = {.missing_grace = values.duration("sync.missing_grace"),
                .missing_runs = values.integer("sync.missing_runs")},
      .details_age_max = values.duration("sync.details_max_age"),
      .show_concurrency = size("sync.show_concurrency"),
      .connection_concurrency = size("sync.connection_concurrency"),
      .models_max = size("sync.models_max"),
      .list_bytes_max = static_cast<std::size_t>(values.bytes("sync.list_bytes_max")),
      .show_bytes_max = static_cast<std::size_t>(values.bytes("sync.show_bytes_max")),
      .connect_time_max = values.duration("sync.connect_timeout"),
      .answer_time_max = values.duration("sync.answer_timeout"),
      .connection_time_max = values.duration("sync.connection_timeout"),
      .poll_interval = values.duration("sync.poll_interval"),
      .reconcile_interval = values.duration("sync.reconcile_interval"),
      .history_age = std::chrono::hours(24 * values.integer("sync.history_days")),
      .topics = topics::Names::with_prefix(values.text("topic.prefix")),
      .egress = std::move(*egress),
  };
}

}  // namespace tokenrail::registry_sync
