#include "common/registry/governed_models_sql.hpp"

#include <array>
#include <string_view>

#include <fmt/core.h>

#include "common/registry/model_indexes.hpp"
#include "common/registry/model_rows.hpp"
#include "common/registry/settable_fields.hpp"

namespace tokenrail::registry {

namespace {

/// The column of a row; where it is not set, what a catalogue says, else what follows from the name.
std::string with_elsewhere(const Settable& field, std::string_view row) {
  if (field.type == "bigint")
    return fmt::format("COALESCE({0}.{1}, CAST(COALESCE({0}.curated ->> '{2}', {0}.inferred ->> '{2}') AS bigint))",
                       row, field.column, field.name);
  if (field.name == "displayName" || field.name == "family")
    return fmt::format("COALESCE(NULLIF({0}.{1}, ''), {0}.curated ->> '{2}', {0}.inferred ->> '{2}', '')", row,
                       field.column, field.name);
  if (field.name == "lifecycle")
    return fmt::format(
        "CASE WHEN {0}.lifecycle = 'active' AND NOT jsonb_exists({0}.override, 'lifecycle') THEN COALESCE({0}.curated "
        "->> 'lifecycle', 'active') ELSE {0}.lifecycle END",
        row);
  return fmt::format("{}.{}", row, field.column);
}

/// Entry by entry: an unknown one is filled in.
std::string with_capabilities_elsewhere(std::string_view row) {
  return fmt::format(
      "COALESCE({0}.capabilities, '{{}}') || COALESCE((SELECT jsonb_object_agg(k.key, k.value) FROM "
      "jsonb_each(COALESCE({0}.inferred -> 'capabilities', '{{}}') || COALESCE({0}.curated -> 'capabilities', '{{}}')) "
      "k "
      "WHERE COALESCE({0}.capabilities ->> k.key, 'unknown') = 'unknown'), '{{}}')",
      row);
}

/// The row that has the facts from a list: the platform's, where there is one.
std::string listed(std::string_view column) {
  return fmt::format("CASE WHEN p.id IS NOT NULL THEN p.{0} ELSE o.{0} END", column);
}

/// What the row itself has of the fields that others fill in: from a provider's list, unless a person set it.
std::string listed_facts() {
  std::string members;
  for (const auto& field : settable) {
    if (field.type == "bigint")
      members += fmt::format("'{}', {}, ", field.name, listed(field.column));
    else if (field.name == "displayName" || field.name == "family")
      members += fmt::format("'{}', NULLIF({}, ''), ", field.name, listed(field.column));
    else if (field.name == "lifecycle")
      members += fmt::format("'lifecycle', NULLIF({}, 'active'), ", listed("lifecycle"));
  }
  return fmt::format("jsonb_strip_nulls(jsonb_build_object({}'capabilities', {}))", members, listed("capabilities"));
}

/// Of a map of capabilities, SQL: those that it says something about.
std::string known_capabilities(const std::string& map) {
  return fmt::format(
      "COALESCE((SELECT jsonb_object_agg(k.key, k.value) FROM jsonb_each({}) k WHERE k.value <> '\"unknown\"'), "
      "'{{}}')",
      map);
}

}  // namespace

std::string is_same_upstream(std::string_view called, std::string_view name) {
  return fmt::format("{0} IN ({1}, {1} || '{2}', regexp_replace({1}, '{2}$', ''))", called, name, default_tag);
}

std::string named_models(const std::string& name) {
  const std::string columns =
      "SELECT n.id AS id, n.provider AS provider, n.model_name AS model_name, n.org_id AS org_id, n.owner_user_id AS "
      "owner_user_id, ";
  // A condition with OR over these would read the whole table.
  return fmt::format(
      "{0}1 AS rank FROM model n WHERE n.deleted_at IS NULL AND n.id = CASE WHEN {1} ~ "
      "'^[0-9a-fA-F]{{8}}(-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}$' THEN CAST({1} AS uuid) END UNION ALL {0}2 FROM "
      "model n WHERE n.deleted_at IS NULL AND n.org_id IS NULL AND n.owner_user_id IS NULL AND n.slug = {1} UNION ALL "
      "{0}2 FROM model n WHERE n.deleted_at IS NULL AND n.org_id = @org AND n.slug = {1} UNION ALL {0}3 FROM model n "
      "WHERE n.deleted_at IS NULL AND n.provider = split_part({1}, '/', 1) AND n.model_name = substr({1}, strpos({1}, "
      "'/') + 1)",
      columns, name);
}

std::string effective_models(const std::string& narrow, Seen rows) {
  std::string fields;
  for (const auto& field : settable) {
    // A map is put together from both rows, the known entries of the own row over those above. EffectiveModel has the
    // same rule.
    const auto own_capabilities = with_capabilities_elsewhere("o");
    // Deployments of the row's own have its parameters, and not those of the row above.
    const std::string served_here =
        field.name == "params" ? " OR EXISTS (SELECT 1 FROM deployment d WHERE d.model_id = o.id)" : "";
    fields +=
        field.name == "capabilities"
            ? own_capabilities + " || " + with_capabilities_elsewhere("p") + " || " +
                  known_capabilities(own_capabilities) + " AS capabilities, "
            : fmt::format(
                  "CASE WHEN o.id IS NOT NULL AND (p.id IS NULL OR jsonb_exists(o.override, '{1}'){4}) THEN {2} ELSE "
                  "{3} END AS {0}, ",
                  field.column, field.name, with_elsewhere(field, "o"), with_elsewhere(field, "p"), served_here);
  }
  const auto platform =
      fmt::format("(SELECT m.* FROM model m WHERE m.org_id IS NULL AND m.deleted_at IS NULL AND ({})) p", narrow);
  // No index serves IS NOT DISTINCT FROM.
  const auto own = fmt::format(
      "(SELECT m.* FROM model m WHERE m.org_id = @org AND (m.owner_user_id = @owner OR (m.owner_user_id IS NULL AND "
      "@owner IS NULL)) AND m.deleted_at IS NULL AND ({})) o",
      narrow);
  constexpr std::string_view same = "o.provider = p.provider AND o.model_name = p.model_name";
  const auto from = rows == Seen::all ? fmt::format("{} FULL JOIN {} ON {}", platform, own, same)
                    : rows == Seen::platform
                        ? fmt::format("{} LEFT JOIN {} ON {}", platform, own, same)
                        : fmt::format("{} LEFT JOIN {} ON {} WHERE p.id IS NULL", own, platform, same);
  const std::string order = rows == Seen::own ? "o" : "p";
  return "SELECT COALESCE(o.id, p.id) AS id, " + order + ".slug AS order_slug, " + order +
         ".id AS order_id, p.id AS platform_id, o.id AS own_id, "
         "CASE WHEN o.id IS NULL THEN 'platform' WHEN p.id IS NULL THEN 'organization' ELSE 'override' END AS scope, "
         "COALESCE(o.org_id, p.org_id) AS org_id, COALESCE(o.provider, p.provider) AS provider, "
         "COALESCE(o.model_name, p.model_name) AS model_name, COALESCE(o.slug, p.slug) AS slug, " +
         fields +
         "COALESCE(o.enabled, p.enabled, false) AS enabled, o.enabled IS NULL AND p.id IS NOT NULL AS inherits, "
         "COALESCE(p.platform_blocked, false) AS blocked_by_platform, COALESCE(o.platform_blocked, false) AS "
         "blocked_here, "
         "COALESCE(p.availability, o.availability) AS availability, COALESCE(p.missing_since, o.missing_since) AS "
         "missing_since, COALESCE(p.missing_expired, o.missing_expired) AS missing_expired, "
         "CASE WHEN o.id IS NOT NULL AND (p.id IS NULL OR cardinality(o.tags) > 0) THEN o.tags ELSE p.tags END AS "
         "tags, "
         "COALESCE(p.curated, o.curated, '{}') AS curated, COALESCE(p.inferred, o.inferred, '{}') AS inferred, "
         "" +
         listed_facts() +
         " AS listed, "
         "COALESCE(p.override, '{}') AS platform_override, COALESCE(o.override, '{}') AS own_override, "
         "COALESCE(p.digest, o.digest) AS digest, COALESCE(p.release_date, o.release_date) AS release_date, "
         "COALESCE(p.knowledge_cutoff, o.knowledge_cutoff) AS knowledge_cutoff, "
         "COALESCE(p.open_weights, o.open_weights) AS open_weights, "
         "CASE WHEN o.id IS NOT NULL AND EXISTS (SELECT 1 FROM deployment d WHERE d.model_id = o.id) THEN o.id ELSE "
         "COALESCE(p.id, o.id) END AS served_as, "
         "GREATEST(COALESCE(o.version, 0), COALESCE(p.version, 0)) AS version, "
         "o.capabilities AS o_own, o.curated -> 'capabilities' AS o_curated, o.inferred -> 'capabilities' AS "
         "o_inferred, "
         "p.capabilities AS p_own, p.curated -> 'capabilities' AS p_curated, p.inferred -> 'capabilities' AS "
         "p_inferred, "
         "LEAST(COALESCE(o.created_at, p.created_at), COALESCE(p.created_at, o.created_at)) AS created_at, "
         "GREATEST(COALESCE(o.updated_at, p.updated_at), COALESCE(p.updated_at, o.updated_at)) AS updated_at "
         "FROM " +
         from;
}

namespace {

/// Of `d`, a deployment on the connection `c`: the model that the platform blocks and that is called there by the same
/// name, as provider/name.
const std::string blocked_upstream =
    "(SELECT b.provider || '/' || b.model_name FROM deployment x JOIN model b ON b.id = x.model_id WHERE "
    "x.connection_id = d.connection_id AND " +
    is_same_upstream("x.upstream_name", "d.upstream_name") +
    " AND b.org_id IS NULL AND b.deleted_at IS NULL AND b.platform_blocked ORDER BY b.slug LIMIT 1)";

/// Whether a deployment serves `e`. An organisation's own one on the platform's connection does not where the platform
/// blocks what it calls.
std::string is_served(Reads reads) {
  const std::string serving =
      "deployment d JOIN connection c ON c.id = d.connection_id WHERE d.enabled AND c.enabled "
      "AND c.deleted_at IS NULL";
  const std::string own = "e.own_id IS NOT NULL AND e.served_as = e.own_id";
  const std::string own_serves = "EXISTS (SELECT 1 FROM " + serving +
                                 " AND d.model_id = e.own_id AND (c.org_id IS NOT NULL OR " + blocked_upstream +
                                 " IS NULL))";
  // The set is read once, whatever the number of models.
  const std::string platforms_serve = reads == Reads::whole
                                          ? "e.served_as IN (SELECT d.model_id FROM " + serving + ")"
                                          : "EXISTS (SELECT 1 FROM " + serving +
                                                " AND d.model_id IN (e.own_id, e.platform_id) AND d.model_id = "
                                                "e.served_as)";
  return "CASE WHEN " + own + " THEN " + own_serves + " ELSE " + platforms_serve + " END";
}

/// The statuses but the last two, which depend on the deployments: the first that holds is the model's.
struct Status {
  std::string_view name;
  std::string_view holds;
};
constexpr std::array statuses{
    Status{"blocked", "e.blocked_by_platform OR e.blocked_here"},
    Status{"retired", "e.lifecycle = 'retired' OR e.retires_at <= now()"},
    Status{"disabled", "NOT e.enabled"},
    Status{"maintenance", "e.maintenance_until > now()"},
    Status{"missing", "e.availability = 'missing' AND e.missing_expired"},
};

/// Whether `e` has the status, without more work than that needs.
std::string has_status(std::string_view status, Reads reads) {
  std::string condition;
  for (const auto& one : statuses) {
    const bool found = one.name == status;
    condition += fmt::format("{}({}) IS {}TRUE", condition.empty() ? "" : " AND ", one.holds, found ? "" : "NOT ");
    if (found) return condition;
  }
  if (status == "active") return condition + " AND " + is_served(reads);
  if (status == "unserved") return condition + " AND NOT (" + is_served(reads) + ")";
  return "false";
}

/// The price of input and output now, for a short prompt on the standard tier, in dollars per million as text: of the
/// own row as soon as that has prices, else of the platform's, of its best source, and on its first deployment.
const std::string price_of_model =
    "(SELECT json_object_agg(c.dimension, CAST(trim_scale(c.amount * 0.000001) AS text)) FROM (SELECT CASE WHEN EXISTS "
    "(SELECT 1 FROM " +
    prices_on("e.own_id", first_deployment_of("e.own_id"), "o") +
    ") THEN e.own_id ELSE e.platform_id END AS id OFFSET 0) w, LATERAL " +
    prices_on("w.id", first_deployment_of("w.id"), "c") +
    " WHERE c.service_tier = 'standard' AND c.min_context_tokens = 0 AND c.utc_from = c.utc_to AND c.dimension IN "
    "('input', 'output'))";

/// Where each field's value comes from: set in the organisation or by a person (override), listed by the provider,
/// curated by a catalogue, or inferred from the name. `origins` has the catalogue and the rule. Capabilities one by
/// one.
const std::string_view sources_of_fields =
    "SELECT COALESCE(json_object_agg(f.name, f.source ORDER BY f.name), '{}') AS sources, "
    "COALESCE(json_object_agg(f.name, f.origin ORDER BY f.name) FILTER (WHERE f.origin IS NOT NULL), '{}') AS origins "
    "FROM (SELECT g.name, g.source, CASE g.source WHEN 'curated' THEN COALESCE(e.curated -> 'sources' ->> g.name, "
    "e.curated -> 'sources' ->> split_part(g.name, '.', 1)) WHEN 'inferred' THEN e.inferred -> 'rules' ->> g.name END "
    "AS origin FROM (SELECT k AS name, CASE WHEN jsonb_exists(e.own_override, k) AND e.platform_id IS NOT NULL THEN "
    "'organization' ELSE 'override' END AS source FROM jsonb_object_keys(e.platform_override || e.own_override) k "
    "UNION ALL SELECT k, CASE WHEN jsonb_exists(e.listed, k) THEN 'provider' WHEN jsonb_exists(e.curated, k) THEN "
    "'curated' ELSE 'inferred' END FROM unnest(ARRAY['displayName', 'family', 'lifecycle', 'contextWindow', "
    "'inputTokensMax', 'outputTokensMax', 'embeddingDimensions']) k WHERE NOT jsonb_exists(e.platform_override || "
    "e.own_override, k) AND (jsonb_exists(e.listed, k) OR jsonb_exists(e.curated, k) OR jsonb_exists(e.inferred, k)) "
    "UNION ALL SELECT 'capabilities.' || c.key, CASE WHEN jsonb_exists(e.own_override -> 'capabilities', c.key) AND "
    "e.platform_id IS NOT NULL THEN 'organization' WHEN jsonb_exists(e.platform_override -> 'capabilities', c.key) OR "
    "jsonb_exists(e.own_override -> 'capabilities', c.key) THEN 'override' WHEN COALESCE(e.listed -> 'capabilities' "
    "->> "
    "c.key, 'unknown') <> 'unknown' THEN 'provider' WHEN jsonb_exists(e.curated -> 'capabilities', c.key) THEN "
    "'curated' ELSE 'inferred' END FROM jsonb_each_text(e.capabilities) c WHERE c.value <> 'unknown') g) f";

}  // namespace

std::string status_of_models(Reads reads) {
  std::string status = "CASE ";
  for (const auto& one : statuses) status += fmt::format("WHEN {} THEN '{}' ", one.holds, one.name);
  return status + "WHEN " + is_served(reads) + " THEN 'active' ELSE 'unserved' END";
}

std::string effective_documents(const std::string& narrow) {
  return fmt::format(
      "SELECT CAST(e.id AS text) AS id, e.version AS version, "
      "CAST(json_build_object('id', e.id, 'platformId', e.platform_id, 'ownId', e.own_id, 'scope', e.scope, 'orgId', "
      "e.org_id, 'provider', e.provider, 'modelName', e.model_name, 'slug', e.slug, 'kind', e.kind, 'displayName', "
      "e.display_name, 'description', e.description, 'family', e.family, 'license', e.license, 'digest', e.digest, "
      "'releaseDate', e.release_date, 'knowledgeCutoff', e.knowledge_cutoff, 'openWeights', e.open_weights, "
      "'status', {0}, 'enabled', e.enabled, 'inherits', e.inherits, 'blocked', e.blocked_by_platform OR "
      "e.blocked_here, "
      "'blockedBy', CASE WHEN e.blocked_by_platform THEN 'platform' WHEN e.blocked_here THEN 'organization' END, "
      "'hidden', "
      "e.hidden, 'lifecycle', e.lifecycle, 'deprecatesAt', tokenrail_time(e.deprecates_at), 'retiresAt', "
      "tokenrail_time(e.retires_at), 'replacementId', e.replacement_id, 'maintenanceUntil', "
      "tokenrail_time(e.maintenance_until), 'maintenanceReason', e.maintenance_reason, 'availability', e.availability, "
      "'missingSince', tokenrail_time(e.missing_since), 'contextWindow', e.context_window, 'inputTokensMax', "
      "e.input_tokens_max, 'outputTokensMax', e.output_tokens_max, 'embeddingDimensions', e.embedding_dimensions, "
      "'capabilities', e.capabilities, 'tags', e.tags, 'metadata', e.metadata, 'params', e.params, 'prices', {2}, "
      "'isDefault', EXISTS "
      "(SELECT 1 FROM "
      "model_default d WHERE d.model_id IN (e.id, e.platform_id) AND d.org_id IS NOT DISTINCT FROM @org AND d.kind = "
      "e.kind AND d.purpose = ''), 'sources', s.sources, 'origins', s.origins, 'curated', e.curated, "
      "'inferred', e.inferred, 'deployments', (SELECT "
      "COALESCE(json_agg(json_build_object('id', d.id, 'connectionId', c.id, 'connection', c.name, 'upstreamName', "
      "d.upstream_name, 'priority', COALESCE(d.priority, c.priority), 'weight', COALESCE(d.weight, c.weight), "
      "'enabled', "
      "d.enabled, 'connectionEnabled', c.enabled, 'blockedBy', CASE WHEN d.model_id = e.own_id AND c.org_id IS NULL "
      "THEN "
      "{4} END, 'health', c.health, 'availability', d.availability, 'params', d.params, 'requestsPerMinute', "
      "d.requests_per_minute, 'tokensPerMinute', d.tokens_per_minute) "
      "ORDER BY COALESCE(d.priority, c.priority), c.name), '[]') FROM deployment d JOIN connection c ON c.id = "
      "d.connection_id WHERE d.model_id IN (e.own_id, e.platform_id) AND d.model_id = e.served_as AND c.deleted_at IS "
      "NULL), 'version', e.version, 'createdAt', "
      "tokenrail_time(e.created_at), 'updatedAt', tokenrail_time(e.updated_at)) AS text) AS document FROM ({1}) e "
      "CROSS JOIN LATERAL ({3}) s WHERE ",
      status_of_models(Reads::single), effective_models(narrow, Seen::all), price_of_model, sources_of_fields,
      blocked_upstream);
}

namespace {

struct OrderKey {
  std::string value;  ///< of `e`; ascending
  std::string type;   ///< of SQL, to compare with @after_key
};

OrderKey key_of(ModelOrder order, const std::string& slug) {
  switch (order) {
    case ModelOrder::updated:
      return {.value = "CAST(-extract(epoch FROM e.updated_at) * 1000000 AS bigint)", .type = "bigint"};
    case ModelOrder::context:
      return {.value = "-COALESCE(e.context_window, 0)", .type = "bigint"};
    case ModelOrder::name:
      break;
  }
  return {.value = slug, .type = "text"};
}

}  // namespace

std::string order_of_documents(ModelOrder order) {
  return key_of(order, "e.slug").value + ", e.id";
}

std::string effective_page(const std::string& narrow, const std::string& condition, ModelOrder order) {
  const auto key = key_of(order, "e.order_slug");
  const auto part = [&](Seen rows) {
    return fmt::format(
        "(SELECT e.provider AS provider, e.model_name AS model_name, {2} AS place, e.order_id AS row_id FROM ({0}) e "
        "WHERE ({2}, e.order_id) > (CAST(@after_key AS {3}), CAST(@after_id AS uuid)) AND {1} ORDER BY {2}, e.order_id "
        "LIMIT CAST(@limit AS bigint))",
        effective_models(narrow, rows), condition, key.value, key.type);
  };
  return fmt::format(
      "SELECT u.provider AS provider, u.model_name AS model_name, CAST(u.place AS text) AS place, CAST(u.row_id AS "
      "text) "
      "AS row_id FROM ({} UNION ALL {}) u ORDER BY u.place, u.row_id LIMIT CAST(@limit AS bigint)",
      part(Seen::platform), part(Seen::own));
}

std::string named_in_page() {
  // OFFSET keeps the names plain columns: behind row-level security no index is used to compare what is taken out of
  // JSON.
  return "(m.provider, m.model_name) IN (SELECT n.provider, n.model_name FROM (SELECT x ->> 0 AS provider, x ->> 1 AS "
         "model_name FROM jsonb_array_elements(@@page) x OFFSET 0) n)";
}

std::string models_tagged(const ModelFilter& filter) {
  return filter.tags.empty() ? std::string()
                             : "tokenrail_models_tagged(ARRAY(SELECT jsonb_array_elements_text(@@tags)), @org, @owner)";
}

std::string models_like(const ModelFilter& filter) {
  return search_pattern(filter.search).empty() ? std::string() : "tokenrail_models_like(@like, @org, @owner)";
}

std::string narrowed_by(const ModelFilter& filter) {
  std::string narrow = filter.provider.empty() ? "true" : "m.provider = @provider";
  const std::string with =
      filter.capabilities.empty()
          ? std::string()
          : "tokenrail_models_with(ARRAY(SELECT jsonb_array_elements_text(@@capabilities)), @org, @owner)";
  for (const auto& names : {with, models_tagged(filter), models_like(filter)})
    if (!names.empty())
      narrow += fmt::format(" AND (m.provider, m.model_name) IN (SELECT w.provider, w.model_name FROM {} w)", names);
  return narrow;
}

std::string effective_count(const std::string& narrow, const std::string& condition) {
  const auto part = [&](Seen rows) {
    return fmt::format("(SELECT count(*) FROM ({}) e WHERE {})", effective_models(narrow, rows),
                       condition.empty() ? "true" : condition);
  };
  const std::string platform = condition.empty()
                                   ? "(SELECT count(*) FROM model m WHERE m.org_id IS NULL AND m.deleted_at IS NULL)"
                                   : part(Seen::platform);
  return fmt::format("SELECT CAST({} + {} AS text)", platform, part(Seen::own));
}

namespace {

/// Whether one of the prices that count now is so.
std::string has_price(Reads reads, std::string_view condition) {
  const auto prices = fmt::format(
      "price p WHERE p.effective_from <= now() AND (p.effective_to IS NULL OR p.effective_to > now()){}", condition);
  if (reads == Reads::single)
    return fmt::format("EXISTS (SELECT 1 FROM {} AND p.model_id IN (e.own_id, e.platform_id))", prices);
  // Own rows are few.
  return fmt::format(
      "((e.own_id IS NOT NULL AND EXISTS (SELECT 1 FROM {0} AND p.model_id = e.own_id)) OR e.platform_id IN (SELECT "
      "p.model_id FROM {0}))",
      prices);
}

/// What the filter asks for, and nothing about what it leaves open: each part is looked at for every model.
std::string condition_of(std::string_view prefix, const ModelFilter& filter, Reads reads, bool narrowed) {
  std::string all;
  const auto add = [&](bool asked, std::string_view condition) {
    if (asked) all += (all.empty() ? "(" : " AND (") + fmt::format(fmt::runtime(condition), prefix) + ")";
  };
  add(!filter.kind.empty(), "e.kind = @{0}kind");
  add(!filter.provider.empty(), "e.provider = @{0}provider");
  add(filter.scope == "platform", "e.scope = 'platform'");
  add(filter.scope == "organization", "e.scope <> 'platform'");
  add(!filter.scope.empty() && filter.scope != "platform" && filter.scope != "organization", "false");
  add(!filter.search.empty(), "strpos(lower(e.slug || ' ' || e.display_name), lower(@{0}search)) > 0");
  add(!filter.hidden, "NOT e.hidden");
  add(!filter.capabilities.empty(),
      std::string(narrowed ? "e.own_id IS NULL OR " : "") +
          "NOT EXISTS (SELECT 1 FROM jsonb_array_elements_text(@@{0}capabilities) c WHERE e.capabilities ->> c IS "
          "DISTINCT FROM 'supported')");
  add(!filter.tags.empty(),
      "NOT EXISTS (SELECT 1 FROM jsonb_array_elements_text(@@{0}tags) t WHERE t <> ALL (e.tags))");
  add(filter.context_min.has_value(), "e.context_window >= CAST(@{0}context AS bigint)");
  add(filter.free == false, has_price(reads, " AND p.amount > 0"));
  add(filter.free == true, has_price(reads, "") + " AND (" + has_price(reads, " AND p.amount > 0") + ") IS NOT TRUE");
  add(!filter.status.empty(), has_status(filter.status, reads));
  return all.empty() ? "true" : all;
}

}  // namespace

std::string filter_condition(const ModelFilter& filter, Reads reads, bool narrowed) {
  return condition_of("", filter, reads, narrowed);
}

std::string view_condition(const ModelFilter& filter, Reads reads) {
  const std::string pins = "(SELECT CAST(pin AS uuid) FROM jsonb_array_elements_text(@@view_pins) pin)";
  return "((" + condition_of("view_", filter, reads, false) + ") OR e.own_id IN " + pins + " OR e.platform_id IN " +
         pins + ")";
}

std::string statistics_of_models() {
  // Few combinations of capabilities are many models', and putting one together costs more than all else of a model. So
  // models are counted by what it is put together from.
  const auto of_row = [](std::string_view row) {
    return fmt::format(
        "CROSS JOIN LATERAL (SELECT g.{0}_own AS capabilities, jsonb_strip_nulls(jsonb_build_object('capabilities', "
        "g.{0}_curated)) AS curated, jsonb_strip_nulls(jsonb_build_object('capabilities', g.{0}_inferred)) AS "
        "inferred) "
        "{0} ",
        row);
  };
  const auto by = [](std::string_view name, std::string_view column) {
    return fmt::format(
        "'{}', (SELECT COALESCE(json_object_agg(k, n), '{{}}') FROM (SELECT g.{} AS k, sum(g.n) AS n FROM g "
        "GROUP BY 1) a)",
        name, column);
  };
  const auto own_capabilities = with_capabilities_elsewhere("o");
  return "WITH g AS (SELECT e.provider AS provider, e.kind AS kind, " + status_of_models(Reads::whole) +
         " AS status, e.o_own AS o_own, e.o_curated AS o_curated, e.o_inferred AS o_inferred, e.p_own AS p_own, "
         "e.p_curated AS p_curated, e.p_inferred AS p_inferred, count(*) AS n FROM (" +
         effective_models("true", Seen::all) +
         ") e GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9) SELECT 'statistics' AS id, CAST(0 AS bigint) AS version, "
         "CAST(json_build_object('models', (SELECT COALESCE(sum(n), 0) FROM g), " +
         by("byProvider", "provider") + ", " + by("byKind", "kind") + ", " + by("byStatus", "status") +
         ", 'byCapability', (SELECT COALESCE(json_object_agg(k, n), '{}') FROM (SELECT x.key AS k, sum(g.n) AS n FROM "
         "g " +
         of_row("o") + of_row("p") + "CROSS JOIN LATERAL jsonb_each_text(" + own_capabilities + " || " +
         with_capabilities_elsewhere("p") + " || " + known_capabilities(own_capabilities) +
         ") x WHERE x.value = 'supported' GROUP BY 1) d)) AS text) AS document";
}

}  // namespace tokenrail::registry
