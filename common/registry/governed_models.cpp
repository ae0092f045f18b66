#include "common/registry/governed_models.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "common/events/json_document.hpp"
#include "common/registry/governed_models_sql.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/state_records.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

std::unexpected<Error> no_model(const std::string& id) {
  return fail(ErrorKind::not_found, fmt::format("There is no model {}.", id));
}

const std::string this_model = "m.provider = @provider AND m.model_name = @model";

/// Whatever it is named by: an id is of the scope's own row or of the platform's; the rest is the same in both.
std::optional<Document> find(soci::session& sql, const Scope& scope, const std::string& name) {
  const auto found = read_texts(sql,
                                "SELECT n.provider || chr(31) || n.model_name FROM (" + named_models() +
                                    ") n WHERE n.org_id IS NULL OR (n.org_id = @org AND n.owner_user_id IS NOT "
                                    "DISTINCT FROM @owner) ORDER BY n.rank, "
                                    "n.org_id NULLS LAST LIMIT 1",
                                Arguments().scope(scope).text("name", name));
  if (found.empty()) return std::nullopt;
  const auto parts = parts_of(found.front());
  return read_document(sql, effective_documents(this_model) + "true",
                       Arguments().scope(scope).text("provider", parts.at(0)).text("model", parts.at(1)));
}

/// The scope's own row of a model, and the platform's.
struct Rows {
  std::string own{};       ///< id; empty: none
  std::string platform{};  ///< id; empty: none
};
Rows rows_of(const Document& document) {
  const events::JsonDocument parsed(document.json);
  const events::ObjectReader read(parsed.root());
  return {.own = read.text("ownId"), .platform = read.text("platformId")};
}

struct Locked {
  Document before;
  std::string row;  ///< id of the row that is written
  std::vector<ModelRow> model{};
};

/// The row that a change of that scope writes, locked; made over the platform's where the scope has none of its own.
Result<Locked> lock(soci::session& sql, const Actor& actor, const Scope& scope, const std::string& id,
                    const std::optional<std::int64_t>& expected_version) {
  auto now = find(sql, scope, id);
  if (!now) return no_model(id);
  if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
  auto rows = rows_of(*now);
  auto row = scope.platform() ? rows.platform : rows.own;
  if (row.empty()) {
    // Two that do this at once: the second one finds the first one's row.
    run_statement(
        sql,
        "INSERT INTO model (org_id, owner_user_id, provider, model_name, slug, kind, enabled) SELECT @org, @owner, "
        "p.provider, p.model_name, p.slug, p.kind, NULL FROM model p WHERE p.id = CAST(@id AS uuid) ON CONFLICT "
        "DO NOTHING",
        Arguments().scope(scope).text("id", rows.platform));
    if (auto made = find(sql, scope, rows.platform)) row = rows_of(*made).own;
    if (row.empty())
      return fail(ErrorKind::conflict, fmt::format("Another model of this scope has the slug of {} already.", id));
  }
  lock_models(sql, {row});
  auto locked = find(sql, scope, row);
  if (!locked) return no_model(id);
  // A row that was made a moment ago has a version of its own; what the caller saw is the platform's.
  if (auto same = expect_version(expected_version, rows_of(*now).own == row ? *locked : *now, "model"); !same)
    return std::unexpected(same.error());
  auto model = read_models(sql, {row});
  return Locked{.before = std::move(*now), .row = std::move(row), .model = std::move(model)};
}

/// Names of the members of a JSON object.
std::vector<std::string> names_in(std::string_view object) {
  const events::JsonDocument document(object);
  std::vector<std::string> names;
  simdjson::dom::object members;
  if (document.error() == simdjson::SUCCESS && document.root().get_object().get(members) == simdjson::SUCCESS)
    for (const auto member : members) names.emplace_back(member.key);
  return names;
}

bool has_member(std::string_view object, std::string_view name) {
  const auto names = names_in(object);
  return std::ranges::find(names, name) != names.end();
}

