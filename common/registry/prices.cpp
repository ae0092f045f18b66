#include "common/registry/prices.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "common/catalog/decimal.hpp"
#include "common/registry/governed_model_rows.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

/// One price as an object. Numbers in other units are for readers of older interfaces.
const std::string price_object =
    "json_strip_nulls(json_build_object('dimension', x.dimension, 'serviceTier', x.service_tier, 'minContextTokens', "
    "x.min_context_tokens, 'utcFrom', CASE WHEN x.utc_from <> x.utc_to THEN to_char(make_interval(mins => x.utc_from), "
    "'HH24:MI') END, 'utcTo', CASE WHEN x.utc_from <> x.utc_to THEN to_char(make_interval(mins => x.utc_to), "
    "'HH24:MI') "
    "END, 'amount', CAST(trim_scale(x.amount * 0.000001) AS text), 'source', x.source, 'origin', NULLIF(x.origin, ''), "
    "'effectiveFrom', tokenrail_time(x.effective_from), 'setBy', x.created_by, 'microsPerThousand', "
    "trim_scale(x.amount "
    "* 0.001), 'dollarsPerUnit', CAST(trim_scale(x.amount * 0.000000000001) AS text), 'dollarsPerMillion', "
    "trim_scale(x.amount * 0.000001)))";
const std::string price_order = " ORDER BY x.dimension, x.service_tier, x.min_context_tokens, x.utc_from, x.utc_to";

/// Rows `c` that hold now, of a model's row.
std::string current(const std::string& row) {
  return "price c WHERE c.model_id = " + row +
         " AND c.deployment_id IS NULL AND tstzrange(c.effective_from, c.effective_to) @> now()";
}

/// What a route would use: the own row's prices as a whole, else the platform's; in a row the best source of each
/// dimension and tier.
const std::string effective_prices =
    "SELECT c.*, rank() OVER (PARTITION BY c.dimension, c.service_tier ORDER BY array_position(ARRAY['override', "
    "'provider', 'curated', 'inferred'], c.source)) AS place FROM " +
    current("(SELECT CASE WHEN EXISTS (SELECT 1 FROM " + current("CAST(NULLIF(@own, '') AS uuid)") +
            ") THEN CAST(NULLIF(@own, '') AS uuid) ELSE CAST(NULLIF(@platform, '') AS uuid) END)");

Document document_of(soci::session& sql, const Scope& scope, const Document& model) {
  const auto rows = rows_of(model);
  const auto& written = scope.platform() ? rows.platform : rows.own;
  const auto json = read_text(
      sql,
      "SELECT CAST(json_build_object('model', @@model ->> 'slug', 'modelId', @@model ->> 'id', 'scope', @@model ->> "
      "'scope', 'currency', 'USD', 'isFree', (SELECT bool_and(x.amount = 0) FROM (" +
          effective_prices + ") x WHERE x.place = 1), 'prices', (SELECT COALESCE(json_agg(" + price_object +
          price_order + "), '[]') FROM (" + effective_prices +
          ") x WHERE x.place = 1), 'own', (SELECT COALESCE(json_agg(" + price_object + price_order +
          "), '[]') FROM (SELECT c.* FROM " + current("CAST(NULLIF(@written, '') AS uuid)") +
          " AND c.source = 'override') x), 'version', CAST(@version AS bigint)) AS text)",
      Arguments()
          .json("model", model.json)
          .text("own", rows.own)
          .text("platform", rows.platform)
          .text("written", written)
          .number("version", model.version));
  return {.id = model.id, .version = model.version, .json = json.value_or("{}")};
}

std::string prices_json(const std::vector<Price>& prices) {
  std::string json = "[";
  for (const auto& [key, micros] : prices) {
    if (json.size() > 1) json += ',';
    json += fmt::format(R"({{"dimension":"{}","tier":"{}","tokens":{},"from":{},"to":{},"micros":{}}})",
                        name_of(key.dimension), name_of(key.tier), key.min_context_tokens, key.window.from_minute,
                        key.window.to_minute, micros);
  }
  return json + "]";
}

const std::string same_price =
    "w ->> 'dimension' = p.dimension AND w ->> 'tier' = p.service_tier AND CAST(w ->> 'tokens' AS bigint) = "
    "p.min_context_tokens AND CAST(w ->> 'from' AS int) = p.utc_from AND CAST(w ->> 'to' AS int) = p.utc_to AND CAST(w "
    "->> 'micros' AS bigint) = p.amount";
const std::string set_by_people =
    "p.model_id = CAST(@id AS uuid) AND p.source = 'override' AND p.deployment_id IS NULL AND p.effective_to IS NULL";

