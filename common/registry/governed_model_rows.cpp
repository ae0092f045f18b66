#include "common/registry/governed_model_rows.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "common/events/call_defaults.hpp"
#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"
#include "common/registry/governed_models_sql.hpp"
#include "common/registry/kept_statements.hpp"
#include "common/registry/merge_patch.hpp"
#include "common/registry/model_patch_sql.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

const std::string this_model = "m.provider = @provider AND m.model_name = @model";

bool has_member(std::string_view object, std::string_view name) {
  const auto names = names_in(object);
  return std::ranges::find(names, name) != names.end();
}

/// A member of a JSON object, as text; "{}": there is none.
std::string member_of(std::string_view object, std::string_view name) {
  const events::JsonDocument document(object);
  const auto value = events::ObjectReader(document.root()).find(name);
  return value ? simdjson::minify(*value) : std::string("{}");
}

/// The deployments of @@patch as rows: connection_id and w (the deployment). An id is exactly that
/// connection. A name is the nearest connection of that name: the user's, the organisation's, the platform's. A
/// connection that is named twice counts where it is named first.
const std::string wanted_deployments =
    "SELECT DISTINCT ON (r.connection_id) r.connection_id AS connection_id, r.w AS w FROM (SELECT DISTINCT ON "
    "(x.place) x.place AS place, x.w AS w, c.id AS connection_id FROM jsonb_array_elements(@@patch -> 'deployments') "
    "WITH ORDINALITY x "
    "(w, place) JOIN connection c ON c.deleted_at IS NULL AND (CAST(c.id AS text) = x.w ->> 'connectionId' OR c.name = "
    "x.w ->> 'connectionId') AND (c.org_id IS NULL OR (c.org_id = @org AND (c.owner_user_id IS NULL OR c.owner_user_id "
    "= @owner))) ORDER BY x.place, CAST(c.id AS text) = x.w ->> 'connectionId' DESC, c.owner_user_id NULLS LAST, "
    "c.org_id "
    "NULLS LAST) r ORDER BY r.connection_id, r.place";

/// SQL: a limit of the deployment `k`, or that of the deployment before it, `old`, where it is not named.
std::string limit_of(std::string_view name, std::string_view column) {
  return fmt::format("CASE WHEN jsonb_exists(k.w, '{0}') THEN CAST(k.w ->> '{0}' AS bigint) ELSE old.{1} END", name,
                     column);
}

