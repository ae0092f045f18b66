// Numbers of other programs, read by their value and not by their spelling. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tokenrail::events {

/// The whole number that a JSON token says, however it is written: `12`, `12.0`, `1.2e1` or `"12"`; blanks around it do
/// not count. Nothing for anything else: null, a fraction, a value beyond 64 bits, another type.
[[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view token);

}  // namespace tokenrail::events
