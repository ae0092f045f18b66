// Who in an organisation may, or may not, use what. All grants of an organisation are one record for routers, so that a
// transaction publishes them once, however many it changes.
#include <algorithm>
#include <type_traits>
#include <utility>

#include <fmt/core.h>

#include "common/events/json_document.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

const std::string grant_select =
    "SELECT CAST(g.id AS text) AS id, g.version AS version, CAST(g.id AS text) AS place, "
    "CAST(json_build_object('id', g.id, 'subjectKind', g.subject_kind, 'subject', g.subject, 'objectKind', "
    "g.object_kind, "
    "'objectId', g.object_id, 'object', CASE g.object_kind WHEN 'model' THEN (SELECT m.slug FROM model m WHERE m.id = "
    "g.object_id) WHEN 'connection' THEN (SELECT c.name FROM connection c WHERE c.id = g.object_id) WHEN 'alias' THEN "
    "(SELECT a.alias FROM model_alias a WHERE a.id = g.object_id) ELSE (SELECT v.name FROM model_view v WHERE v.id = "
    "g.object_id) END, 'effect', g.effect, 'version', g.version, 'createdBy', g.created_by, 'createdAt', "
    "tokenrail_time(g.created_at)) AS "
    "text) "
    "AS document FROM model_grant g WHERE g.org_id = @org AND ";
/// By the index, also for a text that is no id.
const std::string by_id =
    "g.id = CASE WHEN @id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN CAST(@id AS uuid) END";
const std::string by_key =
    "g.subject_kind = @subject_kind AND g.subject = @subject AND g.object_kind = @object_kind AND g.object_id = "
    "CAST(@object AS uuid)";

/// Id of what a grant is of.
std::optional<std::string> object_of(soci::session& sql, const Scope& scope, const ModelPointers::Grant& grant) {
  const auto names = Arguments().scope(scope).text("name", grant.object);
  if (grant.object_kind == "model") return visible_model(sql, scope, grant.object);
  if (grant.object_kind == "connection")
    return read_text(
        sql,
        "SELECT CAST(id AS text) FROM connection WHERE deleted_at IS NULL AND (org_id IS NULL OR org_id = "
        "@org) AND (CAST(id AS text) = @name OR (name = @name AND owner_user_id IS NULL)) ORDER BY CAST(id "
        "AS text) = @name DESC, org_id NULLS LAST LIMIT 1",
        names);
  return read_text(
      sql,
      "SELECT CAST(id AS text) FROM model_alias WHERE (org_id IS NULL OR org_id = @org) AND (CAST(id AS "
      "text) = @name OR (alias = @name AND owner_user_id IS NULL)) ORDER BY CAST(id AS text) = @name DESC, "
      "org_id NULLS LAST LIMIT 1",
      names);
}

Result<Arguments> arguments_of(soci::session& sql, const std::string& org_id, const ModelPointers::Grant& grant) {
  const auto object = object_of(sql, {.org_id = org_id}, grant);
  if (!object) return fail(ErrorKind::not_found, fmt::format("There is no {} {}.", grant.object_kind, grant.object));
  return Arguments()
      .text("org", org_id)
      .text("subject_kind", grant.subject_kind)
      .text("subject", grant.subject)
      .text("object_kind", grant.object_kind)
      .text("object", *object);
}

std::string effect_of(const Document& grant) {
  const events::JsonDocument document(grant.json);
  return events::ObjectReader(document.root()).text("effect");
}

std::unexpected<Error> no_grant(const std::string& id) {
  return fail(ErrorKind::not_found, fmt::format("There is no grant {}.", id));
}

/// A grant as it is now, and whether this transaction has changed it.
struct Set {
  Document grant;
  bool changed = true;
};

/// Sets one and records it. The caller publishes the grants of the organisation.
Result<Set> set_grant(soci::session& sql, const Actor& actor, const std::string& org_id,
                      const ModelPointers::Grant& grant) {
  auto arguments = arguments_of(sql, org_id, grant);
  if (!arguments) return std::unexpected(arguments.error());
  arguments->text("effect", grant.effect)
      .text("actor", storable(actor.name, 255))
      .number("expected", grant.expected_version);
  auto before = read_document(sql, grant_select + by_key + " FOR UPDATE OF g", *arguments);
  if (auto same = expect_version(grant.expected_version, before, "grant"); !same) return std::unexpected(same.error());
  if (before && effect_of(*before) == grant.effect) return Set{.grant = std::move(*before), .changed = false};
  const auto row = read_text(
      sql,
      "INSERT INTO model_grant (org_id, subject_kind, subject, object_kind, object_id, effect, created_by) VALUES "
      "(@org, @subject_kind, @subject, @object_kind, CAST(@object AS uuid), @effect, @actor) ON CONFLICT (org_id, "
      "subject_kind, subject, object_kind, object_id) DO UPDATE SET effect = excluded.effect, created_by = "
      "excluded.created_by, version = nextval('registry_version') WHERE " +
          as_expected("model_grant") + " RETURNING CAST(id AS text)",
      *arguments);
  if (!row) return changed_meanwhile("grant");
  auto made = read_document(sql, grant_select + by_id, Arguments().text("org", org_id).text("id", *row));
  write_audit(sql, actor,
              {.action = "grant.set",
               .target_type = "grant",
               .target_id = *row,
               .target_name = grant.object,
               .before = before ? before->json : std::string(),
               .after = made->json,
               .version = made->version,
               .org_id = org_id});
  return Set{.grant = std::move(*made)};
}