/// Replaces the deployments that a person governs by those of the patch.
Result<void> write_deployments(soci::session& sql, const Scope& scope, const std::string& row, std::string_view patch) {
  const auto arguments = Arguments().scope(scope).text("id", row).json("patch", patch);
  const auto unknown = read_text(
      sql,
      "SELECT w ->> 'connectionId' FROM jsonb_array_elements(@@patch -> 'deployments') w WHERE NOT EXISTS (SELECT 1 "
      "FROM "
      "connection c WHERE c.deleted_at IS NULL AND (CAST(c.id AS text) = w ->> 'connectionId' OR c.name = w ->> "
      "'connectionId') AND (c.org_id IS NULL OR (c.org_id = @org AND (c.owner_user_id IS NULL OR c.owner_user_id = "
      "@owner)))) LIMIT 1",
      arguments);
  if (unknown) return fail(ErrorKind::not_found, fmt::format("There is no connection {}.", *unknown));
  if (!scope.platform()) {
    // A block would be worth nothing, were the platform's key to reach the same model under another name.
    const auto blocked = read_text(
        sql,
        "SELECT b.provider || '/' || b.model_name FROM (" + wanted_deployments +
            ") k JOIN model m ON m.id = CAST(@id AS uuid) JOIN deployment d ON d.connection_id = k.connection_id AND " +
            is_same_upstream("d.upstream_name", "COALESCE(k.w ->> 'upstreamName', m.model_name)") +
            " JOIN model b ON b.id = d.model_id AND "
            "b.org_id IS NULL AND b.deleted_at IS NULL AND b.platform_blocked WHERE (b.provider, b.model_name) <> "
            "(m.provider, m.model_name) LIMIT 1",
        arguments);
    if (blocked)
      return std::unexpected(
          Error{.kind = ErrorKind::forbidden,
                .detail = fmt::format("The platform blocks {}, which this deployment would call.", *blocked),
                .hint = "Deploy on another connection, or under the name of another model at the provider."});
  }
  const std::string unwanted = "deployment d WHERE d.model_id = CAST(@id AS uuid) AND NOT EXISTS (SELECT 1 FROM (" +
                               wanted_deployments + ") k WHERE k.connection_id = d.connection_id)";
  run_statement(sql,
                "UPDATE price p SET effective_to = now(), closed_version = nextval('registry_version') WHERE "
                "p.effective_to IS NULL AND p.deployment_id IN (SELECT d.id FROM " +
                    unwanted + ")",
                arguments);
  run_statement(sql, "DELETE FROM " + unwanted, arguments);
  run_statement(
      sql,
      "INSERT INTO deployment (model_id, connection_id, upstream_name, priority, weight, enabled, params, "
      "requests_per_minute, "
      "tokens_per_minute) SELECT m.id, "
      "k.connection_id, COALESCE(k.w ->> 'upstreamName', m.model_name), CAST(k.w ->> 'priority' AS int), CAST(k.w ->> "
      "'weight' AS int), COALESCE(CAST(k.w ->> 'enabled' AS boolean), true), COALESCE(NULLIF(k.w -> 'params', 'null'), "
      "'{}'), " +
          limit_of("requestsPerMinute", "requests_per_minute") + ", " +
          limit_of("tokensPerMinute", "tokens_per_minute") + " FROM model m CROSS JOIN (" + wanted_deployments +
          ") k LEFT JOIN deployment old ON old.model_id = m.id AND old.connection_id = k.connection_id WHERE m.id = "
          "CAST(@id "
          "AS uuid) ON CONFLICT (model_id, connection_id) DO UPDATE SET upstream_name = "
          "excluded.upstream_name, priority = excluded.priority, weight = excluded.weight, enabled = excluded.enabled, "
          "params = excluded.params, requests_per_minute = excluded.requests_per_minute, tokens_per_minute = "
          "excluded.tokens_per_minute",
      arguments);
  return {};
}

/// Whether calls can use the default parameters that a person set in the row.
Result<void> check_params(soci::session& sql, const Scope& scope, const std::string& row) {
  const auto arguments = Arguments().text("id", row);
  const auto params = read_text(
      sql, "SELECT CAST(" + std::string(call_params_of_model) + " AS text) FROM model m WHERE m.id = CAST(@id AS uuid)",
      arguments);
  std::vector<events::InvalidDefault> invalid;
  const auto defaults = events::read_call_defaults(params.value_or("{}"), invalid);
  if (!invalid.empty())
    return fail(ErrorKind::invalid_input,
                fmt::format("A parameter in params cannot be used: {}.", to_text(invalid.front())));
  if (scope.platform() || defaults.empty()) return {};
  const auto platforms = read_text(
      sql,
      "SELECT p.slug FROM model m JOIN model p ON p.org_id IS NULL AND p.deleted_at IS NULL AND p.provider = "
      "m.provider "
      "AND p.model_name = m.model_name WHERE m.id = CAST(@id AS uuid) AND NOT EXISTS (SELECT 1 FROM deployment d WHERE "
      "d.model_id = m.id)",
      arguments);
  if (!platforms) return {};
  return std::unexpected(Error{
      .kind = ErrorKind::conflict,
      .detail = fmt::format("The deployments of {} are the platform's, and so are their parameters.", *platforms),
      .hint = "Put the model on a connection of the organisation first, or set the parameters for the platform."});
}

}  // namespace

std::vector<std::string> names_in(std::string_view object) {
  const events::JsonDocument document(object);
  std::vector<std::string> names;
  simdjson::dom::object members;
  if (document.error() == simdjson::SUCCESS && document.root().get_object().get(members) == simdjson::SUCCESS)
    for (const auto member : members) names.emplace_back(member.key);
  return names;
}

std::unexpected<Error> no_model(const std::string& id) {
  return fail(ErrorKind::not_found, fmt::format("There is no model {}.", id));
}

