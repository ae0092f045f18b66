// What a model was like, and what depends on it.
#include <fmt/core.h>

#include "common/registry/governed_model_rows.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/governed_models_sql.hpp"

namespace tokenrail::registry {

namespace {

const std::string revision_select =
    "SELECT CAST(r.version AS text) AS id, r.version AS version, lpad(CAST(9223372036854775807 - r.version AS text), "
    "19, '0') AS place, CAST(json_build_object('version', r.version, 'scope', CASE WHEN CAST(r.model_id AS text) = "
    "@platform THEN 'platform' ELSE 'organization' END, 'cause', r.cause, 'actor', r.actor, 'changedFields', "
    "r.changed_fields, 'at', tokenrail_time(r.created_at), 'model', r.snapshot -> 'model') AS text) AS document FROM "
    "model_revision r WHERE CAST(r.model_id AS text) IN (@own, @platform)";

/// What a revision from before migration 18 shows of the fields that a person has set now. The others are not known to
/// have been set by a person, and stay.
const std::string shown_by_older_revision =
    "SELECT jsonb_build_object('enabled', CASE WHEN COALESCE(CAST(s.model ->> 'inherits' AS boolean), false) THEN "
    "'null' ELSE s.model -> 'enabled' END, 'blocked', COALESCE(s.model -> 'platformBlocked', 'false'), 'tags', "
    "COALESCE(s.model -> 'tags', '[]'), 'override', COALESCE((SELECT jsonb_object_agg(f.key, f.value) FROM "
    "jsonb_each(m.override || (SELECT jsonb_object_agg(k.name, CASE k.name WHEN 'maintenanceUntil' THEN "
    "to_jsonb(tokenrail_time(to_timestamp(CAST(s.model ->> 'maintenanceUntilMs' AS bigint) / 1000.0))) WHEN "
    "'replacementId' THEN (SELECT to_jsonb(n.id) FROM model n WHERE n.deleted_at IS NULL AND n.provider = s.model -> "
    "'replacement' ->> 'provider' AND n.model_name = s.model -> 'replacement' ->> 'modelName' AND (n.org_id IS NULL OR "
    "n.org_id = m.org_id) ORDER BY n.org_id NULLS LAST LIMIT 1) ELSE s.model -> k.name END) FROM "
    "unnest(ARRAY['hidden', "
    "'displayName', 'description', 'kind', 'lifecycle', 'contextWindow', 'inputTokensMax', 'outputTokensMax', "
    "'embeddingDimensions', 'capabilities', 'maintenanceUntil', 'maintenanceReason', 'replacementId']) k (name) WHERE "
    "jsonb_exists(m.override, k.name))) f WHERE f.value <> 'null'), '{}')) FROM (SELECT CAST(r.snapshot AS jsonb) -> "
    "'model' AS model) s";

/// The patch of a row (@id) that leads back to what people had set at @version: of each field that differs, the value
/// of then, or null where it was not set by a person. No row: there is no such revision.
const std::string way_back =
    "SELECT CAST((SELECT COALESCE(jsonb_object_agg(f.name, COALESCE(t.override -> f.name, 'null')), '{}') FROM (SELECT "
    "jsonb_object_keys(t.override || m.override)) f (name) WHERE f.name <> ALL (ARRAY['enabled', 'blocked', 'tags']) "
    "AND t.override -> f.name IS DISTINCT FROM m.override -> f.name) || (SELECT COALESCE(jsonb_object_agg(c.name, "
    "c.value), '{}') FROM (VALUES ('enabled', t.enabled, COALESCE(to_jsonb(m.enabled), 'null')), ('blocked', "
    "t.blocked, "
    "to_jsonb(m.platform_blocked)), ('tags', t.tags, to_jsonb(m.tags))) c (name, value, now) WHERE c.value IS DISTINCT "
    "FROM c.now) AS text) FROM model_revision r JOIN model m ON m.id = r.model_id CROSS JOIN LATERAL (SELECT w.people "
    "-> 'override' AS override, w.people -> 'enabled' AS enabled, w.people -> 'blocked' AS blocked, w.people -> 'tags' "
    "AS tags FROM (SELECT COALESCE(r.set_by_people, (" +
    shown_by_older_revision +
    ")) AS people) w) t WHERE r.model_id = CAST(@id AS uuid) AND r.version = CAST(@version AS bigint)";

}  // namespace

Result<DocumentPage> Models::revisions(const Actor& actor, const Scope& scope, const std::string& id,
                                       const PageRequest& page) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<DocumentPage> {
    const auto now = find_rows(sql, scope, id);
    if (!now) return no_model(id);
    return read_page(sql, revision_select, names_of(now->rows), page);
  });
}

