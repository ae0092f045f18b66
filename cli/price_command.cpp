// `tokenrail registry price`: what a model costs, and what a person sets over the catalogues.
#include <charconv>

#include <fmt/format.h>
#include <simdjson.h>

#include "cli/govern.hpp"
#include "cli/governance.hpp"
#include "cli/price_words.hpp"
#include "cli/table.hpp"
#include "common/catalog/plan.hpp"
#include "common/registry/prices.hpp"

namespace tokenrail::cli {
namespace {

int show_prices(const Context& context, const Result<registry::Document>& found) {
  if (!found || context.json()) return show_document(context, found);
  simdjson::dom::parser parser;
  simdjson::dom::array prices;
  if (parser.parse(found->json)["prices"].get_array().get(prices) != simdjson::SUCCESS) return exit_bad;
  std::vector<std::vector<std::string>> rows{{"PRICE", "DOLLARS A MILLION", "SOURCE", "SINCE"}};
  for (const auto price : prices) {
    const auto text = simdjson::minify(price);
    PriceKey key{.dimension = price_dimension_from(member_of(text, "dimension")).value_or(PriceDimension::input),
                 .tier = service_tier_from(member_of(text, "serviceTier")).value_or(ServiceTier::standard)};
    std::int64_t tokens = 0;
    if (price["minContextTokens"].get(tokens) == simdjson::SUCCESS) key.min_context_tokens = tokens;
    key.window = {.from_minute = registry::minute_from(member_of(text, "utcFrom")).value_or(0),
                  .to_minute = registry::minute_from(member_of(text, "utcTo")).value_or(0)};
    const auto origin = member_of(text, "origin");
    rows.push_back(
        {catalog::words_of(key), member_of(text, "amount"),
         origin.empty() ? member_of(text, "source") : fmt::format("{} ({})", member_of(text, "source"), origin),
         member_of(text, "effectiveFrom")});
  }
  if (rows.size() == 1) {
    context.terminal.note("no price is known: its answers have no cost");
    return exit_done;
  }
  context.terminal.out(table(rows));
  return exit_done;
}

}  // namespace

int run_registry_price(const Context& context) {
  const auto& arguments = context.call.arguments;
  std::vector<Price> wanted;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    auto price = price_from_words(arguments[i]);
    if (!price) return context.failed(price.error());
    wanted.push_back(*price);
  }
  const bool remove = context.call.has("remove");
  if (remove && !wanted.empty())
    return context.failed(
        Error{ErrorKind::invalid_input, "--remove takes all own prices back: give no prices with it"});
  const std::string connection(context.call.value("connection").value_or(""));
  return with_governance(context, [&](Governance& governance) {
    if (!remove && wanted.empty()) return show_prices(context, governance.prices(arguments[0], connection));
    return show_change(context, governance.set_prices(arguments[0], wanted, connection, std::nullopt),
                       "registry-sync publishes them, and the cost of new answers follows");
  });
}

}  // namespace tokenrail::cli
