#include "common/auth/settings.hpp"

#include <array>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "common/auth/dev_issuer.hpp"
#include "common/auth/trusted_url.hpp"

namespace tokenrail::auth {
namespace {

using config::Kind;
using config::Setting;

constexpr std::array settings{
    Setting{.name = "auth.mode",
            .env = {},
            .kind = Kind::choice,
            .default_value = "",
            .help = "jwt: tokens of your identity provider. dev: tokens of `tokenrail auth token`, on loopback only.",
            .choices = "dev|jwt"},
    Setting{.name = "auth.issuer",
            .env = {},
            .kind = Kind::text,
            .default_value = "",
            .help = "The claim iss of every token, exactly; needed in mode jwt."},
    Setting{.name = "auth.audience",
            .env = {},
            .kind = Kind::text,
            .default_value = "tokenrail",
            .help = "What the claim aud of every token has to contain."},
    Setting{.name = "auth.jwks_url",
            .env = {},
            .kind = Kind::url,
            .default_value = "",
            .help = "Where the issuer publishes its public keys; needed in mode jwt. https, or http on loopback."},
    Setting{.name = "auth.org_claim",
            .env = {},
            .kind = Kind::text,
            .default_value = "org",
            .help = "Mode jwt: the claim with the bearer's organisation."},
    Setting{.name = "auth.role_claim",
            .env = {},
            .kind = Kind::text,
            .default_value = "role",
            .help = "Mode jwt: the claim with the role in that organisation, or platform_admin."},
    Setting{.name = "auth.roles_claim",
            .env = {},
            .kind = Kind::text,
            .default_value = "roles",
            .help = "Mode jwt: the claim with roles in several organisations, {\"acme\":\"model_admin\"}."},
    Setting{.name = "auth.dev_key_file",
            .env = {},
            .kind = Kind::text,
            .default_value = "",
            .help = "Mode dev: the key that signs tokens. Unset: tokenrail/dev-auth-key.json in $XDG_STATE_HOME."},
    Setting{.name = "auth.oidc_client_id",
            .env = {},
            .kind = Kind::text,
            .default_value = "",
            .help = "Login of the web page at an OpenID Connect provider: the id of this client there. Unset: there is "
                    "no such login."},
    Setting{.name = "auth.oidc_issuer",
            .env = {},
            .kind = Kind::url,
            .default_value = "",
            .help = "The provider, exactly as its tokens name it in iss. Unset: auth.issuer. https, or http on "
                    "loopback."},
    Setting{.name = "auth.oidc_client_secret",
            .env = {},
            .kind = Kind::secret,
            .default_value = "",
            .help = "The client's secret. Unset: a public client, which PKCE alone protects."},
    Setting{
        .name = "auth.oidc_scopes",
        .env = {},
        .kind = Kind::list,
        .default_value = "openid,profile,email",
        .help = "What a login asks the provider for. Add the scope with which it gives the groups, if there is one."},
    Setting{.name = "auth.oidc_groups_claim",
            .env = {},
            .kind = Kind::text,
            .default_value = "groups",
            .help = "The claim of the ID token with the user's groups."},
    Setting{.name = "auth.oidc_group_roles",
            .env = {},
            .kind = Kind::list,
            .default_value = "",
            .help =
                "What groups may do: ml-team=acme:model_admin,ops=platform_admin. Unset: roles come from the claims "
                "that tokens have them in."},
};

std::unexpected<Error> refuse(std::string detail) {
  return fail(ErrorKind::invalid_input, std::move(detail));
}

std::string text_or_empty(const config::Values& values, std::string_view name) {
  return values.is_set(name) ? values.text(name) : std::string();
}

Result<std::string> dev_key_file_of(const config::Values& values, std::string_view xdg_state_home,
                                    std::string_view home) {
  auto file = text_or_empty(values, "auth.dev_key_file");
  if (file.empty()) file = default_dev_key_file(xdg_state_home, home);
  if (file.empty())
    return refuse("there is no place for the key of dev mode, because HOME is not set; set auth.dev_key_file");
  return file;
}

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

std::span<const Setting> auth_settings() {
  return settings;
}

JwtRules AuthSettings::rules() const {
  return {.issuer = issuer, .audience = audience, .claims = claims};
}

Result<AuthSettings> read_auth_settings(const config::Values& values, std::string_view xdg_state_home,
                                        std::string_view home) {
  if (!values.is_set("auth.mode"))
    return refuse(
        "auth.mode is not set; set TOKENRAIL_AUTH_MODE=jwt with TOKENRAIL_AUTH_ISSUER and TOKENRAIL_AUTH_JWKS_URL, or "
        "TOKENRAIL_AUTH_MODE=dev to try things out on this machine");
  AuthSettings read{.mode = values.text("auth.mode") == "dev" ? Mode::dev : Mode::jwt,
                    .audience = text_or_empty(values, "auth.audience")};
  if (read.audience.empty()) return refuse("auth.audience is empty; set it to what the claim aud of your tokens holds");
  if (read.mode == Mode::dev) {
    auto file = dev_key_file_of(values, xdg_state_home, home);
    if (!file) return std::unexpected(file.error());
    read.dev_key_file = std::move(*file);
    read.issuer = dev_issuer_name;
    return read;
  }

  read.issuer = text_or_empty(values, "auth.issuer");
  if (read.issuer.empty())
    return refuse(
        "auth.mode is jwt and auth.issuer is not set; set TOKENRAIL_AUTH_ISSUER to the claim iss of your tokens");
  read.jwks_url = text_or_empty(values, "auth.jwks_url");
  if (read.jwks_url.empty())
    return refuse(
        "auth.mode is jwt and auth.jwks_url is not set; set TOKENRAIL_AUTH_JWKS_URL to the jwks_uri of your issuer");
  if (!is_trusted_url(read.jwks_url))
    return refuse(fmt::format(
        "auth.jwks_url is '{}', and keys that come over http can be replaced on their way; use https", read.jwks_url));
  read.claims = {.org = text_or_empty(values, "auth.org_claim"),
                 .role = text_or_empty(values, "auth.role_claim"),
                 .roles = text_or_empty(values, "auth.roles_claim")};
  return read;
}

Result<AuthSettings> read_auth_settings(const config::Values& values) {
  return read_auth_settings(values, environment("XDG_STATE_HOME"), environment("HOME"));
}

Result<std::string> dev_key_file(const config::Values& values) {
  return dev_key_file_of(values, environment("XDG_STATE_HOME"), environment("HOME"));
}

std::optional<std::string> dev_mode_refusal(std::string_view listen) {
  if (is_loopback(host_of(listen))) return std::nullopt;
  return fmt::format(
      "auth.mode is dev and the address '{}' is not loopback, so other machines could be reached by tokens of a test "
      "key; listen on 127.0.0.1 or [::1], or set TOKENRAIL_AUTH_MODE=jwt",
      listen);
}

}  // namespace tokenrail::auth
