#include "common/registry/model_pointers.hpp"

#include <set>
#include <utility>

#include <fmt/core.h>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"
#include "common/events/registry_records.hpp"
#include "common/registry/governed_model_rows.hpp"
#include "common/registry/governed_models_sql.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/state_records.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

const std::string default_select =
    "SELECT CAST(d.id AS text) AS id, d.version AS version, d.kind || chr(10) || COALESCE(d.provider, '') || chr(10) "
    "|| "
    "d.purpose AS place, CAST(json_build_object('kind', d.kind, 'provider', d.provider, 'purpose', d.purpose, "
    "'modelId', "
    "m.id, 'model', m.slug, 'version', d.version, 'updatedAt', tokenrail_time(d.updated_at)) AS text) AS document FROM "
    "model_default d JOIN model m ON m.id = d.model_id WHERE d.org_id IS NOT DISTINCT FROM @org AND d.owner_user_id IS "
    "NOT "
    "DISTINCT FROM @owner AND ";
const std::string this_default =
    "d.kind = @kind AND d.provider IS NOT DISTINCT FROM @provider AND d.purpose = @purpose";

const std::string alias_select =
    "SELECT CAST(a.id AS text) AS id, a.version AS version, a.alias AS place, CAST(json_build_object('id', a.id, "
    "'alias', "
    "a.alias, 'scope', CASE WHEN a.org_id IS NULL THEN 'platform' WHEN a.owner_user_id IS NULL THEN 'organization' "
    "ELSE 'user' "
    "END, "
    "'sticky', a.sticky, 'description', a.description, 'targets', (SELECT "
    "COALESCE(json_agg(json_build_object('modelId', m.id, 'model', m.slug, 'weight', t.weight) ORDER BY m.slug), '[]') "
    "FROM "
    "model_alias_target t JOIN model m ON m.id = t.model_id WHERE t.alias_id = a.id), 'version', a.version, "
    "'updatedAt', "
    "tokenrail_time(a.updated_at)) AS text) AS document FROM model_alias a WHERE ";
// No index serves IS NOT DISTINCT FROM.
const std::string own_alias =
    "(a.org_id = @org OR (@org IS NULL AND a.org_id IS NULL)) AND (a.owner_user_id = @owner OR (@owner IS NULL AND "
    "a.owner_user_id IS NULL))";

Arguments arguments_of(const Scope& scope, const ModelPointers::Default& of) {
  return Arguments()
      .scope(scope)
      .text("kind", of.kind)
      .text_or_null("provider", of.provider)
      .text("purpose", of.purpose);
}

std::unexpected<Error> no_default(const ModelPointers::Default& of) {
  return fail(ErrorKind::not_found, fmt::format("There is no default for {}.", of.kind));
}

/// Models whose `isDefault` may change with a default of that scope and kind, locked and read.
std::vector<ModelRow> defaults_of(soci::session& sql, const Scope& scope, const ModelPointers::Default& of,
                                  const std::string& wanted) {
  auto ids =
      read_texts(sql,
                 "SELECT CAST(m.id AS text) FROM model m WHERE m.deleted_at IS NULL AND m.org_id IS NOT DISTINCT FROM "
                 "@org AND (CAST(m.id AS text) = @wanted OR m.id IN (SELECT d.model_id FROM model_default d WHERE "
                 "d.org_id IS NOT DISTINCT FROM @org AND d.kind = @kind)) ORDER BY m.id",
                 arguments_of(scope, of).text("wanted", wanted));
  lock_models(sql, ids);
  return read_models(sql, ids);
}

/// Adds `warning` to a default that leads to a model which answers nothing now. It may be enabled later.
void warn_of_unusable(soci::session& sql, const Scope& scope, const std::string& model, Document& document) {
  const auto found = find_model(sql, scope, model);
  if (!found) return;
  const events::JsonDocument parsed(found->json);
  const events::ObjectReader read(parsed.root());
  const auto status = read.text("status");
  if (status == "active") return;
  std::string text;
  events::append_json_string(
      text,
      fmt::format("The model {} has the status {}. Requests that use this default are refused until it is active.",
                  read.text("slug"), status));
  document.json.pop_back();
  document.json += ",\"warning\":" + text + "}";
}

}  // namespace

// ---- defaults ----------------------------------------------------------------------------------------------------

