// Many changes of models: as many as fit are made together, in one transaction with a statement for each step.
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "common/events/json_document.hpp"
#include "common/registry/governed_model_rows.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/governed_models_sql.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/kept_statements.hpp"
#include "common/registry/model_patch_sql.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

/// Their rows are locked until all of them are made.
constexpr std::size_t together_max = 100;

using Name = std::pair<std::string, std::string>;  // provider and model name

/// A change and what is known of its model.
struct Item {
  const Models::Change* change;
  Name name{};
  std::string platform_id{};
  std::string row{};  ///< that is written; empty: it is to be made over the platform's
  bool made = false;
  Document before{};
  std::optional<Document> after{};
  std::optional<Error> refusal{};
};

/// Maps are merged and deployments have rows of their own, which needs more statements.
bool is_plain(const Models::Change& change) {
  return std::ranges::none_of(names_in(change.patch), [](const std::string& name) {
    return name == "capabilities" || name == "metadata" || name == "params" || name == "deployments";
  });
}

/// These changes have to be made one by one.
std::unexpected<Error> one_by_one() {
  return fail(ErrorKind::cancelled, "The models have been changed by others.");
}

Result<std::vector<Item>> find_items(soci::session& sql, const Scope& scope, std::span<const Models::Change> changes) {
  static const auto statement = with_arguments(
      "SELECT w.place - 1 AS place, n.provider AS provider, n.model_name AS model_name, p.id AS platform_id, o.id AS "
      "own_id FROM jsonb_array_elements_text(@@names) WITH ORDINALITY w (name, place) CROSS JOIN LATERAL (SELECT "
      "x.provider AS provider, x.model_name AS model_name FROM (" +
          named_models("w.name") +
          ") x WHERE x.org_id IS NULL OR (x.org_id = @org AND x.owner_user_id IS NOT DISTINCT FROM @owner) ORDER BY "
          "x.rank, x.org_id NULLS LAST LIMIT 1) n " +
          rows_of_named_models,
      "$1");
  std::vector<Item> items;
  std::vector<std::string> names;
  for (const auto& change : changes) {
    items.push_back({.change = &change});
    names.push_back(change.model);
  }
  std::set<Name> seen;
  const auto found = run_kept(sql, statement, {Arguments().scope(scope).json("names", json_array(names)).object()});
  for (int at = 0; at < found.count(); ++at) {
    const auto row = found.row(at);
    auto& item = items.at(static_cast<std::size_t>(number(row, "place")));
    item.name = {text(row, "provider"), text(row, "model_name")};
    item.platform_id = text(row, "platform_id");
    item.row = scope.platform() ? item.platform_id : text(row, "own_id");
    // The second change of a model begins with what the first one made of it.
    if (!seen.insert(item.name).second) return one_by_one();
  }
  for (auto& item : items)
    if (item.name.second.empty()) item.refusal = no_model(item.change->model).error();
  return items;
}

/// The models as the scope sees them.
std::map<Name, Document> documents_of(soci::session& sql, const Scope& scope, const std::vector<Item*>& items) {
  static const auto statement = with_arguments(effective_documents(named_in_page()) + "true", "$1");
  std::map<Name, Document> documents;
  if (items.empty()) return documents;
  if (items.size() == 1) {
    const auto& name = items.front()->name;
    if (auto document = read_model(sql, scope, {.provider = name.first, .model_name = name.second}))
      documents.emplace(name, std::move(*document));
    return documents;
  }
  std::string names;
  for (const auto* item : items)
    names += (names.empty() ? "[" : ",") + json_array({item->name.first, item->name.second});
  const auto rows = run_kept(sql, statement, {Arguments().scope(scope).json("page", names + "]").object()});
  for (int at = 0; at < rows.count(); ++at) {
    const auto row = rows.row(at);
    Document document{.id = text(row, "id"), .version = number(row, "version"), .json = text(row, "document")};
    const events::JsonDocument parsed(document.json);
    const events::ObjectReader read(parsed.root());
    documents.emplace(Name(read.text("provider"), read.text("modelName")), std::move(document));
  }
  return documents;
}

/// Those of the items that are to be changed still, of which `wanted` holds.
template <class Wanted>
std::vector<Item*> those(std::vector<Item>& items, const Wanted& wanted) {
  std::vector<Item*> found;
  for (auto& item : items)
    if (!item.refusal && wanted(item)) found.push_back(&item);
  return found;
}

void set_before(Item& item, Document document) {
  if (auto same = expect_version(item.change->expected_version, document, "model"); !same)
    item.refusal = std::move(same.error());
  item.before = std::move(document);
}

