#include "workers/registry_api/browser.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "common/crypto/bytes.hpp"
#include "common/telemetry/text_escape.hpp"
#include "common/url.hpp"

namespace tokenrail::registry_api {

namespace {

constexpr std::size_t shown_bytes_max = 200;

/// Without brackets and port.
std::string host_of(std::string_view host_port) {
  if (host_port.starts_with('[')) return std::string(host_port.substr(1, host_port.find(']') - 1));
  return std::string(host_port.substr(0, host_port.rfind(':')));
}

bool is_loopback(std::string_view host_port) {
  const auto host = host_of(host_port);
  if (host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

std::string origin_of(std::string_view url) {
  const auto parts = split_url(url);
  return fmt::format("{}://{}", parts.scheme, parts.host_port);
}

Problem refused(std::string detail) {
  return {.fault = Fault::csrf_failed, .detail = std::move(detail)};
}

}  // namespace

Site site_of(std::string public_url, std::string_view listen, std::vector<std::string> other_origins) {
  const bool secure = public_url.empty() ? !is_loopback(listen) : public_url.starts_with("https://");
  return {.public_url = std::move(public_url), .secure = secure, .other_origins = std::move(other_origins)};
}

std::string_view session_cookie_name(bool secure) {
  return secure ? "__Host-tokenrail_session" : "tokenrail_session";
}

std::string session_cookie(bool secure, std::string_view value, std::chrono::seconds lifetime) {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", session_cookie_name(secure), value,
                     lifetime.count(), secure ? "; Secure" : "");
}

std::optional<Problem> check_origin(const Site& site, const http::ServerRequest& request) {
  const auto origin = request.header("origin");
  if (!origin) return std::nullopt;
  if (std::ranges::find(site.other_origins, *origin) != site.other_origins.end()) return std::nullopt;
  const auto host = request.header("host").value_or("");
  const bool ours = site.public_url.empty() ? *origin == fmt::format("{}://{}", site.secure ? "https" : "http", host)
                                            : *origin == origin_of(site.public_url);
  if (ours) return std::nullopt;
  return refused(fmt::format("The request comes from a page of {}, which is another origin.",
                             telemetry::one_line(origin->substr(0, shown_bytes_max))));
}

std::optional<Problem> check_page_request(const Site& site, const http::ServerRequest& request,
                                          const auth::Session& session) {
  if (request.method == "GET" || request.method == "HEAD") return std::nullopt;
  if (auto wrong = check_origin(site, request)) return wrong;
  const auto token = request.header("x-csrf-token");
  if (!token) return refused("A changing request with a session cookie needs the header X-CSRF-Token.");
  if (!crypto::equal_in_constant_time(*token, session.csrf_token))
    return refused("The header X-CSRF-Token is not the token of this session.");
  return std::nullopt;
}

bool is_local_host(const http::ServerRequest& request) {
  return is_loopback(request.header("host").value_or(""));
}

}  // namespace tokenrail::registry_api
