#include "common/registry/model_views.hpp"

#include <fmt/core.h>

#include "common/registry/governed_models_sql.hpp"
#include "common/registry/model_views_sql.hpp"
#include "common/registry/state_records.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

const std::string view_select =
    "SELECT CAST(v.id AS text) AS id, v.version AS version, v.name AS place, CAST(json_build_object('name', v.name, "
    "'scope', CASE WHEN v.org_id IS NULL THEN 'platform' WHEN v.owner_user_id IS NULL THEN 'organization' ELSE 'user' "
    "END, 'filter', v.filter, 'pins', (SELECT COALESCE(json_agg(json_build_object('modelId', m.id, 'model', m.slug) "
    "ORDER BY m.slug), '[]') FROM model m WHERE m.id = ANY (v.pins)), 'forAuto', v.for_auto, 'version', v.version, "
    "'updatedAt', "
    "tokenrail_time(v.updated_at)) AS text) AS document FROM model_view v WHERE ";
const std::string own_view = "v.org_id IS NOT DISTINCT FROM @org AND v.owner_user_id IS NOT DISTINCT FROM @owner";
/// The nearest comes first.
const std::string nearest_view = "v.name = @name AND (v.org_id IS NULL OR (" + own_view +
                                 ")) ORDER BY v.org_id NULLS LAST, v.owner_user_id NULLS LAST LIMIT 1";

std::unexpected<Error> no_view(const std::string& name) {
  return fail(ErrorKind::not_found, fmt::format("There is no view {}.", name));
}

/// Ids of the pinned models, as a JSON array.
Result<std::string> pinned(soci::session& sql, const Scope& scope, const std::vector<std::string>& models) {
  std::vector<std::string> ids;
  for (const auto& model : models) {
    auto id = visible_model(sql, scope, model);
    if (!id) return fail(ErrorKind::not_found, fmt::format("There is no model {}.", model));
    ids.push_back(std::move(*id));
  }
  return json_array(ids);
}

}  // namespace

void add_filter(Arguments& arguments, std::string_view prefix, const ModelFilter& filter) {
  const auto name = [&](std::string_view argument) { return fmt::format("{}{}", prefix, argument); };
  arguments.text_or_null(name("kind"), filter.kind)
      .text_or_null(name("provider"), filter.provider)
      .text_or_null(name("status"), filter.status)
      .text_or_null(name("scope"), filter.scope)
      .text_or_null(name("search"), filter.search)
      .text_or_null(name("like"), search_pattern(filter.search))
      .flag(name("hidden"), filter.hidden)
      .text_or_null(name("free"), !filter.free   ? ""
                                  : *filter.free ? "true"
                                                 : "false")
      .number(name("context"), filter.context_min)
      .json(name("capabilities"), json_array(filter.capabilities))
      .json(name("tags"), json_array(filter.tags));
}

Result<SavedView> view_named(soci::session& sql, const Scope& scope, const std::string& name) {
  const auto arguments = Arguments().scope(scope).text("name", name);
  const auto found =
      read_text(sql,
                "SELECT CAST(v.filter AS text) || chr(31) || CAST(to_json(v.pins) AS text) FROM model_view v WHERE " +
                    nearest_view,
                arguments);
  if (!found) return no_view(name);
  const auto parts = parts_of(*found);
  auto filter = model_filter_from_json(parts.at(0));
  if (!filter) return std::unexpected(filter.error());
  return SavedView{.filter = std::move(*filter), .pins = parts.at(1)};
}

namespace {

/// Routers read views from the state topic.
void publish(soci::session& sql, const Actor& actor, const std::string& id) {
  write_records(sql, "view", view_records(sql, id, actor.cause, storable(actor.name, 255)));
}

void record_change(soci::session& sql, const Actor& actor, const Scope& scope, const std::string& name,
                   const std::string& before, const Document& after) {
  publish(sql, actor, after.id);
  write_audit(sql, actor,
              {.action = "view.set",
               .target_type = "view",
               .target_id = after.id,
               .target_name = name,
               .before = before,
               .after = after.json,
               .version = after.version,
               .org_id = scope.org_id});
}

/// The view of the scope that "auto" selects from, unless it is the one of that name, no longer is.
void end_auto_view(soci::session& sql, const Actor& actor, const Scope& scope, const Arguments& arguments) {
  const std::string its = "CAST(v.id AS text) = @id";
  for (const auto& row : read_texts(sql,
                                    "SELECT CAST(v.id AS text) || chr(31) || v.name FROM model_view v WHERE " +
                                        own_view + " AND v.for_auto AND v.name <> @name",
                                    arguments)) {
    const auto parts = parts_of(row);
    const auto id = Arguments().text("id", parts.at(0));
    const auto before = read_document(sql, view_select + its, id);
    run_statement(sql,
                  "UPDATE model_view v SET for_auto = false, version = nextval('registry_version'), updated_at = now() "
                  "WHERE " +
                      its,
                  id);
    const auto after = read_document(sql, view_select + its, id);
    record_change(sql, actor, scope, parts.at(1), before->json, *after);
  }
}

}  // namespace

