// Rows of text in columns, as wide as they need to be. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tokenrail::cli {

/// Columns on a terminal of UTF-8 text, counting one a code point: right for what names and numbers are made of.
[[nodiscard]] std::size_t width_of(std::string_view text);

/// The first row is the heading. No trailing blanks.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace tokenrail::cli
