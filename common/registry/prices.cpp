#include "common/registry/prices.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "common/catalog/decimal.hpp"
#include "common/registry/governed_model_rows.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/own_prices.hpp"
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

/// What a route would use: the own row's prices as a whole, else the platform's, on the deployment that is named or the
/// row's first.
const std::string effective_prices =
    "SELECT c.* FROM (SELECT CASE WHEN EXISTS (SELECT 1 FROM " +
    prices_on("CAST(NULLIF(@own, '') AS uuid)", first_deployment_of("CAST(NULLIF(@own, '') AS uuid)"), "o") +
    ") THEN CAST(NULLIF(@own, '') AS uuid) ELSE CAST(NULLIF(@platform, '') AS uuid) END AS id OFFSET 0) w, LATERAL " +
    prices_on("w.id", "COALESCE(CAST(NULLIF(@deployment, '') AS uuid), " + first_deployment_of("w.id") + ")", "c");

Document document_of(soci::session& sql, const Scope& scope, const Document& model, const std::string& deployment,
                     const std::string& connection) {
  const auto rows = rows_of(model);
  const auto& written = rows.of(scope);
  static const KeptStatement statement(
      "WITH x AS MATERIALIZED (" + effective_prices +
      ") SELECT CAST(json_build_object('model', @@model ->> 'slug', 'modelId', @@model ->> 'id', 'scope', @@model ->> "
      "'scope', 'connection', NULLIF(@connection, ''), 'currency', 'USD', 'isFree', (SELECT bool_and(x.amount = 0) "
      "FROM x), 'prices', (SELECT COALESCE(json_agg(" +
      price_object + price_order + "), '[]') FROM x), 'own', (SELECT COALESCE(json_agg(" + price_object + price_order +
      "), '[]') FROM price x WHERE x.model_id = CAST(NULLIF(@written, '') AS uuid) AND x.source = 'override' AND "
      "x.deployment_id IS NOT DISTINCT FROM CAST(NULLIF(@deployment, '') AS uuid) AND tstzrange(x.effective_from, "
      "x.effective_to) @> now()), 'version', CAST(@version AS bigint)) AS text) AS text");
  const auto json = statement.read_text(sql, Arguments()
                                                 .json("model", model.json)
                                                 .text("own", rows.own)
                                                 .text("platform", rows.platform)
                                                 .text("written", written)
                                                 .text("deployment", deployment)
                                                 .text("connection", connection)
                                                 .number("version", model.version));
  return {.id = model.id, .version = model.version, .json = json.value_or("{}")};
}

/// The deployment on the connection of that id, or the nearest one of that name, in a model's row; empty: of none.
Result<std::string> named_deployment(soci::session& sql, const std::string& row, const std::string& connection) {
  if (connection.empty()) return std::string();
  auto id = read_text(
      sql,
      "SELECT CAST(d.id AS text) FROM deployment d JOIN connection c ON c.id = d.connection_id WHERE "
      "d.model_id = CAST(NULLIF(@row, '') AS uuid) AND (c.name = @connection OR CAST(c.id AS text) = @connection) AND "
      "c.deleted_at IS NULL ORDER BY CAST(c.id AS text) = @connection DESC, c.owner_user_id NULLS LAST, "
      "c.org_id NULLS LAST LIMIT 1",
      Arguments().text("row", row).text("connection", connection));
  if (id) return std::move(*id);
  return fail(ErrorKind::not_found, fmt::format("The model is on no connection {} of this scope.", connection));
}

}  // namespace

Result<Document> Prices::get(const Actor& actor, const Scope& scope, const std::string& model,
                             const std::string& connection) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    const auto found = find_model(sql, scope, model);
    if (!found) return no_model(model);
    const auto deployment = named_deployment(sql, rows_of(*found).of(scope), connection);
    if (!deployment) return std::unexpected(deployment.error());
    return document_of(sql, scope, *found, *deployment, connection);
  });
}

Result<Document> Prices::set(const Actor& actor, const Scope& scope, const std::string& model,
                             const std::vector<Price>& prices, const std::optional<std::int64_t>& expected_version,
                             const std::string& connection) {
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
    const auto named = find_rows(sql, scope, model);
    if (!named) return no_model(model);
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    const auto& row = named->rows.of(scope);
    const auto deployment = named_deployment(sql, row, connection);
    if (!deployment) return std::unexpected(deployment.error());
    // To take back what was never set needs no row over the platform's.
    if (prices.empty() && row.empty()) {
      const auto now = read_model(sql, scope, *named);
      if (!now) return no_model(model);
      if (auto same = expect_version(expected_version, *now, "model"); !same) return std::unexpected(same.error());
      return document_of(sql, scope, *now, *deployment, connection);
    }
    auto locked = lock_row(sql, actor, scope, model, expected_version);
    if (!locked) return std::unexpected(locked.error());
    const auto before = document_of(sql, scope, locked->before, *deployment, connection);
    write_prices(sql, "override", storable(actor.name, 255),
                 std::vector{OwnPrices{.model_id = locked->row, .deployment_id = *deployment, .prices = prices}});
    publish_models(sql, actor, locked->model);
    const auto after_model = read_model(sql, scope, *named);
    if (!after_model) return no_model(model);
    auto after = document_of(sql, scope, *after_model, *deployment, connection);
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
