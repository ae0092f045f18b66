#include "common/registry/catalogs.hpp"

#include <utility>

#include <fmt/core.h>

#include "common/catalog/inference.hpp"
#include "common/catalog/row_json.hpp"
#include "common/registry/governed_models_sql.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

using Kind = catalog::PlannedEntry::Kind;

std::string entries_json(std::span<const catalog::PlannedEntry> entries) {
  std::string json = "[";
  for (const auto& entry : entries) {
    if (json.size() > 1) json += ',';
    json += R"({"kind":)";
    events::append_json_string(json, catalog::name_of(entry.kind));
    json += R"(,"provider":)";
    events::append_json_string(json, entry.row.provider);
    json += R"(,"name":)";
    events::append_json_string(json, entry.row.model_name);
    json += R"(,"reason":)";
    events::append_json_string(json, storable(entry.reason, 1024));
    json += R"(,"entry":)" + catalog::to_json(entry.row);
    json += R"(,"counts":)" + catalog::to_json(entry.counts.value_or(entry.row));
    json += fmt::format(R"(,"keepsRejected":{}}})", entry.keeps_rejected);
  }
  return json + "]";
}

const std::string given = "jsonb_array_elements(@@entries) w";
const std::string same_entry = "c.source = @source AND c.provider = w ->> 'provider' AND c.model_name = w ->> 'name'";

void write_entries(soci::session& sql, const Arguments& arguments) {
  run_statement(
      sql,
      "INSERT INTO catalog_entry (source, provider, model_name, entry, rejected) SELECT @source, w ->> 'provider', w "
      "->> "
      "'name', w -> 'counts', CASE WHEN CAST(w ->> 'keepsRejected' AS boolean) THEN (SELECT c.rejected FROM "
      "catalog_entry c WHERE " +
          same_entry + ") END FROM " + given +
          " WHERE w ->> 'kind' IN ('added', 'changed', 'released') ON CONFLICT (source, provider, model_name) "
          "DO UPDATE SET entry = excluded.entry, rejected = excluded.rejected, held = NULL, held_reason = NULL, "
          "held_at = NULL, gone_at = NULL, updated_at = now()",
      arguments);
  run_statement(
      sql,
      "UPDATE catalog_entry c SET entry = w -> 'counts', held = w -> 'entry', held_reason = w ->> 'reason', held_at = "
      "CASE WHEN c.held_reason = w ->> 'reason' THEN c.held_at ELSE now() END, rejected = NULL, gone_at = NULL, "
      "updated_at = now() FROM " +
          given + " WHERE w ->> 'kind' = 'held' AND " + same_entry,
      arguments);
  run_statement(
      sql,
      "UPDATE catalog_entry c SET gone_at = now() FROM " + given + " WHERE w ->> 'kind' = 'gone' AND " + same_entry,
      arguments);
}

/// Changes rows of models by `change(id)`, and publishes those that came out otherwise.
template <class Change>
std::int64_t change_models(soci::session& sql, const Actor& actor, const std::vector<std::string>& ids,
                           const Change& change) {
  if (ids.empty()) return 0;
  lock_models(sql, ids);
  const auto before = read_models(sql, ids);
  std::int64_t changed = 0;
  for (const auto& id : ids)
    if (change(id)) ++changed;
  if (changed > 0) publish_models(sql, actor, before);
  return changed;
}

}  // namespace

Result<std::vector<catalog::KnownEntry>> Catalogs::entries(const Actor& actor, catalog::Source source) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<std::vector<catalog::KnownEntry>> {
    std::vector<catalog::KnownEntry> entries;
    const std::string name(catalog::name_of(source));
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT provider, model_name, CAST(entry AS text) AS entry, CAST(held AS text) AS held, "
                        "CAST(rejected AS text) AS rejected, gone_at IS NOT NULL AS gone FROM catalog_entry WHERE "
                        "source = :source ORDER BY provider, model_name",
         soci::use(name));
    for (const auto& row : rows) {
      const auto provider = text(row, "provider");
      const auto model = text(row, "model_name");
      auto entry = catalog::parse_row(provider, model, text(row, "entry"));
      if (!entry) return std::unexpected(entry.error());
      catalog::KnownEntry known{.row = std::move(*entry), .gone = truth(row, "gone")};
      for (const auto& [column, later] : {std::pair("held", &known.held), std::pair("rejected", &known.rejected)}) {
        const auto json = text(row, column);
        if (json.empty()) continue;
        auto read = catalog::parse_row(provider, model, json);
        if (!read) return std::unexpected(read.error());
        *later = std::move(*read);
      }
      entries.push_back(std::move(known));
    }
    return entries;
  });
}

