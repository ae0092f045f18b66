// The fields of an object that a decoder reads, found in one pass: a search for each would go over all of them each
// time, and most of a chunk's cost would be that. Included by .cpp files only. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <simdjson.h>

#include "common/events/json_document.hpp"

namespace tokenrail::providers {

/// What is absent, null or of another type is nothing, as with events::ObjectReader. The values live as long as the
/// document.
template <std::size_t Size>
class JsonFields {
 public:
  using Element = simdjson::dom::element;
  using Names = std::array<std::string_view, Size>;

  /// Without fields where `element` is no object.
  JsonFields(Element element, const Names& names) {
    simdjson::dom::object object;
    if (element.get_object().get(object) != simdjson::SUCCESS) return;
    is_object_ = true;
    std::uint32_t seen = 0;
    for (const auto field : object) {
      for (std::size_t i = 0; i < Size; ++i) {
        if (field.key != names[i]) continue;
        // Of several fields of one name the first counts.
        const auto bit = std::uint32_t{1} << i;
        if ((seen & bit) == 0 && !field.value.is_null()) values_[i] = field.value;
        seen |= bit;
        break;
      }
    }
  }

  [[nodiscard]] bool is_object() const { return is_object_; }
  [[nodiscard]] const std::optional<Element>& operator[](std::size_t place) const { return values_[place]; }
  /// A text as a view; empty where it is missing or of another type.
  [[nodiscard]] std::string_view text(std::size_t place) const {
    return values_[place] ? events::string_of(*values_[place]).value_or("") : std::string_view();
  }
  [[nodiscard]] std::optional<std::int64_t> integer(std::size_t place) const {
    return values_[place] ? events::integer_of(*values_[place]) : std::nullopt;
  }
  [[nodiscard]] std::optional<simdjson::dom::array> list(std::size_t place) const {
    simdjson::dom::array list;
    if (!values_[place] || values_[place]->get_array().get(list) != simdjson::SUCCESS) return std::nullopt;
    return list;
  }
  /// The object under that name; nothing where it is of another type.
  [[nodiscard]] std::optional<events::ObjectReader> object(std::size_t place) const {
    if (!values_[place] || !values_[place]->is_object()) return std::nullopt;
    return events::ObjectReader(*values_[place]);
  }

 private:
  static_assert(Size <= 32);
  std::array<std::optional<Element>, Size> values_{};
  bool is_object_ = false;
};

}  // namespace tokenrail::providers