void write_prices(soci::session& sql, const Actor& actor, const std::string& row, const std::vector<Price>& prices) {
  const auto arguments =
      Arguments().text("id", row).text("actor", storable(actor.name, 255)).json("prices", prices_json(prices));
  run_statement(sql,
                "UPDATE price p SET effective_to = now(), closed_version = nextval('registry_version') WHERE " +
                    set_by_people + " AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(@@prices) w WHERE " +
                    same_price + ")",
                arguments);
  run_statement(
      sql,
      "INSERT INTO price (model_id, dimension, service_tier, min_context_tokens, utc_from, utc_to, amount, "
      "source, created_by) SELECT CAST(@id AS uuid), w ->> 'dimension', w ->> 'tier', CAST(w ->> 'tokens' AS "
      "bigint), CAST(w ->> 'from' AS int), CAST(w ->> 'to' AS int), CAST(w ->> 'micros' AS bigint), "
      "'override', @actor FROM jsonb_array_elements(@@prices) w WHERE NOT EXISTS (SELECT 1 FROM price p WHERE " +
          set_by_people + " AND " + same_price + ")",
      arguments);
}

}  // namespace

Result<Document> Prices::get(const Actor& actor, const Scope& scope, const std::string& model) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    const auto found = find_model(sql, scope, model);
    if (!found) return no_model(model);
    return document_of(sql, scope, *found);
  });
}

Result<Document> Prices::set(const Actor& actor, const Scope& scope, const std::string& model,
                             const std::vector<Price>& prices, const std::optional<std::int64_t>& expected_version) {
  std::set<PriceKey> keys;
  for (const auto& price : prices) {
    if (!keys.insert(price.key).second)
      return fail(ErrorKind::invalid_input,
                  fmt::format("There are two prices of {} for the same service tier, prompt size and time of day.",
                              name_of(price.key.dimension)));
    if (price.micros < 0 || price.micros > price_micros_max)
      return fail(ErrorKind::invalid_input,
                  fmt::format("The price of {} is out of range.", name_of(price.key.dimension)));
  }
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    const auto now = find_model(sql, scope, model);
    if (!now) return no_model(model);
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    // To take back what was never set needs no row over the platform's.
    const auto rows = rows_of(*now);
    if (prices.empty() && (scope.platform() ? rows.platform : rows.own).empty()) {
      if (auto same = expect_version(expected_version, *now, "model"); !same) return std::unexpected(same.error());
      return document_of(sql, scope, *now);
    }
    auto locked = lock_row(sql, actor, scope, model, expected_version);
    if (!locked) return std::unexpected(locked.error());
    const auto before = document_of(sql, scope, locked->before);
    write_prices(sql, actor, locked->row, prices);
    publish_models(sql, actor, locked->model);
    const auto after_model = find_model(sql, scope, locked->row);
    if (!after_model) return no_model(model);
    auto after = document_of(sql, scope, *after_model);
    if (after.json == before.json) return after;
    write_audit(sql, actor,
                {.action = "model.prices_changed",
                 .target_type = "model",
                 .target_id = locked->row,
                 .target_name = locked->model.empty() ? std::string() : locked->model.front().state.slug,
                 .before = before.json,
                 .after = after.json,
                 .version = after.version,
                 .org_id = scope.org_id});
    return after;
  });
}

Result<std::int64_t> micros_from(const std::string& dollars) {
  const auto micros = catalog::scaled(dollars, 6);
  if (!micros) return fail(ErrorKind::invalid_input, fmt::format("'{}' is {}.", dollars, micros.error()));
  if (micros->rounded)
    return fail(ErrorKind::invalid_input, fmt::format("'{}' has more than six digits behind the point.", dollars));
  if (micros->value > price_micros_max)
    return fail(ErrorKind::invalid_input, fmt::format("'{}' is too large.", dollars));
  return micros->value;
}

std::optional<std::int16_t> minute_from(const std::string& clock) {
  const auto digit = [&](std::size_t at) { return clock[at] - '0'; };
  if (clock.size() != 5 || clock[2] != ':') return std::nullopt;
  for (const std::size_t at : {0U, 1U, 3U, 4U})
    if (digit(at) < 0 || digit(at) > 9) return std::nullopt;
  const int minute = (digit(0) * 10 + digit(1)) * 60 + digit(3) * 10 + digit(4);
  if (digit(3) > 5 || minute >= minutes_a_day) return std::nullopt;
  return static_cast<std::int16_t>(minute);
}

}  // namespace tokenrail::registry
