#include "common/registry/configuration.hpp"

#include "common/registry/governed_sql.hpp"

namespace tokenrail::registry {

namespace {

/// One text a kind: 'name', (list). Nulls and what everything has by default are left out.
const std::string organizations =
    "(SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('id', o.id, 'version', o.version, 'displayName', "
    "NULLIF(o.display_name, "
    "''), "
    "'mode', NULLIF(o.mode, 'open'), 'strictDefault', CASE WHEN o.strict_default THEN true END, 'metadata', "
    "NULLIF(o.metadata, '{}'))) ORDER BY o.id COLLATE \"C\"), '[]') FROM organization o WHERE o.deleted_at IS NULL)";

const std::string connections =
    "(SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('org', c.org_id, 'name', c.name, 'version', "
    "c.version, 'provider', "
    "c.provider, 'baseUrl', c.base_url, 'authType', NULLIF(c.auth_type, 'none'), 'authName', NULLIF(c.auth_name, ''), "
    "'credential', (SELECT k.label FROM credential k WHERE k.id = c.credential_id), 'priority', NULLIF(c.priority, 0), "
    "'weight', NULLIF(c.weight, 1), 'enabled', CASE WHEN NOT c.enabled THEN false END, 'syncEnabled', CASE WHEN NOT "
    "c.sync_enabled THEN false END, 'syncIntervalS', c.sync_interval_s, 'includeGlobs', CASE WHEN "
    "cardinality(c.include_globs) > 0 THEN c.include_globs END, 'excludeGlobs', CASE WHEN cardinality(c.exclude_globs) "
    "> "
    "0 THEN c.exclude_globs END, 'onNew', NULLIF(c.on_new, 'disabled'), 'slugPrefix', NULLIF(c.slug_prefix, ''), "
    "'metadata', NULLIF(c.metadata, '{}'))) ORDER BY c.org_id COLLATE \"C\" NULLS FIRST, c.name COLLATE \"C\"), '[]') "
    "FROM connection c WHERE c.deleted_at IS NULL AND c.owner_user_id IS NULL)";

/// What a model's deployment on the connection `c` says beside the connection's name, where the organisation of the
/// model `m` has a connection of that name too: a name alone is the nearest one's.
const std::string connection_of =
    "CASE WHEN c.org_id IS NULL AND EXISTS (SELECT 1 FROM connection o WHERE o.org_id = m.org_id AND o.owner_user_id "
    "IS "
    "NULL AND o.deleted_at IS NULL AND o.name = c.name) THEN 'platform' END";

const std::string prices_of_model =
    "(SELECT json_agg(json_strip_nulls(json_build_object('dimension', p.dimension, 'serviceTier', "
    "NULLIF(p.service_tier, 'standard'), 'minContextTokens', NULLIF(p.min_context_tokens, 0), 'utcFrom', CASE WHEN "
    "p.utc_from <> p.utc_to THEN to_char(make_interval(mins => p.utc_from), 'HH24:MI') END, 'utcTo', CASE WHEN "
    "p.utc_from <> p.utc_to THEN to_char(make_interval(mins => p.utc_to), 'HH24:MI') END, 'amount', "
    "CAST(trim_scale(p.amount * 0.000001) AS text), 'connection', c.name, 'connectionOf', " +
    connection_of +
    ")) ORDER BY c.name COLLATE \"C\" NULLS FIRST, c.org_id NULLS FIRST, p.dimension, p.service_tier, "
    "p.min_context_tokens, p.utc_from, p.utc_to) FROM price p LEFT JOIN deployment d ON "
    "d.id "
    "= p.deployment_id LEFT JOIN connection c ON c.id = d.connection_id AND c.deleted_at IS NULL WHERE p.model_id = "
    "m.id "
    "AND (p.deployment_id IS NULL OR c.id IS NOT NULL) AND p.source = 'override' AND p.effective_to IS NULL)";

const std::string deployments_of_model =
    "(SELECT json_agg(json_strip_nulls(json_build_object('connection', c.name, 'connectionOf', " + connection_of +
    ", 'upstreamName', NULLIF(d.upstream_name, m.model_name), 'priority', d.priority, 'weight', d.weight, 'enabled', "
    "CASE WHEN NOT d.enabled THEN false END, "
    "'params', NULLIF(d.params, '{}'), 'requestsPerMinute', d.requests_per_minute, 'tokensPerMinute', "
    "d.tokens_per_minute)) ORDER BY c.name COLLATE \"C\", c.org_id NULLS FIRST) FROM deployment d JOIN "
    "connection c ON c.id = "
    "d.connection_id WHERE d.model_id = m.id AND c.deleted_at IS NULL AND c.owner_user_id IS NULL)";

/// Of the model `m`: the model that a person named to use instead, by its name. A row of it that is gone counts as the
/// model as long as another row of it is there.
const std::string replacement_of_model =
    "(SELECT n.provider || '/' || n.model_name FROM model n WHERE n.id = m.replacement_id AND EXISTS (SELECT 1 FROM "
    "model l WHERE l.provider = n.provider AND l.model_name = n.model_name AND l.deleted_at IS NULL AND "
    "l.owner_user_id IS NULL AND (l.org_id IS NULL OR l.org_id = m.org_id)))";

// What a person set is in `override`; enabled, blocked and tags are columns that only people write.
const std::string models =
    "(SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('org', m.org_id, 'provider', m.provider, "
    "'modelName', "
    "m.model_name, 'slug', NULLIF(m.slug, m.provider || '/' || m.model_name), 'enabled', m.enabled, 'blocked', CASE "
    "WHEN "
    "m.platform_blocked THEN true END, 'tags', CASE WHEN cardinality(m.tags) > 0 THEN m.tags END, 'replacement', " +
    replacement_of_model +
    ", 'settings', "
    "NULLIF(m.override - CAST(ARRAY['enabled', 'blocked', 'tags', 'deployments', 'replacementId'] AS text[]), '{}'), "
    "'prices', " +
    prices_of_model + ", 'deployments', " + deployments_of_model +
    ")) ORDER BY m.org_id COLLATE \"C\" NULLS FIRST, m.provider COLLATE \"C\", m.model_name COLLATE \"C\"), '[]') FROM "
    "model m WHERE m.deleted_at IS NULL AND m.owner_user_id IS NULL)";

const std::string defaults =
    "(SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('org', d.org_id, 'version', d.version, 'kind', "
    "d.kind, 'provider', "
    "d.provider, 'purpose', NULLIF(d.purpose, ''), 'model', m.provider || '/' || m.model_name)) ORDER BY d.org_id "
    "COLLATE "
    "\"C\" NULLS FIRST, d.kind, d.provider COLLATE \"C\" NULLS FIRST, d.purpose COLLATE \"C\"), '[]') FROM "
    "model_default "
    "d JOIN model m ON m.id = d.model_id WHERE d.owner_user_id IS NULL)";

const std::string aliases =
    "(SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('org', a.org_id, 'version', a.version, 'alias', "
    "a.alias, 'sticky', "
    "NULLIF(a.sticky, 'conversation'), 'description', NULLIF(a.description, ''), 'targets', (SELECT "
    "json_agg(json_build_object('model', n.provider || '/' || n.model_name, 'weight', n.weight) ORDER BY n.provider "
    "COLLATE \"C\", n.model_name COLLATE \"C\") FROM (SELECT m.provider, m.model_name, LEAST(sum(t.weight), 1000000) "
    "AS "
    "weight FROM model_alias_target t JOIN model m ON m.id = t.model_id WHERE t.alias_id = a.id GROUP BY m.provider, "
    "m.model_name) n))) ORDER BY a.org_id COLLATE \"C\" NULLS FIRST, a.alias COLLATE \"C\"), '[]') FROM model_alias "
    "a "
    "WHERE a.owner_user_id IS NULL)";

const std::string views =
    "(SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('org', v.org_id, 'version', v.version, 'name', "
    "v.name, 'filter', "
    "NULLIF(v.filter, '{}'), 'pins', (SELECT json_agg(n.name ORDER BY n.name COLLATE \"C\") FROM (SELECT "
    "DISTINCT m.provider || '/' || m.model_name AS name FROM model m WHERE m.id = ANY (v.pins) AND m.deleted_at IS "
    "NULL) n), 'forAuto', CASE WHEN v.for_auto THEN true END)) ORDER BY v.org_id COLLATE \"C\" NULLS FIRST, v.name "
    "COLLATE \"C\"), '[]') FROM "
    "model_view v WHERE v.owner_user_id IS NULL)";

const std::string grants =
    "(SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('org', g.org_id, 'to', g.subject_kind, 'subject', "
    "NULLIF(g.subject, ''), 'what', g.object_kind, 'object', g.object, 'objectOf', CASE WHEN g.is_platforms AND "
    "g.has_own "
    "THEN 'platform' END, 'effect', NULLIF(g.effect, 'allow'))) ORDER BY g.org_id COLLATE \"C\", g.subject_kind, "
    "g.subject COLLATE \"C\", g.object_kind, g.object COLLATE \"C\", g.is_platforms DESC), '[]') FROM ("
    // A grant of a model is that of each of its rows, and a deny of one beats all.
    "(SELECT DISTINCT ON (n.org_id, n.subject_kind, n.subject, m.provider, m.model_name) n.*, m.provider || '/' || "
    "m.model_name AS object, false AS is_platforms, false AS has_own FROM model_grant n JOIN model m ON m.id = "
    "n.object_id WHERE n.object_kind = 'model' AND m.deleted_at IS NULL AND m.owner_user_id IS NULL ORDER BY n.org_id, "
    "n.subject_kind, n.subject, m.provider, m.model_name, n.effect = 'deny' DESC) UNION ALL "
    "SELECT n.*, c.name, c.org_id IS NULL, EXISTS (SELECT 1 FROM connection o WHERE o.org_id = n.org_id AND "
    "o.owner_user_id IS NULL AND o.deleted_at IS NULL AND o.name = c.name) FROM model_grant n JOIN connection c ON "
    "c.id "
    "= n.object_id WHERE n.object_kind = 'connection' AND c.deleted_at IS NULL AND c.owner_user_id IS NULL UNION ALL "
    "SELECT n.*, a.alias, a.org_id IS NULL, EXISTS (SELECT 1 FROM model_alias o WHERE o.org_id = n.org_id AND "
    "o.owner_user_id IS NULL AND o.alias = a.alias) FROM model_grant n JOIN model_alias a ON a.id = n.object_id WHERE "
    "n.object_kind = 'alias' AND a.owner_user_id IS NULL) g)";

}  // namespace

Result<std::string> read_configuration(GovernedDatabase& database, const Actor& actor) {
  return transact_as(database, actor, [&](soci::session& sql) -> Result<std::string> {
    const auto text =
        read_text(sql,
                  "SELECT CAST(json_build_object('organizations', " + organizations + ", 'connections', " +
                      connections + ", 'models', " + models + ", 'defaults', " + defaults + ", 'aliases', " + aliases +
                      ", 'views', " + views + ", 'grants', " + grants + ") AS text)",
                  Arguments());
    return text.value_or("{}");
  });
}

Result<std::string> read_owned_by_sync(GovernedDatabase& database, const Actor& actor) {
  // A revision that a sync wrote says that a list named the model. Connections of the environment come back at the next
  // start of registry-sync.
  const std::string listed =
      "m.deleted_at IS NULL AND m.owner_user_id IS NULL AND EXISTS (SELECT 1 FROM model_revision r WHERE r.model_id = "
      "m.id AND r.cause = 'sync')";
  return transact_as(database, actor, [&](soci::session& sql) -> Result<std::string> {
    const auto text = read_text(
        sql,
        "SELECT CAST(json_build_object('models', (SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('org', "
        "m.org_id, 'provider', m.provider, 'modelName', m.model_name))), '[]') FROM model m WHERE " +
            listed +
            "), 'connections', (SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('org', c.org_id, 'name', "
            "c.name))), '[]') FROM connection c WHERE c.deleted_at IS NULL AND c.owner_user_id IS NULL AND ((c.org_id "
            "IS NULL AND c.name LIKE 'env-%') OR EXISTS (SELECT 1 FROM deployment d JOIN model m ON m.id = d.model_id "
            "WHERE d.connection_id = c.id AND " +
            listed + ")))) AS text)",
        Arguments());
    return text.value_or("{}");
  });
}

}  // namespace tokenrail::registry
