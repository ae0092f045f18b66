#include "cli/config_lists.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/catalog/plan.hpp"
#include "common/registry/prices.hpp"

namespace tokenrail::cli {
namespace {

using Kind = ConfigValue::Kind;

struct Member {
  std::string_view name;
  Kind kind = Kind::text;
  bool needed = false;
};
constexpr std::string_view amount_name = "amount";
constexpr std::array price_members{
    Member{.name = "dimension", .needed = true},
    Member{.name = amount_name, .needed = true},
    Member{.name = "serviceTier"},
    Member{.name = "minContextTokens", .kind = Kind::scalar},
    Member{.name = "utcFrom"},
    Member{.name = "utcTo"},
    Member{.name = "connection"},
    Member{.name = "connectionOf"},
};
constexpr std::array target_members{
    Member{.name = "model", .needed = true},
    Member{.name = "weight", .kind = Kind::scalar},
};
constexpr std::int64_t context_tokens_max = 1'000'000'000'000;
constexpr std::int64_t weight_max = 1'000'000;

std::unexpected<Error> unusable(const std::string& where, const std::string& why) {
  return fail(ErrorKind::invalid_input, fmt::format("{}: {}", where, why));
}

/// As a person has written it.
std::string written(const ConfigValue& value) {
  return value.kind == Kind::text ? fmt::format("'{}'", value.text) : to_json(value);
}

Result<void> check_members(const ConfigValue& item, std::span<const Member> members, const std::string& where) {
  for (const auto& [name, value] : item.members) {
    const auto member = std::ranges::find(members, std::string_view(name), &Member::name);
    if (member == members.end()) {
      std::vector<std::string_view> names;
      for (const auto& known : members) names.push_back(known.name);
      return unusable(where, fmt::format("there is no field {}; there are {}", name, fmt::join(names, ", ")));
    }
    // YAML has 2.5 without quotes as a number.
    const bool amount = name == amount_name && value.kind == Kind::scalar;
    if (value.kind != member->kind && !amount)
      return unusable(where, fmt::format("the field {} has a value of another kind, {}", name, written(value)));
  }
  for (const auto& member : members)
    if (member.needed && item.find(member.name) == nullptr)
      return unusable(where, fmt::format("it has no {}", member.name));
  return {};
}

Result<std::int64_t> number_in(const ConfigValue& item, std::string_view name, std::int64_t otherwise, std::int64_t max,
                               const std::string& where) {
  const auto* const value = item.find(name);
  if (value == nullptr) return otherwise;
  std::int64_t number = -1;
  const auto* const end = value->text.data() + value->text.size();
  const auto [stop, error] = std::from_chars(value->text.data(), end, number);
  if (error != std::errc() || stop != end || number < 0 || number > max)
    return unusable(where, fmt::format("{} has to be a whole number from 0 to {}, not {}", name, max, written(*value)));
  return number;
}

/// Both times, or none: then the price holds all day.
Result<DayWindow> window_in(const ConfigValue& item, const std::string& where) {
  DayWindow window;
  if (item.find("utcFrom") == nullptr && item.find("utcTo") == nullptr) return window;
  for (const auto& [name, minute] :
       {std::pair("utcFrom", &window.from_minute), std::pair("utcTo", &window.to_minute)}) {
    const auto read = registry::minute_from(item.text_of(name));
    if (!read)
      return unusable(where, fmt::format("a price of some hours has utcFrom and utcTo as HH:MM, and {} is {}", name,
                                         item.find(name) == nullptr ? "not there" : written(*item.find(name))));
    *minute = *read;
  }
  return window.whole_day() ? DayWindow() : window;
}

void drop_null(ConfigValue& item) {
  std::erase_if(item.members, [](const auto& member) { return member.second.kind == Kind::null; });
}

void drop_members(ConfigValue& item, std::initializer_list<std::string_view> names) {
  std::erase_if(item.members, [&](const auto& member) {
    return std::ranges::find(names, std::string_view(member.first)) != names.end();
  });
}

}  // namespace

Result<Price> price_of(const ConfigValue& item, const std::string& where) {
  if (auto checked = check_members(item, price_members, where); !checked) return std::unexpected(checked.error());
  const auto dimension = price_dimension_from(item.text_of("dimension"));
  if (!dimension)
    return unusable(where, fmt::format("there is no dimension '{}'; there are {}", item.text_of("dimension"),
                                       fmt::join(price_dimension_names, ", ")));
  const auto* const tier_name = item.find("serviceTier");
  const auto tier = tier_name == nullptr ? ServiceTier::standard : service_tier_from(tier_name->text);
  if (!tier)
    return unusable(where, fmt::format("there is no service tier '{}'; there are {}", tier_name->text,
                                       fmt::join(service_tier_names, ", ")));
  const auto tokens = number_in(item, "minContextTokens", 0, context_tokens_max, where);
  if (!tokens) return std::unexpected(tokens.error());
  const auto window = window_in(item, where);
  if (!window) return std::unexpected(window.error());
  const auto micros = registry::micros_from(item.find(amount_name)->text);
  if (!micros) return unusable(where, micros.error().detail);
  return Price{.key = {.dimension = *dimension, .tier = *tier, .min_context_tokens = *tokens, .window = *window},
               .micros = *micros};
}

Result<void> settle_prices(ConfigValue& prices, const std::string& where) {
  std::set<std::tuple<std::string, std::string, PriceKey>> seen;
  std::size_t index = 0;
  for (auto& item : prices.items) {
    const auto place = fmt::format("{}.prices[{}]", where, index++);
    drop_null(item);
    const auto price = price_of(item, place);
    if (!price) return std::unexpected(price.error());
    if (!seen.emplace(item.text_of("connectionOf"), item.text_of("connection"), price->key).second)
      return unusable(place, fmt::format("{} has two prices", catalog::words_of(price->key)));
    if (price->key.tier == ServiceTier::standard) drop_members(item, {"serviceTier"});
    if (price->key.min_context_tokens == 0) drop_members(item, {"minContextTokens"});
    if (price->key.window.whole_day()) drop_members(item, {"utcFrom", "utcTo"});
    for (auto& [name, value] : item.members)
      if (name == amount_name) value = {.kind = Kind::text, .text = catalog::dollars(price->micros)};
  }
  return {};
}

Result<void> settle_targets(ConfigValue& targets, const std::string& where) {
  std::size_t index = 0;
  for (auto& item : targets.items) {
    const auto place = fmt::format("{}.targets[{}]", where, index++);
    drop_null(item);
    if (auto checked = check_members(item, target_members, place); !checked) return checked;
    const auto weight = number_in(item, "weight", 1, weight_max, place);
    if (!weight) return std::unexpected(weight.error());
    drop_members(item, {"weight"});
    item.members.emplace_back("weight", ConfigValue{.kind = Kind::scalar, .text = fmt::format("{}", *weight)});
  }
  return {};
}

}  // namespace tokenrail::cli
