// What is sealed of a credential, as text:
//
//   {"secret":"sk-…","headers":{"X-Api-Key":"…"}}
//
// Either part may be missing, but not both. The program that seals it and the one that opens it use these two
// functions. Pure. No error holds any part of a secret.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.hpp"
#include "common/secret.hpp"

namespace tokenrail::crypto {

inline constexpr std::size_t credential_secret_bytes_max = 16 * 1024;
inline constexpr std::size_t credential_headers_max = 16;
inline constexpr std::size_t credential_header_value_bytes_max = 8 * 1024;

struct CredentialText {
  Secret secret{};
  std::vector<std::pair<std::string, Secret>> headers{};  ///< further secret headers, by name
};

/// Whether an HTTP header of that name may carry a secret: a token of RFC 9110 of at most 128 bytes, and not a header
/// that frames the request (Host, Content-Length and the like).
[[nodiscard]] bool is_secret_header_name(std::string_view name);

/// Errors (invalid_input): there is neither secret nor header; a value is empty, too long, or has a byte other than
/// printable ASCII; a name is no header's (is_secret_header_name()), or is there twice.
[[nodiscard]] Result<Secret> to_text(const CredentialText& credential);

/// Errors (invalid_input): the text is not of this form; otherwise as to_text().
[[nodiscard]] Result<CredentialText> credential_from_text(const Secret& text);

}  // namespace tokenrail::crypto
