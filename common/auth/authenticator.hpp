// From the headers of a request to who asks: JWTs of an issuer or of dev mode, service tokens, and session cookies.
// What the API uses. One thread: the loop's.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/auth/api_token.hpp"
#include "common/auth/claims.hpp"
#include "common/auth/jwks_schedule.hpp"
#include "common/auth/session.hpp"
#include "common/auth/settings.hpp"
#include "common/http/client.hpp"
#include "common/result.hpp"

namespace tokenrail::auth {

/// The text of every 401, whatever the reason.
inline constexpr std::string_view unauthenticated_text =
    "a valid access token is needed; send it as 'Authorization: Bearer TOKEN'";

/// WWW-Authenticate of a 401 (RFC 6750, section 3): without an error where no token came.
[[nodiscard]] std::string_view challenge(std::string_view authorization_header);

/// What a request shows of its sender; empty where it has no such header.
struct Presented {
  std::string authorization{};  ///< of the header Authorization, which counts where both are there
  std::string cookie{};         ///< of the header Cookie
};

class Authenticator {
 public:
  /// Finds a service token by its id and compares the stored hash by same_digest(). Nothing: there is none, it has
  /// expired or was revoked. Errors: the tokens cannot be looked up now.
  using ServiceTokens =
      std::function<boost::asio::awaitable<Result<std::optional<Principal>>>(std::string id, Digest sha256)>;

  struct Options {
    AuthSettings settings{};
    ServiceTokens service_tokens{};           ///< empty: every service token is refused
    const SessionSealer* sessions = nullptr;  ///< null: cookies are not looked at; outlives the authenticator
    std::string session_cookie{};             ///< the cookie's name
    /// Called for each refusal, for metrics and the audit. It is logged already.
    std::function<void(Refusal)> on_refused{};
    std::function<std::chrono::sys_seconds()> now = [] {
      return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    };
    std::function<JwksSchedule::Time()> steady_now = [] { return std::chrono::steady_clock::now(); };
  };

  /// Begins to fetch the issuer's keys in mode jwt, and reads or makes the key in mode dev. `client` outlives the
  /// authenticator. Errors: as DevIssuer::open().
  [[nodiscard]] static Result<std::unique_ptr<Authenticator>> make(boost::asio::io_context& loop, http::Client& client,
                                                                   Options options);
  virtual ~Authenticator() = default;

  /// Errors: rejected (401, with unauthenticated_text as detail), unavailable (503: the issuer's keys or the service
  /// tokens are not available). The reason of a refusal goes to the log. A caller that acts on an identity with a
  /// session checks its CSRF token first.
  virtual boost::asio::awaitable<Result<Identity>> authenticate(Presented presented) = 0;

  /// Empty, or why tokens cannot be verified, for /readyz.
  [[nodiscard]] virtual std::string problem() const = 0;
};

}  // namespace tokenrail::auth
