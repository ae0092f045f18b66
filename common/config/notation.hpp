// The notation of each kind of setting: reading, checking and masking. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/settings.hpp"

namespace tokenrail::config {

[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);
/// Durations and sizes are whole numbers with a unit. Zero alone needs none: it is the same in every unit.
[[nodiscard]] std::optional<std::int64_t> parse_duration_ms(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> parse_bytes(std::string_view text);
/// The same notation, in the largest unit that leaves a whole number: "90s", "15m", "0s".
[[nodiscard]] std::string duration_text(std::int64_t ms);
[[nodiscard]] std::string bytes_text(std::int64_t bytes);
/// "write a unit, for example 60s or 60ms" for a bare number where a duration or a size is needed; else empty.
[[nodiscard]] std::string missing_unit(Kind kind, std::string_view text);
[[nodiscard]] std::vector<std::string> parse_list(std::string_view text);
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

/// Whether the value fits the setting's kind, bounds and choices. An empty value fits what has an empty default, and
/// the kinds for which accepts_empty() holds.
[[nodiscard]] bool fits(const Setting& setting, std::string_view value);
[[nodiscard]] bool accepts_empty(const Setting& setting);

/// What to do about a value that does not fit, where allowed() leaves that open; else empty.
[[nodiscard]] std::string advice(const Setting& setting, std::string_view value);

/// The value as it may be shown: `********` for a secret; URLs with the password replaced, or with all that precedes
/// the host where neither user nor password have a place.
[[nodiscard]] std::string shown(const Setting& setting, std::string_view value);
/// Whether shown() hides something of this value.
[[nodiscard]] bool is_masked(const Setting& setting, std::string_view value);

/// Whether a librdkafka property holds a secret, going by its name.
[[nodiscard]] bool is_secret_property(std::string_view property);
inline constexpr std::string_view mask = "********";

/// The part of a dotted name before the first dot; empty where there is no dot.
[[nodiscard]] std::string_view section(std::string_view name);

/// A text in TOML's basic string notation, quotes included.
[[nodiscard]] std::string toml_string(std::string_view text);

}  // namespace tokenrail::config
