#include "workers/registry_sync/records.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/core.h>

#include "common/events/cloud_events.hpp"
#include "common/events/credential_event.hpp"
#include "common/events/registry_records.hpp"
#include "common/registry/projection.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::string_view model_deleted_type = "model_registry.deleted";

// ---- kinds of records --------------------------------------------------------------------------------------------

/// What a record says about itself.
struct Reading {
  std::string key;
  std::string model_id{};
  std::int64_t version = 0;
};

std::optional<Reading> read_model(std::string_view value) {
  const auto event = events::parse_model_upserted(value);
  if (!event) return std::nullopt;
  return Reading{.key = events::model_key(event->model), .model_id = event->model.id, .version = event->version};
}

std::optional<Reading> read_credential(std::string_view value) {
  const auto credential = events::parse_sealed_credential(value);
  if (!credential) return std::nullopt;
  return Reading{.key = events::credential_key(*credential), .version = credential->version};
}

template <auto Parse>
std::optional<Reading> read_record(std::string_view value) {
  const auto record = Parse(value);
  if (!record) return std::nullopt;
  return Reading{.key = events::record_key(*record), .version = record->version};
}

struct Kind {
  Destination topic;
  std::string_view type;
  std::string_view purged_type;  ///< of a tombstone
  std::string_view key_prefix;   ///< empty: see has_key()
  std::optional<Reading> (*read)(std::string_view value);
};
constexpr Kind kinds[] = {
    {Destination::state, events::model_upserted_type, model_deleted_type, "", read_model},
    {Destination::state, events::registry_default_type, events::registry_default_type, events::default_key_prefix,
     read_record<events::parse_registry_default>},
    {Destination::state, events::registry_alias_type, events::registry_alias_type, events::alias_key_prefix,
     read_record<events::parse_registry_alias>},
    {Destination::state, events::registry_view_type, events::registry_view_type, events::view_key_prefix,
     read_record<events::parse_registry_view>},
    {Destination::state, events::registry_grants_type, events::registry_grants_type, events::grants_key_prefix,
     read_record<events::parse_registry_grants>},
    {Destination::state, events::registry_organization_type, events::registry_organization_type,
     events::organization_key_prefix, read_record<events::parse_registry_organization>},
    {Destination::credentials, events::credential_upserted_type, events::credential_revoked, "", read_credential}};

/// {org or _}/{user or _}/{id}
bool is_credential_key(std::string_view key) {
  if (std::ranges::count(key, '/') != 2) return false;
  const auto first = key.substr(0, key.find('/'));
  return first == "_" || !first.starts_with('_');
}

bool has_key(const Kind& kind, std::string_view key) {
  if (!kind.key_prefix.empty()) return key.starts_with(kind.key_prefix);
  return kind.topic == Destination::state ? registry::is_model_key(key) : is_credential_key(key);
}

const Kind* kind_of_key(Destination topic, std::string_view key) {
  const auto* const found =
      std::ranges::find_if(kinds, [&](const Kind& kind) { return kind.topic == topic && has_key(kind, key); });
  return found == std::end(kinds) ? nullptr : found;
}

const Kind* kind_of_type(std::string_view type) {
  const auto* const found =
      std::ranges::find_if(kinds, [&](const Kind& kind) { return kind.type == type || kind.purged_type == type; });
  return found == std::end(kinds) ? nullptr : found;
}

// ---- headers -----------------------------------------------------------------------------------------------------

/// Keys of models and credentials begin with the organisation; the others begin with a word, then the organisation.
std::string source_of(std::string_view key) {
  if (key.starts_with('_') && !key.starts_with("_/")) key.remove_prefix(std::min(key.find('/'), key.size() - 1) + 1);
  const auto org = key.substr(0, key.find('/'));
  return org.empty() || org == "_" ? "/registry/platform" : fmt::format("/registry/{}", org);
}

kafka::Headers headers_of(const std::string& id, const std::string& key, std::string_view type, std::int64_t time_ms) {
  auto headers =
      events::cloud_event_headers({.id = id, .source = source_of(key), .type = std::string(type), .time_ms = time_ms});
  headers.emplace_back("ce_partitionkey", key);
  return headers;
}

}  // namespace

std::vector<Outgoing> records_of(const registry::OutboxRecord& record) {
  const auto headers = headers_of(record.id, record.key, record.type, record.created_ms);
  const auto* const kind = kind_of_type(record.type);
  std::vector<Outgoing> records;
  if (kind != nullptr) {
    const bool purged = record.type != kind->type;
    records.push_back(
        {.to = kind->topic, .key = record.key, .value = purged ? std::nullopt : record.payload, .headers = headers});
    // A history is kept as it was written: a secret that was replaced or revoked must not be in one.
    if (kind->topic == Destination::credentials) return records;
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
  const auto* const kind = kind_of_key(topic_, key);
  if (kind == nullptr) return;
  if (!value) {
    if (const auto held = records_.find(key); held != records_.end()) records_.erase(held);
    return;
  }
  auto& held = records_[std::string(key)];
  held.type = kind->type;
  const auto reading = kind->read(*value);
  // A record whose content belongs under another key is taken by no reader.
  held.readable = reading && reading->key == key;
  if (!held.readable) return;
  held.model_id = reading->model_id;
  held.version = reading->version;
  held.highest = std::max(held.highest, reading->version);
  highest_version_ = std::max(highest_version_, reading->version);
}

Reconciliation reconcile(const TopicContent& topic, const std::vector<registry::PublishedState>& database,
                         std::int64_t now_ms) {
  Reconciliation result;
  std::set<std::string_view> known;
  for (const auto& state : database) {
    known.insert(state.key);
    const auto held = topic.records().find(state.key);
    const bool there = held != topic.records().end();
    if (there && held->second.highest > state.version) result.behind.push_back({state.type, state.id});
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
    // Made from the row's id, not random: a consumer that reads the record twice recognises it.
    const auto id = fmt::format("state-{}-{}", state.id, state.version);
    result.records.push_back({.to = topic.topic(),
                              .key = state.key,
                              .value = state.payload,
                              .headers = headers_of(id, state.key, state.type, now_ms)});
  }
  const bool may_remove = topic.topic() == Destination::state ? models_in(database) > 0 : !database.empty();
  for (const auto& [key, held] : topic.records()) {
    if (!may_remove || known.contains(key)) continue;
    ++(held.readable ? result.unknown : result.unreadable);
    const auto id = fmt::format("purge-{}-{}", held.model_id.empty() ? key : held.model_id, held.highest);
    result.records.push_back({.to = topic.topic(),
                              .key = key,
                              .value = std::nullopt,
                              .headers = headers_of(id, key, kind_of_type(held.type)->purged_type, now_ms)});
  }
  const bool may_mark = topic.topic() == Destination::state || may_remove || topic.records().empty();
  result.mark = may_mark && (topic.mark() != TopicContent::Mark::there || !result.records.empty());
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

std::int64_t models_in(const std::vector<registry::PublishedState>& database) {
  return std::ranges::count(database, events::model_upserted_type, &registry::PublishedState::type);
}

Outgoing mark_record(Destination topic, const std::vector<registry::PublishedState>& database, std::int64_t now_ms) {
  events::RegistryMark mark{.version = 0, .models = models_in(database)};
  for (const auto& state : database) mark.version = std::max(mark.version, state.version);
  const std::string key(events::registry_mark_key);
  return {.to = topic,
          .key = key,
          .value = events::to_json(mark),
          .headers = headers_of(fmt::format("mark-{}-{}", mark.version, mark.models), key, events::registry_mark_type,
                                now_ms)};
}

}  // namespace tokenrail::registry_sync