std::optional<Named> find_rows(soci::session& sql, const Scope& scope, const std::string& name) {
  static const auto statement = with_arguments(
      "SELECT n.provider AS provider, n.model_name AS model_name, CAST(p.id AS text) AS platform_id, CAST(o.id AS "
      "text) AS own_id FROM (SELECT x.provider AS provider, x.model_name AS model_name FROM (" +
          named_models() +
          ") x WHERE x.org_id IS NULL OR (x.org_id = @org AND x.owner_user_id IS NOT DISTINCT FROM @owner) ORDER BY "
          "x.rank, x.org_id NULLS LAST LIMIT 1) n " +
          rows_of_named_models,
      "$1");
  const auto found = run_kept(sql, statement, {Arguments().scope(scope).text("name", name).object()});
  if (found.count() == 0) return std::nullopt;
  const auto row = found.row(0);
  return Named{.provider = text(row, "provider"),
               .model_name = text(row, "model_name"),
               .rows = {.own = text(row, "own_id"), .platform = text(row, "platform_id")}};
}

std::optional<Document> find_model(soci::session& sql, const Scope& scope, const std::string& name) {
  const auto found = find_rows(sql, scope, name);
  return found ? read_model(sql, scope, *found) : std::nullopt;
}

std::optional<Document> read_model(soci::session& sql, const Scope& scope, const Named& model) {
  static const KeptStatement documents(effective_documents(this_model) + "true");
  return documents.read_document(
      sql, Arguments().scope(scope).text("provider", model.provider).text("model", model.model_name));
}

Rows rows_of(const Document& document) {
  const events::JsonDocument parsed(document.json);
  const events::ObjectReader read(parsed.root());
  return {.own = read.text("ownId"), .platform = read.text("platformId")};
}

Arguments names_of(const Rows& rows) {
  // An override that goes leaves the platform's model, on which its dependents then depend.
  return Arguments().text_or_null("own", rows.own).text_or_null("platform", rows.platform);
}

Result<Locked> lock_row(soci::session& sql, const Actor& actor, const Scope& scope, const std::string& id,
                        const std::optional<std::int64_t>& expected_version) {
  const auto named = find_rows(sql, scope, id);
  if (!named) return no_model(id);
  if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
  auto row = named->rows.of(scope);
  bool made_here = false;
  std::optional<Document> now;  // what the caller sees, where the row is made here
  if (row.empty()) {
    now = read_model(sql, scope, *named);
    if (!now) return no_model(id);
    // Two that do this at once: the second one finds the first one's row.
    made_here =
        run_statement(
            sql,
            "INSERT INTO model (org_id, owner_user_id, provider, model_name, slug, kind, enabled) SELECT @org, @owner, "
            "p.provider, p.model_name, p.slug, p.kind, NULL FROM model p WHERE p.id = CAST(@id AS uuid) ON CONFLICT "
            "DO NOTHING",
            Arguments().scope(scope).text("id", named->rows.platform)) > 0;
    if (const auto made = find_rows(sql, scope, named->rows.platform)) row = made->rows.own;
    if (row.empty())
      return fail(ErrorKind::conflict, fmt::format("Another model of this scope has the slug of {} already.", id));
  }
  lock_models(sql, {row});
  // A row that was made a moment ago has a version of its own; what the caller saw is the platform's.
  const Scope seen_by = made_here ? Scope{} : scope;
  auto before = read_model(sql, seen_by, *named);
  if (!before || rows_of(*before).of(seen_by) != (made_here ? named->rows.platform : row)) return no_model(id);
  if (auto same = expect_version(expected_version, *before, "model"); !same) return std::unexpected(same.error());
  if (made_here && before->version == now->version) before = std::move(now);
  auto model = read_models(sql, {row});
  return Locked{.before = std::move(*before), .row = std::move(row), .model = std::move(model)};
}

