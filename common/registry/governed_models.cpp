#include "common/registry/governed_models.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>

#include "common/registry/governed_model_rows.hpp"
#include "common/registry/governed_models_sql.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/model_views_sql.hpp"
#include "common/registry/state_records.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

/// What led to a row leads to another one, which has the same model: an organisation's override goes, and the
/// platform's model stays. Grants of the row are those of the model.
void move_pointers(soci::session& sql, const Actor& actor, const std::string& row, const std::string& to) {
  const auto arguments = Arguments().text("id", row).text("to", to);
  const auto name = storable(actor.name, 255);
  const auto moved = read_texts(sql,
                                "UPDATE model_default SET model_id = CAST(@to AS uuid), version = "
                                "nextval('registry_version'), updated_at = now() "
                                "WHERE model_id = CAST(@id AS uuid) RETURNING CAST(id AS text)",
                                arguments);
  for (const auto& id : moved) write_records(sql, "default", default_records(sql, id, actor.cause, name));
  const auto aliases = read_texts(
      sql, "SELECT CAST(alias_id AS text) FROM model_alias_target WHERE model_id = CAST(@id AS uuid) ORDER BY alias_id",
      arguments);
  // An alias that has both already sends the shares of both to the one that stays.
  run_statement(sql,
                "UPDATE model_alias_target t SET weight = LEAST(t.weight + o.weight, 1000000) FROM model_alias_target "
                "o WHERE o.alias_id "
                "= t.alias_id AND t.model_id = CAST(@to AS uuid) AND o.model_id = CAST(@id AS uuid)",
                arguments);
  run_statement(sql,
                "DELETE FROM model_alias_target o USING model_alias_target t WHERE o.alias_id = t.alias_id AND "
                "t.model_id = CAST(@to AS uuid) AND o.model_id = CAST(@id AS uuid)",
                arguments);
  run_statement(sql, "UPDATE model_alias_target SET model_id = CAST(@to AS uuid) WHERE model_id = CAST(@id AS uuid)",
                arguments);
  for (const auto& id : aliases) {
    run_statement(
        sql,
        "UPDATE model_alias SET version = nextval('registry_version'), updated_at = now() WHERE id = CAST(@id AS uuid)",
        Arguments().text("id", id));
    write_records(sql, "alias", alias_records(sql, id, actor.cause, name));
  }
  const auto granted = read_texts(
      sql,
      "UPDATE model_grant g SET object_id = CAST(@to AS uuid), version = nextval('registry_version') WHERE "
      "g.object_kind = 'model' AND g.object_id = CAST(@id "
      "AS uuid) AND NOT EXISTS (SELECT 1 FROM model_grant o WHERE o.org_id = g.org_id AND o.subject_kind = "
      "g.subject_kind AND o.subject = g.subject AND o.object_kind = 'model' AND o.object_id = CAST(@to AS uuid)) "
      "RETURNING g.org_id",
      arguments);
  for (const auto& org : std::set<std::string>(granted.begin(), granted.end())) publish_grants(sql, actor, org);
  run_statement(
      sql,
      "UPDATE dependency d SET model_id = CAST(@to AS uuid) WHERE d.model_id = CAST(@id AS uuid) AND NOT EXISTS "
      "(SELECT 1 FROM dependency o WHERE o.model_id = CAST(@to AS uuid) AND o.org_id = d.org_id AND o.ref_type "
      "= d.ref_type AND o.ref_id = d.ref_id)",
      arguments);
  const auto pinned = read_texts(sql,
                                 "UPDATE model_view SET pins = array_replace(pins, CAST(@id AS uuid), CAST(@to AS "
                                 "uuid)), version = nextval('registry_version'), updated_at = now() WHERE CAST(@id AS "
                                 "uuid) = ANY (pins) RETURNING CAST(id AS text)",
                                 arguments);
  for (const auto& id : pinned) write_records(sql, "view", view_records(sql, id, actor.cause, name));
}

/// A default or an alias that leads nowhere has no use: they go with their model.
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
      remove_grants_of_alias(sql, actor, id);
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

}  // namespace

std::span<const std::string_view> model_fields() {
  static constexpr std::array<std::string_view, 23> names{"enabled",          "blocked",
                                                          "hidden",           "displayName",
                                                          "description",      "family",
                                                          "license",          "kind",
                                                          "lifecycle",        "deprecatesAt",
                                                          "retiresAt",        "replacementId",
                                                          "maintenanceUntil", "maintenanceReason",
                                                          "contextWindow",    "inputTokensMax",
                                                          "outputTokensMax",  "embeddingDimensions",
                                                          "capabilities",     "tags",
                                                          "metadata",         "params",
                                                          "deployments"};
  return names;
}

