#include "common/auth/oidc.hpp"

#include <array>
#include <initializer_list>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/auth/json.hpp"
#include "common/auth/trusted_url.hpp"
#include "common/crypto/bytes.hpp"

namespace tokenrail::auth {
namespace {

/// Makes the key of login attempts another one than those of sessions and credentials.
constexpr std::string_view purpose = "tokenrail login cookie, version 1";
constexpr std::size_t random_bytes = 32;
constexpr std::size_t sealed_bytes_max = 3'800;
constexpr std::size_t shown_bytes_max = 200;
constexpr int status_ok = 200;
constexpr int status_too_many = 429;
constexpr int status_server_error = 500;

using Parameter = std::pair<std::string_view, std::string_view>;

/// For a query and for application/x-www-form-urlencoded alike.
std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                            std::string_view("-._~").contains(c);
    if (unreserved) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string form_of(std::initializer_list<Parameter> parameters) {
  std::string form;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    if (!form.empty()) form += '&';
    form += fmt::format("{}={}", name, encoded(value));
  }
  return form;
}

/// An endpoint may have a query of its own.
std::string with_query(std::string_view url, std::string_view query) {
  return fmt::format("{}{}{}", url, url.contains('?') ? '&' : '?', query);
}

std::string random_text() {
  return crypto::to_base64url(crypto::random_public_bytes(random_bytes));
}

std::string texts_of_error(std::string_view body) {
  const auto answer = JsonText::parse(body);
  if (!answer) return "without a reason";
  const auto error = answer->root().find("error").string().value_or("without a reason");
  const auto description = answer->root().find("error_description").string().value_or("");
  return fmt::format("{} {}", error.substr(0, shown_bytes_max), description.substr(0, shown_bytes_max));
}

/// Absent means client_secret_basic alone (Discovery, section 3).
bool needs_secret_in_body(JsonValue methods) {
  bool body = false;
  for (std::size_t i = 0; methods.is_array() && i < methods.size(); ++i) {
    if (methods.at(i).string() == "client_secret_basic") return false;
    if (methods.at(i).string() == "client_secret_post") body = true;
  }
  return body;
}

}  // namespace

std::string discovery_url(std::string_view issuer) {
  if (issuer.ends_with('/')) issuer.remove_suffix(1);
  return fmt::format("{}/.well-known/openid-configuration", issuer);
}

Result<OidcProvider> read_discovery(std::string_view json, std::string_view issuer) {
  const auto text = JsonText::parse(json);
  if (!text) return fail(ErrorKind::invalid_input, "the answer is not one JSON object with unique names");
  const auto document = text->root();
  const auto named = document.find("issuer").string().value_or("");
  if (named != issuer) {
    return fail(ErrorKind::invalid_input, fmt::format("the document is one of the issuer '{}', and '{}' is configured",
                                                      named.substr(0, shown_bytes_max), issuer));
  }
  OidcProvider provider{.secret_in_body = needs_secret_in_body(document.find("token_endpoint_auth_methods_supported"))};
  struct Endpoint {
    const char* name;
    std::string* url;
    bool needed;
  };
  const std::array<Endpoint, 4> endpoints{{{"authorization_endpoint", &provider.authorization_endpoint, true},
                                           {"token_endpoint", &provider.token_endpoint, true},
                                           {"jwks_uri", &provider.jwks_url, true},
                                           {"end_session_endpoint", &provider.end_session_endpoint, false}}};
  for (const auto& endpoint : endpoints) {
    const auto url = document.find(endpoint.name).string();
    if (!url && !endpoint.needed) continue;
    if (!url || !is_trusted_url(*url))
      return fail(ErrorKind::invalid_input,
                  fmt::format("{} is missing, or it is no address with https", endpoint.name));
    *endpoint.url = *url;
  }
  return provider;
}

LoginAttempt new_login_attempt(std::string redirect_uri, std::string return_to, std::chrono::sys_seconds now) {
  return {.state = random_text(),
          .nonce = random_text(),
          .verifier = random_text(),
          .redirect_uri = std::move(redirect_uri),
          .return_to = std::move(return_to),
          .expires_at = now + login_attempt_lifetime};
}

