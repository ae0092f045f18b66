#include "common/registry/model_rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string_view>

#include <fmt/core.h>

#include "common/catalog/inference.hpp"
#include "common/registry/kept_statements.hpp"

namespace tokenrail::registry {

namespace {

/// The prices of some rows `x`, as one text.
std::string prices_text(std::string_view rows) {
  return fmt::format(
      "(SELECT string_agg(concat_ws('|', x.dimension, x.service_tier, x.min_context_tokens, x.utc_from, x.utc_to, "
      "x.amount), chr(31) ORDER BY x.dimension, x.service_tier, x.min_context_tokens, x.utc_from, x.utc_to) FROM {})",
      rows);
}

/// What the model costs now, on its first deployment.
const std::string current_prices =
    prices_text(prices_on("m.id", first_deployment_of("m.id"), "x")) +
    " AS prices, (SELECT GREATEST(max(c.version), max(c.closed_version)) FROM price c WHERE c.model_id = m.id) AS "
    "prices_version,\n";

/// A limit where the provider says nothing of it.
std::string told_elsewhere(std::string_view name) {
  return fmt::format("CAST(COALESCE(m.curated ->> '{0}', m.inferred ->> '{0}') AS bigint)", name);
}

// Sets and maps come as text of unit-separated parts: SOCI knows no arrays, and neither names nor words hold control
// characters.
const std::string model_columns = R"(
  SELECT CAST(m.id AS text) AS id, m.org_id AS org_id, m.owner_user_id AS owner_user_id, m.provider AS provider,
    m.model_name AS model_name, m.slug AS slug, m.kind AS kind, m.display_name AS display_name,
    m.description AS description, m.family AS family, m.digest AS digest, m.details_digest AS details_digest,
    CAST(floor(extract(epoch FROM m.details_at) * 1000) AS bigint) AS details_at_ms,
    m.lifecycle AS lifecycle, m.platform_blocked AS platform_blocked,
    COALESCE(m.enabled, true) AS enabled, m.enabled IS NULL AS inherits,
    m.hidden AS hidden, CAST(floor(extract(epoch FROM m.maintenance_until) * 1000) AS bigint) AS maintenance_until_ms,
    m.maintenance_reason AS maintenance_reason, array_to_string(m.tags, chr(31)) AS tags,
    (SELECT n.provider || chr(31) || n.model_name FROM model n WHERE n.id = m.replacement_id) AS replacement,
    (SELECT CAST(avg(q.score) AS double precision) FROM quality_score q WHERE q.model_id = m.id) AS quality_score,
    (SELECT string_agg(s.metric || '=' || s.score, chr(31) ORDER BY s.metric) FROM (SELECT q.metric,
      CAST(avg(q.score) AS double precision) AS score FROM quality_score q WHERE q.model_id = m.id GROUP BY q.metric) s)
      AS scores,
    )" + current_prices + "    " + told_elsewhere("contextWindow") +
                                  R"( AS context_window_elsewhere,
    )" + told_elsewhere("inputTokensMax") +
                                  R"( AS input_tokens_max_elsewhere,
    )" + told_elsewhere("outputTokensMax") +
                                  R"( AS output_tokens_max_elsewhere,
    )" + told_elsewhere("embeddingDimensions") +
                                  R"( AS embedding_dimensions_elsewhere,
    COALESCE(m.curated ->> 'displayName', '') AS display_name_elsewhere,
    COALESCE(m.curated ->> 'family', m.inferred ->> 'family', '') AS family_elsewhere,
    COALESCE(m.curated ->> 'lifecycle', '') AS lifecycle_elsewhere,
    (SELECT string_agg(c.key || '=' || c.value, chr(31)) FROM jsonb_each_text(COALESCE(m.inferred -> 'capabilities',
      '{}') || COALESCE(m.curated -> 'capabilities', '{}')) c) AS capabilities_elsewhere,
    m.availability AS availability, m.missing_expired AS missing_expired,
    CAST(floor(extract(epoch FROM m.missing_since) * 1000) AS bigint) AS missing_since_ms,
    m.context_window AS context_window, m.input_tokens_max AS input_tokens_max,
    m.output_tokens_max AS output_tokens_max, m.embedding_dimensions AS embedding_dimensions, m.version AS version,
    (SELECT string_agg(c.key || '=' || c.value, chr(31)) FROM jsonb_each_text(m.capabilities) c) AS capabilities,
    (SELECT string_agg(k, chr(31)) FROM jsonb_object_keys(m.override) k) AS overridden,
    EXISTS (SELECT 1 FROM model_default d WHERE d.model_id = m.id AND d.purpose = '' AND d.kind = m.kind
      AND d.org_id IS NOT DISTINCT FROM m.org_id AND d.owner_user_id IS NOT DISTINCT FROM m.owner_user_id) AS is_default,
    r.cause AS cause, r.actor AS actor
  FROM model m LEFT JOIN model_revision r ON r.model_id = m.id AND r.version = m.version
  WHERE m.deleted_at IS NULL AND )";

