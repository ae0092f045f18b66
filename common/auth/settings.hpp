// The settings of authentication, and what of them does not work together. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/auth/claims.hpp"
#include "common/config/settings.hpp"
#include "common/result.hpp"

namespace tokenrail::auth {

/// auth.mode, auth.issuer, auth.audience, auth.jwks_url, auth.org_claim, auth.role_claim, auth.roles_claim,
/// auth.dev_key_file, and auth.oidc_… (oidc_settings.hpp).
[[nodiscard]] std::span<const config::Setting> auth_settings();

enum class Mode : std::uint8_t { dev, jwt };

struct AuthSettings {
  Mode mode = Mode::jwt;
  std::string issuer{};  ///< in dev mode the dev issuer's
  std::string audience{};
  std::string jwks_url{};  ///< empty in dev mode
  ClaimNames claims{};     ///< in dev mode the dev issuer's
  std::string dev_key_file{};

  [[nodiscard]] JwtRules rules() const;
};

/// `xdg_state_home`, `home`: of the environment, for the default of auth.dev_key_file. Errors (invalid_input) say what
/// to set: there is no mode; jwt without an issuer or a URL; a URL over http to another machine; dev without a place
/// for its key.
[[nodiscard]] Result<AuthSettings> read_auth_settings(const config::Values& values, std::string_view xdg_state_home,
                                                      std::string_view home);

/// As above, with this process's XDG_STATE_HOME and HOME.
[[nodiscard]] Result<AuthSettings> read_auth_settings(const config::Values& values);

/// auth.dev_key_file or its default. Errors as above.
[[nodiscard]] Result<std::string> dev_key_file(const config::Values& values);

/// Why dev mode must not listen there: everyone who can read the key file can make any token. `listen`: IP:PORT, as
/// http::Server takes it. Nothing for a loopback address.
[[nodiscard]] std::optional<std::string> dev_mode_refusal(std::string_view listen);

}  // namespace tokenrail::auth
