// Text from outside as PostgreSQL takes it. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tokenrail::registry {

/// `text` without control characters and without bytes that are no UTF-8, cut between characters to `bytes_max`.
[[nodiscard]] std::string storable(std::string_view text, std::size_t bytes_max);

/// Whether storable() would leave it as it is.
[[nodiscard]] bool is_storable(std::string_view text, std::size_t bytes_max);

/// The field, as JSON names it, whose rule (CHECK) a message of PostgreSQL says was broken: "contextWindow" of the
/// constraint model_context_window_check. Nothing: the rule is one of several columns. Pure.
[[nodiscard]] std::optional<std::string> column_of_rule(std::string_view message);

}  // namespace tokenrail::registry
