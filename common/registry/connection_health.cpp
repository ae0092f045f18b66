#include "common/registry/connection_health.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "common/events/connection_event.hpp"
#include "common/registry/model_rows.hpp"
#include "common/registry/session.hpp"

namespace tokenrail::registry {

namespace {

bool contains(std::initializer_list<std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// Of a provider that answers, but limits its callers or lists its models in a way that cannot be read.
bool is_degraded(std::string_view reason) {
  return contains({"rate_limited", "overloaded", "busy", "too_large", "not_json", "PROVIDER_PROTOCOL",
                   "unexpected_status", "capability", "invalid_request", "bad_request", "not_found_model"},
                  reason);
}

ConnectionHealth failed(std::string_view reason) {
  return {.state = is_degraded(reason) ? "degraded" : "down", .reason = std::string(reason)};
}

}  // namespace

std::optional<ConnectionHealth> health_after_sync(const SyncRun& run) {
  if (run.status != "failed") return ConnectionHealth{.state = "healthy"};
  if (contains({conflict_class, refused_class, no_adapter_class}, run.error_class)) return std::nullopt;
  return failed(run.error_class);
}

std::optional<ConnectionHealth> health_after_test(std::string_view stage, std::string_view cause, bool answered) {
  if (cause.empty()) return answered ? std::optional(ConnectionHealth{.state = "healthy"}) : std::nullopt;
  if (stage == "call" && contains({"not_found_model", "bad_request"}, cause)) return std::nullopt;
  return failed(cause);
}

void record_health(soci::session& sql, const std::string& connection_id, const ConnectionHealth& health,
                   std::string_view source) {
  const soci::rowset<soci::row> rows =
      (sql.prepare << "WITH before AS (SELECT id, health, health_reason, health_since FROM connection WHERE "
                      "id = CAST(:id AS uuid) AND deleted_at IS NULL AND (health, health_reason) IS DISTINCT FROM "
                      "(CAST(:state AS text), CAST(:reason AS text)) FOR UPDATE) "
                      "UPDATE connection c SET health = CAST(:state AS text), health_reason = CAST(:reason AS text), "
                      "health_since = CASE WHEN c.health = CAST(:state AS text) THEN COALESCE(c.health_since, now()) "
                      "ELSE now() END, updated_at = now() FROM before WHERE c.id = before.id "
                      "RETURNING c.name AS name, c.provider AS provider, "
                      "COALESCE(c.org_id, '_') || '/' || COALESCE(c.owner_user_id, '_') || '/' || c.provider AS place, "
                      "CAST(floor(extract(epoch FROM c.health_since) * 1000) AS bigint) AS since_ms, "
                      "before.health AS health, before.health_reason AS reason, "
                      "CAST(floor(extract(epoch FROM before.health_since) * 1000) AS bigint) AS before_ms",
       soci::use(connection_id, "id"), soci::use(health.state, "state"), soci::use(health.reason, "reason"));
  for (const auto& row : rows) {
    const events::ConnectionHealthChanged event{.connection_id = connection_id,
                                                .connection_name = text(row, "name"),
                                                .provider = text(row, "provider"),
                                                .source = std::string(source),
                                                .health = health.state,
                                                .reason = health.reason,
                                                .since_ms = number(row, "since_ms"),
                                                .previous_health = text(row, "health"),
                                                .previous_reason = text(row, "reason"),
                                                .previous_since_ms = maybe_number(row, "before_ms")};
    write_outbox(sql, "connection", text(row, "place") + "/_connection",
                 std::string(events::connection_health_changed_type), events::to_json(event));
  }
}

}  // namespace tokenrail::registry
