// What requests of a browser need beside those of programs: cookies, and a proof that our own page made them. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/auth/session.hpp"
#include "common/http/server.hpp"
#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

/// Where browsers see this server.
struct Site {
  std::string public_url{};                  ///< "https://models.example.org"; empty: where the request says it went to
  bool secure = false;                       ///< browsers reach it by https, so that cookies are for https only
  std::vector<std::string> other_origins{};  ///< whose pages may send changing requests too
};

/// `public_url`: empty, or a URL. Without one, an address that is not loopback is taken to be behind TLS.
[[nodiscard]] Site site_of(std::string public_url, std::string_view listen, std::vector<std::string> other_origins);

/// "__Host-…" where the site is secure: browsers then take the cookie from this host only.
[[nodiscard]] std::string_view session_cookie_name(bool secure);
/// The value of Set-Cookie. A session that has ended: empty `value` and no time.
[[nodiscard]] std::string session_cookie(bool secure, std::string_view value, std::chrono::seconds lifetime);

/// The cookie of a login that has been begun. It comes back with the browser from the provider, which is another site:
/// SameSite=Lax.
[[nodiscard]] std::string_view login_cookie_name(bool secure);
[[nodiscard]] std::string login_cookie(bool secure, std::string_view value, std::chrono::seconds lifetime);

/// Where a login may lead: a path of the web page. Everything else becomes the page's start, so that a link to the
/// login cannot lead to another site. The parameter of an earlier login's failure is left out.
[[nodiscard]] std::string safe_return_to(std::string_view path);
/// The page with `loginError` in its query.
[[nodiscard]] std::string with_login_error(std::string_view return_to, std::string_view error);

/// The site as the browser of this request sees it, "https://models.example.org". Empty: it is not configured, and the
/// request did not go to this machine, so that what its Host names cannot be trusted.
[[nodiscard]] std::string base_url_of(const Site& site, const http::ServerRequest& request);

/// Changing requests with a session cookie come from our page: the header Origin, where there is one, is ours, and
/// X-CSRF-Token is the session's. Problem: csrf_failed.
[[nodiscard]] std::optional<Problem> check_page_request(const Site& site, const http::ServerRequest& request,
                                                        const auth::Session& session);

/// The first half of it, for requests without a session.
[[nodiscard]] std::optional<Problem> check_origin(const Site& site, const http::ServerRequest& request);

/// The header Host names this machine: `localhost`, or a loopback address. A page of another site, whose name was made
/// to lead to this machine, has its own name there.
[[nodiscard]] bool is_local_host(const http::ServerRequest& request);

}  // namespace tokenrail::registry_api
