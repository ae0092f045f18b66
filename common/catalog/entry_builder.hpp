// Puts a row together from the fields of an entry, and keeps account of what did not become part of it. Private to this
// module's .cpp files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/catalog/catalog.hpp"
#include "common/catalog/json_tree.hpp"

namespace tokenrail::catalog {

/// A price is in US dollars for one unit, or for a million of them; rows have micro-dollars for a million.
inline constexpr int per_unit = 12;
inline constexpr int per_million = 6;

class EntryBuilder {
 public:
  explicit EntryBuilder(std::string key) { entry_.key = std::move(key); }

  [[nodiscard]] Row& row() { return entry_.row; }
  void skip(std::string_view field, std::string_view reason);

  /// `value`: a number, or a text that is one.
  void price(const std::string& field, const JsonTree& value, int power, const PriceKey& key);
  /// A count above zero. Zero means unknown.
  void limit(std::string_view field, const JsonTree& value, std::optional<std::int64_t>& into);
  void limit_of(const JsonTree& object, std::string_view field, std::optional<std::int64_t>& into);
  void capability(std::string_view name, const std::optional<bool>& has);
  /// "2026-08-01", also as the beginning of a longer text; of "2026-08" and "2026" the first day.
  void date(std::string_view field, const JsonTree& value, std::string& into);
  void date_of(const JsonTree& object, std::string_view field, std::string& into);
  /// What people read: bounded, and without control characters.
  void text(const JsonTree& object, std::string_view field, std::string& into);

  [[nodiscard]] Entry finish() &&;

 private:
  Entry entry_{};
  std::map<PriceKey, std::pair<std::int64_t, std::string>> prices_{};  ///< amount, and the field that it is from
};

/// Collects the entries of a file, each model once.
class CatalogBuilder {
 public:
  explicit CatalogBuilder(Source source) { catalog_.source = source; }
  void refuse(std::string key, std::string reason);
  /// `preferred`: takes the place of an entry of the same model that is not.
  void add(Entry entry, bool preferred = false);
  [[nodiscard]] Catalog finish() &&;

 private:
  struct Place {
    std::size_t index = 0;
    bool preferred = false;
  };
  Catalog catalog_{};
  std::map<std::pair<std::string, std::string>, Place> places_{};
};

Catalog read_litellm(const JsonTree& root);
Catalog read_models_dev(const JsonTree& root);
Catalog read_openrouter(const JsonTree& root);
Catalog read_ollama(const JsonTree& root);

/// Whether the pricing of an entry of a list is in Together's form.
[[nodiscard]] bool is_together_pricing(const JsonTree& pricing);
/// `type`: of the entry, "chat". Nothing: the entry does not give the price of its tokens.
[[nodiscard]] std::optional<std::vector<Price>> together_prices(const JsonTree& pricing, std::string_view type);

}  // namespace tokenrail::catalog
