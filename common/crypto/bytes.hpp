// Random bytes, digests, comparison in constant time, and the text forms of bytes. Pure, but for the random ones.
//
// Where OpenSSL has no random bytes or no SHA-256, these throw std::runtime_error: no caller can go on without them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/secret.hpp"

namespace tokenrail::crypto {

/// From OpenSSL's generator for private values. Safe from any thread.
[[nodiscard]] Secret random_bytes(std::size_t count);
/// For values that are published, such as nonces and ids.
[[nodiscard]] std::string random_public_bytes(std::size_t count);
/// `bytes` random bytes as base64url without padding: fit for a URL, a header or a file name.
[[nodiscard]] Secret random_token(std::size_t bytes = 32);

[[nodiscard]] std::string sha256(std::string_view bytes);
/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
/// The 32 bytes of HMAC-SHA-256.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view bytes);

/// The time depends on the lengths only, not on the contents.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

/// Lower case.
[[nodiscard]] std::string to_hex(std::string_view bytes);

/// RFC 4648: base64 with padding; base64url without.
[[nodiscard]] std::string to_base64(std::string_view bytes);
[[nodiscard]] std::string to_base64url(std::string_view bytes);

/// Strict: each byte string has exactly one text that is accepted. Nothing for white space, a missing or needless
/// padding, a letter of the other alphabet, or bits beyond the last byte.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

/// Zeroes the whole buffer, its unused part too, and empties the string. The compiler cannot leave it out.
void cleanse(std::string& bytes) noexcept;

}  // namespace tokenrail::crypto