/// Replaces the deployments that a person governs by those of the patch.
Result<void> write_deployments(soci::session& sql, const Scope& scope, const std::string& row, std::string_view patch) {
  const auto arguments = Arguments().scope(scope).text("id", row).json("patch", patch);
  const auto unknown = read_text(
      sql,
      "SELECT w ->> 'connectionId' FROM jsonb_array_elements(@@patch -> 'deployments') w WHERE NOT EXISTS (SELECT 1 "
      "FROM "
      "connection c WHERE c.deleted_at IS NULL AND (CAST(c.id AS text) = w ->> 'connectionId' OR c.name = w ->> "
      "'connectionId') AND (c.org_id IS NULL OR c.org_id = @org)) LIMIT 1",
      arguments);
  if (unknown) return fail(ErrorKind::not_found, fmt::format("There is no connection {}.", *unknown));
  const std::string wanted =
      "SELECT DISTINCT ON (c.id) c.id AS connection_id, w FROM jsonb_array_elements(@@patch -> 'deployments') w JOIN "
      "connection c ON c.deleted_at IS NULL AND (CAST(c.id AS text) = w ->> 'connectionId' OR c.name = w ->> "
      "'connectionId') AND (c.org_id IS NULL OR c.org_id = @org) ORDER BY c.id, c.org_id NULLS LAST";
  run_statement(sql,
                "DELETE FROM deployment d WHERE d.model_id = CAST(@id AS uuid) AND NOT EXISTS (SELECT 1 FROM (" +
                    wanted + ") k WHERE k.connection_id = d.connection_id)",
                arguments);
  run_statement(
      sql,
      "INSERT INTO deployment (model_id, connection_id, upstream_name, priority, weight, enabled, params) SELECT m.id, "
      "k.connection_id, COALESCE(k.w ->> 'upstreamName', m.model_name), CAST(k.w ->> 'priority' AS int), CAST(k.w ->> "
      "'weight' AS int), COALESCE(CAST(k.w ->> 'enabled' AS boolean), true), COALESCE(NULLIF(k.w -> 'params', 'null'), "
      "'{}') FROM model m CROSS JOIN (" +
          wanted +
          ") k WHERE m.id = CAST(@id AS uuid) ON CONFLICT (model_id, connection_id) DO UPDATE SET upstream_name = "
          "excluded.upstream_name, priority = excluded.priority, weight = excluded.weight, enabled = excluded.enabled, "
          "params = excluded.params",
      arguments);
  return {};
}

/// Sets the values, and publishes what came of it.
Result<Document> write(soci::session& sql, const Actor& actor, const Scope& scope, Locked locked,
                       std::string_view patch, std::string_view action) {
  run_statement(sql, "UPDATE model SET " + patched_values() + " WHERE id = CAST(@id AS uuid)",
                Arguments().text("id", locked.row).json("patch", patch));
  if (has_member(patch, "deployments")) {
    if (auto written = write_deployments(sql, scope, locked.row, patch); !written)
      return std::unexpected(written.error());
  }
  auto after = find(sql, scope, locked.row);
  if (!after) return no_model(locked.row);
  if (after->json == locked.before.json) return std::move(*after);
  const auto now = read_models(sql, {locked.row});
  auto fields = locked.model.empty() ? names_in(patch) : changed_fields(locked.model.front().state, now.front().state);
  if (fields.empty()) fields = names_in(patch);
  run_statement(
      sql, "UPDATE model SET version = nextval('registry_version'), updated_at = now() WHERE id = CAST(@id AS uuid)",
      Arguments().text("id", locked.row));
  const bool fresh = locked.model.empty();
  tell_changes(sql,
               {{.model_id = locked.row,
                 .before_version = fresh ? std::nullopt : std::optional(locked.model.front().state.version),
                 .changed_fields = fields}},
               actor.cause, storable(actor.name, 255));
  after = find(sql, scope, locked.row);
  write_audit(sql, actor,
              {.action = std::string(action),
               .target_type = "model",
               .target_id = locked.row,
               .target_name = now.front().state.slug,
               .before = locked.before.json,
               .after = after->json,
               .version = after->version,
               .org_id = scope.org_id});
  return std::move(*after);
}

