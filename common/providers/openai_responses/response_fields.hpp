// Pieces of answers that are read the same in a stream and in a whole answer, and the form in which reasoning items
// travel with a conversation. Included by .cpp files only. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/events/chunk.hpp"
#include "common/events/json_document.hpp"

namespace tokenrail::providers::openai_responses {

/// Estimated from the bytes (one token for each 4) where `response` reports none.
[[nodiscard]] events::Usage usage_of(const events::ObjectReader& response, std::size_t prompt_bytes,
                                     std::size_t answer_bytes);

/// The HTTP status that an error inside an answer names; 0: none.
[[nodiscard]] int status_in_error(const events::ObjectReader& event);

/// Where an item was in its answer.
struct Place {
  bool after_text = false;
  std::size_t after_calls = 0;  ///< how many calls were before it
};

/// A reasoning item and its place as one JSON object. At the beginning of an answer, where nearly all of them are, it
/// is the item itself, else `{"afterText":…,"afterCalls":…,"item":…}`.
[[nodiscard]] std::string placed_block(std::string item, const Place& place);

/// The inverse. Nothing: it is not a reasoning item of this API.
struct PlacedItem {
  std::string item;  ///< JSON
  Place place{};
};
[[nodiscard]] std::optional<PlacedItem> read_placed_block(std::string_view data);

}  // namespace tokenrail::providers::openai_responses