Result<DocumentPage> ModelPointers::defaults(const Actor& actor, const Scope& scope, const PageRequest& page) {
  return page_as(database_, actor, default_select + "true", Arguments().scope(scope), page);
}

Result<Document> ModelPointers::get_default(const Actor& actor, const Scope& scope, const Default& of) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = read_document(sql, default_select + this_default, arguments_of(scope, of));
    if (!found) return no_default(of);
    return std::move(*found);
  });
}

Result<Document> ModelPointers::set_default(const Actor& actor, const Scope& scope, const Default& of,
                                            const std::string& model,
                                            const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    const auto id = visible_model(sql, scope, model);
    if (!id) return no_model(model);
    const auto arguments = arguments_of(scope, of).text("model", *id).number("expected", expected_version);
    const auto before = read_document(sql, default_select + this_default, arguments);
    if (auto same = expect_version(expected_version, before, "default"); !same) return std::unexpected(same.error());
    const auto models = defaults_of(sql, scope, of, *id);
    const auto row = read_text(sql,
                               "INSERT INTO model_default (org_id, owner_user_id, kind, provider, purpose, model_id) "
                               "VALUES (@org, @owner, @kind, "
                               "@provider, @purpose, CAST(@model AS uuid)) ON CONFLICT (org_id, owner_user_id, kind, "
                               "provider, purpose) DO UPDATE "
                               "SET model_id = excluded.model_id, version = nextval('registry_version'), updated_at = "
                               "now() WHERE " +
                                   as_expected("model_default") + " RETURNING CAST(id AS text)",
                               arguments);
    if (!row) return changed_meanwhile("default");
    publish_models(sql, actor, models);
    write_records(sql, "default", default_records(sql, *row, actor.cause, storable(actor.name, 255)));
    auto after = read_document(sql, default_select + this_default, arguments);
    write_audit(sql, actor,
                {.action = "default.set",
                 .target_type = "default",
                 .target_id = *row,
                 .target_name = of.kind,
                 .before = before ? before->json : std::string(),
                 .after = after->json,
                 .version = after->version,
                 .org_id = scope.org_id});
    warn_of_unusable(sql, scope, *id, *after);
    return std::move(*after);
  });
}

Result<void> ModelPointers::remove_default(const Actor& actor, const Scope& scope, const Default& of,
                                           const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    if (auto may = may_write(actor, scope); !may) return may;
    const auto before = read_document(sql, default_select + this_default, arguments_of(scope, of));
    if (!before) return no_default(of);
    if (auto same = expect_version(expected_version, *before, "default"); !same) return same;
    const auto records = default_records(sql, before->id, actor.cause, actor.name);
    const auto models = defaults_of(sql, scope, of, "");
    const auto removed =
        run_statement(sql, "DELETE FROM model_default WHERE id = CAST(@id AS uuid) AND " + as_expected("model_default"),
                      Arguments().text("id", before->id).number("expected", expected_version));
    if (removed == 0 && !expected_version) return no_default(of);
    if (removed == 0) return changed_meanwhile("default");
    publish_models(sql, actor, models);
    for (const auto& record : records) write_outbox(sql, "default", record.key, record.type, "");
    write_audit(sql, actor,
                {.action = "default.removed",
                 .target_type = "default",
                 .target_id = before->id,
                 .target_name = of.kind,
                 .before = before->json,
                 .org_id = scope.org_id});
    return {};
  });
}

// ---- aliases -----------------------------------------------------------------------------------------------------

Result<DocumentPage> ModelPointers::aliases(const Actor& actor, const Scope& scope, const PageRequest& page) {
  return page_as(database_, actor, alias_select + "(a.org_id IS NULL OR (" + own_alias + "))", Arguments().scope(scope),
                 page);
}

Result<Document> ModelPointers::alias(const Actor& actor, const Scope& scope, const std::string& alias) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = read_document(sql, alias_select + own_alias + " AND a.alias = @alias",
                               Arguments().scope(scope).text("alias", alias));
    if (!found) return fail(ErrorKind::not_found, fmt::format("There is no alias {}.", alias));
    return std::move(*found);
  });
}