/// Locks or makes the rows, and compares the expected versions.
Result<void> take_rows(soci::session& sql, const Scope& scope, std::vector<Item>& items) {
  const auto fresh = those(items, [](const Item& item) { return item.row.empty(); });
  auto seen = documents_of(sql, scope, fresh);
  for (auto* item : fresh) {
    const auto document = seen.find(item->name);
    if (document == seen.end()) return one_by_one();
    item->made = true;
    set_before(*item, std::move(document->second));
  }
  // What is there first and by id, what is added after it and by name: the order of every writer.
  const auto there = those(items, [](const Item& item) { return !item.made; });
  std::vector<std::string> ids;
  for (const auto* item : there) ids.push_back(item->row);
  lock_models(sql, ids);
  auto locked = documents_of(sql, scope, there);
  for (auto* item : there) {
    const auto document = locked.find(item->name);
    if (document == locked.end()) return one_by_one();
    const auto rows = rows_of(document->second);
    if ((scope.platform() ? rows.platform : rows.own) != item->row) return one_by_one();
    set_before(*item, std::move(document->second));
  }
  const auto to_make = those(items, [](const Item& item) { return item.made; });
  if (to_make.empty()) return {};
  std::vector<std::string> platform_ids;
  for (const auto* item : to_make) platform_ids.push_back(item->platform_id);
  static const auto statement = with_arguments(
      "INSERT INTO model (org_id, owner_user_id, provider, model_name, slug, kind, enabled) SELECT @org, @owner, "
      "p.provider, p.model_name, p.slug, p.kind, NULL FROM model p WHERE p.id IN (SELECT CAST(i AS uuid) FROM "
      "jsonb_array_elements_text(@@ids) i) ORDER BY p.provider, p.model_name ON CONFLICT DO NOTHING RETURNING id, "
      "provider, model_name",
      "$1");
  const auto made = run_kept(sql, statement, {Arguments().scope(scope).json("ids", json_array(platform_ids)).object()});
  std::map<Name, std::string> rows;
  for (int at = 0; at < made.count(); ++at)
    rows.emplace(Name(text(made.row(at), "provider"), text(made.row(at), "model_name")), text(made.row(at), "id"));
  if (rows.size() != to_make.size()) return one_by_one();
  for (auto* item : to_make) item->row = rows.at(item->name);
  return {};
}

/// Sets the values and gives a new version to each row that changes. Their ids.
std::set<std::string> update_rows(soci::session& sql, const std::vector<Item*>& items) {
  static const auto statement =
      with_arguments("UPDATE model SET " + patched_values("(x.w -> 'patch')") +
                         ", version = nextval('registry_version'), updated_at = now() FROM "
                         "jsonb_array_elements(@@changes) x (w) WHERE "
                         "model.id = CAST(x.w ->> 'id' AS uuid) AND (CAST(x.w ->> 'made' AS boolean) OR " +
                         patch_changes("(x.w -> 'patch')") + ") RETURNING model.id AS id",
                     "$1");
  std::string changes = "[";
  for (const auto* item : items) {
    if (changes.size() > 1) changes += ',';
    changes += Arguments().text("id", item->row).flag("made", item->made).json("patch", item->change->patch).object();
  }
  const auto rows = run_kept(sql, statement, {Arguments().json("changes", changes + "]").object()});
  std::set<std::string> ids;
  for (int at = 0; at < rows.count(); ++at) ids.insert(text(rows.row(at), "id"));
  return ids;
}

std::map<std::string, ModelRow> rows_by_id(std::vector<ModelRow> rows) {
  std::map<std::string, ModelRow> by_id;
  for (auto& row : rows) by_id.emplace(row.state.id, std::move(row));
  return by_id;
}

std::vector<std::string> ids_of(const std::vector<Item*>& items) {
  std::vector<std::string> ids;
  ids.reserve(items.size());
  for (const auto* item : items) ids.push_back(item->row);
  return ids;
}