std::string with_merged_maps(soci::session& sql, const Scope& scope, const Locked& locked, std::string_view patch) {
  const events::JsonDocument document(patch);
  const events::ObjectReader given(document.root());
  const auto is_map = [&](std::string_view name) {
    const auto value = given.find(name);
    return value && value->is_object();
  };
  const bool capabilities = is_map("capabilities");
  const bool metadata = is_map("metadata");
  const bool params = is_map("params");
  if (!capabilities && !metadata && !params) return std::string(patch);
  // Capabilities are put together from both rows entry by entry, so the row has only what was set here. The others are
  // the nearest row's, as a whole.
  const auto now = read_text(sql, "SELECT CAST(capabilities AS text) FROM model WHERE id = CAST(@id AS uuid)",
                             Arguments().text("id", locked.row));
  const auto model = metadata || params ? find_model(sql, scope, locked.row) : std::nullopt;
  std::string whole;
  events::JsonWriter json(whole);
  json.begin_object();
  simdjson::dom::object members;
  if (document.root().get(members) == simdjson::SUCCESS) {
    for (const auto member : members) {
      const std::string_view name = member.key;
      const auto text = simdjson::minify(member.value);
      if (name == "capabilities" && capabilities) {
        const auto map = merge_patch(now.value_or("{}"), text);
        json.raw_field(name, map == "{}" ? "null" : map);
      } else if ((name == "metadata" && metadata) || (name == "params" && params)) {
        const auto map = merge_patch(model ? member_of(model->json, name) : "{}", text);
        json.raw_field(name, name == "params" && map == "{}" ? "null" : map);
      } else {
        json.raw_field(name, text);
      }
    }
  }
  json.end_object();
  return whole;
}

Result<Document> write_model(soci::session& sql, const Actor& actor, const Scope& scope, Locked locked,
                             std::string_view patch, std::string_view action) {
  run_statement(sql, "UPDATE model SET " + patched_values() + " WHERE id = CAST(@id AS uuid)",
                Arguments().text("id", locked.row).json("patch", patch));
  if (has_member(patch, "deployments")) {
    if (auto written = write_deployments(sql, scope, locked.row, patch); !written)
      return std::unexpected(written.error());
  }
  if (has_member(patch, "params") || has_member(patch, "deployments")) {
    if (auto usable = check_params(sql, scope, locked.row); !usable) return std::unexpected(usable.error());
  }
  auto after = find_model(sql, scope, locked.row);
  if (!after) return no_model(locked.row);
  if (after->json == locked.before.json) return std::move(*after);
  auto now = read_models(sql, {locked.row});
  auto fields = locked.model.empty() ? names_in(patch) : changed_fields(locked.model.front().state, now.front().state);
  if (fields.empty()) fields = names_in(patch);
  const bool fresh = locked.model.empty();
  publish_rows(sql, actor,
               {{.model_id = locked.row,
                 .before_version = fresh ? std::nullopt : std::optional(locked.model.front().state.version),
                 .changed_fields = fields}},
               now);
  after = find_model(sql, scope, locked.row);
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

const std::string& dependents_select() {
  static const std::string select =
      "SELECT x.ref_type || ':' || x.ref_id AS id, CAST(0 AS bigint) AS version, x.ref_type || chr(10) || x.ref_id AS "
      "place, "
      "CAST(json_build_object('refType', x.ref_type, 'refId', x.ref_id, 'label', x.label) AS text) AS document FROM ("
      "SELECT d.ref_type, d.ref_id, d.label FROM dependency d WHERE d.model_id IN (CAST(@own AS uuid), CAST(@platform "
      "AS uuid)) "
      "UNION ALL SELECT 'alias', a.alias, a.description FROM model_alias_target t JOIN model_alias a ON a.id = "
      "t.alias_id "
      "WHERE t.model_id IN (CAST(@own AS uuid), CAST(@platform AS uuid)) "
      "UNION ALL SELECT 'default', d.kind || CASE WHEN d.purpose = '' THEN '' ELSE '/' || d.purpose END, "
      "COALESCE(d.org_id, 'platform') FROM model_default d WHERE d.model_id IN (CAST(@own AS uuid), CAST(@platform AS "
      "uuid)) "
      "UNION ALL SELECT 'view', v.name, '' FROM model_view v WHERE EXISTS (SELECT 1 FROM unnest(v.pins) pin WHERE "
      "CAST(pin "
      "AS text) IN (@own, @platform))) x WHERE ";
  return select;
}

}  // namespace tokenrail::registry
