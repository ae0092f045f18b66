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

/// A rule (CHECK) of one column that a value broke.
struct BrokenRule {
  std::string field;       ///< as JSON names it: contextWindow
  std::string constraint;  ///< as the database does: model_context_window_check
};

/// The rule that a message of PostgreSQL says was broken. Nothing: the rule is one of several columns. Pure.
[[nodiscard]] std::optional<BrokenRule> broken_rule(std::string_view message);

/// The text of an error that says so, and the field that such a text names. Pure.
[[nodiscard]] std::string refusal_of(const BrokenRule& rule);
[[nodiscard]] std::optional<std::string> refused_field(std::string_view detail);

}  // namespace tokenrail::registry
