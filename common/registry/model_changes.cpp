// Announcing what has become of models: revisions, and events in the outbox.
#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "common/events/json_writer.hpp"
#include "common/registry/json_arrays.hpp"
#include "common/registry/kept_statements.hpp"
#include "common/registry/model_rows.hpp"

namespace tokenrail::registry {

namespace {

/// One line a value and version: what the event does not carry, no router can warn of.
void warn_of_invalid_parameters(const events::ModelState& model) {
  for (const auto& text : events::invalid_parameters(model)) spdlog::warn("{}", text);
}

}  // namespace

std::string event_text(const ModelRow& row, std::optional<std::int64_t> before_version,
                       const std::vector<std::string>& changed_fields, const std::string& cause,
                       const std::string& actor) {
  return events::to_json(events::ModelUpserted{.key = events::model_key(row.state),
                                               .version = row.state.version,
                                               .before_version = before_version,
                                               .changed_fields = changed_fields,
                                               .cause = cause,
                                               .actor = actor,
                                               .model = row.state});
}

void write_outbox(soci::session& sql, const std::string& aggregate, const std::string& key, const std::string& type,
                  const std::string& payload) {
  const auto bound = text_or_null(payload);
  sql << "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload) VALUES "
         "(tokenrail_uuid_v7(), :aggregate, :key, :type, CAST(:payload AS json))",
      soci::use(aggregate), soci::use(key), soci::use(type), soci::use(bound.value, bound.indicator);
}

namespace {

/// The models as their last events have them, by id. A model without an earlier event is not among them.
std::map<std::string, events::ModelState> last_published(soci::session& sql, const std::vector<Change>& changes) {
  std::vector<std::string> ids;
  std::vector<std::string> versions;
  for (const auto& change : changes) {
    if (!change.before_version) continue;
    ids.push_back(change.model_id);
    versions.push_back(std::to_string(*change.before_version));
  }
  std::map<std::string, events::ModelState> published;
  if (ids.empty()) return published;
  const auto rows = run_kept(
      sql,
      "SELECT CAST(r.model_id AS text) AS id, CAST(r.snapshot AS text) AS snapshot FROM "
      "unnest(CAST(string_to_array($1, "
      "',') AS uuid[]), CAST(string_to_array($2, ',') AS bigint[])) AS c (model_id, version) JOIN model_revision r ON "
      "r.model_id = c.model_id AND r.version = c.version",
      {joined(ids), joined(versions)});
  for (int at = 0; at < rows.count(); ++at)
    if (auto event = events::parse_model_upserted(text(rows.row(at), "snapshot")))
      published.emplace(text(rows.row(at), "id"), std::move(event->model));
  return published;
}

/// What a writer meant to change, and what else the event changes. A write may affect the model beyond its own fields
/// (a deployment that is passed over no longer), and so may time (a price that has come into force).
std::vector<std::string> all_changed_fields(std::vector<std::string> meant, const events::ModelState& before,
                                            const std::string& event) {
  // Both come from their events, so that only what an event contains is compared.
  const auto after = events::parse_model_upserted(event);
  if (!after) return meant;
  for (auto& field : changed_fields(before, after->model))
    if (std::ranges::find(meant, field) == meant.end()) meant.push_back(std::move(field));
  return meant;
}

/// The event of a change, whose fields become all that it changes.
std::string event_of(Change& change, const ModelRow& row, const events::ModelState* before, const std::string& cause,
                     const std::string& actor) {
  auto event = event_text(row, change.before_version, change.changed_fields, cause, actor);
  if (before == nullptr) return event;
  auto fields = all_changed_fields(change.changed_fields, *before, event);
  if (fields == change.changed_fields) return event;
  change.changed_fields = std::move(fields);
  return event_text(row, change.before_version, change.changed_fields, cause, actor);
}

/// `events`: a JSON array of {id, version, key, fields, payload}.
void write_events(soci::session& sql, const std::string& events, const std::string& cause, const std::string& actor) {
  run_kept(
      sql,
      "WITH event AS MATERIALIZED (SELECT tokenrail_uuid_v7() AS id, e.place AS place, CAST(e.w ->> 'id' AS uuid) AS "
      "model_id, CAST(e.w ->> 'version' AS bigint) AS version, e.w ->> 'key' AS key, e.w ->> 'fields' AS fields, "
      "CAST(e.w ->> 'payload' AS json) AS payload FROM jsonb_array_elements(CAST($1 AS jsonb)) WITH ORDINALITY e (w, "
      "place)), revision AS (INSERT INTO model_revision (model_id, version, snapshot, changed_fields, cause, actor, "
      "event_id, set_by_people) SELECT event.model_id, event.version, event.payload, string_to_array(event.fields, "
      "','), $2, $3, event.id, jsonb_build_object('override', m.override, 'enabled', m.enabled, 'blocked', "
      "m.platform_blocked, 'tags', m.tags) FROM event JOIN model m ON m.id = event.model_id) INSERT INTO outbox (id, "
      "aggregatetype, aggregateid, type, payload) SELECT event.id, 'model', event.key, 'model_registry.upserted', "
      "event.payload FROM event ORDER BY event.place",
      {events, cause, actor});
}

}  // namespace

void tell_changes(soci::session& sql, const std::vector<Change>& changes, const std::string& cause,
                  const std::string& actor) {
  if (changes.empty()) return;
  std::vector<std::string> ids;
  ids.reserve(changes.size());
  for (const auto& change : changes) ids.push_back(change.model_id);
  tell_changes(sql, changes, read_models(sql, ids), cause, actor);
}

void tell_changes(soci::session& sql, std::vector<Change> changes, const std::vector<ModelRow>& now,
                  const std::string& cause, const std::string& actor) {
  if (changes.empty()) return;
  std::map<std::string_view, const ModelRow*> rows;
  for (const auto& row : now) rows.emplace(row.state.id, &row);
  const auto published = last_published(sql, changes);
  JsonArrays events([&](const std::string& array) { write_events(sql, array, cause, actor); });
  for (auto& change : changes) {
    const auto& row = *rows.at(change.model_id);
    warn_of_invalid_parameters(row.state);
    const auto before = published.find(change.model_id);
    const auto payload = event_of(change, row, before == published.end() ? nullptr : &before->second, cause, actor);
    std::string object;
    events::JsonWriter json(object);
    json.begin_object();
    json.field("id", change.model_id);
    json.field("version", row.state.version);
    json.field("key", events::model_key(row.state));
    json.field("fields", joined(change.changed_fields));
    json.field("payload", payload);
    json.end_object();
    events.add(object);
  }
  events.flush();
}

}  // namespace tokenrail::registry
