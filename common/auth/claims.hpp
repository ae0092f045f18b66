// From the claims of a token (RFC 7519) to who asks. Pure: the time is a parameter.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "common/auth/principal.hpp"

namespace tokenrail::auth {

/// Why a token is refused. For the log only: clients get one and the same answer for all of them.
enum class Refusal : std::uint8_t {
  no_token,
  too_large,
  not_a_jwt,
  invalid_header,
  algorithm_refused,
  critical_header,
  wrong_type,
  no_key_id,
  unknown_key,
  wrong_algorithm_for_key,
  bad_signature,
  invalid_claims,
  wrong_issuer,
  wrong_audience,
  no_expiry,
  expired,
  not_yet_valid,
  issued_in_the_future,
  no_subject,
  invalid_roles,
  unknown_role,
  invalid_service_token,
  unknown_service_token,
  invalid_session,
  wrong_nonce,
  wrong_party,
};
[[nodiscard]] std::string_view name_of(Refusal refusal);

struct Refused {
  Refusal why{};
  std::string detail{};  ///< for the log; may hold short texts of the token's, never the token
};

/// The claims that say what the bearer may do; what each holds is in docs/explanation/authorisation.md.
struct ClaimNames {
  std::string org = "org";      ///< one organisation
  std::string role = "role";    ///< the role in it, or `platform_admin`
  std::string roles = "roles";  ///< {"organisation": "role", …}
};

struct JwtRules {
  std::string issuer{};    ///< `iss` is exactly this
  std::string audience{};  ///< `aud` is this, or has it among others
  ClaimNames claims{};
  bool roles_from_claims = true;  ///< false: `claims` are not looked at, and the token gives no role
  std::chrono::seconds skew{60};  ///< how far the issuer's clock may be from ours
};

struct VerifiedToken {
  Principal principal{};
  std::chrono::sys_seconds expires_at{};
};

inline constexpr std::size_t subject_bytes_max = 256;
inline constexpr std::size_t org_bytes_max = 256;
inline constexpr std::size_t memberships_max = 256;

/// `json`: the payload of a token whose signature has been verified.
[[nodiscard]] std::expected<VerifiedToken, Refused> read_claims(std::string_view json, const JwtRules& rules,
                                                                std::chrono::sys_seconds now);

}  // namespace tokenrail::auth