const std::string dependents_select =
    "SELECT x.ref_type || ':' || x.ref_id AS id, CAST(0 AS bigint) AS version, x.ref_type || chr(10) || x.ref_id AS "
    "place, "
    "CAST(json_build_object('refType', x.ref_type, 'refId', x.ref_id, 'label', x.label) AS text) AS document FROM ("
    "SELECT d.ref_type, d.ref_id, d.label FROM dependency d WHERE CAST(d.model_id AS text) IN (@own, @platform) "
    "UNION ALL SELECT 'alias', a.alias, a.description FROM model_alias_target t JOIN model_alias a ON a.id = "
    "t.alias_id "
    "WHERE CAST(t.model_id AS text) IN (@own, @platform) "
    "UNION ALL SELECT 'default', d.kind || CASE WHEN d.purpose = '' THEN '' ELSE '/' || d.purpose END, "
    "COALESCE(d.org_id, 'platform') FROM model_default d WHERE CAST(d.model_id AS text) IN (@own, @platform) "
    "UNION ALL SELECT 'view', v.name, '' FROM model_view v WHERE EXISTS (SELECT 1 FROM unnest(v.pins) pin WHERE "
    "CAST(pin "
    "AS text) IN (@own, @platform))) x WHERE ";

/// A default or an alias that leads nowhere helps nobody: they go with their model.
void remove_pointers(soci::session& sql, const Actor& actor, const std::string& row) {
  const auto arguments = Arguments().text("id", row);
  const auto name = storable(actor.name, 255);
  for (const auto& id :
       read_texts(sql, "SELECT CAST(id AS text) FROM model_default WHERE model_id = CAST(@id AS uuid) ORDER BY id",
                  arguments)) {
    const auto records = default_records(sql, id, actor.cause, name);
    run_statement(sql, "DELETE FROM model_default WHERE id = CAST(@id AS uuid)", Arguments().text("id", id));
    for (const auto& record : records) write_outbox(sql, "default", record.key, record.type, "");
  }
  for (const auto& id : read_texts(
           sql,
           "SELECT CAST(alias_id AS text) FROM model_alias_target WHERE model_id = CAST(@id AS uuid) ORDER BY alias_id",
           arguments)) {
    const auto alias = Arguments().text("id", row).text("alias", id);
    const auto before = alias_records(sql, id, actor.cause, name);
    run_statement(
        sql, "DELETE FROM model_alias_target WHERE alias_id = CAST(@alias AS uuid) AND model_id = CAST(@id AS uuid)",
        alias);
    const bool gone =
        run_statement(sql,
                      "DELETE FROM model_alias a WHERE a.id = CAST(@alias AS uuid) AND NOT EXISTS (SELECT 1 "
                      "FROM model_alias_target t WHERE t.alias_id = a.id)",
                      alias) > 0;
    if (gone) {
      for (const auto& record : before) write_outbox(sql, "alias", record.key, record.type, "");
      continue;
    }
    run_statement(
        sql,
        "UPDATE model_alias SET version = nextval('registry_version'), updated_at = now() WHERE id = CAST(@alias "
        "AS uuid)",
        alias);
    write_records(sql, "alias", alias_records(sql, id, actor.cause, name));
  }
}

Arguments names_of(const Rows& rows) {
  // An override that goes leaves the platform's model, on which its dependents then depend.
  return Arguments().text("own", rows.own).text("platform", rows.platform);
}

}  // namespace

std::span<const std::string_view> model_fields() {
  static constexpr std::array<std::string_view, 22> names{"enabled",          "blocked",
                                                          "hidden",           "displayName",
                                                          "description",      "family",
                                                          "license",          "kind",
                                                          "lifecycle",        "deprecatesAt",
                                                          "retiresAt",        "replacementId",
                                                          "maintenanceUntil", "maintenanceReason",
                                                          "contextWindow",    "inputTokensMax",
                                                          "outputTokensMax",  "embeddingDimensions",
                                                          "capabilities",     "tags",
                                                          "metadata",         "deployments"};
  return names;
}

