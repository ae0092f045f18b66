// The vectors in a provider's answer about embeddings. Included by .cpp files only. Pure.
#pragma once

#include <optional>
#include <vector>

#include <simdjson.h>

#include "common/events/json_document.hpp"

namespace tokenrail::providers {

/// A vector from its list of numbers; nothing where it is no such list, or an empty one.
[[nodiscard]] inline std::optional<std::vector<float>> vector_from_list(simdjson::dom::element element) {
  simdjson::dom::array array;
  if (element.get_array().get(array) != simdjson::SUCCESS || array.size() == 0) return std::nullopt;
  std::vector<float> out;
  out.reserve(array.size());
  for (const auto entry : array) {
    const auto number = events::number_of(entry);
    if (!number) return std::nullopt;
    out.push_back(static_cast<float>(*number));
  }
  return out;
}

}  // namespace tokenrail::providers