namespace {

/// Whether the provider of @@fields has models of the kind of @@fields. A provider that names no kinds may have any.
Result<void> check_kind(soci::session& sql, const Arguments& arguments) {
  auto refused = read_text(
      sql,
      "SELECT format('The provider %s has no models of the kind %s. It has: %s.', p.slug, k.kind, "
      "array_to_string(p.kinds, ', ')) FROM provider p CROSS JOIN LATERAL (SELECT COALESCE(@@fields ->> 'kind', "
      "'generation') AS kind) k WHERE p.slug = @@fields ->> 'provider' AND cardinality(p.kinds) > 0 AND k.kind <> ALL "
      "(p.kinds)",
      arguments);
  if (!refused) return {};
  return std::unexpected(
      Error{.kind = ErrorKind::invalid_input,
            .detail = std::move(*refused),
            .hint = "Name one of these kinds, or another provider. A server of your own is openai-compatible."});
}

/// One model of a page: what it is found by, and where the next page begins behind it.
struct Place {
  std::string provider;
  std::string model_name;
  std::string token;
};

/// The filter without what many models pass.
ModelFilter found_by_index(soci::session& sql, const ModelFilter& filter, const Arguments& arguments) {
  const auto is_many = [&](const std::string& names) {
    if (names.empty()) return false;
    const auto count = read_text(sql, "SELECT CAST(count(*) AS text) FROM " + names + " w", arguments);
    return std::stoll(count.value_or("0")) > many_models;
  };
  auto found = filter;
  if (is_many(models_tagged(filter))) found.tags.clear();
  if (is_many(models_like(filter))) found.search.clear();
  return found;
}

std::vector<Place> places_of(soci::session& sql, const std::string& narrow, const std::string& condition,
                             Arguments arguments, ModelOrder order, const PageRequest& page) {
  const auto cut = page.after.rfind('\n');
  const bool first = cut == std::string::npos;
  arguments
      .text("after_key",
            first ? std::string(order == ModelOrder::name ? "" : "-9223372036854775808") : page.after.substr(0, cut))
      .text("after_id", first ? "00000000-0000-0000-0000-000000000000" : page.after.substr(cut + 1))
      .number("limit", page.count_max + 1);
  const auto object = arguments.object();
  const soci::rowset<soci::row> rows =
      (sql.prepare << with_arguments(effective_page(narrow, condition.empty() ? "true" : condition, order)),
       soci::use(object, "p"));
  std::vector<Place> places;
  for (const auto& row : rows)
    places.push_back({.provider = text(row, "provider"),
                      .model_name = text(row, "model_name"),
                      .token = text(row, "place") + "\n" + text(row, "row_id")});
  return places;
}

/// For the audit entry of a forced removal: who used the model, and now has none.
std::string left_without_a_model(const std::vector<Document>& dependents) {
  if (dependents.empty()) return {};
  std::string text;
  events::JsonWriter json(text);
  json.begin_object();
  json.begin_array("dependents");
  for (const auto& dependent : dependents) json.raw_element(dependent.json);
  json.end_array();
  json.end_object();
  return text;
}

}  // namespace

