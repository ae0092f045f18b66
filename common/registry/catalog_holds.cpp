#include "common/registry/catalog_holds.hpp"

#include <fmt/core.h>

#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

/// The members of one JSON object that another one has otherwise; null where it lacks them.
std::string differing(const std::string& mine, const std::string& other) {
  return fmt::format(
      "(SELECT COALESCE(jsonb_object_agg(k, {0} -> k), '{{}}') FROM (SELECT jsonb_object_keys({0}) UNION SELECT "
      "jsonb_object_keys({1})) AS keys (k) WHERE {0} -> k IS DISTINCT FROM {1} -> k)",
      mine, other);
}

/// The platform's model that an entry is about.
constexpr const char* entry_model =
    "(SELECT m.id FROM model m WHERE m.provider = e.provider AND m.model_name = e.model_name AND m.org_id IS NULL AND "
    "m.deleted_at IS NULL)";

std::optional<Document> find_entry(soci::session& sql, const Scope& scope, const std::string& id) {
  return read_document(sql, held_entries_select() + "CAST(h.id AS text) = @id",
                       Arguments().scope(scope).text("id", id));
}

}  // namespace

std::string held_entries_select() {
  return fmt::format(
      "SELECT CAST(h.id AS text) AS id, CAST(0 AS bigint) AS version, CAST(h.id AS text) AS place, "
      "CAST(json_build_object('id', h.id, 'catalog', h.source, 'modelId', h.model_id, 'model', h.provider || '/' || "
      "h.model_name, 'reason', h.held_reason, 'before', {}, 'after', {}, 'since', tokenrail_time(h.held_at)) AS text) "
      "AS document FROM (SELECT e.*, {} AS model_id FROM catalog_entry e WHERE e.held IS NOT NULL) h WHERE @org IS "
      "NULL "
      "AND ",
      differing("h.entry", "h.held"), differing("h.held", "h.entry"), entry_model);
}

bool entry_waits(soci::session& sql, const std::string& id) {
  return read_text(sql, "SELECT source FROM catalog_entry WHERE CAST(id AS text) = @id AND held IS NOT NULL",
                   Arguments().text("id", id))
      .has_value();
}

std::optional<Document> decide_entry(soci::session& sql, const Actor& actor, const Scope& scope, const std::string& id,
                                     bool accept, const std::string& reason) {
  run_statement(sql, "SELECT 1 FROM catalog_entry WHERE CAST(id AS text) = @id FOR UPDATE", Arguments().text("id", id));
  const auto before = find_entry(sql, scope, id);
  if (!before) return std::nullopt;
  const auto ids = read_texts(sql,
                              "SELECT CAST(m.id AS text) FROM model m JOIN catalog_entry c ON c.provider = m.provider "
                              "AND c.model_name = m.model_name WHERE CAST(c.id AS text) = @id AND m.deleted_at IS NULL "
                              "ORDER BY m.id",
                              Arguments().text("id", id));
  lock_models(sql, ids);
  const auto models = read_models(sql, ids);
  run_statement(
      sql,
      fmt::format("UPDATE catalog_entry SET {}, held = NULL, held_reason = NULL, held_at = NULL, updated_at = "
                  "now() WHERE CAST(id AS text) = @id",
                  accept ? "entry = held" : "rejected = held"),
      Arguments().text("id", id));
  if (accept) {
    const auto by_whom = storable(actor.name, 255);
    for (const auto& model : ids)
      static_cast<void>(read_text(sql, "SELECT CAST(tokenrail_curate(CAST(@id AS uuid), @actor) AS text)",
                                  Arguments().text("id", model).text("actor", by_whom)));
    publish_models(sql, actor, models);
  }
  auto after = *before;
  after.json = read_text(sql,
                         "SELECT CAST(@@document || jsonb_strip_nulls(jsonb_build_object('decision', @decision, "
                         "'decidedBy', @by, 'decidedAt', tokenrail_time(now()), 'decisionReason', @reason)) AS text)",
                         Arguments()
                             .json("document", before->json)
                             .text("decision", accept ? "accepted" : "rejected")
                             .text("by", storable(actor.name, 255))
                             .text_or_null("reason", storable(reason, 1024)))
                   .value_or(before->json);
  return after;
}

std::vector<HeldChange> held_entries(soci::session& sql) {
  const soci::rowset<soci::row> rows =
      (sql.prepare << fmt::format(
           "SELECT CAST(h.id AS text) AS id, CAST(h.model_id AS text) AS model_id, h.provider || '/' || h.model_name "
           "AS "
           "model_name, h.source AS source, CAST({} AS text) AS before, CAST({} AS text) AS after, h.held_reason AS "
           "reason, CAST(floor(extract(epoch FROM h.held_at) * 1000) AS bigint) AS since_ms FROM (SELECT e.*, {} AS "
           "model_id FROM catalog_entry e WHERE e.held IS NOT NULL) h WHERE h.model_id IS NOT NULL ORDER BY h.held_at, "
           "h.id",
           differing("h.entry", "h.held"), differing("h.held", "h.entry"), entry_model));
  std::vector<HeldChange> changes;
  for (const auto& row : rows)
    changes.push_back({.id = text(row, "id"),
                       .model_id = text(row, "model_id"),
                       .model_name = text(row, "model_name"),
                       .catalog = text(row, "source"),
                       .before = parse_held_values(text(row, "before")),
                       .after = parse_held_values(text(row, "after")),
                       .reason = text(row, "reason"),
                       .since_ms = number(row, "since_ms")});
  return changes;
}

}  // namespace tokenrail::registry
