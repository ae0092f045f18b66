#include "common/registry/own_prices.hpp"

#include <fmt/core.h>

#include "common/registry/json_arrays.hpp"
#include "common/registry/kept_statements.hpp"

namespace tokenrail::registry {

namespace {

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
// OFFSET keeps the ids plain columns: behind row-level security no index is used to compare what is taken out of JSON.
const std::string given_owners =
    "(SELECT CAST(x ->> 'model' AS uuid) AS model_id, CAST(x ->> 'deployment' AS uuid) AS deployment_id, x -> 'prices' "
    "AS prices FROM jsonb_array_elements(@@owners) x OFFSET 0) o";
const std::string of_owner =
    "p.model_id = o.model_id AND p.source = @source AND p.deployment_id IS NOT DISTINCT FROM o.deployment_id AND "
    "p.effective_to IS NULL";

}  // namespace

void write_prices(soci::session& sql, std::string_view source, const std::string& by_whom,
                  std::span<const OwnPrices> all) {
  static const auto closing =
      with_arguments("UPDATE price p SET effective_to = now(), closed_version = nextval('registry_version') FROM " +
                         given_owners + " WHERE " + of_owner +
                         " AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(o.prices) w WHERE " + same_price + ")",
                     "$1");
  // OFFSET: each price is looked for by the index of its model, and not in a join with all prices.
  static const auto adding = with_arguments(
      "INSERT INTO price (model_id, deployment_id, dimension, service_tier, min_context_tokens, utc_from, utc_to, "
      "amount, source, created_by) SELECT o.model_id, o.deployment_id, w ->> 'dimension', w ->> 'tier', CAST(w ->> "
      "'tokens' AS bigint), CAST(w ->> 'from' AS int), CAST(w ->> 'to' AS int), CAST(w ->> 'micros' AS bigint), "
      "@source, @actor FROM " +
          given_owners +
          " CROSS JOIN LATERAL jsonb_array_elements(o.prices) w WHERE NOT EXISTS (SELECT 1 FROM price p WHERE " +
          of_owner + " AND " + same_price + " OFFSET 0)",
      "$1");
  JsonArrays arrays([&](const std::string& array) {
    const auto arguments = Arguments().text("source", source).text("actor", by_whom).json("owners", array).object();
    run_kept(sql, closing, {arguments});
    run_kept(sql, adding, {arguments});
  });
  for (const auto& [model, deployment, prices] : all)
    arrays.add(Arguments()
                   .text("model", model)
                   .text_or_null("deployment", deployment)
                   .json("prices", prices_json(prices))
                   .object());
  arrays.flush();
}

std::string deployment_on(soci::session& sql, const std::string& model_id, const std::string& connection_id) {
  return read_text(sql,
                   "SELECT CAST(id AS text) FROM deployment WHERE model_id = CAST(@model AS uuid) AND connection_id = "
                   "CAST(@connection AS uuid)",
                   Arguments().text("model", model_id).text("connection", connection_id))
      .value_or("");
}

}  // namespace tokenrail::registry
