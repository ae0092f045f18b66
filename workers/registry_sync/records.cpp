#include "workers/registry_sync/records.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/core.h>

#include "common/events/cloud_events.hpp"
#include "common/registry/projection.hpp"

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

void TopicContent::apply(std::string_view key, std::optional<std::string_view> value) {
  if (key == events::registry_mark_key) {
    const auto mark = value ? events::parse_registry_mark(*value) : fail(ErrorKind::not_found, "a tombstone");
    mark_ = mark ? Mark::there : value ? Mark::unreadable : Mark::missing;
    if (mark) highest_version_ = std::max(highest_version_, mark->version);
    return;
  }
  if (!registry::is_model_key(key)) return;
  if (!value) {
    if (const auto held = models_.find(key); held != models_.end()) models_.erase(held);
    return;
  }
  auto& held = models_[std::string(key)];
  const auto event = events::parse_model_upserted(*value);
  // A record whose content belongs under another key is taken by no reader.
  held.readable = event && events::model_key(event->model) == key;
  if (!held.readable) return;
  held.model_id = event->model.id;
  held.version = event->version;
  held.highest = std::max(held.highest, event->version);
  highest_version_ = std::max(highest_version_, event->version);
}

Reconciliation reconcile(const TopicContent& topic, const std::vector<registry::PublishedState>& database,
                         std::int64_t now_ms) {
  Reconciliation result;
  std::set<std::string_view> known;
  for (const auto& state : database) {
    known.insert(state.key);
    const auto held = topic.models().find(state.key);
    const bool there = held != topic.models().end();
    if (there && held->second.highest > state.version) result.behind.push_back(state.model_id);
    if (state.pending) continue;
    if (!there) {
      ++result.missing;
    } else if (!held->second.readable) {
      ++result.unreadable;
    } else if (held->second.version < state.version) {
      ++result.older;
    } else {
      continue;
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
      ++(model.readable ? result.unknown : result.unreadable);
      const auto id = fmt::format("purge-{}-{}", model.model_id.empty() ? key : model.model_id, model.highest);
      result.records.push_back({.to = Destination::state,
                                .key = key,
                                .value = std::nullopt,
                                .headers = headers_of(id, key, "model_registry.deleted", now_ms)});
    }
  }
  result.mark = topic.mark() != TopicContent::Mark::there || !result.records.empty();
  return result;
}

std::string words_of(const Reconciliation& done) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (done.missing > 0) add(fmt::format("{} missing", done.missing));
  if (done.older > 0) add(fmt::format("{} older", done.older));
  if (done.unreadable > 0) add(fmt::format("{} unreadable", done.unreadable));
  if (done.unknown > 0) add(fmt::format("{} unknown to the database", done.unknown));
  if (done.mark) add("the mark");
  return text;
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

}  // namespace tokenrail::registry_sync
