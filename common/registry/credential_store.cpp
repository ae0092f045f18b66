#include <fmt/core.h>

#include "common/registry/connections.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/state_records.hpp"

namespace tokenrail::registry {

namespace {

const std::string credential_select =
    "SELECT CAST(k.id AS text) AS id, k.version AS version, k.label || chr(10) || CAST(k.id AS text) AS place, "
    "CAST(json_build_object('id', k.id, 'orgId', k.org_id, 'ownerUserId', k.owner_user_id, 'provider', k.provider, "
    "'label', k.label, 'last4', k.last4, 'headerNames', k.header_names, 'fingerprint', k.fingerprint, 'keyId', "
    "k.key_id, 'secretVersion', "
    "k.secret_version, 'expiresAt', tokenrail_time(k.expires_at), 'revokedAt', tokenrail_time(k.revoked_at), "
    "'lastUsedAt', tokenrail_time(k.last_used_at), 'usedBy', (SELECT COALESCE(json_agg(c.name ORDER BY c.name), '[]') "
    "FROM connection c WHERE c.credential_id = k.id AND c.deleted_at IS NULL), 'version', k.version, 'createdAt', "
    "tokenrail_time(k.created_at), 'updatedAt', tokenrail_time(k.updated_at)) AS text) AS document FROM credential k "
    "WHERE ";
const std::string in_scope = "k.org_id IS NOT DISTINCT FROM @org AND k.owner_user_id IS NOT DISTINCT FROM @owner";

std::unexpected<Error> no_credential(const std::string& id) {
  return fail(ErrorKind::not_found, fmt::format("There is no credential {}.", id));
}

std::optional<Document> find(soci::session& sql, const Scope& scope, const std::string& id) {
  return read_document(sql, credential_select + in_scope + " AND CAST(k.id AS text) = @id",
                       Arguments().scope(scope).text("id", id));
}

/// Its row stays as it is until the transaction ends.
std::optional<Document> lock(soci::session& sql, const Scope& scope, const std::string& id) {
  run_statement(sql, "SELECT 1 FROM credential k WHERE " + in_scope + " AND CAST(k.id AS text) = @id FOR NO KEY UPDATE",
                Arguments().scope(scope).text("id", id));
  return find(sql, scope, id);
}

CredentialStore::Row row_of(const soci::row& row) {
  return {.id = text(row, "id"),
          .scope = {.org_id = text(row, "org_id"), .user_id = text(row, "owner_user_id")},
          .provider = text(row, "provider"),
          .sealed = text(row, "sealed"),
          .key_id = text(row, "key_id"),
          .expires_ms = maybe_number(row, "expires_ms"),
          .secret_version = number(row, "secret_version")};
}

const std::string row_columns =
    "SELECT CAST(k.id AS text) AS id, k.org_id AS org_id, k.owner_user_id AS owner_user_id, k.provider AS provider, "
    "k.sealed AS sealed, k.key_id AS key_id, k.secret_version AS secret_version, "
    "CAST(floor(extract(epoch FROM k.expires_at) * 1000) AS bigint) AS expires_ms FROM credential k WHERE ";

/// Publishes the credential as it is now: sealed, or as a tombstone.
void publish(soci::session& sql, const std::string& id) {
  write_records(sql, "credential", credential_records(sql, id));
}

/// Connections that use it carry the version of its secret, and so do their models' records.
void settle_connections(soci::session& sql, const Actor& actor, const std::string& id) {
  const auto arguments = Arguments().text("id", id);
  const auto before = with_all_rows(sql, actor, [&] {
    const auto models =
        read_texts(sql,
                   "SELECT DISTINCT CAST(d.model_id AS text) FROM deployment d JOIN connection c ON c.id = "
                   "d.connection_id JOIN model m ON m.id = d.model_id WHERE c.credential_id = CAST(@id AS "
                   "uuid) AND m.deleted_at IS NULL AND c.deleted_at IS NULL ORDER BY 1",
                   arguments);
    lock_models(sql, models);
    auto rows = read_models(sql, models);
    run_statement(sql,
                  "UPDATE connection SET credential_version = (SELECT k.secret_version FROM credential k WHERE k.id = "
                  "CAST(@id AS uuid)), version = nextval('registry_version'), updated_at = now() WHERE credential_id = "
                  "CAST(@id AS uuid) AND deleted_at IS NULL",
                  arguments);
    return rows;
  });
  publish_models(sql, actor, before);
}

Arguments values_of(const Scope& scope, const CredentialStore::Sealed& credential) {
  return Arguments()
      .scope(scope)
      .text("id", credential.id)
      .text("provider", credential.provider)
      .text("label", credential.label)
      .text("sealed", credential.sealed)
      .text("key", credential.key_id)
      .text("fingerprint", credential.fingerprint)
      .text("last4", credential.last4)
      .json("headers", json_array(credential.header_names))
      .number("expires", credential.expires_ms)
      .number("secret_version", credential.secret_version);
}

}  // namespace

Result<DocumentPage> CredentialStore::list(const Actor& actor, const Scope& scope, const PageRequest& page) {
  return page_as(database_, actor, credential_select + in_scope, Arguments().scope(scope), page);
}

Result<Document> CredentialStore::get(const Actor& actor, const Scope& scope, const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = find(sql, scope, id);
    if (!found) return no_credential(id);
    return std::move(*found);
  });
}