Result<DocumentPage> Catalogs::entry_page(const Actor& actor, catalog::Source source, const PageRequest& page) {
  return page_as(database_, actor,
                 "SELECT '' AS id, CAST(0 AS bigint) AS version, c.provider || chr(10) || c.model_name AS place, "
                 "CAST(json_build_object('provider', c.provider, 'modelName', c.model_name, 'entry', c.entry, 'held', "
                 "c.held, 'rejected', c.rejected, 'gone', c.gone_at IS NOT NULL) AS text) AS document FROM "
                 "catalog_entry c WHERE c.source = @source",
                 Arguments().text("source", catalog::name_of(source)), page);
}

Result<std::int64_t> Catalogs::apply(const Actor& actor, catalog::Source source,
                                     std::span<const catalog::PlannedEntry> entries) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<std::int64_t> {
    if (auto may = may_write(actor, {}); !may) return std::unexpected(may.error());
    const auto arguments = Arguments().text("source", catalog::name_of(source)).json("entries", entries_json(entries));
    write_entries(sql, arguments);
    const auto ids =
        read_texts(sql,
                   "SELECT DISTINCT CAST(m.id AS text) FROM " + given +
                       " JOIN model m ON m.provider = w ->> 'provider' AND m.model_name = w ->> 'name' "
                       "WHERE m.deleted_at IS NULL AND w ->> 'kind' IN ('added', 'changed', 'held') ORDER BY 1",
                   arguments);
    const auto by_whom = storable(actor.name, 255);
    const auto changed = change_models(sql, actor, ids, [&](const std::string& id) {
      return read_text(sql, "SELECT CAST(tokenrail_curate(CAST(@id AS uuid), @actor) AS text)",
                       Arguments().text("id", id).text("actor", by_whom)) == "true";
    });
    std::int64_t added = 0;
    for (const auto& entry : entries) added += entry.kind == Kind::added ? 1 : 0;
    write_audit(sql, actor,
                {.action = "catalog.updated",
                 .target_type = "catalog",
                 .target_id = std::string(catalog::name_of(source)),
                 .target_name = std::string(catalog::name_of(source)),
                 .after = fmt::format(R"({{"entries":{},"added":{},"models":{}}})", entries.size(), added, changed)});
    return changed;
  });
}

Result<std::int64_t> Catalogs::infer(const Actor& actor) {
  std::int64_t total = 0;
  std::string after;
  // Page by page, one transaction each.
  while (true) {
    std::vector<std::string> page;
    const auto changed = transact_as(database_, actor, [&](soci::session& sql) -> Result<std::int64_t> {
      if (auto may = may_write(actor, {}); !may) return std::unexpected(may.error());
      page =
          read_texts(sql,
                     "SELECT CAST(id AS text) || chr(31) || model_name FROM model WHERE deleted_at IS NULL AND (@after "
                     "IS NULL OR id > CAST(@after AS uuid)) ORDER BY id LIMIT CAST(@limit AS bigint)",
                     Arguments().text_or_null("after", after).number("limit", catalog_batch));
      std::string wanted = "[";
      for (const auto& line : page) {
        const auto parts = parts_of(line);
        if (wanted.size() > 1) wanted += ',';
        wanted +=
            fmt::format(R"({{"id":"{}","inferred":{}}})", parts.at(0), catalog::to_json(catalog::infer(parts.at(1))));
      }
      const auto arguments = Arguments().json("wanted", wanted + "]");
      const auto ids = read_texts(sql,
                                  "SELECT w ->> 'id' FROM jsonb_array_elements(@@wanted) w JOIN model m ON m.id = "
                                  "CAST(w ->> 'id' AS uuid) WHERE m.inferred <> w -> 'inferred' ORDER BY m.id",
                                  arguments);
      return change_models(sql, actor, ids, [&](const std::string& id) {
        return run_statement(
                   sql,
                   "UPDATE model m SET inferred = w -> 'inferred' FROM jsonb_array_elements(@@wanted) w WHERE "
                   "w ->> 'id' = @id AND m.id = CAST(@id AS uuid)",
                   Arguments().json("wanted", wanted + "]").text("id", id)) > 0;
      });
    });
    if (!changed) return changed;
    total += *changed;
    if (page.size() < catalog_batch) return total;
    after = parts_of(page.back()).at(0);
  }
}

