#include "workers/registry_sync/records.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/core.h>

#include "common/events/cloud_events.hpp"

namespace tokenrail::registry_sync {

namespace {

std::string source_of(std::string_view key) {
  const auto org = key.substr(0, key.find('/'));
  return org == "_" || key.find('/') == std::string_view::npos ? "/registry/platform"
                                                               : fmt::format("/registry/{}", org);
}

kafka::Headers headers_of(const std::string& id, const std::string& key, const std::string& type,
                          std::int64_t time_ms) {
  auto headers = events::cloud_event_headers({.id = id, .source = source_of(key), .type = type, .time_ms = time_ms});
  headers.emplace_back("ce_partitionkey", key);
  return headers;
}

}  // namespace

std::vector<Outgoing> records_of(const registry::OutboxRecord& record) {
  const auto headers = headers_of(record.id, record.key, record.type, record.created_ms);
  std::vector<Outgoing> records;
  const bool deleted = record.type == "model_registry.deleted";
  if (deleted || record.type == events::model_upserted_type) {
    records.push_back({.to = Destination::state,
                       .key = record.key,
                       .value = deleted ? std::nullopt : record.payload,
                       .headers = headers});
  }
  records.push_back({.to = Destination::events, .key = record.key, .value = record.payload, .headers = headers});
  return records;
}

Reconciliation reconcile(const registry::Projection& topic, const std::vector<registry::PublishedState>& database,
                         std::int64_t now_ms) {
  Reconciliation result;
  std::set<std::string_view> known;
  for (const auto& state : database) {
    known.insert(state.key);
    const auto held = topic.models().find(state.key);
    if (held != topic.models().end()) {
      if (held->second.version > state.version) result.behind.push_back(state.model_id);
      if (held->second.version >= state.version) continue;
    }
    // Of an id's own making, not random: whoever reads it twice can tell.
    const auto id = fmt::format("state-{}-{}", state.model_id, state.version);
    result.records.push_back({.to = Destination::state,
                              .key = state.key,
                              .value = state.payload,
                              .headers = headers_of(id, state.key, std::string(events::model_upserted_type), now_ms)});
  }
  if (!database.empty()) {
    for (const auto& [key, model] : topic.models()) {
      if (known.contains(key)) continue;
      const auto id = fmt::format("purge-{}-{}", model.id, model.version);
      result.records.push_back({.to = Destination::state,
                                .key = key,
                                .value = std::nullopt,
                                .headers = headers_of(id, key, "model_registry.deleted", now_ms)});
    }
  }
  result.mark = !topic.complete() || !result.records.empty();
  return result;
}

Outgoing mark_record(const std::vector<registry::PublishedState>& database, std::int64_t now_ms) {
  events::RegistryMark mark{.version = 0, .models = static_cast<std::int64_t>(database.size())};
  for (const auto& state : database) mark.version = std::max(mark.version, state.version);
  const std::string key(events::registry_mark_key);
  return {.to = Destination::state,
          .key = key,
          .value = events::to_json(mark),
          .headers = headers_of(fmt::format("mark-{}-{}", mark.version, mark.models), key,
                                std::string(events::registry_mark_type), now_ms)};
}

std::int64_t highest_version(const registry::Projection& topic) {
  std::int64_t highest = topic.mark() ? topic.mark()->version : 0;
  for (const auto& [key, model] : topic.models()) highest = std::max(highest, model.version);
  return highest;
}

}  // namespace tokenrail::registry_sync
