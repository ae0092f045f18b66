#include "common/auth/id_token.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "common/auth/json.hpp"
#include "common/auth/jwt.hpp"
#include "common/crypto/bytes.hpp"

namespace tokenrail::auth {
namespace {

constexpr std::size_t name_bytes_max = 256;

using Check = std::optional<Refused>;

Check check_party(JsonValue claims, std::string_view client_id) {
  const auto party = claims.find("azp");
  if (party.exists() ? party.string() == client_id : claims.find("aud").size() <= 1) return std::nullopt;
  return Refused{Refusal::wrong_party, "azp is not our client"};
}

Check check_nonce(JsonValue claims, std::string_view nonce) {
  const auto given = claims.find("nonce").string();
  if (given && !nonce.empty() && crypto::equal_in_constant_time(*given, nonce)) return std::nullopt;
  return Refused{Refusal::wrong_nonce, "nonce is not the one of this login"};
}

std::set<std::string, std::less<>> groups_of(JsonValue claim) {
  std::set<std::string, std::less<>> groups;
  if (const auto one = claim.string()) groups.emplace(*one);
  for (std::size_t i = 0; claim.is_array() && i < claim.size(); ++i)
    if (const auto group = claim.at(i).string()) groups.emplace(*group);
  return groups;
}

void add_roles_of_groups(JsonValue claims, const OidcSettings& settings, Principal& principal) {
  const auto groups = groups_of(claims.find(settings.groups_claim.c_str()));
  for (const auto& mapping : settings.group_roles) {
    if (!groups.contains(mapping.group)) continue;
    if (mapping.org.empty()) {
      principal.platform_admin = true;
      continue;
    }
    auto& role = principal.roles.try_emplace(mapping.org, mapping.role).first->second;
    role = std::max(role, mapping.role);
  }
}

std::string name_of_user(JsonValue claims, const std::string& subject) {
  for (const auto* claim : {"name", "preferred_username", "email"}) {
    const auto name = claims.find(claim).string();
    if (name && !name->empty() && name->size() <= name_bytes_max) return std::string(*name);
  }
  return subject;
}

}  // namespace

std::expected<Login, Refused> verify_id_token(std::string_view token, const JwkSet& keys, const OidcSettings& settings,
                                              std::string_view nonce, std::chrono::sys_seconds now) {
  const auto payload = verified_payload(token, keys);
  if (!payload) return std::unexpected(payload.error());
  const bool by_groups = !settings.group_roles.empty();
  auto verified = read_claims(*payload,
                              {.issuer = settings.issuer,
                               .audience = settings.client_id,
                               .claims = settings.claims,
                               .roles_from_claims = !by_groups},
                              now);
  if (!verified) return std::unexpected(std::move(verified.error()));
  const auto text = JsonText::parse(*payload);
  const auto claims = text->root();
  if (auto refused = check_nonce(claims, nonce)) return std::unexpected(std::move(*refused));
  if (auto refused = check_party(claims, settings.client_id)) return std::unexpected(std::move(*refused));
  Login login{.principal = std::move(verified->principal)};
  login.principal.kind = Principal::Kind::user;
  if (by_groups) add_roles_of_groups(claims, settings, login.principal);
  login.name = name_of_user(claims, login.principal.subject);
  return login;
}

}  // namespace tokenrail::auth