/// Removes one and records it. The caller publishes the grants of the organisation.
Result<void> delete_grant(soci::session& sql, const Actor& actor, const std::string& org_id,
                          const ModelPointers::RemovedGrant& removed) {
  const auto arguments = Arguments().text("org", org_id).text("id", removed.id);
  const auto before = read_document(sql, grant_select + by_id + " FOR UPDATE OF g", arguments);
  if (!before) return no_grant(removed.id);
  if (auto same = expect_version(removed.expected_version, *before, "grant"); !same) return same;
  run_statement(sql, "DELETE FROM model_grant g WHERE " + by_id, arguments);
  write_audit(sql, actor,
              {.action = "grant.removed",
               .target_type = "grant",
               .target_id = removed.id,
               .before = before->json,
               .org_id = org_id});
  return {};
}

/// Runs `one` for each of the items, with a result for each, in one transaction that publishes the organisation's
/// grants once. `changed(result)`: whether it wrote something.
template <class Item, class One, class Changed>
auto each_of(GovernedDatabase& database, const Actor& actor, const std::string& org_id, std::span<const Item> items,
             const One& one, const Changed& changed) {
  using Each = std::invoke_result_t<One, soci::session&, const Item&>;
  using All = std::vector<Each>;
  const auto together = [&](bool apart) {
    return transact_as(database, actor, [&](soci::session& sql) -> Result<All> {
      if (auto may = may_write(actor, {.org_id = org_id}); !may) return std::unexpected(may.error());
      All results;
      results.reserve(items.size());
      for (const auto& item : items) {
        results.push_back(apart ? database.session().part([&](soci::session& part) { return one(part, item); })
                                : one(sql, item));
      }
      if (std::ranges::any_of(results, changed)) publish_grants(sql, actor, org_id);
      return results;
    });
  };
  auto done = together(false);
  // The database has refused one of them, and so the transaction: each gets a savepoint of its own.
  if (!done && done.error().kind != ErrorKind::unavailable && done.error().kind != ErrorKind::forbidden)
    done = together(true);
  return done ? std::move(*done) : All(items.size(), std::unexpected(done.error()));
}

}  // namespace

Result<DocumentPage> ModelPointers::grants(const Actor& actor, const std::string& org_id, const PageRequest& page) {
  return page_as(database_, actor, grant_select + "true", Arguments().text("org", org_id), page);
}

Result<Document> ModelPointers::grant(const Actor& actor, const std::string& org_id, const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = read_document(sql, grant_select + by_id, Arguments().text("org", org_id).text("id", id));
    if (!found) return no_grant(id);
    return std::move(*found);
  });
}

Result<Document> ModelPointers::same_grant(const Actor& actor, const std::string& org_id, const Grant& grant) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    const auto arguments = arguments_of(sql, org_id, grant);
    if (!arguments) return std::unexpected(arguments.error());
    auto found = read_document(sql, grant_select + by_key, *arguments);
    if (!found) return fail(ErrorKind::not_found, "There is no grant of that subject and object.");
    return std::move(*found);
  });
}

Result<Document> ModelPointers::add_grant(const Actor& actor, const std::string& org_id, const Grant& grant) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    if (auto may = may_write(actor, {.org_id = org_id}); !may) return std::unexpected(may.error());
    auto set = set_grant(sql, actor, org_id, grant);
    if (!set) return std::unexpected(set.error());
    if (set->changed) publish_grants(sql, actor, org_id);
    return std::move(set->grant);
  });
}

std::vector<Result<Document>> ModelPointers::add_grants(const Actor& actor, const std::string& org_id,
                                                        std::span<const Grant> grants) {
  auto set = each_of(
      database_, actor, org_id, grants,
      [&](soci::session& sql, const Grant& grant) { return set_grant(sql, actor, org_id, grant); },
      [](const Result<Set>& result) { return result && result->changed; });
  std::vector<Result<Document>> results;
  results.reserve(set.size());
  for (auto& one : set)
    results.push_back(one ? Result<Document>(std::move(one->grant)) : std::unexpected(std::move(one.error())));
  return results;
}

Result<void> ModelPointers::remove_grant(const Actor& actor, const std::string& org_id, const std::string& id,
                                         const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    if (auto may = may_write(actor, {.org_id = org_id}); !may) return may;
    if (auto done = delete_grant(sql, actor, org_id, {.id = id, .expected_version = expected_version}); !done)
      return done;
    publish_grants(sql, actor, org_id);
    return {};
  });
}

std::vector<Result<void>> ModelPointers::remove_grants(const Actor& actor, const std::string& org_id,
                                                       std::span<const RemovedGrant> removed) {
  return each_of(
      database_, actor, org_id, removed,
      [&](soci::session& sql, const RemovedGrant& one) { return delete_grant(sql, actor, org_id, one); },
      [](const Result<void>& result) { return result.has_value(); });
}

}  // namespace tokenrail::registry
