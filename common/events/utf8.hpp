// UTF-8 for text that comes from outside and may be anything. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace tokenrail::events {

struct Utf8Step {
  std::size_t bytes = 0;  ///< at least 1
  bool valid = false;     ///< false: these bytes are to be replaced by one U+FFFD
};
/// Looks at the sequence that `text` (not empty) starts with. If it is invalid, `bytes` is the longest prefix that a
/// valid sequence could start with, as the Unicode standard recommends for replacement.
[[nodiscard]] Utf8Step utf8_step(std::string_view text);

/// The longest prefix of at most `bytes_max` bytes that does not split a UTF-8 sequence. The text need not be valid.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

}  // namespace tokenrail::events
