// Logins at an OpenID Connect provider over HTTP on the event loop: what the provider says of itself, its keys, and the
// exchange of a code. Many requests wait for one fetch. One thread: the loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/auth/id_token.hpp"
#include "common/auth/oidc.hpp"
#include "common/http/client.hpp"

namespace tokenrail::auth {

/// Why a login did not succeed, as far as the person may know it. The log has the reason.
enum class LoginFailure : std::uint8_t {
  unreachable,  ///< the provider does not answer, or not in time
  refused,      ///< the provider did not take the code, or its token does not hold
  busy,         ///< too many logins at the same time
};

class OidcClient {
 public:
  struct Options {
    OidcSettings settings{};
    std::chrono::milliseconds call_time_max{5'000};
    std::chrono::steady_clock::duration refresh_after = std::chrono::hours(1);
    std::chrono::steady_clock::duration pause = std::chrono::seconds(2);  ///< after a fetch that failed
    std::size_t logins_max = 64;                                          ///< exchanges at the same time
    std::function<std::chrono::sys_seconds()> now = [] {
      return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    };
    std::function<std::chrono::steady_clock::time_point()> steady_now = [] { return std::chrono::steady_clock::now(); };
  };
  /// `client` outlives this, and this outlives begin() and finish().
  OidcClient(boost::asio::io_context& loop, http::Client& client, Options options);
  ~OidcClient();
  OidcClient(const OidcClient&) = delete;
  OidcClient& operator=(const OidcClient&) = delete;

  /// Begins to fetch what the provider says of itself.
  void start();

  /// Where the browser goes for this attempt.
  boost::asio::awaitable<std::expected<std::string, LoginFailure>> begin(LoginAttempt attempt);
  /// Who logged in, by the code that the provider gave the browser.
  boost::asio::awaitable<std::expected<Login, LoginFailure>> finish(LoginAttempt attempt, std::string code);

  [[nodiscard]] const std::string& issuer() const;
  /// As end_session_url(). Empty also while the provider has not answered yet.
  [[nodiscard]] std::string end_session_url(std::string_view afterwards) const;
  /// Empty, or why logins are not possible, for /readyz.
  [[nodiscard]] std::string problem() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tokenrail::auth
