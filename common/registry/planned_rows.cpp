#include "common/registry/planned_rows.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "common/catalog/inference.hpp"
#include "common/crypto/bytes.hpp"
#include "common/events/json_writer.hpp"
#include "common/registry/gzip.hpp"
#include "common/registry/json_arrays.hpp"
#include "common/registry/kept_statements.hpp"
#include "common/registry/model_rows.hpp"
#include "common/registry/own_prices.hpp"
#include "common/registry/store_impl.hpp"

namespace tokenrail::registry {

namespace {

using events::JsonWriter;

std::unexpected<Error> overtaken(const PlannedModel& planned, std::string_view how) {
  return fail(ErrorKind::cancelled, fmt::format("The model {}/{} was {} by another writer during the sync.",
                                                planned.after.provider, planned.after.model_name, how));
}

std::string_view word_of(events::Support support) {
  if (support == events::Support::supported) return "supported";
  return support == events::Support::unsupported ? "unsupported" : "unknown";
}

/// A member that is left out is NULL.
void number_field(JsonWriter& json, std::string_view name, const std::optional<std::int64_t>& number) {
  if (number) json.field(name, *number);
}
void text_field(JsonWriter& json, std::string_view name, const std::string& text) {
  if (!text.empty()) json.field(name, text);
}

/// The columns of a model that a sync writes.
constexpr std::string_view synced_columns =
    "kind text, family text, digest text, details_digest text, details_at bigint, availability text, missing_since "
    "bigint, missing_expired boolean, context_window bigint, input_tokens_max bigint, output_tokens_max bigint, "
    "embedding_dimensions bigint, capabilities jsonb, raw jsonb";

void add_synced_columns(JsonWriter& json, const PlannedModel& planned) {
  const auto& after = planned.after;
  json.field("kind", after.kind);
  json.field("family", after.family);
  json.field("digest", after.digest);
  json.field("details_digest", planned.details_digest);
  number_field(json, "details_at", planned.details_at_ms);
  json.field("availability", after.availability);
  number_field(json, "missing_since", after.missing_since_ms);
  json.field("missing_expired", planned.missing_expired);
  number_field(json, "context_window", after.context_window);
  number_field(json, "input_tokens_max", after.input_tokens_max);
  number_field(json, "output_tokens_max", after.output_tokens_max);
  number_field(json, "embedding_dimensions", after.embedding_dimensions);
  json.begin_object("capabilities");
  for (const auto& [name, support] : after.capabilities) json.field(name, word_of(support));
  json.end_object();
  if (!planned.raw.empty()) json.raw_field("raw", planned.raw);
}

/// Error: another writer has changed one of the models since the plan was made.
Result<void> update_models(soci::session& sql, const SyncPlan& plan) {
  static const std::string statement = fmt::format(
      "UPDATE model m SET kind = w.kind, family = w.family, digest = w.digest, details_digest = w.details_digest, "
      "details_at = to_timestamp(w.details_at / 1000.0), availability = w.availability, missing_since = "
      "to_timestamp(w.missing_since / 1000.0), missing_expired = w.missing_expired, context_window = "
      "w.context_window, input_tokens_max = w.input_tokens_max, output_tokens_max = w.output_tokens_max, "
      "embedding_dimensions = w.embedding_dimensions, capabilities = w.capabilities, raw = COALESCE(w.raw, m.raw), "
      "version = CASE WHEN w.published THEN nextval('registry_version') ELSE m.version END, updated_at = now() FROM "
      "jsonb_to_recordset(CAST($1 AS jsonb)) w (id uuid, before bigint, published boolean, {}) WHERE m.id = w.id AND "
      "m.version = w.before AND m.deleted_at IS NULL RETURNING CAST(m.id AS text) AS id",
      synced_columns);
  std::set<std::string, std::less<>> updated;
  JsonArrays arrays([&](const std::string& array) {
    const auto rows = run_kept(sql, statement, {array});
    for (int at = 0; at < rows.count(); ++at) updated.insert(text(rows.row(at), "id"));
  });
  for (const auto& planned : plan.models) {
    if (planned.kind == PlannedModel::Kind::added) continue;
    std::string object;
    JsonWriter json(object);
    json.begin_object();
    json.field("id", planned.after.id);
    json.field("before", planned.before_version);
    json.field("published", !planned.changed_fields.empty());
    add_synced_columns(json, planned);
    json.end_object();
    arrays.add(object);
  }
  arrays.flush();
  for (const auto& planned : plan.models)
    if (planned.kind != PlannedModel::Kind::added && !updated.contains(planned.after.id))
      return overtaken(planned, "changed");
  return {};
}

/// Adds them by their names and returns their ids by those. One is missing where another writer has added a model of
/// that name, or one of that slug, since the plan was made. A disabled one is not put over a model of a scope above,
/// which the scope could then use no longer.
std::map<std::string, std::string> insert_models(soci::session& sql, const std::vector<const PlannedModel*>& added) {
  // A slug that another model of the scope has already (a prefix can do that) gets the id's random end added. The two
  // scopes are asked for apart, as IS NOT DISTINCT FROM uses no index.
  static const std::string statement = fmt::format(
      "WITH w AS MATERIALIZED (SELECT tokenrail_uuid_v7() AS id, x.* FROM jsonb_to_recordset(CAST($1 AS jsonb)) x "
      "(place int, org_id text, owner_user_id text, provider text, model_name text, slug text, enabled boolean, "
      "inferred jsonb, {})) INSERT INTO model (id, org_id, owner_user_id, provider, model_name, slug, enabled, kind, "
      "family, digest, details_digest, details_at, availability, missing_since, missing_expired, context_window, "
      "input_tokens_max, output_tokens_max, embedding_dimensions, capabilities, raw, inferred) SELECT w.id, w.org_id, "
      "w.owner_user_id, w.provider, w.model_name, CASE WHEN (w.org_id IS NULL AND EXISTS (SELECT 1 FROM model o WHERE "
      "o.org_id IS NULL AND o.deleted_at IS NULL AND o.slug = w.slug)) OR EXISTS (SELECT 1 FROM model o WHERE o.org_id "
      "= w.org_id AND o.owner_user_id IS NOT DISTINCT FROM w.owner_user_id AND o.deleted_at IS NULL AND o.slug = "
      "w.slug) THEN w.slug || '~' || right(CAST(w.id AS text), 6) ELSE w.slug END, w.enabled, w.kind, w.family, "
      "w.digest, w.details_digest, to_timestamp(w.details_at / 1000.0), w.availability, to_timestamp(w.missing_since / "
      "1000.0), w.missing_expired, w.context_window, w.input_tokens_max, w.output_tokens_max, w.embedding_dimensions, "
      "w.capabilities, COALESCE(w.raw, '{{}}'), w.inferred FROM w WHERE w.enabled OR NOT EXISTS (SELECT 1 FROM model a "
      "WHERE {} AND a.model_name = w.model_name) ORDER BY w.place ON CONFLICT DO NOTHING RETURNING CAST(id AS text) AS "
      "id, model_name",
      synced_columns, rows_above);
  std::map<std::string, std::string> ids;
  JsonArrays arrays([&](const std::string& array) {
    const auto rows = run_kept(sql, statement, {array});
    for (int at = 0; at < rows.count(); ++at) ids.emplace(text(rows.row(at), "model_name"), text(rows.row(at), "id"));
  });
  std::int64_t place = 0;
  for (const auto* planned : added) {
    const auto& after = planned->after;
    std::string object;
    JsonWriter json(object);
    json.begin_object();
    json.field("place", place++);
    text_field(json, "org_id", after.org_id);
    text_field(json, "owner_user_id", after.owner_user_id);
    json.field("provider", after.provider);
    json.field("model_name", after.model_name);
    json.field("slug", after.slug);
    json.field("enabled", after.enabled);
    json.raw_field("inferred", catalog::to_json(catalog::infer(after.model_name)));
    add_synced_columns(json, *planned);
    json.end_object();
    arrays.add(object);
  }
  arrays.flush();
  return ids;
}

/// What the provider said of a model, as it came, in the form of its column; nothing: it is too large to be kept.
std::optional<std::string> stored_answer(const std::string& answer) {
  constexpr std::size_t stored_bytes_max = 1UL << 20U;
  const auto bytes = gzip(answer);
  if (bytes.size() > stored_bytes_max) return std::nullopt;
  return crypto::to_hex(bytes);
}

/// Returns the deployments' ids by those of their models.
std::map<std::string, std::string> write_planned_deployments(soci::session& sql, const Connection& connection,
                                                             const SyncPlan& plan,
                                                             const std::vector<std::string>& models) {
  static const std::string statement =
      "INSERT INTO deployment AS d (model_id, connection_id, upstream_name, digest, availability, missing_since, "
      "missing_runs, answer_sha256, answer, answered_at) SELECT w.model_id, CAST($2 AS uuid), w.upstream_name, "
      "w.digest, "
      "CASE WHEN w.missing_since IS NULL THEN 'listed' ELSE 'missing' END, to_timestamp(w.missing_since / 1000.0), "
      "w.missing_runs, w.answer_sha256, decode(w.answer, 'hex'), CASE WHEN w.answer IS NOT NULL THEN now() END FROM "
      "jsonb_to_recordset(CAST($1 AS jsonb)) w (model_id uuid, upstream_name text, digest text, missing_since bigint, "
      "missing_runs int, answer_sha256 text, answer text) ON CONFLICT (model_id, connection_id) DO UPDATE SET "
      "upstream_name = excluded.upstream_name, digest = excluded.digest, availability = excluded.availability, "
      "missing_since = excluded.missing_since, missing_runs = excluded.missing_runs, answer_sha256 = "
      "excluded.answer_sha256, answer = COALESCE(excluded.answer, d.answer), answered_at = "
      "COALESCE(excluded.answered_at, d.answered_at) RETURNING CAST(d.model_id AS text) AS model_id, CAST(d.id AS "
      "text) AS id";
  std::map<std::string, std::string> ids;
  JsonArrays arrays([&](const std::string& array) {
    const auto rows = run_kept(sql, statement, {array, connection.id});
    for (int at = 0; at < rows.count(); ++at) ids.emplace(text(rows.row(at), "model_id"), text(rows.row(at), "id"));
  });
  for (std::size_t i = 0; i < models.size(); ++i) {
    const auto& planned = plan.models[i];
    std::string object;
    JsonWriter json(object);
    json.begin_object();
    json.field("model_id", models[i]);
    json.field("upstream_name", planned.here.upstream_name);
    json.field("digest", planned.here.digest);
    number_field(json, "missing_since", planned.here.missing_since_ms);
    json.field("missing_runs", planned.here.missing_runs);
    json.field("answer_sha256", planned.here.answer_sha256);
    if (!planned.answer.empty())
      if (const auto answer = stored_answer(planned.answer)) json.field("answer", *answer);
    json.end_object();
    arrays.add(object);
  }
  arrays.flush();
  return ids;
}

}  // namespace

Result<std::vector<std::string>> write_planned_rows(soci::session& sql, const Connection& connection,
                                                    const SyncPlan& plan) {
  std::vector<std::string> ids;
  std::vector<std::string> known;
  std::vector<const PlannedModel*> added;
  for (const auto& planned : plan.models) {
    ids.push_back(planned.after.id);
    if (planned.kind == PlannedModel::Kind::added) added.push_back(&planned);
    if (!planned.after.id.empty()) known.push_back(planned.after.id);
  }
  lock_models(sql, known);
  if (auto updated = update_models(sql, plan); !updated) return std::unexpected(std::move(updated.error()));
  std::ranges::sort(added, {}, [](const PlannedModel* planned) { return std::string_view(planned->after.model_name); });
  const auto fresh = insert_models(sql, added);
  for (const auto* planned : added) {
    const auto id = fresh.find(planned->after.model_name);
    if (id == fresh.end()) return overtaken(*planned, "added");
    ids[static_cast<std::size_t>(planned - plan.models.data())] = id->second;
  }
  const auto deployments = write_planned_deployments(sql, connection, plan, ids);
  std::vector<OwnPrices> prices;
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (const auto& planned = plan.models[i]; planned.prices_changed)
      prices.push_back({.model_id = ids[i], .deployment_id = deployments.at(ids[i]), .prices = planned.here.prices});
  write_prices(sql, "provider", sync_actor, prices);
  return ids;
}

}  // namespace tokenrail::registry
