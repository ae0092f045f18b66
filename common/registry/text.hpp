// Text from outside as PostgreSQL takes it. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tokenrail::registry {

/// `text` without control characters and without bytes that are no UTF-8, cut between characters to `bytes_max`.
[[nodiscard]] std::string storable(std::string_view text, std::size_t bytes_max);

/// Whether storable() would leave it as it is.
[[nodiscard]] bool is_storable(std::string_view text, std::size_t bytes_max);

}  // namespace tokenrail::registry
