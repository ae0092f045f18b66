// JSON schemas as Anthropic's structured output takes them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tokenrail::providers::anthropic {

/// `schema` with `"additionalProperties":false` in every object that leaves it open: Anthropic refuses others. What
/// fits the result fits the original too. Errors: invalid_input, where it is not a JSON object.
[[nodiscard]] Result<std::string> closed_schema(std::string_view schema);

}  // namespace tokenrail::providers::anthropic