namespace {

/// One model of a page: what it is found by, and where the next page begins behind it.
struct Place {
  std::string provider;
  std::string model_name;
  std::string token;
};

std::vector<Place> places_of(soci::session& sql, const std::string& condition, Arguments arguments,
                             const PageRequest& page) {
  const auto cut = page.after.rfind('\n');
  const bool first = cut == std::string::npos;
  arguments.text("after_slug", first ? std::string() : page.after.substr(0, cut))
      .text("after_id", first ? "00000000-0000-0000-0000-000000000000" : page.after.substr(cut + 1))
      .number("limit", page.count_max + 1);
  const auto object = arguments.object();
  const soci::rowset<soci::row> rows =
      (sql.prepare << with_arguments(effective_page(condition)), soci::use(object, "p"));
  std::vector<Place> places;
  for (const auto& row : rows)
    places.push_back({.provider = text(row, "provider"),
                      .model_name = text(row, "model_name"),
                      .token = text(row, "slug") + "\n" + text(row, "row_id")});
  return places;
}

}  // namespace

Result<DocumentPage> Models::list(const Actor& actor, const Scope& scope, const ModelFilter& filter,
                                  const PageRequest& page) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<DocumentPage> {
    const auto arguments = Arguments()
                               .scope(scope)
                               .text_or_null("kind", filter.kind)
                               .text_or_null("provider", filter.provider)
                               .text_or_null("status", filter.status)
                               .text_or_null("scope", filter.scope)
                               .text_or_null("search", filter.search)
                               .flag("hidden", filter.hidden)
                               .json("capabilities", json_array(filter.capabilities))
                               .json("tags", json_array(filter.tags));
    const auto condition = filter_condition();
    DocumentPage result;
    result.total = std::stoll(
        read_text(sql, effective_count(filter.empty() ? std::string() : condition), arguments).value_or("0"));
    // Names first, documents for one page only: a document costs more than all that decides about it.
    auto places = places_of(sql, filter.empty() ? std::string("true") : condition, arguments, page);
    if (static_cast<std::int64_t>(places.size()) > page.count_max) {
      places.resize(static_cast<std::size_t>(page.count_max));
      result.next = places.empty() ? std::string() : places.back().token;
    }
    std::string names = "[";
    for (const auto& place : places)
      names += (names.size() > 1 ? "," : "") + json_array({place.provider, place.model_name});
    auto found = read_documents(sql,
                                effective_documents("(m.provider, m.model_name) IN (SELECT x ->> 0, x ->> 1 FROM "
                                                    "jsonb_array_elements(@@page) x)") +
                                    "true ORDER BY e.slug, e.id",
                                Arguments().scope(scope).json("page", names + "]"));
    result.items = std::move(found);
    return result;
  });
}

Result<Document> Models::get(const Actor& actor, const Scope& scope, const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = find(sql, scope, id);
    if (!found) return no_model(id);
    return std::move(*found);
  });
}

Result<Document> Models::create(const Actor& actor, const Scope& scope, std::string_view fields) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    const auto arguments = Arguments().scope(scope).json("fields", fields);
    if (!read_text(sql, "SELECT slug FROM provider WHERE slug = @@fields ->> 'provider'", arguments))
      return fail(ErrorKind::not_found, "There is no such provider.");
    const auto id = read_text(
        sql,
        "INSERT INTO model (org_id, owner_user_id, provider, model_name, slug, enabled) VALUES (@org, @owner, @@fields "
        "->> "
        "'provider', @@fields ->> 'modelName', COALESCE(@@fields ->> 'slug', (@@fields ->> 'provider') || '/' || "
        "(@@fields "
        "->> 'modelName')), COALESCE(CAST(@@fields ->> 'enabled' AS boolean), false)) ON CONFLICT DO NOTHING RETURNING "
        "CAST(id AS text)",
        arguments);
    if (!id) return fail(ErrorKind::conflict, "There is a model of that provider and name, or of that slug, already.");
    auto patch = *read_text(
        sql, "SELECT CAST(@@fields - CAST(ARRAY['provider', 'modelName', 'slug'] AS text[]) AS text)", arguments);
    return write(sql, actor, scope, Locked{.before = {}, .row = *id}, patch, "model.created");
  });
}

