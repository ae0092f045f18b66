#include "common/registry/connections.hpp"

#include <fmt/core.h>

#include "common/events/json_document.hpp"
#include "common/registry/governed_sql.hpp"

namespace tokenrail::registry {

namespace {

const std::string connection_select =
    "SELECT CAST(c.id AS text) AS id, c.version AS version, c.name || chr(10) || CAST(c.id AS text) AS place, "
    "CAST(json_build_object('id', c.id, 'scope', CASE WHEN c.org_id IS NULL THEN 'platform' WHEN c.owner_user_id IS "
    "NULL "
    "THEN 'organization' ELSE 'user' END, 'orgId', c.org_id, 'ownerUserId', c.owner_user_id, 'provider', c.provider, "
    "'name', c.name, 'baseUrl', c.base_url, 'authType', c.auth_type, 'authName', c.auth_name, 'credential', "
    "(SELECT json_build_object('id', k.id, 'label', k.label, 'last4', k.last4, 'secretVersion', k.secret_version) FROM "
    "credential k WHERE k.id = c.credential_id), 'priority', c.priority, 'weight', c.weight, 'enabled', c.enabled, "
    "'syncEnabled', c.sync_enabled, 'syncIntervalS', c.sync_interval_s, 'includeGlobs', c.include_globs, "
    "'excludeGlobs', "
    "c.exclude_globs, 'onNew', c.on_new, 'slugPrefix', c.slug_prefix, 'health', c.health, 'healthReason', "
    "c.health_reason, 'healthSince', tokenrail_time(c.health_since), 'lastSync', "
    "json_build_object('status', c.last_sync_status, 'errorClass', c.last_error_class, 'since', "
    "tokenrail_time(c.last_sync_status_at)), 'metadata', c.metadata, 'version', c.version, 'createdAt', "
    "tokenrail_time(c.created_at), 'updatedAt', tokenrail_time(c.updated_at)) AS text) AS document "
    "FROM connection c WHERE c.deleted_at IS NULL AND ";

const std::string in_scope = "c.org_id IS NOT DISTINCT FROM @org AND c.owner_user_id IS NOT DISTINCT FROM @owner";

std::string name_in(const Document& connection) {
  const events::JsonDocument document(connection.json);
  return events::ObjectReader(document.root()).text("name");
}

std::unexpected<Error> no_connection(const std::string& id) {
  return fail(ErrorKind::not_found, fmt::format("There is no connection {}.", id));
}

/// The connection that is written, by id or name, in exactly that scope.
std::optional<Document> find_own(soci::session& sql, const Scope& scope, const std::string& id) {
  return read_document(sql, connection_select + in_scope + " AND (CAST(c.id AS text) = @id OR c.name = @id)",
                       Arguments().scope(scope).text("id", id));
}

/// Its own or the platform's.
std::optional<Document> find_seen(soci::session& sql, const Scope& scope, const std::string& id) {
  if (auto own = find_own(sql, scope, id)) return own;
  return read_document(sql, connection_select + "c.org_id IS NULL AND (CAST(c.id AS text) = @id OR c.name = @id)",
                       Arguments().text("id", id));
}

Result<Document> lock_own(soci::session& sql, const Actor& actor, const Scope& scope, const std::string& id,
                          const std::optional<std::int64_t>& expected_version) {
  run_statement(sql,
                "SELECT 1 FROM connection c WHERE c.deleted_at IS NULL AND " + in_scope +
                    " AND (CAST(c.id AS text) = @id OR c.name = @id) FOR UPDATE",
                Arguments().scope(scope).text("id", id));
  auto now = find_own(sql, scope, id);
  if (!now) {
    if (!find_seen(sql, scope, id)) return no_connection(id);
    return fail(ErrorKind::forbidden, fmt::format("The connection {} belongs to the platform.", id));
  }
  if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
  if (auto same = expect_version(expected_version, *now, "connection"); !same) return std::unexpected(same.error());
  return std::move(*now);
}

/// The credential that the fields name has to be there, in the same scope and for the same provider.
Result<void> check_credential(soci::session& sql, const Scope& scope, std::string_view fields,
                              const std::string& provider) {
  const events::JsonDocument document(fields);
  const events::ObjectReader read(document.root());
  const auto wanted = read.text("credentialId");
  if (wanted.empty()) return {};
  const auto found =
      read_text(sql,
                "SELECT provider FROM credential WHERE CAST(id AS text) = @id AND revoked_at IS NULL AND "
                "org_id IS NOT DISTINCT FROM @org AND owner_user_id IS NOT DISTINCT FROM @owner",
                Arguments().scope(scope).text("id", wanted));
  if (!found) return fail(ErrorKind::not_found, fmt::format("There is no credential {} in this scope.", wanted));
  if (*found != provider)
    return fail(
        ErrorKind::invalid_input,
        fmt::format("The credential {} is for the provider {}, the connection is for {}.", wanted, *found, provider));
  return {};
}

/// The models that a connection serves, locked and read before the connection is changed.
/// Those of the organisation's users too, whom the connection may serve.
std::vector<ModelRow> served_by(soci::session& sql, const Actor& actor, const std::string& connection_id) {
  return with_all_rows(sql, actor, [&] {
    const auto ids =
        read_texts(sql,
                   "SELECT CAST(d.model_id AS text) FROM deployment d JOIN model m ON m.id = d.model_id WHERE "
                   "d.connection_id = CAST(@id AS uuid) AND m.deleted_at IS NULL ORDER BY d.model_id",
                   Arguments().text("id", connection_id));
    lock_models(sql, ids);
    return read_models(sql, ids);
  });
}

// What a patch or a new row may set; `fields` is the JSON object. A member that is null resets its field.
constexpr std::string_view connection_values =
    "base_url = CASE WHEN jsonb_exists(@@fields, 'baseUrl') THEN @@fields ->> 'baseUrl' ELSE base_url END, "
    "name = CASE WHEN jsonb_exists(@@fields, 'name') THEN @@fields ->> 'name' ELSE name END, "
    "auth_type = CASE WHEN jsonb_exists(@@fields, 'authType') THEN COALESCE(@@fields ->> 'authType', 'none') ELSE "
    "auth_type END, "
    "auth_name = CASE WHEN jsonb_exists(@@fields, 'authName') THEN COALESCE(@@fields ->> 'authName', '') ELSE "
    "auth_name "
    "END, "
    "credential_id = CASE WHEN jsonb_exists(@@fields, 'credentialId') THEN CAST(@@fields ->> 'credentialId' AS uuid) "
    "ELSE "
    "credential_id END, "
    "priority = CASE WHEN jsonb_exists(@@fields, 'priority') THEN COALESCE(CAST(@@fields ->> 'priority' AS int), 0) "
    "ELSE "
    "priority END, "
    "weight = CASE WHEN jsonb_exists(@@fields, 'weight') THEN COALESCE(CAST(@@fields ->> 'weight' AS int), 1) ELSE "
    "weight "
    "END, "
    "enabled = CASE WHEN jsonb_exists(@@fields, 'enabled') THEN COALESCE(CAST(@@fields ->> 'enabled' AS boolean), "
    "true) "
    "ELSE enabled END, "
    "sync_enabled = CASE WHEN jsonb_exists(@@fields, 'syncEnabled') THEN COALESCE(CAST(@@fields ->> 'syncEnabled' AS "
    "boolean), true) ELSE sync_enabled END, "
    "sync_interval_s = CASE WHEN jsonb_exists(@@fields, 'syncIntervalS') THEN CAST(@@fields ->> 'syncIntervalS' AS "
    "int) "
    "ELSE sync_interval_s END, "
    "include_globs = CASE WHEN jsonb_exists(@@fields, 'includeGlobs') THEN ARRAY(SELECT jsonb_array_elements_text(CASE "
    "jsonb_typeof(@@fields -> 'includeGlobs') WHEN 'array' THEN @@fields -> 'includeGlobs' ELSE '[]' END)) ELSE "
    "include_globs END, "
    "exclude_globs = CASE WHEN jsonb_exists(@@fields, 'excludeGlobs') THEN ARRAY(SELECT jsonb_array_elements_text(CASE "
    "jsonb_typeof(@@fields -> 'excludeGlobs') WHEN 'array' THEN @@fields -> 'excludeGlobs' ELSE '[]' END)) ELSE "
    "exclude_globs END, "
    "on_new = CASE WHEN jsonb_exists(@@fields, 'onNew') THEN COALESCE(@@fields ->> 'onNew', 'disabled') ELSE on_new "
    "END, "
    "slug_prefix = CASE WHEN jsonb_exists(@@fields, 'slugPrefix') THEN COALESCE(@@fields ->> 'slugPrefix', '') ELSE "
    "slug_prefix END, "
    "set_by_people = ARRAY(SELECT f FROM (SELECT unnest(set_by_people) UNION SELECT jsonb_object_keys(@@fields)) AS "
    "known (f) WHERE @@fields -> f IS DISTINCT FROM 'null' ORDER BY f), "
    "metadata = CASE WHEN jsonb_exists(@@fields, 'metadata') THEN COALESCE(NULLIF(@@fields -> 'metadata', 'null'), "
    "'{}') "
    "ELSE metadata END";

/// The version of the secret that routers should use comes from the credential.
constexpr std::string_view settle_credential_version =
    "UPDATE connection SET credential_version = COALESCE((SELECT k.secret_version FROM credential k WHERE k.id = "
    "connection.credential_id), 0) WHERE id = CAST(@id AS uuid)";

}  // namespace

Result<DocumentPage> Connections::list(const Actor& actor, const Scope& scope, const PageRequest& page) {
  return page_as(database_, actor, connection_select + "(c.org_id IS NULL OR (" + in_scope + "))",
                 Arguments().scope(scope), page);
}

Result<Document> Connections::get(const Actor& actor, const Scope& scope, const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = find_seen(sql, scope, id);
    if (!found) return no_connection(id);
    return std::move(*found);
  });
}

