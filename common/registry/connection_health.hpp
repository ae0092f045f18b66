// What a sync or a test of a connection says about its health. Pure, except for record_health().
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/registry/sync_plan.hpp"

namespace soci {
class session;
}

namespace tokenrail::registry {

struct ConnectionHealth {
  std::string state = "unknown";  ///< unknown | healthy | degraded (it answers, but not as it should) | down
  std::string reason{};           ///< class of the failure, without secrets; empty: none

  bool operator==(const ConnectionHealth&) const = default;
};

/// Nothing: the run says nothing about the provider, because the failure was this program's own.
[[nodiscard]] std::optional<ConnectionHealth> health_after_sync(const SyncRun& run);

/// `stage` and `cause`: of the first stage that failed; both empty: none did. `answered`: the models were listed, or
/// one was called. Nothing: the test says nothing about the connection, only about the model that was named, or too
/// little.
[[nodiscard]] std::optional<ConnectionHealth> health_after_test(std::string_view stage, std::string_view cause,
                                                                bool answered);

/// Writes the health of a connection, and the event `connection.health_changed`, where it differs from what is stored.
/// `source`: sync | test.
void record_health(soci::session& sql, const std::string& connection_id, const ConnectionHealth& health,
                   std::string_view source);

}  // namespace tokenrail::registry