Result<Document> CredentialStore::add(const Actor& actor, const Scope& scope, const Sealed& credential) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    const auto arguments = values_of(scope, credential);
    if (!read_text(sql, "SELECT slug FROM provider WHERE slug = @provider", arguments))
      return fail(ErrorKind::not_found, fmt::format("There is no provider {}.", credential.provider));
    const auto made = run_statement(
        sql,
        "INSERT INTO credential (id, org_id, owner_user_id, provider, label, sealed, key_id, fingerprint, last4, "
        "header_names, expires_at, secret_version) VALUES (CAST(@id AS uuid), @org, @owner, @provider, @label, "
        "@sealed, @key, "
        "@fingerprint, @last4, ARRAY(SELECT jsonb_array_elements_text(@@headers)), to_timestamp(CAST(@expires AS "
        "bigint) / 1000.0), CAST(@secret_version AS bigint)) "
        "ON CONFLICT DO NOTHING",
        arguments);
    if (made == 0)
      return std::unexpected(Error{.kind = ErrorKind::conflict,
                                   .detail = fmt::format("There is a credential labelled {} for {} already.",
                                                         credential.label, credential.provider),
                                   .hint = "Replace its secret instead, or choose another label."});
    auto document = find(sql, scope, credential.id);
    write_audit(sql, actor,
                {.action = "credential.created",
                 .target_type = "credential",
                 .target_id = credential.id,
                 .target_name = credential.label,
                 .after = document->json,
                 .version = document->version,
                 .org_id = scope.org_id});
    publish(sql, credential.id);
    return std::move(*document);
  });
}

Result<Document> CredentialStore::replace(const Actor& actor, const Scope& scope, const Sealed& credential,
                                          const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    const auto before = lock(sql, scope, credential.id);
    if (!before) return no_credential(credential.id);
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    if (auto same = expect_version(expected_version, *before, "credential"); !same)
      return std::unexpected(same.error());
    const auto changed = run_statement(
        sql,
        "UPDATE credential SET sealed = @sealed, key_id = @key, fingerprint = @fingerprint, last4 = @last4, "
        "header_names = ARRAY(SELECT jsonb_array_elements_text(@@headers)), expires_at = "
        "to_timestamp(CAST(@expires AS bigint) / 1000.0), secret_version = CAST(@secret_version AS bigint), version = "
        "nextval('registry_version'), updated_at = now() WHERE id = CAST(@id AS uuid) AND revoked_at IS NULL AND "
        "secret_version = CAST(@secret_version AS bigint) - 1",
        values_of(scope, credential));
    if (changed == 0)
      return fail(ErrorKind::conflict, "The credential was revoked, or its secret was replaced meanwhile.");
    auto after = find(sql, scope, credential.id);
    write_audit(sql, actor,
                {.action = "credential.replaced",
                 .target_type = "credential",
                 .target_id = credential.id,
                 .target_name = credential.label,
                 .before = before->json,
                 .after = after->json,
                 .version = after->version,
                 .org_id = scope.org_id});
    publish(sql, credential.id);
    settle_connections(sql, actor, credential.id);
    return std::move(*after);
  });
}

