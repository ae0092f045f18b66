// Prices as people write them: "input=2.5", "output/batch@200001@16:30-00:30=5". Pure.
#pragma once

#include <string>

#include "common/price.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

/// DIMENSION[/TIER][@TOKENS][@HH:MM-HH:MM]=DOLLARS, in US dollars per million units. Errors: invalid_input.
[[nodiscard]] Result<Price> price_from_words(const std::string& text);

}  // namespace tokenrail::cli
