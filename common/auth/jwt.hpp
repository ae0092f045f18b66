// Verifies access tokens: a JWS in compact form (RFC 7515) whose payload are claims, by the rules of RFC 8725 and
// RFC 9068. Pure: keys and time are parameters.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "common/auth/claims.hpp"
#include "common/auth/jwk_set.hpp"

namespace tokenrail::auth {

inline constexpr std::size_t token_bytes_max = std::size_t{8} * 1024;

/// Takes any bytes. The order of the checks: size, form, header, key, signature, claims. Nothing of the claims is
/// looked at before the signature has been verified.
///
/// - `alg` is RS256, ES256 or EdDSA, and the one of the key that `kid` names. Keys that the header itself carries or
///   points to (`jwk`, `jku`, `x5c`, `x5u`) are never used.
/// - `typ` is absent, JWT or at+jwt. `crit` is refused, because no extension is known here.
/// - `iss` is ours exactly, `aud` has ours, `exp` is there and has not passed; `nbf` and `iat`, where given, have.
[[nodiscard]] std::expected<VerifiedToken, Refused> verify_jwt(std::string_view token, const JwkSet& keys,
                                                               const JwtRules& rules, std::chrono::sys_seconds now);

/// The first half of it: the payload, whose signature has been verified and whose claims have not been looked at.
[[nodiscard]] std::expected<std::string, Refused> verified_payload(std::string_view token, const JwkSet& keys);

}  // namespace tokenrail::auth
