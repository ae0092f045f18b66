// A strict RFC 8259 check of a whole document without building anything, for what the fast parser refuses: documents
// above its size, depth or number range are still JSON, and their sender is still owed an answer. One pass, no
// recursion; memory: one bit a nesting level. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tokenrail::events {

struct JsonScan {
  bool valid = false;
  std::string_view problem{};    ///< where not valid: what was expected
  std::size_t position = 0;      ///< where not valid: the byte at which it was expected
  bool object = false;           ///< the document is an object
  std::size_t depth = 0;         ///< 1 for an object of scalars
  bool lone_surrogates = false;  ///< a string has half of a \u surrogate pair
  /// The raw value (a string with its quotes) of the first level's fields asked for; of duplicates the last.
  std::array<std::optional<std::string_view>, 3> fields{};
};
[[nodiscard]] JsonScan scan_json(std::string_view text, const std::array<std::string_view, 3>& field_names = {});

/// A copy in which every half of a surrogate pair (`\ud83d` alone, as JavaScript writes a cut emoji) is `\ufffd`.
/// `text` must be JSON.
[[nodiscard]] std::string repair_surrogates(std::string_view text);

/// A copy of a JSON text in which every string can be read: half of a surrogate pair, bytes that are not UTF-8, and NUL
/// (raw or as `\u0000`) become U+FFFD. Nothing else changes, so text that is not JSON stays that. For texts of
/// providers.
[[nodiscard]] std::string repair_strings(std::string_view text);

/// The text of a raw JSON string with its quotes; nothing if it is not one.
[[nodiscard]] std::optional<std::string> decode_json_string(std::string_view raw);

}  // namespace tokenrail::events