Result<Document> Connections::create(const Actor& actor, const Scope& scope, std::string_view fields) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    const auto arguments = Arguments().scope(scope).json("fields", fields);
    const auto provider = read_text(sql, "SELECT slug FROM provider WHERE slug = @@fields ->> 'provider'", arguments);
    if (!provider) return fail(ErrorKind::not_found, "There is no such provider.");
    if (auto there = check_credential(sql, scope, fields, *provider); !there) return std::unexpected(there.error());
    const auto id =
        read_text(sql,
                  "INSERT INTO connection (org_id, owner_user_id, provider, name, base_url) VALUES (@org, "
                  "@owner, @@fields ->> 'provider', @@fields ->> 'name', @@fields ->> 'baseUrl') ON CONFLICT "
                  "DO NOTHING RETURNING CAST(id AS text)",
                  arguments);
    if (!id) return fail(ErrorKind::conflict, "There is a connection of that name already.");
    run_statement(sql, "UPDATE connection SET " + std::string(connection_values) + " WHERE id = CAST(@id AS uuid)",
                  Arguments().text("id", *id).json("fields", fields));
    run_statement(sql, settle_credential_version, Arguments().text("id", *id));
    auto made = find_own(sql, scope, *id);
    write_audit(sql, actor,
                {.action = "connection.created",
                 .target_type = "connection",
                 .target_id = *id,
                 .target_name = name_in(*made),
                 .after = made->json,
                 .version = made->version,
                 .org_id = scope.org_id});
    return std::move(*made);
  });
}

