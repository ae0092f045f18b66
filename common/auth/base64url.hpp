// base64url as JOSE uses it (RFC 7515, section 2): without padding. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tokenrail::auth {

[[nodiscard]] std::string encode_base64url(std::string_view bytes);

/// The one text that encodes the bytes and no other: padding, white space and unused bits that are set are refused, so
/// that a token cannot be changed without its bytes changing.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace tokenrail::auth