const std::string deployment_columns = "SELECT " + prices_text("tokenrail_prices(d.model_id, d.id) x") +
                                       " AS prices, EXISTS (SELECT 1 FROM price p WHERE p.model_id = d.model_id AND "
                                       "p.deployment_id IS NOT NULL) AS prices_differ, " +
                                       prices_text(
                                           "price x WHERE x.deployment_id = d.id AND x.source = 'provider' AND "
                                           "x.effective_to IS NULL") +
                                       R"( AS listed_prices,
    CAST(d.model_id AS text) AS model_id, CAST(d.id AS text) AS id, d.upstream_name AS upstream_name,
    d.digest AS digest, d.enabled AS enabled, d.availability AS availability, d.missing_runs AS missing_runs,
    d.answer_sha256 AS answer_sha256,
    CAST(floor(extract(epoch FROM d.missing_since) * 1000) AS bigint) AS missing_since_ms,
    COALESCE(d.priority, c.priority) AS priority, COALESCE(d.weight, c.weight) AS weight,
    d.requests_per_minute AS requests_per_minute, d.tokens_per_minute AS tokens_per_minute,
    CAST(d.params AS text) AS own_params, CAST()" +
                                       std::string(call_params_of_model) +
                                       R"( || d.params AS text) AS params,
    CAST(c.id AS text) AS connection_id, c.name AS connection_name, c.org_id AS connection_org_id,
    c.owner_user_id AS connection_owner_user_id, c.provider AS provider, p.adapter AS adapter,
    c.base_url AS base_url, c.auth_type AS auth_type, c.auth_name AS auth_name, CAST(c.credential_id AS text) AS credential_id,
    c.credential_version AS credential_version, c.enabled AS connection_enabled
  FROM deployment d
    JOIN connection c ON c.id = d.connection_id AND c.deleted_at IS NULL
    JOIN provider p ON p.slug = c.provider
    JOIN model m ON m.id = d.model_id
  WHERE m.deleted_at IS NULL AND )";
constexpr const char* deployment_order = " ORDER BY d.model_id, COALESCE(d.priority, c.priority), c.id";

events::Support support_from(std::string_view word) {
  if (word == "supported") return events::Support::supported;
  return word == "unsupported" ? events::Support::unsupported : events::Support::unknown;
}

std::map<std::string, events::Support> capabilities_from(const std::string& parts) {
  std::map<std::string, events::Support> capabilities;
  for (const auto& pair : parts_of(parts)) {
    const auto equals = pair.find('=');
    capabilities[pair.substr(0, equals)] = support_from(std::string_view(pair).substr(equals + 1));
  }
  return capabilities;
}

