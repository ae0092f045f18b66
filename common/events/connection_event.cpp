#include "common/events/connection_event.hpp"

#include "common/events/json_writer.hpp"

namespace tokenrail::events {

std::string to_json(const ConnectionHealthChanged& event) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("type", connection_health_changed_type);
  writer.field("connectionId", event.connection_id);
  writer.field("connectionName", event.connection_name);
  writer.field("provider", event.provider);
  writer.field("source", event.source);
  writer.field("health", event.health);
  if (!event.reason.empty()) writer.field("reason", event.reason);
  writer.field("sinceMs", event.since_ms);
  writer.field("previousHealth", event.previous_health);
  if (!event.previous_reason.empty()) writer.field("previousReason", event.previous_reason);
  if (event.previous_since_ms) writer.field("previousSinceMs", *event.previous_since_ms);
  writer.end_object();
  return out;
}

}  // namespace tokenrail::events
