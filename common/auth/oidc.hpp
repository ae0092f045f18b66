// The authorization code flow of OpenID Connect with PKCE (RFC 7636, S256): what is sent to the provider, and what its
// answers hold. Pure, but for the random values of a new attempt.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/auth/oidc_settings.hpp"
#include "common/auth/sealed_text.hpp"
#include "common/http/client.hpp"
#include "common/result.hpp"
#include "common/secret.hpp"

namespace tokenrail::auth {

/// What a provider says of itself (OpenID Connect Discovery 1.0).
struct OidcProvider {
  std::string authorization_endpoint{};
  std::string token_endpoint{};
  std::string jwks_url{};
  std::string end_session_endpoint{};  ///< empty: it has none
  bool secret_in_body = false;         ///< it does not take HTTP Basic
};

inline constexpr std::size_t oidc_answer_bytes_max = std::size_t{256} * 1024;

[[nodiscard]] std::string discovery_url(std::string_view issuer);

/// Errors (invalid_input): no such document, one of another issuer, or an address that can be replaced on its way.
[[nodiscard]] Result<OidcProvider> read_discovery(std::string_view json, std::string_view issuer);

/// A login that has been begun: the browser keeps it, sealed, until the provider sends the browser back.
struct LoginAttempt {
  std::string state{};
  std::string nonce{};
  std::string verifier{};
  std::string redirect_uri{};
  std::string return_to{};
  std::chrono::sys_seconds expires_at{};
};

inline constexpr std::chrono::seconds login_attempt_lifetime = std::chrono::minutes(10);

[[nodiscard]] LoginAttempt new_login_attempt(std::string redirect_uri, std::string return_to,
                                             std::chrono::sys_seconds now);

/// Where the browser goes to log in.
[[nodiscard]] std::string authorization_url(const OidcProvider& provider, const OidcSettings& settings,
                                            const LoginAttempt& attempt);

/// Exchanges the code for tokens.
[[nodiscard]] http::Request token_request(const OidcProvider& provider, const OidcSettings& settings,
                                          const LoginAttempt& attempt, std::string_view code);

/// The ID token. Errors: rejected (the provider refused the code or the client; its words are in the detail),
/// unavailable (a status above 499 or 429), invalid_input (no ID token in the answer).
[[nodiscard]] Result<Secret> read_token_answer(int status, std::string_view body);

/// Where the browser goes to log out at the provider too (OpenID Connect RP-Initiated Logout 1.0). Empty: the provider
/// has no such address.
[[nodiscard]] std::string end_session_url(const OidcProvider& provider, const OidcSettings& settings,
                                          std::string_view afterwards);

class LoginSealer {
 public:
  /// As TextSealer's.
  explicit LoginSealer(const crypto::KeyRing* ring);

  [[nodiscard]] Result<std::string> seal(const LoginAttempt& attempt) const;
  /// Takes any bytes. Nothing: they are no attempt of ours, or its time is up.
  [[nodiscard]] std::optional<LoginAttempt> open(std::string_view sealed, std::chrono::sys_seconds now) const;

 private:
  TextSealer sealer_;
};

}  // namespace tokenrail::auth