Result<void> Catalogs::record(const Actor& actor, const CatalogImport& import) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    run_statement(
        sql,
        "INSERT INTO catalog_import (source, file_name, listed, added, changed, unchanged, gone, held, "
        "refused, imported_by, licence) VALUES (@source, @file, CAST(@listed AS bigint), CAST(@added AS bigint), "
        "CAST(@changed AS bigint), CAST(@unchanged AS bigint), CAST(@gone AS bigint), CAST(@held AS bigint), "
        "CAST(@refused AS bigint), @actor, @licence)",
        Arguments()
            .text("source", catalog::name_of(import.source))
            .text("file", storable(import.file_name, 255))
            .number("listed", import.listed)
            .number("added", import.added)
            .number("changed", import.changed)
            .number("unchanged", import.unchanged)
            .number("gone", import.gone)
            .number("held", import.held)
            .number("refused", import.refused)
            .text("actor", storable(actor.name, 255))
            .text("licence", catalog::licence_of(import.source)));
    return {};
  });
}

Result<std::int64_t> Catalogs::set_scores(const Actor& actor, std::span<const QualityScore> scores,
                                          std::vector<std::string>& unknown) {
  std::string json = "[";
  for (const auto& score : scores) {
    if (json.size() > 1) json += ',';
    std::string object;
    events::JsonWriter writer(object);
    writer.begin_object();
    writer.field("provider", score.provider);
    writer.field("name", score.model_name);
    writer.field("metric", score.metric);
    writer.field("source", score.source);
    writer.field("score", score.score);
    writer.field("date", score.date);
    writer.end_object();
    json += object;
  }
  json += ']';
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<std::int64_t> {
    if (auto may = may_write(actor, {}); !may) return std::unexpected(may.error());
    const auto arguments = Arguments().json("scores", json);
    const std::string model_of_score =
        "jsonb_array_elements(@@scores) w LEFT JOIN model m ON m.provider = w ->> 'provider' AND m.model_name = w ->> "
        "'name' AND m.org_id IS NULL AND m.deleted_at IS NULL";
    unknown = read_texts(
        sql, "SELECT (w ->> 'provider') || '/' || (w ->> 'name') FROM " + model_of_score + " WHERE m.id IS NULL",
        arguments);
    const auto ids = read_texts(
        sql, "SELECT DISTINCT CAST(m.id AS text) FROM " + model_of_score + " WHERE m.id IS NOT NULL ORDER BY 1",
        arguments);
    const auto changed = change_models(sql, actor, ids, [&](const std::string& id) {
      return run_statement(
                 sql,
                 "INSERT INTO quality_score (model_id, metric, source, score, measured_at) SELECT DISTINCT ON (w ->> "
                 "'metric', w ->> 'source') m.id, w ->> 'metric', w ->> 'source', CAST(w ->> 'score' AS numeric), "
                 "CAST(w ->> 'date' AS date) AT TIME ZONE 'UTC' FROM " +
                     model_of_score +
                     " WHERE m.id = CAST(@id AS uuid) ON CONFLICT (model_id, metric, source) DO UPDATE SET score = "
                     "excluded.score, measured_at = excluded.measured_at WHERE (quality_score.score, "
                     "quality_score.measured_at) IS DISTINCT FROM (excluded.score, excluded.measured_at)",
                 Arguments().json("scores", json).text("id", id)) > 0;
    });
    // Its models are locked, so no other writer adds one meanwhile.
    const auto full =
        read_text(sql,
                  "SELECT m.provider || '/' || m.model_name || ' would have scores of ' || count(DISTINCT q.metric) || "
                  "' metrics' "
                  "FROM quality_score q JOIN model m ON m.id = q.model_id WHERE m.id IN (SELECT CAST(i AS uuid) FROM "
                  "jsonb_array_elements_text(@@ids) i) GROUP BY m.id HAVING count(DISTINCT q.metric) > CAST(@max AS "
                  "bigint) ORDER "
                  "BY m.slug LIMIT 1",
                  Arguments().json("ids", json_array(ids)).number("max", scored_metrics_max));
    if (full)
      return std::unexpected(Error{
          .kind = ErrorKind::invalid_input,
          .detail = fmt::format("{}; a model may have {}. Nothing was set.", *full, scored_metrics_max),
          .hint = "Leave metrics out that no request asks for, or give them the names of metrics that there are."});
    if (changed > 0)
      write_audit(sql, actor,
                  {.action = "catalog.scores_set",
                   .target_type = "catalog",
                   .target_id = "scores",
                   .target_name = scores.empty() ? std::string() : scores.front().source,
                   .after = fmt::format(R"({{"scores":{},"models":{}}})", scores.size(), changed)});
    return changed;
  });
}

