#include "tests/integration/registry_sync/price_oracle.hpp"

#include <algorithm>

namespace tokenrail::registry_sync {

namespace {

using catalog::Row;
using catalog::Source;

constexpr std::array limits{&Row::context_window, &Row::input_tokens_max, &Row::output_tokens_max};

/// A later entry in which every suspicious part is as it was. `touched`: the same parts of `from`, put into `row`.
Row without_suspicious(const Row& before, const Row& after, const Row& from, Row row) {
  if (suspicious(costs_of(before.prices), costs_of(after.prices))) row.prices = from.prices;
  for (const auto limit : limits)
    if (before.*limit && (!(after.*limit) || *(after.*limit) < *(before.*limit))) row.*limit = from.*limit;
  for (const auto& [name, had] : before.capabilities) {
    const auto has = after.capabilities.find(name);
    if (!had || (has != after.capabilities.end() && has->second)) continue;
    row.capabilities.erase(name);
    if (const auto other = from.capabilities.find(name); other != from.capabilities.end())
      row.capabilities.insert(*other);
  }
  return row;
}

}  // namespace

std::vector<Price> prices_of(const Costs& costs) {
  std::vector<Price> prices;
  for (const auto& [dimension, micros] : costs) prices.push_back({.key = {.dimension = dimension}, .micros = micros});
  return prices;
}

Costs costs_of(const std::vector<Price>& prices) {
  Costs costs;
  for (const auto& price : prices) costs[price.key.dimension] = price.micros;
  return costs;
}

Costs costs_of(const events::ModelPrices& prices) {
  auto costs = costs_of(prices.others);
  if (prices.input_micros) costs[PriceDimension::input] = *prices.input_micros;
  if (prices.output_micros) costs[PriceDimension::output] = *prices.output_micros;
  return costs;
}

bool suspicious(const Costs& before, const Costs& after) {
  return std::ranges::any_of(before, [&](const auto& known) {
    const auto found = after.find(known.first);
    if (found == after.end()) return true;
    if (found->second == known.second) return false;
    const auto [low, high] = std::minmax(found->second, known.second);
    return high >= low * 10;
  });
}

bool PriceOracle::list(const Place& place, const Costs& said, bool accept) {
  auto& counts = listed_[place];
  // A list without any price leaves those that it named before.
  if (said.empty()) return false;
  if (!accept && suspicious(counts, said)) return true;
  counts = said;
  return false;
}

bool PriceOracle::read(Source source, const Row& row, bool accept) {
  const auto [found, fresh] = entries_.try_emplace({source, row.model_name}, Entry{.counts = row});
  auto& entry = found->second;
  if (fresh) return false;
  const auto believed = without_suspicious(entry.counts, row, entry.counts, row);
  if (accept || row == entry.counts || believed == row) {
    entry = {.counts = row};
    return false;
  }
  // What a person has rejected is not asked again.
  if (entry.rejected && without_suspicious(entry.counts, row, *entry.rejected, row) == row) {
    entry.counts = believed;
    return false;
  }
  entry = {.counts = believed, .waiting = row};
  return true;
}

bool PriceOracle::decide(Source source, const std::string& model, bool accept) {
  auto& entry = entries_.at({source, model});
  if (!entry.waiting) return false;
  auto decided = std::move(*entry.waiting);
  if (accept) {
    entry = {.counts = std::move(decided)};
  } else {
    entry.rejected = std::move(decided);
  }
  entry.waiting.reset();
  return true;
}

Costs PriceOracle::cost(const Place& place) const {
  Costs costs;
  const auto fill = [&](const Costs& more) { costs.insert(more.begin(), more.end()); };
  const auto of = [](const std::map<Place, Costs>& all, const Place& key) {
    const auto found = all.find(key);
    return found == all.end() ? Costs() : found->second;
  };
  fill(of(own_, place));
  fill(of(own_, {.connection = "", .model = place.model}));
  fill(of(listed_, place));
  // All prices of a model are of one catalogue.
  for (const auto source : {Source::litellm, Source::models_dev}) {
    const auto entry = entries_.find({source, place.model});
    if (entry == entries_.end() || entry->second.counts.prices.empty()) continue;
    fill(costs_of(entry->second.counts.prices));
    break;
  }
  return costs;
}

}  // namespace tokenrail::registry_sync
