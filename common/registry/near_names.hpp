// Names that someone may have meant when they wrote another. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tokenrail::registry {

/// At most `count_max` of `names`, nearest first: few single-character edits away, or one contained in the other.
/// Bounded work: names longer than 128 bytes are passed over.
[[nodiscard]] std::vector<std::string> near_names(std::string_view asked, const std::vector<std::string>& names,
                                                  std::size_t count_max);

}  // namespace tokenrail::registry
