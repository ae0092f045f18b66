// Events about connections: the places where models are served.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tokenrail::events {

inline constexpr std::string_view connection_health_changed_type = "connection.health_changed";

/// What a sync or a test found out about a connection (schemas/connection-health-changed.schema.json).
struct ConnectionHealthChanged {
  std::string connection_id;
  std::string connection_name;
  std::string provider;
  std::string source;    ///< sync | test
  std::string health;    ///< healthy | degraded | down
  std::string reason{};  ///< class of the failure; empty: none
  std::int64_t since_ms = 0;
  std::string previous_health;  ///< unknown | healthy | degraded | down
  std::string previous_reason{};
  std::optional<std::int64_t> previous_since_ms{};
};
[[nodiscard]] std::string to_json(const ConnectionHealthChanged& event);

}  // namespace tokenrail::events