Result<Document> ModelPointers::set_alias(const Actor& actor, const Scope& scope, const Alias& wanted,
                                          const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    if (wanted.targets.empty())
      return fail(ErrorKind::invalid_input, "An alias leads to one model or more: name its targets.");
    const auto arguments = Arguments()
                               .scope(scope)
                               .text("alias", wanted.alias)
                               .text("sticky", wanted.sticky)
                               .text("description", wanted.description)
                               .number("expected", expected_version);
    if (read_text(sql,
                  "SELECT slug FROM model m WHERE m.slug = @alias AND m.deleted_at IS NULL AND (m.org_id IS NULL OR "
                  "m.org_id = @org)",
                  arguments))
      return std::unexpected(Error{.kind = ErrorKind::conflict,
                                   .detail = fmt::format("{} is the slug of a model.", wanted.alias),
                                   .hint = "Choose another name for the alias."});
    run_statement(sql, "SELECT 1 FROM model_alias a WHERE " + own_alias + " AND a.alias = @alias FOR UPDATE",
                  arguments);
    const auto before = read_document(sql, alias_select + own_alias + " AND a.alias = @alias", arguments);
    if (auto same = expect_version(expected_version, before, "alias"); !same) return std::unexpected(same.error());
    std::set<std::string> ids;
    std::string targets = "[";
    for (const auto& target : wanted.targets) {
      const auto id = visible_model(sql, scope, target.model);
      if (!id) return no_model(target.model);
      if (!ids.insert(*id).second)
        return fail(ErrorKind::invalid_input, fmt::format("The model {} is a target twice.", target.model));
      targets += fmt::format(R"({}{{"id":"{}","weight":{}}})", targets.size() > 1 ? "," : "", *id, target.weight);
    }
    targets += ']';
    const auto row = read_text(
        sql,
        "INSERT INTO model_alias (org_id, owner_user_id, alias, sticky, description) VALUES (@org, @owner, @alias, "
        "@sticky, "
        "@description) ON CONFLICT (org_id, owner_user_id, alias) DO UPDATE SET sticky = excluded.sticky, description "
        "= "
        "excluded.description, version = nextval('registry_version'), updated_at = now() WHERE " +
            as_expected("model_alias") + " RETURNING CAST(id AS text)",
        arguments);
    if (!row) return changed_meanwhile("alias");
    const auto rows = Arguments().text("id", *row).json("targets", targets);
    run_statement(sql, "DELETE FROM model_alias_target WHERE alias_id = CAST(@id AS uuid)", rows);
    run_statement(
        sql,
        "INSERT INTO model_alias_target (alias_id, model_id, weight) SELECT CAST(@id AS uuid), CAST(t ->> 'id' AS "
        "uuid), CAST(t ->> 'weight' AS int) FROM jsonb_array_elements(@@targets) t",
        rows);
    write_records(sql, "alias", alias_records(sql, *row, actor.cause, storable(actor.name, 255)));
    auto after = read_document(sql, alias_select + own_alias + " AND a.alias = @alias", arguments);
    write_audit(sql, actor,
                {.action = "alias.set",
                 .target_type = "alias",
                 .target_id = *row,
                 .target_name = wanted.alias,
                 .before = before ? before->json : std::string(),
                 .after = after->json,
                 .version = after->version,
                 .org_id = scope.org_id});
    return std::move(*after);
  });
}

Result<void> ModelPointers::remove_alias(const Actor& actor, const Scope& scope, const std::string& alias,
                                         const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto arguments = Arguments().scope(scope).text("alias", alias);
    run_statement(sql, "SELECT 1 FROM model_alias a WHERE " + own_alias + " AND a.alias = @alias FOR UPDATE",
                  arguments);
    const auto before = read_document(sql, alias_select + own_alias + " AND a.alias = @alias", arguments);
    if (!before) return fail(ErrorKind::not_found, fmt::format("There is no alias {}.", alias));
    if (auto may = may_write(actor, scope); !may) return may;
    if (auto same = expect_version(expected_version, *before, "alias"); !same) return same;
    const auto records = alias_records(sql, before->id, actor.cause, actor.name);
    run_statement(sql, "DELETE FROM model_alias WHERE id = CAST(@id AS uuid)", Arguments().text("id", before->id));
    for (const auto& record : records) write_outbox(sql, "alias", record.key, record.type, "");
    remove_grants_of_alias(sql, actor, before->id);
    write_audit(sql, actor,
                {.action = "alias.removed",
                 .target_type = "alias",
                 .target_id = before->id,
                 .target_name = alias,
                 .before = before->json,
                 .org_id = scope.org_id});
    return {};
  });
}

}  // namespace tokenrail::registry
