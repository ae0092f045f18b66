#include "common/auth/session.hpp"

#include <algorithm>
#include <utility>

#include "common/auth/json.hpp"
#include "common/crypto/bytes.hpp"

namespace tokenrail::auth {
namespace {

/// Makes the key of sessions another one than the key that seals credentials.
constexpr std::string_view purpose = "tokenrail session cookie, version 1";
constexpr std::size_t csrf_bytes = 24;
constexpr std::size_t id_bytes = 18;

std::unexpected<Refused> refused(std::string detail) {
  return std::unexpected(Refused{.why = Refusal::invalid_session, .detail = std::move(detail)});
}

std::optional<std::string> payload_of(const Principal& principal, const Session& session) {
  JsonObject roles;
  for (const auto& [org, role] : principal.roles) roles.set(org.c_str(), name_of(role));
  const auto roles_text = roles.text();
  if (!roles_text) return std::nullopt;
  JsonObject payload;
  payload.set("iss", principal.issuer).set("sub", principal.subject).set("roles", *roles_text);
  payload.set("admin", principal.platform_admin ? 1 : 0);
  payload.set("name", session.name).set("csrf", session.csrf_token);
  payload.set("exp", session.expires_at.time_since_epoch().count());
  payload.set("sid", session.id).set("gen", session.generation);
  return payload.text();
}

std::optional<Identity> identity_of(std::string_view payload) {
  const auto text = JsonText::parse(payload);
  if (!text) return std::nullopt;
  const auto root = text->root();
  const auto roles = JsonText::parse(root.find("roles").string().value_or(""));
  const auto expires = root.find("exp").number();
  const auto generation = root.find("gen").number();
  if (!roles || !expires || !generation) return std::nullopt;
  Identity identity;
  identity.principal.issuer = root.find("iss").string().value_or("");
  identity.principal.subject = root.find("sub").string().value_or("");
  identity.principal.platform_admin = root.find("admin").number() == 1;
  roles->root().each_member([&](std::string_view org, JsonValue value) {
    if (const auto role = role_of(value.string().value_or(""))) identity.principal.roles.emplace(org, *role);
  });
  identity.session =
      Session{.name = std::string(root.find("name").string().value_or("")),
              .csrf_token = std::string(root.find("csrf").string().value_or("")),
              .expires_at = std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(*expires))),
              .id = std::string(root.find("sid").string().value_or("")),
              .generation = static_cast<std::int64_t>(*generation)};
  if (identity.principal.subject.empty() || identity.session->csrf_token.empty() || identity.session->id.empty())
    return std::nullopt;
  return identity;
}

}  // namespace

std::string new_csrf_token() {
  return crypto::to_base64url(crypto::random_public_bytes(csrf_bytes));
}

std::string new_session_id() {
  return crypto::to_base64url(crypto::random_public_bytes(id_bytes));
}

SessionSealer::SessionSealer(const crypto::KeyRing* ring) : sealer_(ring, std::string(purpose)) {}

Result<std::string> SessionSealer::seal(const Principal& principal, const Session& session) const {
  const auto payload = payload_of(principal, session);
  if (!payload) return fail(ErrorKind::invalid_input, "The name of a user or an organisation is not valid UTF-8.");
  auto text = sealer_.seal(*payload);
  if (text && text->size() > session_bytes_max) {
    return fail(ErrorKind::invalid_input,
                "The login has roles in more organisations than a session can hold. Add the user as a member of the "
                "organisations, and leave their roles out of the login.");
  }
  return text;
}

std::expected<Identity, Refused> SessionSealer::open(std::string_view sealed, std::chrono::sys_seconds now) const {
  if (sealed.size() > session_bytes_max) return refused("not the form of a session");
  const auto payload = sealer_.open(sealed);
  if (!payload) return refused(payload.error());
  auto identity = identity_of(payload->reveal());
  if (!identity) return refused("of another version");
  if (identity->session->expires_at <= now)
    return std::unexpected(Refused{.why = Refusal::expired, .detail = "the session has ended"});
  return std::move(*identity);
}

std::string_view cookie_value(std::string_view cookie_header, std::string_view name) {
  while (!cookie_header.empty()) {
    const auto semicolon = cookie_header.find(';');
    auto pair = cookie_header.substr(0, semicolon);
    pair.remove_prefix(std::min(pair.find_first_not_of(" \t"), pair.size()));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
    cookie_header.remove_prefix(semicolon == std::string_view::npos ? cookie_header.size() : semicolon + 1);
  }
  return {};
}

}  // namespace tokenrail::auth
