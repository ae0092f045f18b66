#include "common/registry/own_prices.hpp"

#include <fmt/core.h>

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
const std::string of_owner =
    "p.model_id = CAST(@id AS uuid) AND p.source = @source AND p.deployment_id IS NOT DISTINCT FROM "
    "CAST(NULLIF(@deployment, '') AS uuid) AND p.effective_to IS NULL";
const std::string unwanted =
    of_owner + " AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(@@prices) w WHERE " + same_price + ")";

}  // namespace

void write_prices(soci::session& sql, const PriceOwner& owner, const std::vector<Price>& prices) {
  const auto arguments = Arguments()
                             .text("id", owner.model_id)
                             .text("deployment", owner.deployment_id)
                             .text("source", owner.source)
                             .text("actor", owner.by_whom)
                             .json("prices", prices_json(prices));
  run_statement(
      sql, "UPDATE price p SET effective_to = now(), closed_version = nextval('registry_version') WHERE " + unwanted,
      arguments);
  run_statement(
      sql,
      "INSERT INTO price (model_id, deployment_id, dimension, service_tier, min_context_tokens, utc_from, utc_to, "
      "amount, "
      "source, created_by) SELECT CAST(@id AS uuid), CAST(NULLIF(@deployment, '') AS uuid), w ->> 'dimension', w ->> "
      "'tier', CAST(w ->> 'tokens' AS bigint), CAST(w ->> 'from' AS int), CAST(w ->> 'to' AS int), CAST(w ->> 'micros' "
      "AS bigint), @source, @actor FROM jsonb_array_elements(@@prices) w WHERE NOT EXISTS (SELECT 1 FROM price p "
      "WHERE " +
          of_owner + " AND " + same_price + ")",
      arguments);
}

std::string deployment_on(soci::session& sql, const std::string& model_id, const std::string& connection_id) {
  return read_text(sql,
                   "SELECT CAST(id AS text) FROM deployment WHERE model_id = CAST(@model AS uuid) AND connection_id = "
                   "CAST(@connection AS uuid)",
                   Arguments().text("model", model_id).text("connection", connection_id))
      .value_or("");
}

}  // namespace tokenrail::registry