Result<Document> Catalogs::inspect(const Actor& actor, const Scope& scope) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    // Prices are read once, and not for each model.
    const std::string costs =
        "SELECT c.model_id, bool_and(c.amount = 0) AS free FROM price c WHERE tstzrange(c.effective_from, "
        "c.effective_to) @> now() AND c.dimension IN ('input', 'output') AND c.service_tier = 'standard' GROUP BY 1";
    auto found = read_document(
        sql,
        "WITH k AS MATERIALIZED (" + costs + "), n AS (SELECT e.provider AS provider, " +
            status_of_models(Reads::whole) +
            " AS status, e.context_window IS NULL AND e.input_tokens_max IS NULL AS no_limit, CASE WHEN x.free IS NULL "
            "THEN y.free WHEN y.free IS NULL THEN x.free ELSE x.free AND y.free END AS free FROM (" +
            effective_models("true", Seen::all) +
            ") e LEFT JOIN k x ON x.model_id = e.own_id LEFT JOIN k y ON y.model_id = e.platform_id) SELECT "
            "'inspection' AS id, CAST(0 AS bigint) AS version, CAST(json_build_object("
            "'models', (SELECT count(*) FROM n), 'free', (SELECT count(*) FROM n WHERE free), 'paid', (SELECT count(*) "
            "FROM n WHERE NOT free), 'withoutPrice', (SELECT count(*) FROM n WHERE free IS NULL), 'withoutLimit', "
            "(SELECT count(*) FROM n WHERE no_limit), 'byProvider', (SELECT COALESCE(json_agg(json_build_object("
            "'provider', p.provider, 'models', p.models, 'active', p.active, 'free', p.free, 'paid', p.paid, "
            "'withoutPrice', p.without_price, 'withoutLimit', p.without_limit) ORDER BY p.provider), '[]') FROM "
            "(SELECT "
            "provider, count(*) AS models, count(*) FILTER (WHERE status = 'active') AS active, count(*) FILTER (WHERE "
            "free) AS free, count(*) FILTER (WHERE NOT free) AS paid, count(*) FILTER (WHERE free IS NULL) AS "
            "without_price, count(*) FILTER (WHERE no_limit) AS without_limit FROM n GROUP BY provider) p), "
            "'catalogs', (SELECT COALESCE(json_agg(json_build_object('source', k.source, 'entries', k.entries, 'gone', "
            "k.gone, 'held', k.held, 'updatedAt', tokenrail_time(k.updated_at)) ORDER BY k.source), '[]') FROM (SELECT "
            "source, count(*) AS entries, count(gone_at) AS gone, count(held) AS held, max(updated_at) AS updated_at "
            "FROM catalog_entry GROUP BY source) k), 'lists', (SELECT "
            "COALESCE(json_agg(json_build_object('connection', "
            "c.name, 'provider', c.provider, 'lastOkAt', tokenrail_time(c.last_ok), 'stale', c.enabled AND "
            "c.sync_enabled AND (c.last_ok IS NULL OR c.last_ok < now() - greatest(interval '1 day', 2 * "
            "make_interval(secs => c.sync_interval_s)))) ORDER BY c.name), '[]') "
            // A list that changes nothing has no run, and old runs are removed; its snapshot has the time of the last.
            "FROM (SELECT k.*, greatest((SELECT max(r.finished_at) FROM sync_run r WHERE r.connection_id = k.id AND "
            "r.status IN ('ok', 'held')), (SELECT max(s.fetched_at) FROM provider_snapshot s WHERE s.connection_id = "
            "k.id)) AS last_ok FROM connection k) c WHERE c.deleted_at IS NULL AND (c.org_id = @org OR (c.org_id "
            "IS NULL AND tokenrail_platform())))) AS text) AS document",
        Arguments().scope(scope));
    return std::move(*found);
  });
}

}  // namespace tokenrail::registry