Result<Document> Models::change(const Actor& actor, const Scope& scope, const std::string& id, std::string_view patch,
                                const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto locked = lock(sql, actor, scope, id, expected_version);
    if (!locked) return std::unexpected(locked.error());
    return write(sql, actor, scope, std::move(*locked), patch, "model.changed");
  });
}

Result<void> Models::remove(const Actor& actor, const Scope& scope, const std::string& id, bool force,
                            const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto now = find(sql, scope, id);
    if (!now) return no_model(id);
    if (auto may = may_write(actor, scope); !may) return may;
    const auto rows = rows_of(*now);
    const auto& row = scope.platform() ? rows.platform : rows.own;
    if (row.empty())
      return std::unexpected(Error{.kind = ErrorKind::conflict,
                                   .detail = fmt::format("The model {} is the platform's.", id),
                                   .hint = "Disable or block it for the organisation instead."});
    lock_models(sql, {row});
    if (auto same = expect_version(expected_version, *now, "model"); !same) return same;
    const bool leaves_none = scope.platform() || rows.platform.empty();
    const auto dependents =
        leaves_none ? read_documents(sql, dependents_select + "true", names_of(rows)) : std::vector<Document>{};
    if (!dependents.empty() && !force) {
      std::string names;
      for (const auto& dependent : dependents) names += (names.empty() ? "" : ", ") + dependent.id;
      return std::unexpected(Error{.kind = ErrorKind::conflict,
                                   .detail = fmt::format("The model {} is used by {}.", id, names),
                                   .hint = "Point those at another model first, or force it (--force, force=true)."});
    }
    const auto before = read_models(sql, {row});
    remove_pointers(sql, actor, row);
    run_statement(
        sql,
        "UPDATE model SET deleted_at = now(), version = nextval('registry_version'), updated_at = now() WHERE id "
        "= CAST(@id AS uuid)",
        Arguments().text("id", row));
    if (!before.empty())
      write_outbox(sql, "model", events::model_key(before.front().state), "model_registry.deleted", "");
    write_audit(sql, actor,
                {.action = "model.deleted",
                 .target_type = "model",
                 .target_id = row,
                 .target_name = before.empty() ? std::string() : before.front().state.slug,
                 .before = now->json,
                 .org_id = scope.org_id});
    return {};
  });
}

Result<DocumentPage> Models::revisions(const Actor& actor, const Scope& scope, const std::string& id,
                                       const PageRequest& page) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<DocumentPage> {
    const auto now = find(sql, scope, id);
    if (!now) return no_model(id);
    const auto rows = rows_of(*now);
    return read_page(
        sql,
        "SELECT CAST(r.version AS text) AS id, r.version AS version, lpad(CAST(9223372036854775807 - r.version "
        "AS text), 19, '0') AS place, CAST(json_build_object('version', r.version, 'scope', CASE WHEN "
        "CAST(r.model_id AS text) = @platform THEN 'platform' ELSE 'organization' END, 'cause', r.cause, "
        "'actor', r.actor, 'changedFields', r.changed_fields, 'at', tokenrail_time(r.created_at), 'model', "
        "r.snapshot -> 'model') AS text) AS document FROM model_revision r WHERE CAST(r.model_id AS text) IN "
        "(@own, @platform)",
        names_of(rows), page);
  });
}

