#include "common/registry/state_records.hpp"

#include <map>

#include "common/events/credential_event.hpp"
#include "common/events/registry_records.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/model_filter.hpp"

namespace tokenrail::registry {

namespace {

template <class Visit>
void each_row(soci::session& sql, std::string_view statement, const std::string& id, Visit&& visit) {
  const auto object = Arguments().text_or_null("id", id).object();
  const soci::rowset<soci::row> rows = (sql.prepare << with_arguments(statement), soci::use(object, "p"));
  for (const auto& row : rows) visit(row);
}

template <class Record>
StateRecord state_record(const std::string& id, std::string_view type, const Record& record) {
  return {.id = id,
          .key = events::record_key(record),
          .type = std::string(type),
          .version = record.version,
          .payload = events::to_json(record)};
}

/// As routers need it. Hidden models are not selected by themselves, so `hidden` is left out.
events::ViewFilter view_filter(const std::string& json) {
  const auto filter = model_filter_from_json(json);
  if (!filter) return {.unknown = true};
  return {.kind = filter->kind,
          .provider = filter->provider,
          .status = filter->status,
          .scope = filter->scope,
          .search = filter->search,
          .capabilities = filter->capabilities,
          .tags = filter->tags,
          .free = filter->free,
          .context_min = filter->context_min};
}

}  // namespace

std::vector<StateRecord> default_records(soci::session& sql, const std::string& id, const std::string& cause,
                                         const std::string& actor) {
  std::vector<StateRecord> records;
  each_row(
      sql,
      "SELECT CAST(d.id AS text) AS id, d.version AS version, d.org_id AS org_id, d.owner_user_id AS owner_user_id, "
      "d.kind AS kind, d.provider "
      "AS provider, d.purpose AS purpose, CAST(m.id AS text) AS model_id, m.provider AS model_provider, m.model_name "
      "AS model_name FROM model_default d JOIN model m ON m.id = d.model_id WHERE (@id IS NULL OR d.id = CAST(@id AS "
      "uuid)) AND m.deleted_at IS NULL ORDER BY d.id",
      id, [&](const soci::row& row) {
        records.push_back(
            state_record(text(row, "id"), events::registry_default_type,
                         events::RegistryDefault{.version = number(row, "version"),
                                                 .org_id = text(row, "org_id"),
                                                 .owner_user_id = text(row, "owner_user_id"),
                                                 .kind = text(row, "kind"),
                                                 .provider = text(row, "provider"),
                                                 .purpose = text(row, "purpose"),
                                                 .model_id = text(row, "model_id"),
                                                 .model = {text(row, "model_provider"), text(row, "model_name")},
                                                 .cause = cause,
                                                 .actor = actor}));
      });
  return records;
}

std::vector<StateRecord> alias_records(soci::session& sql, const std::string& id, const std::string& cause,
                                       const std::string& actor) {
  std::map<std::string, events::RegistryAlias> aliases;
  each_row(
      sql,
      "SELECT CAST(a.id AS text) AS id, a.version AS version, a.org_id AS org_id, a.owner_user_id AS owner_user_id, "
      "a.alias AS alias, a.sticky AS sticky, a.description AS description, CAST(m.id AS text) AS model_id, m.provider "
      "AS provider, m.model_name AS model_name, t.weight AS weight FROM model_alias a LEFT JOIN model_alias_target t "
      "ON t.alias_id = a.id LEFT JOIN model m ON m.id = t.model_id WHERE (@id IS NULL OR a.id = CAST(@id AS uuid)) "
      "ORDER BY a.id, m.id",
      id, [&](const soci::row& row) {
        auto& alias = aliases[text(row, "id")];
        const auto sticky = text(row, "sticky");
        alias.version = number(row, "version");
        alias.org_id = text(row, "org_id");
        alias.owner_user_id = text(row, "owner_user_id");
        alias.alias = text(row, "alias");
        alias.sticky = sticky == "none"   ? events::Sticky::none
                       : sticky == "user" ? events::Sticky::user
                                          : events::Sticky::conversation;
        alias.description = text(row, "description");
        alias.cause = cause;
        alias.actor = actor;
        if (text(row, "model_id").empty()) return;
        alias.targets.push_back({.model_id = text(row, "model_id"),
                                 .model = {text(row, "provider"), text(row, "model_name")},
                                 .weight = row.get<int>("weight")});
      });
  std::vector<StateRecord> records;
  for (const auto& [row_id, alias] : aliases)
    records.push_back(state_record(row_id, events::registry_alias_type, alias));
  return records;
}

std::vector<StateRecord> view_records(soci::session& sql, const std::string& id, const std::string& cause,
                                      const std::string& actor) {
  std::vector<StateRecord> records;
  each_row(
      sql,
      "SELECT CAST(v.id AS text) AS id, v.version AS version, v.org_id AS org_id, v.owner_user_id AS owner_user_id, "
      "v.name AS name, CAST(v.filter AS text) AS filter, array_to_string(v.pins, chr(31)) AS pins, v.for_auto AS "
      "for_auto FROM model_view v WHERE @id IS NULL OR v.id = CAST(@id AS uuid) ORDER BY v.id",
      id, [&](const soci::row& row) {
        records.push_back(state_record(text(row, "id"), events::registry_view_type,
                                       events::RegistryView{.version = number(row, "version"),
                                                            .org_id = text(row, "org_id"),
                                                            .owner_user_id = text(row, "owner_user_id"),
                                                            .name = text(row, "name"),
                                                            .filter = view_filter(text(row, "filter")),
                                                            .pins = parts_of(text(row, "pins")),
                                                            .for_auto = truth(row, "for_auto"),
                                                            .cause = cause,
                                                            .actor = actor}));
      });
  return records;
}

std::vector<StateRecord> grant_records(soci::session& sql, const std::string& org_id, const std::string& cause,
                                       const std::string& actor) {
  std::map<std::string, events::RegistryGrants> organizations;
  each_row(
      sql,
      "SELECT o.id AS org_id, o.grants_version AS version, g.subject_kind AS subject_kind, g.subject AS subject, "
      "g.object_kind AS object_kind, CASE WHEN g.object_kind = 'alias' THEN (SELECT a.alias FROM model_alias a WHERE "
      "a.id = g.object_id) ELSE CAST(g.object_id AS text) END AS object, g.effect AS effect FROM organization o LEFT "
      "JOIN model_grant g ON g.org_id = o.id WHERE (@id IS NULL OR o.id = @id) AND o.grants_version > 0 AND "
      "o.deleted_at IS NULL ORDER BY o.id, g.id",
      org_id, [&](const soci::row& row) {
        auto& grants = organizations[text(row, "org_id")];
        grants.version = number(row, "version");
        grants.org_id = text(row, "org_id");
        grants.cause = cause;
        grants.actor = actor;
        const auto object = text(row, "object");
        if (object.empty()) return;
        const auto subject_kind = text(row, "subject_kind");
        const auto object_kind = text(row, "object_kind");
        grants.grants.push_back({.subject_kind = subject_kind == "org"     ? events::SubjectKind::org
                                                 : subject_kind == "group" ? events::SubjectKind::group
                                                                           : events::SubjectKind::user,
                                 .subject = subject_kind == "org" ? grants.org_id : text(row, "subject"),
                                 .object_kind = object_kind == "model"        ? events::ObjectKind::model
                                                : object_kind == "connection" ? events::ObjectKind::connection
                                                : object_kind == "view"       ? events::ObjectKind::view
                                                                              : events::ObjectKind::alias,
                                 .object = object,
                                 .allow = text(row, "effect") == "allow"});
      });
  std::vector<StateRecord> records;
  for (const auto& [row_id, grants] : organizations)
    records.push_back(state_record(row_id, events::registry_grants_type, grants));
  return records;
}

std::vector<StateRecord> organization_records(soci::session& sql, const std::string& org_id, const std::string& cause,
                                              const std::string& actor) {
  std::vector<StateRecord> records;
  each_row(
      sql,
      "SELECT id AS id, slug AS slug, version AS version, mode AS mode, strict_default AS strict_default, deleted_at "
      "IS "
      "NOT NULL AS deleted FROM organization WHERE (@id IS NULL OR id = @id) ORDER BY id",
      org_id, [&](const soci::row& row) {
        records.push_back(state_record(text(row, "id"), events::registry_organization_type,
                                       events::RegistryOrganization{.version = number(row, "version"),
                                                                    .org_id = text(row, "id"),
                                                                    .slug = text(row, "slug"),
                                                                    .allow_list = text(row, "mode") == "allow_list",
                                                                    .strict_default = truth(row, "strict_default"),
                                                                    .deleted = truth(row, "deleted"),
                                                                    .cause = cause,
                                                                    .actor = actor}));
      });
  return records;
}

std::vector<StateRecord> credential_records(soci::session& sql, const std::string& id) {
  std::vector<StateRecord> records;
  each_row(
      sql,
      "SELECT CAST(k.id AS text) AS id, k.org_id AS org_id, k.owner_user_id AS owner_user_id, k.provider AS provider, "
      "k.sealed AS sealed, k.key_id AS key_id, k.secret_version AS secret_version, k.version AS version, "
      "CAST(floor(extract(epoch FROM k.expires_at) * 1000) AS bigint) AS expires_ms FROM credential k WHERE "
      "(@id IS NULL OR k.id = CAST(@id AS uuid)) ORDER BY k.id",
      id, [&](const soci::row& row) {
        const events::SealedCredential credential{.id = text(row, "id"),
                                                  .org_id = text(row, "org_id"),
                                                  .owner_user_id = text(row, "owner_user_id"),
                                                  .provider = text(row, "provider"),
                                                  .secret_version = number(row, "secret_version"),
                                                  .version = number(row, "version"),
                                                  .key_id = text(row, "key_id"),
                                                  .sealed = text(row, "sealed"),
                                                  .expires_ms = maybe_number(row, "expires_ms")};
        const bool revoked = credential.sealed.empty();
        records.push_back({.id = credential.id,
                           .key = events::credential_key(credential),
                           .type = std::string(revoked ? events::credential_revoked : events::credential_upserted_type),
                           .version = credential.version,
                           .payload = revoked ? std::string() : events::to_json(credential)});
      });
  return records;
}

void write_records(soci::session& sql, const std::string& aggregate, const std::vector<StateRecord>& records) {
  for (const auto& record : records) write_outbox(sql, aggregate, record.key, record.type, record.payload);
}

}  // namespace tokenrail::registry
