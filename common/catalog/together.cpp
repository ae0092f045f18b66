// Together's list (GET /v1/models): prices as numbers in US dollars for a million tokens. Zero is not free: the list
// has it for each price that does not apply, and models that are billed by the hour or by the picture have zero for
// tokens.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "common/catalog/decimal.hpp"
#include "common/catalog/entry_builder.hpp"

namespace tokenrail::catalog {

namespace {

using Kind = JsonTree::Kind;
using Dimension = PriceDimension;

constexpr std::array<std::pair<std::string_view, Dimension>, 3> dimensions{
    {{"input", Dimension::input}, {"output", Dimension::output}, {"cached_input", Dimension::cache_read}}};
/// Of the others the same fields count characters, pictures or minutes.
constexpr std::array<std::string_view, 6> types_by_tokens{"chat",      "language", "code",
                                                          "embedding", "rerank",   "moderation"};

bool above_zero(const JsonTree* value) {
  if (value == nullptr || !value->is(Kind::number)) return false;
  const auto micros = scaled(value->text, per_million);
  return micros && micros->value > 0;
}

}  // namespace

bool is_together_pricing(const JsonTree& pricing) {
  return std::ranges::all_of(std::array{"hourly", "input", "output"}, [&](const char* name) {
    const auto* value = pricing.find(name);
    return value != nullptr && value->is(Kind::number);
  });
}

std::optional<std::vector<Price>> together_prices(const JsonTree& pricing, std::string_view type) {
  if (std::ranges::find(types_by_tokens, type) == types_by_tokens.end()) return std::nullopt;
  if (!above_zero(pricing.find("input")) && !above_zero(pricing.find("output"))) return std::nullopt;
  EntryBuilder entry{std::string()};
  for (const auto& [field, dimension] : dimensions) {
    const auto* value = pricing.find(field);
    if (value == nullptr || (dimension == Dimension::cache_read && !above_zero(value))) continue;
    entry.price(std::string(field), *value, per_million, {.dimension = dimension});
  }
  return std::move(entry).finish().row.prices;
}

}  // namespace tokenrail::catalog
