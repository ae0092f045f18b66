// Keys that an attacker would try first. Pure.
#pragma once

#include <optional>
#include <string_view>

namespace tokenrail::crypto {

/// Why these 32 bytes must not be a key: "all its bytes are equal", "it is printable text, not random bytes". Nothing
/// for a key that is fit. Random bytes are refused with a probability below 2^-40.
[[nodiscard]] std::optional<std::string_view> weakness_of(std::string_view key);

}  // namespace tokenrail::crypto