Result<Document> Connections::change(const Actor& actor, const Scope& scope, const std::string& id,
                                     std::string_view patch, const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto before = lock_own(sql, actor, scope, id, expected_version);
    if (!before) return before;
    const auto arguments = Arguments().text("id", before->id).json("fields", patch);
    const auto provider = read_text(sql, "SELECT provider FROM connection WHERE id = CAST(@id AS uuid)", arguments);
    if (auto there = check_credential(sql, scope, patch, *provider); !there) return std::unexpected(there.error());
    const auto taken = read_text(sql,
                                 "SELECT c.name FROM connection c WHERE c.deleted_at IS NULL AND " + in_scope +
                                     " AND c.name = @@fields ->> 'name' AND CAST(c.id AS text) <> @id",
                                 Arguments().scope(scope).text("id", before->id).json("fields", patch));
    if (taken) return fail(ErrorKind::conflict, fmt::format("There is a connection named {} already.", *taken));
    const auto models = served_by(sql, actor, before->id);
    run_statement(sql, "UPDATE connection SET " + std::string(connection_values) + " WHERE id = CAST(@id AS uuid)",
                  arguments);
    run_statement(sql, settle_credential_version, arguments);
    auto after = find_own(sql, scope, before->id);
    if (after->json == before->json) return before;
    run_statement(
        sql,
        "UPDATE connection SET version = nextval('registry_version'), updated_at = now() WHERE id = CAST(@id AS "
        "uuid)",
        arguments);
    after = find_own(sql, scope, before->id);
    publish_models(sql, actor, models);
    write_audit(sql, actor,
                {.action = "connection.changed",
                 .target_type = "connection",
                 .target_id = before->id,
                 .target_name = name_in(*before),
                 .before = before->json,
                 .after = after->json,
                 .version = after->version,
                 .org_id = scope.org_id});
    return std::move(*after);
  });
}

Result<void> Connections::remove(const Actor& actor, const Scope& scope, const std::string& id, bool force,
                                 const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    auto before = lock_own(sql, actor, scope, id, expected_version);
    if (!before) return std::unexpected(before.error());
    const auto models = served_by(sql, actor, before->id);
    if (!models.empty() && !force)
      return std::unexpected(Error{.kind = ErrorKind::conflict,
                                   .detail = fmt::format("The connection serves {} models.", models.size()),
                                   .hint = "Disable the connection instead, or force it (--force, force=true)."});
    run_statement(
        sql,
        "UPDATE connection SET deleted_at = now(), version = nextval('registry_version') WHERE id = CAST(@id AS "
        "uuid)",
        Arguments().text("id", before->id));
    publish_models(sql, actor, models);
    write_audit(sql, actor,
                {.action = "connection.deleted",
                 .target_type = "connection",
                 .target_id = before->id,
                 .target_name = name_in(*before),
                 .before = before->json,
                 .org_id = scope.org_id});
    return {};
  });
}

Result<DocumentPage> Connections::providers(const PageRequest& page) {
  return database_.session().transact([&](soci::session& sql) -> Result<DocumentPage> {
    return read_page(
        sql,
        "SELECT p.slug AS id, CAST(0 AS bigint) AS version, p.slug AS place, CAST(json_build_object('id', "
        "p.slug, 'adapter', p.adapter, 'displayName', p.display_name, 'kinds', p.kinds, 'authTypes', "
        "p.auth_types, 'credentialForm', p.credential_form, 'defaultBaseUrl', p.default_base_url, 'docUrl', "
        "p.doc_url) AS text) AS document FROM provider p",
        Arguments(), page);
  });
}

}  // namespace tokenrail::registry
