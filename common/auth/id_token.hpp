// From an ID token (OpenID Connect Core 1.0, section 3.1.3.7) to who logged in. Pure: keys and time are parameters.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

#include "common/auth/claims.hpp"
#include "common/auth/jwk_set.hpp"
#include "common/auth/oidc_settings.hpp"

namespace tokenrail::auth {

struct Login {
  Principal principal{};  ///< a user, never a service
  std::string name{};     ///< for people
};

/// Signature and times as verify_jwt(). `iss` is the settings' issuer, and `aud` has our client. `azp`, if it is given,
/// is our client; it must be given if `aud` names others too. `nonce` is the one that the login was begun with. The
/// roles are those of the user's groups. If no groups are mapped, they come from the claims that tokens have them in.
[[nodiscard]] std::expected<Login, Refused> verify_id_token(std::string_view token, const JwkSet& keys,
                                                            const OidcSettings& settings, std::string_view nonce,
                                                            std::chrono::sys_seconds now);

}  // namespace tokenrail::auth
