// Making foreign bytes fit to be shown: valid UTF-8 for metrics and JSON, no control characters in log lines. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tokenrail::telemetry {

/// The text with every byte that is not part of a well-formed UTF-8 sequence replaced by U+FFFD.
[[nodiscard]] std::string valid_utf8(std::string_view text);

/// One line for people: control characters (C0, DEL, C1), the Unicode line and paragraph separators and bytes that are
/// not UTF-8 become escapes such as \n, \x1b or \u2028. Backslashes stay as they are: paths are commoner than tricks.
[[nodiscard]] std::string one_line(std::string_view text);

/// The inside of a JSON string, always valid JSON and UTF-8 and without raw control characters.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace tokenrail::telemetry
