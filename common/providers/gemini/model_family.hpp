// What models do differently, by their names. Pure.
#pragma once

#include <string_view>

namespace tokenrail::providers::gemini {

struct ModelFamily {
  enum class Thinking { none, budget, level };
  Thinking thinking = Thinking::budget;
  bool always_thinks = false;  ///< thinking cannot be switched off
  bool few_levels = false;     ///< low and high only
  bool minimal = false;        ///< knows the level minimal
  bool signs_calls = false;    ///< refuses tool calls in the conversation that have no thought signature
};

/// For names whose version is not known (aliases, tuned models): what all take.
[[nodiscard]] ModelFamily family_of(std::string_view model);

}  // namespace tokenrail::providers::gemini