Result<void> CredentialStore::revoke(const Actor& actor, const Scope& scope, const std::string& id, bool force,
                                     const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto before = lock(sql, scope, id);
    if (!before) return no_credential(id);
    if (auto may = may_write(actor, scope); !may) return may;
    if (auto same = expect_version(expected_version, *before, "credential"); !same) return same;
    const auto arguments = Arguments().text("id", id);
    const auto users = read_texts(
        sql, "SELECT name FROM connection WHERE credential_id = CAST(@id AS uuid) AND deleted_at IS NULL ORDER BY name",
        arguments);
    if (!users.empty() && !force) {
      std::string names;
      for (const auto& name : users) names += (names.empty() ? "" : ", ") + name;
      return std::unexpected(Error{.kind = ErrorKind::conflict,
                                   .detail = fmt::format("The credential is used by the connections {}.", names),
                                   .hint = "Give them another credential first, or force it (--force, force=true)."});
    }
    const auto changed = run_statement(sql,
                                       "UPDATE credential SET sealed = NULL, key_id = NULL, revoked_at = now(), "
                                       "version = nextval('registry_version'), "
                                       "updated_at = now() WHERE id = CAST(@id AS uuid) AND revoked_at IS NULL",
                                       arguments);
    if (changed == 0) return {};
    const auto after = find(sql, scope, id);
    write_audit(sql, actor,
                {.action = "credential.revoked",
                 .target_type = "credential",
                 .target_id = id,
                 .before = before->json,
                 .after = after->json,
                 .version = after->version,
                 .org_id = scope.org_id});
    publish(sql, id);
    return {};
  });
}

Result<CredentialStore::Row> CredentialStore::sealed(const Actor& actor, const Scope& scope, const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Row> {
    const auto arguments = Arguments().scope(scope).text("id", id);
    const auto object = arguments.object();
    const soci::rowset<soci::row> rows =
        (sql.prepare << with_arguments(row_columns + in_scope +
                                       " AND CAST(k.id AS text) = @id AND k.sealed IS NOT NULL"),
         soci::use(object, "p"));
    for (const auto& row : rows) return row_of(row);
    return no_credential(id);
  });
}

Result<std::vector<CredentialStore::Row>> CredentialStore::not_under(const std::string& key_id,
                                                                     const std::string& after, std::int64_t count_max) {
  return database_.session().run([&](soci::session& sql) -> Result<std::vector<Row>> {
    const auto arguments = Arguments().text("key", key_id).text_or_null("after", after).number("limit", count_max);
    const auto object = arguments.object();
    const soci::rowset<soci::row> rows =
        (sql.prepare << with_arguments(
             // Not `<>`, which no index answers.
             row_columns +
             "k.sealed IS NOT NULL AND (k.key_id < @key OR k.key_id > @key) AND (@after IS NULL OR k.id > CAST(@after "
             "AS uuid)) ORDER BY k.id LIMIT CAST(@limit AS bigint)"),
         soci::use(object, "p"));
    std::vector<Row> found;
    for (const auto& row : rows) found.push_back(row_of(row));
    return found;
  });
}

Result<bool> CredentialStore::rewrapped(const Actor& actor, const Row& before, const std::string& sealed,
                                        const std::string& key_id) {
  return database_.session().transact([&](soci::session& sql) -> Result<bool> {
    const auto changed = run_statement(
        sql,
        "UPDATE credential SET sealed = @sealed, key_id = @key, version = nextval('registry_version'), updated_at = "
        "now() "
        "WHERE id = CAST(@id AS uuid) AND sealed = @before",
        Arguments().text("id", before.id).text("sealed", sealed).text("key", key_id).text("before", before.sealed));
    if (changed == 0) return false;
    const auto with_key = [](const std::string& id) {
      std::string json;
      events::JsonWriter writer(json);
      writer.begin_object();
      writer.field("keyId", id);
      writer.end_object();
      return json;
    };
    write_audit(sql, actor,
                {.action = "credential.rewrapped",
                 .target_type = "credential",
                 .target_id = before.id,
                 .before = with_key(before.key_id),
                 .after = with_key(key_id),
                 .org_id = before.scope.org_id});
    publish(sql, before.id);
    return true;
  });
}

Result<std::vector<CredentialStore::KeyUse>> CredentialStore::keys_in_use() {
  return database_.session().run([&](soci::session& sql) -> Result<std::vector<KeyUse>> {
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT key_id AS key_id, count(*) AS rows FROM credential WHERE key_id IS NOT NULL GROUP BY "
                        "key_id ORDER BY key_id");
    std::vector<KeyUse> uses;
    for (const auto& row : rows) uses.push_back({.key_id = text(row, "key_id"), .rows = number(row, "rows")});
    return uses;
  });
}

}  // namespace tokenrail::registry
