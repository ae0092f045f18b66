#include "common/catalog/entry_builder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/catalog/decimal.hpp"

namespace tokenrail::catalog {

namespace {

using Kind = JsonTree::Kind;

constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t text_bytes_max = 255;
constexpr std::size_t skipped_max = 256;
constexpr std::size_t prices_max = 512;
constexpr std::int64_t limit_max = 1'000'000'000'000;

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// What is wrong with a name; empty: nothing.
std::string_view name_problem(std::string_view name) {
  if (name.empty()) return "it has no name";
  if (name.size() > name_bytes_max) return "its name is longer than 255 bytes";
  if (has_control(name)) return "its name has control characters";
  return {};
}

bool is_date(std::string_view text) {
  const auto digits = [&](std::size_t from, std::size_t count) {
    return std::ranges::all_of(text.substr(from, count), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-' || !digits(0, 4) || !digits(5, 2) || !digits(8, 2))
    return false;
  const auto month = text.substr(5, 2);
  const auto day = text.substr(8, 2);
  if (month < "01" || month > "12" || day < "01" || day > "31" || text.substr(0, 4) < "1990") return false;
  const bool short_month = month == "04" || month == "06" || month == "09" || month == "11";
  if (short_month && day == "31") return false;
  const int year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month != "02" || day <= (leap ? "29" : "28");
}

}  // namespace

void EntryBuilder::skip(std::string_view field, std::string_view reason) {
  if (entry_.skipped.size() < skipped_max) entry_.skipped.push_back({std::string(field), std::string(reason)});
}

void EntryBuilder::price(const std::string& field, const JsonTree& value, int power, const PriceKey& key) {
  if (value.is(Kind::null)) return;
  if (!value.is(Kind::number) && !value.is(Kind::text)) return skip(field, "not a number");
  const auto amount = scaled(value.text, power);
  if (!amount) return skip(field, amount.error());
  if (amount->value > price_micros_max) return skip(field, "too large");
  if (prices_.size() >= prices_max) return skip(field, "too many prices");
  const auto [place, fresh] = prices_.emplace(key, std::pair(amount->value, field));
  if (!fresh) return skip(field, fmt::format("the price is already known from {}", place->second.second));
  if (amount->rounded) ++entry_.rounded;
}

void EntryBuilder::limit(std::string_view field, const JsonTree& value, std::optional<std::int64_t>& into) {
  if (value.is(Kind::null)) return;
  if (!value.is(Kind::number)) return skip(field, "not a number");
  const auto count = scaled(value.text, 0);
  if (!count) return skip(field, count.error());
  if (count->rounded) return skip(field, "not a whole number");
  if (count->value > limit_max) return skip(field, "too large");
  if (count->value > 0) into = count->value;
}

void EntryBuilder::limit_of(const JsonTree& object, std::string_view field, std::optional<std::int64_t>& into) {
  if (const auto* value = object.find(field)) limit(field, *value, into);
}

void EntryBuilder::capability(std::string_view name, const std::optional<bool>& has) {
  if (has) entry_.row.capabilities[std::string(name)] = *has;
}

void EntryBuilder::date(std::string_view field, const JsonTree& value, std::string& into) {
  if (value.is(Kind::null)) return;
  if (!value.is(Kind::text)) return skip(field, "not a date");
  if (value.text.empty()) return;
  std::string day = value.text.substr(0, 10);
  if (day.size() == 4) day += "-01";
  if (day.size() == 7) day += "-01";
  if (!is_date(day)) return skip(field, "not a date");
  into = std::move(day);
}

void EntryBuilder::date_of(const JsonTree& object, std::string_view field, std::string& into) {
  if (const auto* value = object.find(field)) date(field, *value, into);
}

void EntryBuilder::text(const JsonTree& object, std::string_view field, std::string& into) {
  const auto* value = object.find(field);
  if (value == nullptr || value->is(Kind::null)) return;
  if (!value->is(Kind::text)) return skip(field, "not a text");
  if (value->text.size() > text_bytes_max || has_control(value->text))
    return skip(field, "longer than 255 bytes, or with control characters");
  into = value->text;
}

Entry EntryBuilder::finish() && {
  for (const auto& [key, amount] : prices_) entry_.row.prices.push_back({key, amount.first});
  return std::move(entry_);
}

void CatalogBuilder::refuse(std::string key, std::string reason) {
  catalog_.refused.push_back({std::move(key), std::move(reason)});
}

void CatalogBuilder::add(Entry entry, bool preferred) {
  for (const auto& name : {entry.row.provider, entry.row.model_name})
    if (const auto problem = name_problem(name); !problem.empty()) return refuse(entry.key, std::string(problem));
  const auto [found, fresh] = places_.emplace(std::pair(entry.row.provider, entry.row.model_name),
                                              Place{.index = catalog_.entries.size(), .preferred = preferred});
  if (fresh) {
    catalog_.entries.push_back(std::move(entry));
    return;
  }
  auto& held = catalog_.entries[found->second.index];
  if (preferred && !found->second.preferred) {
    std::swap(held, entry);
    found->second.preferred = true;
  }
  refuse(entry.key, fmt::format("the same model as {}", held.key));
}

Catalog CatalogBuilder::finish() && {
  return std::move(catalog_);
}

}  // namespace tokenrail::catalog