Result<Document> Models::revision(const Actor& actor, const Scope& scope, const std::string& id, std::int64_t version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    const auto now = find_rows(sql, scope, id);
    if (!now) return no_model(id);
    auto found = read_document(sql, revision_select + " AND r.version = CAST(@version AS bigint)",
                               names_of(now->rows).number("version", version));
    if (!found) return fail(ErrorKind::not_found, fmt::format("The model {} has no revision {}.", id, version));
    return std::move(*found);
  });
}

Result<Document> Models::roll_back(const Actor& actor, const Scope& scope, const std::string& id, std::int64_t version,
                                   const std::optional<std::int64_t>& expected_version) {
  auto as = actor;
  as.cause = "rollback";
  return transact_as(database_, as, [&](soci::session& sql) -> Result<Document> {
    auto locked = lock_row(sql, as, scope, id, expected_version);
    if (!locked) return std::unexpected(locked.error());
    const auto patch = read_text(sql, way_back, Arguments().text("id", locked->row).number("version", version));
    if (!patch) return fail(ErrorKind::not_found, fmt::format("The model {} has no revision {}.", id, version));
    return write_model(sql, as, scope, std::move(*locked), *patch, "model.rolled_back");
  });
}

Result<DocumentPage> Models::dependents(const Actor& actor, const Scope& scope, const std::string& id,
                                        const PageRequest& page) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<DocumentPage> {
    const auto now = find_rows(sql, scope, id);
    if (!now) return no_model(id);
    return read_page(sql, dependents_select() + "true", names_of(now->rows), page);
  });
}

Result<void> Models::add_dependent(const Actor& actor, const Scope& scope, const std::string& id,
                                   const Dependent& dependent) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto now = find_rows(sql, scope, id);
    if (!now) return no_model(id);
    if (auto may = may_write(actor, scope); !may) return may;
    run_statement(sql,
                  "INSERT INTO dependency (model_id, org_id, ref_type, ref_id, label) VALUES (CAST(@id AS uuid), @org, "
                  "@type, @ref, @label) ON CONFLICT (model_id, org_id, ref_type, ref_id) DO UPDATE SET label = "
                  "excluded.label",
                  Arguments()
                      .scope(scope)
                      .text("id", now->rows.own.empty() ? now->rows.platform : now->rows.own)
                      .text("type", dependent.ref_type)
                      .text("ref", dependent.ref_id)
                      .text("label", dependent.label));
    return {};
  });
}

Result<void> Models::remove_dependent(const Actor& actor, const Scope& scope, const std::string& id,
                                      const Dependent& dependent) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto now = find_rows(sql, scope, id);
    if (!now) return no_model(id);
    const auto gone =
        run_statement(sql,
                      "DELETE FROM dependency WHERE CAST(model_id AS text) IN (@own, @platform) AND org_id = @org AND "
                      "ref_type = @type "
                      "AND ref_id = @ref",
                      names_of(now->rows).scope(scope).text("type", dependent.ref_type).text("ref", dependent.ref_id));
    if (gone == 0) return fail(ErrorKind::not_found, "There is no such dependent.");
    return {};
  });
}

}  // namespace tokenrail::registry
