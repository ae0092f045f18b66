// /v1/orgs/{org}/models/{model}/prices: what a model costs. Amounts are decimal texts in US dollars per million units.
#include "common/registry/prices.hpp"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/price_form.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::Prices;

constexpr std::int64_t prices_max = 512;

Schema words(std::span<const std::string_view> names) {
  std::vector<std::string> choices;
  for (const auto name : names) choices.emplace_back(name);
  return choice(std::move(choices));
}

std::vector<Property> key_properties() {
  return {
      required("dimension", words(price_dimension_names)),
      optional("serviceTier", described(words(service_tier_names), "Without it: standard.")),
      optional("minContextTokens",
               described(integer(0, 1'000'000'000'000),
                         "Holds where the prompt has at least that many tokens; without it: always.")),
      optional("utcFrom", described(text(5, 5), "Holds from that time of day on, HH:MM in UTC; without it: all day.")),
      optional("utcTo", described(text(5, 5), "Holds until that time of day.")),
      required("amount", described(text(1, 32), "US dollars per million units, such as \"2.5\".")),
  };
}

const Schema& prices_input() {
  static const auto schema =
      object("PricesInput", {required("prices", described(list_of(object("PriceInput", key_properties()), prices_max),
                                                          "All that the scope sets; an empty list takes them back."))});
  return schema;
}

const Schema& prices_reply() {
  static const auto schema = [] {
    auto properties = key_properties();
    properties.push_back(optional("source", choice({"override", "provider", "curated", "inferred"})));
    properties.push_back(optional("origin", described(text(), "Of a curated price: the catalogue.")));
    properties.push_back(optional("effectiveFrom", date_time()));
    properties.push_back(optional("setBy", text()));
    properties.push_back(
        optional("microsPerThousand", described(number(), "The same in micro-dollars per thousand units.")));
    properties.push_back(optional("dollarsPerUnit", described(text(), "The same in US dollars per unit.")));
    properties.push_back(optional("dollarsPerMillion", described(number(), "The same as a number.")));
    const auto price = open_object("Price", std::move(properties));
    return open_object(
        "Prices", {required("model", text()), required("modelId", text()), required("currency", text()),
                   optional("scope", text()), optional("connection", described(nullable(text()), "As asked for.")),
                   optional("isFree", described(nullable(boolean()), "null: no price is known.")),
                   required("prices", described(list_of(price, prices_max), "What holds now.")),
                   required("own", described(list_of(price, prices_max), "Those that a person set in this scope.")),
                   required("version", described(integer(0), "That of the model."))});
  }();
  return schema;
}

Problem refused_price(std::size_t index, std::string_view member, const std::string& detail) {
  return {.fault = Fault::invalid_value,
          .detail = "A price cannot be read.",
          .errors = {{.pointer = fmt::format("/prices/{}/{}", index, member), .detail = detail}}};
}

awaitable<Answer> get_prices(Call& call) {
  return answer_document(
      call,
      [actor = call.actor(), scope = call.scope(), id = call.path["model"],
       connection = call.query.text("connection").value_or("")](GovernedDatabase& database) {
        return Prices(database).get(actor, scope, id, connection);
      },
      Kind::model);
}

awaitable<Answer> set_prices(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  std::vector<Price> wanted;
  if (const auto* list = call.body.find("prices"); list != nullptr && list->array() != nullptr) {
    for (const auto& item : *list->array()) {
      auto price = price_of(item, wanted.size());
      if (!price) co_return std::unexpected(std::move(price.error()));
      wanted.push_back(*price);
    }
  }
  const auto set = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["model"], match = *match, wanted = std::move(wanted),
       connection = call.query.text("connection").value_or("")](GovernedDatabase& database) {
        Prices prices(database);
        return write_if_matching(
            match, Kind::model, [&] { return prices.get(actor, scope, id, connection); },
            [&](std::optional<std::int64_t> expected) {
              return prices.set(actor, scope, id, wanted, expected, connection);
            });
      });
  if (!set) co_return std::unexpected(set.error());
  co_return versioned_reply(call, set->version, set->json);
}

}  // namespace

std::expected<Price, Problem> price_of(const Json& value, std::size_t index) {
  Price price;
  price.key.dimension = price_dimension_from(value.text_of("dimension").value_or("")).value_or(PriceDimension::input);
  price.key.tier = service_tier_from(value.text_of("serviceTier").value_or("standard")).value_or(ServiceTier::standard);
  price.key.min_context_tokens = value.integer_of("minContextTokens").value_or(0);
  const auto from = value.text_of("utcFrom");
  const auto to = value.text_of("utcTo");
  if (from || to) {
    const auto from_minute = registry::minute_from(from.value_or(""));
    if (!from_minute) return std::unexpected(refused_price(index, "utcFrom", "A window needs a time of day, HH:MM."));
    const auto to_minute = registry::minute_from(to.value_or(""));
    if (!to_minute) return std::unexpected(refused_price(index, "utcTo", "A window needs a time of day, HH:MM."));
    price.key.window = {.from_minute = *from_minute, .to_minute = *to_minute};
  }
  const auto micros = registry::micros_from(value.text_of("amount").value_or(""));
  if (!micros) return std::unexpected(refused_price(index, "amount", micros.error().detail));
  price.micros = *micros;
  return price;
}

void add_price_routes(std::vector<Route>& routes) {
  static constexpr std::array parameters{
      owner_parameter,
      QueryParameter{
          .name = "connection",
          .description =
              "Prices on that connection, by its name or id; without it: on the first that serves the model."}};
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/models/{model}/prices",
                    .operation = "models.prices.get",
                    .summary = "Reads what a model costs the organisation.",
                    .permission = "org:models:read",
                    .query = parameters,
                    .conditional = true,
                    .reply = &prices_reply(),
                    .tag = "models",
                    .handler = get_prices});
  routes.push_back({.method = "PUT",
                    .pattern = "/v1/orgs/{org}/models/{model}/prices",
                    .operation = "models.prices.set",
                    .summary = "Sets the organisation's own prices of a model; an empty list takes them back.",
                    .permission = "org:models:write",
                    .query = parameters,
                    .conditional = true,
                    .body = &prices_input(),
                    .reply = &prices_reply(),
                    .tag = "models",
                    .handler = set_prices});
}

}  // namespace tokenrail::registry_api