Result<DocumentPage> Models::list(const Actor& actor, const Scope& scope, const ModelFilter& filter,
                                  const PageRequest& page, ModelOrder order) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<DocumentPage> {
    auto arguments = Arguments().scope(scope);
    add_filter(arguments, "", filter);
    std::optional<SavedView> view;
    if (!filter.view.empty()) {
      auto found = view_named(sql, scope, filter.view);
      if (!found) return std::unexpected(found.error());
      view = std::move(*found);
      add_filter(arguments, "view_", view->filter);
      arguments.json("view_pins", view->pins);
    }
    const auto condition_of = [&](Reads reads, bool narrowed) {
      // No condition at all is counted by an index.
      if (filter.empty()) return std::string();
      auto condition = filter_condition(filter, reads, narrowed);
      if (view) condition += " AND " + view_condition(view->filter, reads);
      return condition;
    };
    DocumentPage result;
    const auto narrow = narrowed_by(found_by_index(sql, filter, arguments));
    const auto condition = condition_of(Reads::whole, true);
    if (page.counted)
      result.total = std::stoll(read_text(sql, effective_count(narrow, condition), arguments).value_or("0"));
    // Names first, documents for one page only: a document costs more than all that decides about it.
    // Where many pass the filter, a page is full soonest in the order of the names, by their index. The planner takes a
    // filter for rarer than it is, and would sort all that pass it.
    // An index in that order serves the page.
    const bool many = order == ModelOrder::name && (page.counted ? result.total > many_models : filter.empty());
    if (many) execute_script(sql, "SET LOCAL enable_sort = off");
    auto places = many ? places_of(sql, narrowed_by({.provider = filter.provider}), condition_of(Reads::single, false),
                                   arguments, order, page)
                       : places_of(sql, narrow, condition, arguments, order, page);
    if (many) execute_script(sql, "SET LOCAL enable_sort = on");
    if (static_cast<std::int64_t>(places.size()) > page.count_max) {
      places.resize(static_cast<std::size_t>(page.count_max));
      result.next = places.empty() ? std::string() : places.back().token;
    }
    std::string names = "[";
    for (const auto& place : places)
      names += (names.size() > 1 ? "," : "") + json_array({place.provider, place.model_name});
    result.items =
        read_documents(sql, effective_documents(named_in_page()) + "true ORDER BY " + order_of_documents(order),
                       Arguments().scope(scope).json("page", names + "]"));
    return result;
  });
}

Result<Document> Models::get(const Actor& actor, const Scope& scope, const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = find_model(sql, scope, id);
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
    if (auto offered = check_kind(sql, arguments); !offered) return std::unexpected(offered.error());
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
    write_inferred(
        sql, *id,
        read_text(sql, "SELECT model_name FROM model WHERE id = CAST(@id AS uuid)", Arguments().text("id", *id))
            .value_or(""));
    auto patch = *read_text(
        sql, "SELECT CAST(@@fields - CAST(ARRAY['provider', 'modelName', 'slug'] AS text[]) AS text)", arguments);
    return write_model(sql, actor, scope, Locked{.before = {}, .row = *id}, patch, "model.created");
  });
}

Result<Document> Models::replace(const Actor& actor, const Scope& scope, const std::string& id, std::string_view patch,
                                 const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto locked = lock_row(sql, actor, scope, id, expected_version);
    if (!locked) return std::unexpected(locked.error());
    return write_model(sql, actor, scope, std::move(*locked), patch, "model.changed");
  });
}

Result<void> Models::remove(const Actor& actor, const Scope& scope, const std::string& id, bool force,
                            const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto found = find_rows(sql, scope, id);
    if (!found) return no_model(id);
    if (auto may = may_write(actor, scope); !may) return may;
    const auto& row = found->rows.of(scope);
    if (row.empty())
      return std::unexpected(Error{.kind = ErrorKind::conflict,
                                   .detail = fmt::format("The model {} is the platform's.", id),
                                   .hint = "Disable or block it for the organisation instead."});
    lock_models(sql, {row});
    const auto now = find_model(sql, scope, row);
    if (!now) return no_model(id);
    const auto rows = rows_of(*now);
    if (auto same = expect_version(expected_version, *now, "model"); !same) return same;
    const bool leaves_none = scope.platform() || rows.platform.empty();
    const auto dependents =
        leaves_none ? read_documents(sql, dependents_select() + "true", names_of(rows)) : std::vector<Document>{};
    if (!dependents.empty() && !force) {
      std::string names;
      for (const auto& dependent : dependents) names += (names.empty() ? "" : ", ") + dependent.id;
      return std::unexpected(Error{.kind = ErrorKind::conflict,
                                   .detail = fmt::format("The model {} is used by {}.", id, names),
                                   .hint = "Point those at another model first, or force it (--force, force=true)."});
    }
    const auto before = read_models(sql, {row});
    see_all_rows(sql, actor, true);  // what leads to it from the organisation's users too
    if (leaves_none) {
      remove_pointers(sql, actor, row);
    } else {
      move_pointers(sql, actor, row, rows.platform);
    }
    see_all_rows(sql, actor, false);
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
                 .after = left_without_a_model(dependents),
                 .org_id = scope.org_id});
    return {};
  });
}

Result<Document> Models::statistics(const Actor& actor, const Scope& scope) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = read_document(sql, statistics_of_models(), Arguments().scope(scope));
    return std::move(*found);
  });
}

}  // namespace tokenrail::registry