Result<Document> Models::roll_back(const Actor& actor, const Scope& scope, const std::string& id, std::int64_t version,
                                   const std::optional<std::int64_t>& expected_version) {
  auto as = actor;
  as.cause = "rollback";
  return transact_as(database_, as, [&](soci::session& sql) -> Result<Document> {
    auto locked = lock(sql, as, scope, id, expected_version);
    if (!locked) return std::unexpected(locked.error());
    // What a person may set; what was seen at the provider stays as it is.
    const auto patch = read_text(
        sql,
        "SELECT CAST(jsonb_build_object('enabled', CASE WHEN COALESCE(CAST(s ->> 'inherits' AS boolean), false) THEN "
        "NULL "
        "ELSE s -> 'enabled' END, 'blocked', COALESCE(s -> 'platformBlocked', 'false'), 'hidden', COALESCE(s -> "
        "'hidden', "
        "'false'), 'displayName', s -> 'displayName', 'description', s -> 'description', 'kind', s -> 'kind', "
        "'lifecycle', "
        "s -> 'lifecycle', 'contextWindow', s -> 'contextWindow', 'inputTokensMax', s -> 'inputTokensMax', "
        "'outputTokensMax', s -> 'outputTokensMax', 'embeddingDimensions', s -> 'embeddingDimensions', 'capabilities', "
        "s -> "
        "'capabilities', 'tags', s -> 'tags', 'maintenanceReason', s -> 'maintenanceReason') AS text) FROM (SELECT "
        "CAST(r.snapshot AS jsonb) -> 'model' AS s FROM model_revision r WHERE r.model_id = CAST(@id AS uuid) AND "
        "r.version = CAST(@version AS bigint)) x",
        Arguments().text("id", locked->row).number("version", version));
    if (!patch) return fail(ErrorKind::not_found, fmt::format("The model {} has no revision {}.", id, version));
    return write(sql, as, scope, std::move(*locked), *patch, "model.rolled_back");
  });
}

// ---- dependents --------------------------------------------------------------------------------------------------

Result<DocumentPage> Models::dependents(const Actor& actor, const Scope& scope, const std::string& id,
                                        const PageRequest& page) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<DocumentPage> {
    const auto now = find(sql, scope, id);
    if (!now) return no_model(id);
    return read_page(sql, dependents_select + "true", names_of(rows_of(*now)), page);
  });
}

Result<void> Models::add_dependent(const Actor& actor, const Scope& scope, const std::string& id,
                                   const Dependent& dependent) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto now = find(sql, scope, id);
    if (!now) return no_model(id);
    if (auto may = may_write(actor, scope); !may) return may;
    run_statement(sql,
                  "INSERT INTO dependency (model_id, org_id, ref_type, ref_id, label) VALUES (CAST(@id AS uuid), @org, "
                  "@type, @ref, @label) ON CONFLICT (model_id, org_id, ref_type, ref_id) DO UPDATE SET label = "
                  "excluded.label",
                  Arguments()
                      .scope(scope)
                      .text("id", now->id)
                      .text("type", dependent.ref_type)
                      .text("ref", dependent.ref_id)
                      .text("label", dependent.label));
    return {};
  });
}

Result<void> Models::remove_dependent(const Actor& actor, const Scope& scope, const std::string& id,
                                      const Dependent& dependent) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto now = find(sql, scope, id);
    if (!now) return no_model(id);
    const auto rows = rows_of(*now);
    const auto gone =
        run_statement(sql,
                      "DELETE FROM dependency WHERE CAST(model_id AS text) IN (@own, @platform) AND org_id = @org AND "
                      "ref_type = @type "
                      "AND ref_id = @ref",
                      names_of(rows).scope(scope).text("type", dependent.ref_type).text("ref", dependent.ref_id));
    if (gone == 0) return fail(ErrorKind::not_found, "There is no such dependent.");
    return {};
  });
}

Result<Document> Models::statistics(const Actor& actor, const Scope& scope) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found =
        read_document(sql,
                      "WITH seen AS (SELECT CAST(x.document AS jsonb) AS d FROM (" + effective_documents("true") +
                          "true) x) SELECT 'statistics' AS id, CAST(0 AS bigint) AS version, "
                          "CAST(json_build_object('models', (SELECT "
                          "count(*) FROM seen), 'byProvider', (SELECT COALESCE(json_object_agg(k, n), '{}') FROM "
                          "(SELECT d ->> 'provider' "
                          "AS k, count(*) AS n FROM seen GROUP BY 1) a), 'byKind', (SELECT COALESCE(json_object_agg(k, "
                          "n), '{}') FROM "
                          "(SELECT d ->> 'kind' AS k, count(*) AS n FROM seen GROUP BY 1) b), 'byStatus', (SELECT "
                          "COALESCE(json_object_agg(k, n), '{}') FROM (SELECT d ->> 'status' AS k, count(*) AS n FROM "
                          "seen GROUP BY 1) "
                          "c)) AS text) AS document",
                      Arguments().scope(scope));
    return std::move(*found);
  });
}

}  // namespace tokenrail::registry