std::int64_t number_from(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

double decimal_from(std::string_view text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::map<std::string, double> scores_from(const std::string& parts) {
  std::map<std::string, double> scores;
  for (const auto& pair : parts_of(parts)) {
    const auto equals = pair.rfind('=');
    if (equals != std::string::npos)
      scores[pair.substr(0, equals)] = decimal_from(std::string_view(pair).substr(equals + 1));
  }
  return scores;
}

std::vector<Price> price_list_from(const std::string& parts) {
  std::vector<Price> prices;
  for (const auto& part : parts_of(parts)) {
    std::array<std::string_view, 6> columns{};
    std::string_view rest = part;
    for (auto& column : columns) {
      column = rest.substr(0, rest.find('|'));
      rest.remove_prefix(std::min(rest.size(), column.size() + 1));
    }
    const auto dimension = price_dimension_from(columns[0]);
    const auto tier = service_tier_from(columns[1]);
    if (!dimension || !tier) continue;
    const Price price{.key = {.dimension = *dimension,
                              .tier = *tier,
                              .min_context_tokens = number_from(columns[2]),
                              .window = {.from_minute = static_cast<std::int16_t>(number_from(columns[3])),
                                         .to_minute = static_cast<std::int16_t>(number_from(columns[4]))}},
                      .micros = number_from(columns[5])};
    prices.push_back(price);
  }
  return prices;
}

events::ModelPrices prices_from(const std::string& parts, std::int64_t version) {
  events::ModelPrices prices;
  if (parts.empty()) return prices;
  prices.version = version;
  for (const auto& price : price_list_from(parts)) {
    if (price.key == PriceKey{.dimension = PriceDimension::input}) {
      prices.input_micros = price.micros;
    } else if (price.key == PriceKey{.dimension = PriceDimension::output}) {
      prices.output_micros = price.micros;
    } else {
      prices.others.push_back(price);
    }
  }
  return prices;
}

FactsElsewhere facts_elsewhere_from(const KeptRows::Row& row, const std::set<std::string>& overridden) {
  return {.display_name = text(row, "display_name_elsewhere"),
          .family = text(row, "family_elsewhere"),
          .lifecycle = overridden.contains("lifecycle") ? std::string() : text(row, "lifecycle_elsewhere"),
          .context_window = maybe_number(row, "context_window_elsewhere"),
          .input_tokens_max = maybe_number(row, "input_tokens_max_elsewhere"),
          .output_tokens_max = maybe_number(row, "output_tokens_max_elsewhere"),
          .embedding_dimensions = maybe_number(row, "embedding_dimensions_elsewhere"),
          .capabilities = capabilities_from(text(row, "capabilities_elsewhere"))};
}

ModelRow model_from(const KeptRows::Row& row) {
  ModelRow model;
  auto& state = model.state;
  state.id = text(row, "id");
  state.org_id = text(row, "org_id");
  state.owner_user_id = text(row, "owner_user_id");
  state.provider = text(row, "provider");
  state.model_name = text(row, "model_name");
  state.slug = text(row, "slug");
  state.kind = text(row, "kind");
  state.display_name = text(row, "display_name");
  state.description = text(row, "description");
  state.family = text(row, "family");
  state.digest = text(row, "digest");
  state.lifecycle = text(row, "lifecycle");
  state.enabled = truth(row, "enabled");
  state.inherits = truth(row, "inherits");
  state.hidden = truth(row, "hidden");
  state.maintenance_until_ms = maybe_number(row, "maintenance_until_ms");
  state.maintenance_reason = text(row, "maintenance_reason");
  state.tags = parts_of(text(row, "tags"));
  if (const auto names = parts_of(text(row, "replacement")); names.size() == 2)
    state.replacement = events::ModelName{names[0], names[1]};
  if (const auto score = row.value("quality_score")) state.quality_score = decimal_from(*score);
  if (auto scores = scores_from(text(row, "scores")); !scores.empty()) state.scores = std::move(scores);
  model.prices_version = maybe_number(row, "prices_version").value_or(0);
  state.prices = prices_from(text(row, "prices"), model.prices_version);
  state.platform_blocked = truth(row, "platform_blocked");
  state.availability = text(row, "availability");
  state.missing_since_ms = maybe_number(row, "missing_since_ms");
  state.context_window = maybe_number(row, "context_window");
  state.input_tokens_max = maybe_number(row, "input_tokens_max");
  state.output_tokens_max = maybe_number(row, "output_tokens_max");
  state.embedding_dimensions = maybe_number(row, "embedding_dimensions");
  state.capabilities = capabilities_from(text(row, "capabilities"));
  state.is_default = truth(row, "is_default");
  state.version = number(row, "version");
  for (auto& field : parts_of(text(row, "overridden"))) model.overridden.insert(std::move(field));
  model.details_digest = text(row, "details_digest");
  model.details_at_ms = maybe_number(row, "details_at_ms");
  model.missing_expired = truth(row, "missing_expired");
  model.cause = text(row, "cause");
  model.actor = text(row, "actor");
  model.listed = ListedFacts{state};
  model.elsewhere = facts_elsewhere_from(row, model.overridden);
  model.elsewhere.fill(state);
  return model;
}

DeploymentRow deployment_from(const KeptRows::Row& row) {
  DeploymentRow deployment;
  auto& state = deployment.state;
  state.id = text(row, "id");
  state.connection_id = text(row, "connection_id");
  state.connection_name = text(row, "connection_name");
  state.connection_org_id = text(row, "connection_org_id");
  state.connection_owner_user_id = text(row, "connection_owner_user_id");
  state.provider = text(row, "provider");
  state.adapter = text(row, "adapter");
  state.base_url = text(row, "base_url");
  state.auth_type = text(row, "auth_type");
  state.auth_name = text(row, "auth_name");
  if (auto credential = text(row, "credential_id"); !credential.empty()) state.credential_id = std::move(credential);
  state.credential_version = number(row, "credential_version");
  state.upstream_name = text(row, "upstream_name");
  state.priority = number(row, "priority");
  state.weight = number(row, "weight");
  state.requests_per_minute = maybe_number(row, "requests_per_minute");
  state.tokens_per_minute = maybe_number(row, "tokens_per_minute");
  state.parameters = events::read_call_defaults(text(row, "params"), state.invalid_parameters);
  deployment.own_params = text(row, "own_params");
  deployment.serves = truth(row, "enabled") && truth(row, "connection_enabled");
  state.enabled = deployment.serves;
  deployment.stored.id = state.id;
  deployment.stored.upstream_name = state.upstream_name;
  deployment.stored.digest = text(row, "digest");
  deployment.stored.missing_since_ms = maybe_number(row, "missing_since_ms");
  deployment.stored.missing_runs = number(row, "missing_runs");
  deployment.stored.answer_sha256 = text(row, "answer_sha256");
  deployment.stored.enabled = truth(row, "enabled");
  deployment.stored.prices = price_list_from(text(row, "listed_prices"));
  // The database orders words, and keys are ordered by what they are.
  std::ranges::sort(deployment.stored.prices);
  // The version is the model's; settle() adds it.
  if (truth(row, "prices_differ")) state.prices = prices_from(text(row, "prices"), 0);
  return deployment;
}

/// What routers see follows from the rows; the diff of registry-sync foresees it by the same rules (as_routers_see).
void settle(ModelRow& model) {
  const bool any_listed =
      std::ranges::any_of(model.deployments, [](const auto& d) { return d.serves && !d.stored.missing_since_ms; });
  for (auto& deployment : model.deployments) {
    // A host that has lost the model is passed over while another one has it.
    if (any_listed && deployment.stored.missing_since_ms) deployment.state.enabled = false;
    if (auto& prices = deployment.state.prices) {
      if (*prices != events::ModelPrices{}) prices->version = model.prices_version;
      if (*prices == model.state.prices) prices.reset();
    }
    model.state.deployments.push_back(deployment.state);
  }
  model.state.routable = routable(model.state, model.missing_expired);
  // A row without deployments of its own overrides one that has them: whether those serve is seen there.
  if (!model.state.org_id.empty() && model.deployments.empty())
    model.state.routable = !model.state.platform_blocked && model.state.lifecycle != "retired" && model.state.enabled;
}

/// The statement with $1 and $2 for :first and :second.
std::string with_values(std::string statement) {
  for (const auto& [name, place] : {std::pair<std::string_view, std::string_view>(":first", "$1"), {":second", "$2"}}) {
    for (auto at = statement.find(name); at != std::string::npos; at = statement.find(name, at))
      statement.replace(at, name.size(), place);
  }
  return statement;
}

void attach(std::vector<ModelRow>& models, std::map<std::string, std::vector<DeploymentRow>> deployments) {
  for (auto& model : models) {
    model.deployments = std::move(deployments[model.state.id]);
    settle(model);
  }
}

}  // namespace

std::string first_deployment_of(std::string_view id) {
  return fmt::format(
      "(SELECT d.id FROM deployment d JOIN connection c ON c.id = d.connection_id WHERE d.model_id = {} AND "
      "c.deleted_at "
      "IS NULL ORDER BY d.enabled AND c.enabled DESC, COALESCE(d.priority, c.priority), c.id LIMIT 1)",
      id);
}

std::string prices_on(std::string_view id, std::string_view deployment, std::string_view name) {
  return fmt::format("(SELECT {1} AS id OFFSET 0) {2}_on, LATERAL tokenrail_prices({0}, {2}_on.id) {2}", id, deployment,
                     name);
}

ListedFacts::ListedFacts(const events::ModelState& state)
    : display_name(state.display_name),
      family(state.family),
      lifecycle(state.lifecycle),
      context_window(state.context_window),
      input_tokens_max(state.input_tokens_max),
      output_tokens_max(state.output_tokens_max),
      embedding_dimensions(state.embedding_dimensions),
      capabilities(state.capabilities) {}

void ListedFacts::restore(events::ModelState& state) && {
  state.display_name = std::move(display_name);
  state.family = std::move(family);
  state.lifecycle = std::move(lifecycle);
  state.context_window = context_window;
  state.input_tokens_max = input_tokens_max;
  state.output_tokens_max = output_tokens_max;
  state.embedding_dimensions = embedding_dimensions;
  state.capabilities = std::move(capabilities);
}

std::vector<ModelRow> read_models(soci::session& sql, const std::string& where, const std::string& first,
                                  const std::string& second) {
  const std::vector<std::optional<std::string>> values{first.empty() ? std::nullopt : std::optional(first),
                                                       second.empty() ? std::nullopt : std::optional(second)};
  std::vector<ModelRow> models;
  const auto rows = run_kept(sql, with_values(model_columns + where + " ORDER BY m.slug, m.id"), values);
  models.reserve(static_cast<std::size_t>(rows.count()));
  for (int at = 0; at < rows.count(); ++at) models.push_back(model_from(rows.row(at)));
  std::map<std::string, std::vector<DeploymentRow>> deployments;
  const auto served = run_kept(sql, with_values(deployment_columns + where + deployment_order), values);
  for (int at = 0; at < served.count(); ++at) {
    const auto row = served.row(at);
    deployments[text(row, "model_id")].push_back(deployment_from(row));
  }
  attach(models, std::move(deployments));
  return models;
}

std::vector<ModelRow> read_models(soci::session& sql, const std::vector<std::string>& ids) {
  // Nearly always it is one, and the plan for one is kept.
  if (ids.size() == 1)
    return read_models(sql, "m.id = CAST(:first AS uuid) AND CAST(:second AS text) IS NULL", ids.front(), "");
  return read_models(sql, "m.id = ANY (CAST(string_to_array(:first, ',') AS uuid[])) AND CAST(:second AS text) IS NULL",
                     joined(ids), "");
}

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\x1f', at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += ',';
    out += part;
  }
  return out;
}

void lock_models(soci::session& sql, const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  run_kept(
      sql,
      "SELECT 1 FROM model WHERE id = ANY (CAST(string_to_array($1, ',') AS uuid[])) ORDER BY id FOR NO KEY UPDATE",
      {joined(ids)});
}

void write_inferred(soci::session& sql, const std::string& id, const std::string& model_name) {
  const auto inferred = catalog::to_json(catalog::infer(model_name));
  sql << "UPDATE model SET inferred = CAST(:inferred AS jsonb) WHERE id = CAST(:id AS uuid) AND inferred <> "
         "CAST(:inferred AS jsonb)",
      soci::use(inferred, "inferred"), soci::use(id, "id");
}

}  // namespace tokenrail::registry