std::string authorization_url(const OidcProvider& provider, const OidcSettings& settings, const LoginAttempt& attempt) {
  return with_query(provider.authorization_endpoint,
                    form_of({{"response_type", "code"},
                             {"client_id", settings.client_id},
                             {"redirect_uri", attempt.redirect_uri},
                             {"scope", fmt::format("{}", fmt::join(settings.scopes, " "))},
                             {"state", attempt.state},
                             {"nonce", attempt.nonce},
                             {"code_challenge", crypto::to_base64url(crypto::sha256(attempt.verifier))},
                             {"code_challenge_method", "S256"}}));
}

http::Request token_request(const OidcProvider& provider, const OidcSettings& settings, const LoginAttempt& attempt,
                            std::string_view code) {
  const auto secret = settings.client_secret.reveal();
  const bool basic = !secret.empty() && !provider.secret_in_body;
  http::Request request{.method = "POST",
                        .url = provider.token_endpoint,
                        .headers = {{.name = "Content-Type", .value = "application/x-www-form-urlencoded"},
                                    {.name = "Accept", .value = "application/json"}},
                        .body = form_of({{"grant_type", "authorization_code"},
                                         {"code", code},
                                         {"redirect_uri", attempt.redirect_uri},
                                         {"code_verifier", attempt.verifier},
                                         {"client_id", basic ? std::string_view() : settings.client_id},
                                         {"client_secret", basic ? std::string_view() : secret}})};
  if (basic) {
    // Both are form-encoded before they are joined (RFC 6749, section 2.3.1).
    const auto pair = fmt::format("{}:{}", encoded(settings.client_id), encoded(secret));
    request.headers.push_back({.name = "Authorization", .value = "Basic " + crypto::to_base64(pair), .secret = true});
  }
  return request;
}

Result<Secret> read_token_answer(int status, std::string_view body) {
  if (status >= status_server_error || status == status_too_many)
    return fail(ErrorKind::unavailable, fmt::format("the token endpoint answered with status {}", status));
  if (status != status_ok) {
    return fail(ErrorKind::rejected,
                fmt::format("the token endpoint refused with status {}: {}", status, texts_of_error(body)));
  }
  const auto answer = JsonText::parse(body);
  const auto token = answer ? answer->root().find("id_token").string() : std::nullopt;
  if (!token || token->empty())
    return fail(ErrorKind::invalid_input, "the answer of the token endpoint has no id_token");
  return Secret(*token);
}

std::string end_session_url(const OidcProvider& provider, const OidcSettings& settings, std::string_view afterwards) {
  if (provider.end_session_endpoint.empty()) return {};
  return with_query(provider.end_session_endpoint,
                    form_of({{"client_id", settings.client_id}, {"post_logout_redirect_uri", afterwards}}));
}

LoginSealer::LoginSealer(const crypto::KeyRing* ring) : sealer_(ring, std::string(purpose)) {}

Result<std::string> LoginSealer::seal(const LoginAttempt& attempt) const {
  JsonObject payload;
  payload.set("state", attempt.state).set("nonce", attempt.nonce).set("verifier", attempt.verifier);
  payload.set("redirect", attempt.redirect_uri).set("return", attempt.return_to);
  payload.set("exp", attempt.expires_at.time_since_epoch().count());
  const auto text = payload.text();
  if (!text) return fail(ErrorKind::invalid_input, "The page to return to is not valid UTF-8.");
  return sealer_.seal(*text);
}

std::optional<LoginAttempt> LoginSealer::open(std::string_view sealed, std::chrono::sys_seconds now) const {
  if (sealed.size() > sealed_bytes_max) return std::nullopt;
  const auto payload = sealer_.open(sealed);
  const auto text = payload ? JsonText::parse(payload->reveal()) : std::nullopt;
  if (!text) return std::nullopt;
  const auto root = text->root();
  const auto member = [&](const char* name) { return std::string(root.find(name).string().value_or("")); };
  LoginAttempt attempt{.state = member("state"),
                       .nonce = member("nonce"),
                       .verifier = member("verifier"),
                       .redirect_uri = member("redirect"),
                       .return_to = member("return"),
                       .expires_at = std::chrono::sys_seconds(
                           std::chrono::seconds(static_cast<std::int64_t>(root.find("exp").number().value_or(0))))};
  if (attempt.state.empty() || attempt.expires_at <= now) return std::nullopt;
  return attempt;
}

}  // namespace tokenrail::auth
