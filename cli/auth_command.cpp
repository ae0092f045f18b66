// `tokenrail auth token`: a token of dev mode, for trying the registry's API.
#include <chrono>
#include <cstdlib>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/dev_token.hpp"
#include "common/auth/dev_issuer.hpp"
#include "common/auth/settings.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::cli {
namespace {

std::string login_name() {
  const char* const name = std::getenv("USER");
  return name != nullptr && *name != '\0' ? name : "dev";
}

std::string token_json(const std::string& token, const auth::DevIssuer::Claims& claims,
                       std::chrono::sys_seconds expires_at) {
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("token", token);
  json.field("subject", claims.subject);
  if (!claims.org.empty()) json.field("org", claims.org);
  json.field("role", claims.role);
  json.field("expiresAt", fmt::format("{:%FT%TZ}", expires_at));
  json.end_object();
  return line;
}

}  // namespace

int run_auth_token(const Context& context) {
  const bool mode_set = context.values.is_set("auth.mode");
  if (mode_set && context.values.text("auth.mode") == "jwt")
    return context.failed(
        Error{ErrorKind::invalid_input,
              "no token was made, because auth.mode is jwt: tokens come from your identity provider; with "
              "TOKENRAIL_AUTH_MODE=dev, for this program and the API, tokens of this program are accepted"});
  const auto claims = dev_token_claims(context.call, context.values.text("auth.audience"), login_name());
  if (!claims) return context.failed(claims.error());
  const auto file = auth::dev_key_file(context.values);
  if (!file) return context.failed(file.error());
  const auto issuer = auth::DevIssuer::open(*file);
  if (!issuer) {
    context.terminal.error(issuer.error().detail);
    return exit_code_for(issuer.error().kind);
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto token = issuer->issue(*claims, now);
  if (!token) return context.failed(token.error());
  context.terminal.out_line(context.json() ? token_json(*token, *claims, now + claims->lifetime) : *token);
  if (!mode_set)
    context.terminal.note(
        "auth.mode is not set here; the API accepts this token if it runs with TOKENRAIL_AUTH_MODE=dev");
  return exit_done;
}

}  // namespace tokenrail::cli