Result<DocumentPage> ModelViews::list(const Actor& actor, const Scope& scope, const PageRequest& page) {
  return page_as(database_, actor, view_select + "(v.org_id IS NULL OR (" + own_view + "))", Arguments().scope(scope),
                 page);
}

Result<Document> ModelViews::get(const Actor& actor, const Scope& scope, const std::string& name) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = read_document(sql, view_select + nearest_view, Arguments().scope(scope).text("name", name));
    if (!found) return no_view(name);
    return std::move(*found);
  });
}

Result<Document> ModelViews::set(const Actor& actor, const Scope& scope, const View& wanted,
                                 const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    const auto& provider = wanted.filter.provider;
    if (!provider.empty() &&
        !read_text(sql, "SELECT slug FROM provider WHERE slug = @slug", Arguments().text("slug", provider)))
      return fail(ErrorKind::invalid_input, fmt::format("There is no provider {}.", provider));
    const auto pins = pinned(sql, scope, wanted.pins);
    if (!pins) return std::unexpected(pins.error());
    const auto arguments = Arguments()
                               .scope(scope)
                               .text("name", wanted.name)
                               .json("filter", model_filter_json(wanted.filter))
                               .json("pins", *pins)
                               .flag("auto", wanted.for_auto)
                               .number("expected", expected_version);
    const std::string own = own_view + " AND v.name = @name";
    run_statement(
        sql,
        "SELECT 1 FROM model_view v WHERE " + own_view + " AND (v.name = @name OR v.for_auto) ORDER BY v.id FOR UPDATE",
        arguments);
    const auto before = read_document(sql, view_select + own, arguments);
    if (auto same = expect_version(expected_version, before, "view"); !same) return std::unexpected(same.error());
    if (wanted.for_auto) end_auto_view(sql, actor, scope, arguments);
    const auto written = run_statement(
        sql,
        "INSERT INTO model_view (org_id, owner_user_id, name, filter, pins, for_auto) VALUES (@org, @owner, "
        "@name, @@filter, ARRAY(SELECT CAST(x AS uuid) FROM jsonb_array_elements_text(@@pins) x), CAST(@auto "
        "AS boolean)) ON CONFLICT (org_id, owner_user_id, name) DO UPDATE SET filter = excluded.filter, pins = "
        "excluded.pins, for_auto = excluded.for_auto, version = nextval('registry_version'), updated_at = "
        "now() WHERE " +
            as_expected("model_view"),
        arguments);
    if (written == 0) return changed_meanwhile("view");
    auto after = read_document(sql, view_select + own, arguments);
    record_change(sql, actor, scope, wanted.name, before ? before->json : std::string(), *after);
    return std::move(*after);
  });
}

Result<void> ModelViews::remove(const Actor& actor, const Scope& scope, const std::string& name,
                                const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto arguments = Arguments().scope(scope).text("name", name);
    const std::string own = own_view + " AND v.name = @name";
    run_statement(sql, "SELECT 1 FROM model_view v WHERE " + own + " FOR UPDATE", arguments);
    const auto before = read_document(sql, view_select + own, arguments);
    if (!before) return no_view(name);
    if (auto may = may_write(actor, scope); !may) return may;
    if (auto same = expect_version(expected_version, *before, "view"); !same) return same;
    const auto records = view_records(sql, before->id, actor.cause, actor.name);
    run_statement(sql, "DELETE FROM model_view WHERE id = CAST(@id AS uuid)", Arguments().text("id", before->id));
    for (const auto& record : records) write_outbox(sql, "view", record.key, record.type, "");
    write_audit(sql, actor,
                {.action = "view.removed",
                 .target_type = "view",
                 .target_id = before->id,
                 .target_name = name,
                 .before = before->json,
                 .org_id = scope.org_id});
    return {};
  });
}

}  // namespace tokenrail::registry