/// Makes the changes, and publishes and records what came of them.
void write_items(soci::session& sql, const Actor& actor, const Scope& scope, std::vector<Item>& items) {
  const auto open = those(items, [](const Item&) { return true; });
  if (open.empty()) return;
  const auto before = rows_by_id(read_models(sql, ids_of(open)));
  const auto ids = update_rows(sql, open);
  const auto changed = those(items, [&](const Item& item) { return ids.contains(item.row); });
  if (changed.empty()) return;
  const auto now = read_models(sql, ids_of(changed));
  std::map<std::string_view, const ModelRow*> now_by_id;
  for (const auto& row : now) now_by_id.emplace(row.state.id, &row);
  std::vector<Change> told;
  for (const auto* item : changed) {
    const auto& old = before.at(item->row).state;
    auto fields = changed_fields(old, now_by_id.at(item->row)->state);
    if (fields.empty()) fields = names_in(item->change->patch);
    told.push_back({.model_id = item->row, .before_version = old.version, .changed_fields = std::move(fields)});
  }
  tell_changes(sql, std::move(told), now, actor.cause, storable(actor.name, 255));
  auto after = documents_of(sql, scope, changed);
  std::vector<AuditEntry> entries;
  for (auto* item : changed) {
    item->after = std::move(after.at(item->name));
    entries.push_back({.action = "model.changed",
                       .target_type = "model",
                       .target_id = item->row,
                       .target_name = now_by_id.at(item->row)->state.slug,
                       .before = item->before.json,
                       .after = item->after->json,
                       .version = item->after->version,
                       .org_id = scope.org_id});
  }
  write_audit(sql, actor, entries);
}

using Results = std::vector<Result<Document>>;

/// Error: nothing was written, and each change has to be made by itself.
Result<Results> change_together(GovernedDatabase& database, const Actor& actor, const Scope& scope,
                                std::span<const Models::Change> changes) {
  return transact_as(database, actor, [&](soci::session& sql) -> Result<Results> {
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    auto items = find_items(sql, scope, changes);
    if (!items) return std::unexpected(items.error());
    if (auto taken = take_rows(sql, scope, *items); !taken) return std::unexpected(taken.error());
    write_items(sql, actor, scope, *items);
    Results results;
    for (auto& item : *items) {
      if (item.refusal) {
        results.emplace_back(std::unexpected(std::move(*item.refusal)));
      } else {
        results.emplace_back(item.after ? std::move(*item.after) : std::move(item.before));
      }
    }
    return results;
  });
}

}  // namespace

Result<Document> Models::change(const Actor& actor, const Scope& scope, const std::string& id, std::string_view patch,
                                const std::optional<std::int64_t>& expected_version) {
  const Change change{.model = id, .patch = std::string(patch), .expected_version = expected_version};
  if (is_plain(change)) {
    auto made = change_together(database_, actor, scope, {&change, 1});
    if (made) return std::move(made->front());
    // Of a model that the actor does not see, the error is not that it may not be written.
    if (made.error().kind != ErrorKind::cancelled && made.error().kind != ErrorKind::forbidden)
      return std::unexpected(std::move(made.error()));
  }
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto locked = lock_row(sql, actor, scope, id, expected_version);
    if (!locked) return std::unexpected(locked.error());
    const auto whole = with_merged_maps(sql, scope, *locked, patch);
    return write_model(sql, actor, scope, std::move(*locked), whole, "model.changed");
  });
}

std::vector<Result<Document>> Models::change_all(const Actor& actor, const Scope& scope,
                                                 std::span<const Change> changes) {
  Results results;
  results.reserve(changes.size());
  while (results.size() < changes.size()) {
    const auto rest = changes.subspan(results.size());
    std::size_t plain = 0;
    while (plain < std::min(rest.size(), together_max) && is_plain(rest[plain])) ++plain;
    if (plain > 1) {
      auto together = change_together(database_, actor, scope, rest.first(plain));
      if (together) {
        std::ranges::move(*together, std::back_inserter(results));
        continue;
      }
      if (together.error().kind == ErrorKind::unavailable) {
        results.insert(results.end(), plain, std::unexpected(together.error()));
        continue;
      }
    }
    for (const auto& one : rest.first(std::max(plain, std::size_t{1})))
      results.push_back(change(actor, scope, one.model, one.patch, one.expected_version));
  }
  return results;
}

Result<std::vector<Document>> Models::change_all_or_none(const Actor& actor, const Scope& scope,
                                                         std::span<const Change> changes, std::size_t& refused) {
  return transact_as(database_, actor, [&](soci::session&) -> Result<std::vector<Document>> {
    std::vector<Document> documents;
    documents.reserve(changes.size());
    for (refused = 0; refused < changes.size(); ++refused) {
      const auto& one = changes[refused];
      auto changed = change(actor, scope, one.model, one.patch, one.expected_version);
      if (!changed) return std::unexpected(std::move(changed.error()));
      documents.push_back(std::move(*changed));
    }
    return documents;
  });
}

}  // namespace tokenrail::registry
