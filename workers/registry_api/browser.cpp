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
constexpr std::size_t return_to_bytes_max = 1'024;
constexpr std::string_view page_path = "/ui/";
constexpr std::string_view login_error_parameter = "loginError";

bool has_encoded_dot(std::string_view path) {
  for (auto at = path.find("%2"); at != std::string_view::npos; at = path.find("%2", at + 1))
    if (path.substr(at).starts_with("%2e") || path.substr(at).starts_with("%2E")) return true;
  return false;
}

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

std::string_view login_cookie_name(bool secure) {
  return secure ? "__Host-tokenrail_login" : "tokenrail_login";
}

std::string login_cookie(bool secure, std::string_view value, std::chrono::seconds lifetime) {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{}", login_cookie_name(secure), value,
                     lifetime.count(), secure ? "; Secure" : "");
}

std::string safe_return_to(std::string_view path) {
  const std::string start(page_path);
  const auto question = path.find('?');
  const auto file = path.substr(0, question);
  const bool printable = std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
  // No step upwards, also not an encoded one.
  const bool inside =
      file.starts_with(page_path) && !file.contains("//") && !file.contains("/.") && !has_encoded_dot(file);
  if (path.size() > return_to_bytes_max || !printable || !inside) return start;
  std::string kept(file);
  auto query = question == std::string_view::npos ? std::string_view() : path.substr(question + 1);
  char separator = '?';
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    if (!part.empty() && part.substr(0, part.find('=')) != login_error_parameter) {
      kept += separator;
      kept += part;
      separator = '&';
    }
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  }
  return kept;
}

std::string with_login_error(std::string_view return_to, std::string_view error) {
  return fmt::format("{}{}{}={}", return_to, return_to.contains('?') ? '&' : '?', login_error_parameter, error);
}

std::string base_url_of(const Site& site, const http::ServerRequest& request) {
  if (!site.public_url.empty()) return origin_of(site.public_url);
  if (!is_local_host(request)) return {};
  return fmt::format("{}://{}", site.secure ? "https" : "http", request.header("host").value_or(""));
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
