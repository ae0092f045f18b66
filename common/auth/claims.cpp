#include "common/auth/claims.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/auth/json.hpp"

namespace tokenrail::auth {
namespace {

constexpr std::array<std::string_view, 26> refusal_names{
    "no_token",
    "too_large",
    "not_a_jwt",
    "invalid_header",
    "algorithm_refused",
    "critical_header",
    "wrong_type",
    "no_key_id",
    "unknown_key",
    "wrong_algorithm_for_key",
    "bad_signature",
    "invalid_claims",
    "wrong_issuer",
    "wrong_audience",
    "no_expiry",
    "expired",
    "not_yet_valid",
    "issued_in_the_future",
    "no_subject",
    "invalid_roles",
    "unknown_role",
    "invalid_service_token",
    "unknown_service_token",
    "invalid_session",
    "wrong_nonce",
    "wrong_party",
};

using Check = std::optional<Refused>;

// The year 9999: beyond it a time is no date, and every sum with it stays exact in a double.
constexpr double time_max = 253'402'300'799.0;

/// A text of the token's in a message: short.
std::string excerpt(std::string_view text) {
  constexpr std::size_t shown_max = 64;
  return text.size() <= shown_max ? std::string(text) : std::string(text.substr(0, shown_max)) + "…";
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

/// Nothing where there is no such claim; NaN, with which every comparison fails, where it is no time.
std::optional<double> time_claim(JsonValue claims, const char* name) {
  const auto value = claims.find(name);
  if (!value.exists()) return std::nullopt;
  const auto number = value.number();
  return number && *number >= 0 && *number <= time_max ? *number : std::nan("");
}

Check check_issuer(JsonValue claims, const JwtRules& rules) {
  const auto issuer = claims.find("iss").string();
  if (issuer == rules.issuer) return std::nullopt;
  return Refused{Refusal::wrong_issuer, fmt::format("iss is '{}'", excerpt(issuer.value_or("")))};
}

Check check_audience(JsonValue claims, const JwtRules& rules) {
  const auto audience = claims.find("aud");
  if (audience.string() == rules.audience) return std::nullopt;
  for (std::size_t i = 0; audience.is_array() && i < audience.size(); ++i)
    if (audience.at(i).string() == rules.audience) return std::nullopt;
  return Refused{Refusal::wrong_audience, fmt::format("aud is not '{}'", rules.audience)};
}

std::expected<std::chrono::sys_seconds, Refused> check_times(JsonValue claims, const JwtRules& rules,
                                                             std::chrono::sys_seconds now) {
  const auto now_s = static_cast<double>(now.time_since_epoch().count());
  const auto skew_s = static_cast<double>(rules.skew.count());
  const auto expiry = time_claim(claims, "exp");
  if (!expiry) return std::unexpected(Refused{Refusal::no_expiry, "there is no exp"});
  if (!(now_s < *expiry + skew_s)) return std::unexpected(Refused{Refusal::expired, "exp has passed or is no time"});
  const auto not_before = time_claim(claims, "nbf");
  if (not_before && !(*not_before <= now_s + skew_s))
    return std::unexpected(Refused{Refusal::not_yet_valid, "nbf is in the future or is no time"});
  const auto issued = time_claim(claims, "iat");
  if (issued && !(*issued <= now_s + skew_s))
    return std::unexpected(Refused{Refusal::issued_in_the_future, "iat is in the future or is no time"});
  return std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(*expiry)));
}

Check check_org(std::string_view org) {
  if (!org.empty() && org.size() <= org_bytes_max && is_printable(org)) return std::nullopt;
  return Refused{Refusal::invalid_roles, "an organisation's id is empty, too long or not printable"};
}

Check add_membership(Principal& principal, std::string_view org, JsonValue role_claim) {
  if (auto refused = check_org(org)) return refused;
  const auto text = role_claim.string();
  if (!text) return Refused{Refusal::invalid_roles, fmt::format("the role in '{}' is no text", excerpt(org))};
  const auto role = role_of(*text);
  if (!role)
    return Refused{Refusal::unknown_role, fmt::format("'{}' in '{}' is no role", excerpt(*text), excerpt(org))};
  auto& known = principal.roles.try_emplace(std::string(org), *role).first->second;
  known = std::max(known, *role);
  return std::nullopt;
}

/// The pair of claims for one organisation.
Check read_org_and_role(JsonValue claims, const ClaimNames& names, Principal& principal) {
  const auto org = claims.find(names.org.c_str());
  const auto role = claims.find(names.role.c_str());
  if (role.string() == platform_admin_name) {
    principal.platform_admin = true;
    return std::nullopt;
  }
  if (!org.exists() && !role.exists()) return std::nullopt;
  if (!org.string() || !role.string())
    return Refused{Refusal::invalid_roles,
                   fmt::format("'{}' and '{}' have to be texts and come together", names.org, names.role)};
  return add_membership(principal, *org.string(), role);
}

Check read_roles(JsonValue claims, const ClaimNames& names, Principal& principal) {
  const auto roles = claims.find(names.roles.c_str());
  if (!roles.exists()) return std::nullopt;
  if (!roles.is_object() || roles.size() > memberships_max)
    return Refused{Refusal::invalid_roles,
                   fmt::format("'{}' has to be an object with at most {} organisations", names.roles, memberships_max)};
  Check refused;
  roles.each_member([&](std::string_view org, JsonValue role) {
    if (!refused) refused = add_membership(principal, org, role);
  });
  return refused;
}

}  // namespace

std::string_view name_of(Refusal refusal) {
  return refusal_names.at(static_cast<std::size_t>(refusal));
}

std::expected<VerifiedToken, Refused> read_claims(std::string_view json, const JwtRules& rules,
                                                  std::chrono::sys_seconds now) {
  const auto text = JsonText::parse(json);
  if (!text)
    return std::unexpected(Refused{Refusal::invalid_claims, "the payload is not one JSON object with unique names"});
  const auto claims = text->root();
  if (auto refused = check_issuer(claims, rules)) return std::unexpected(std::move(*refused));
  if (auto refused = check_audience(claims, rules)) return std::unexpected(std::move(*refused));
  const auto expires_at = check_times(claims, rules, now);
  if (!expires_at) return std::unexpected(expires_at.error());

  const auto subject = claims.find("sub").string().value_or("");
  if (subject.empty() || subject.size() > subject_bytes_max || !is_printable(subject))
    return std::unexpected(Refused{Refusal::no_subject, "sub is missing, empty, too long or not printable"});

  VerifiedToken token{.principal = {.issuer = rules.issuer, .subject = std::string(subject)},
                      .expires_at = *expires_at};
  // A client that asks for itself has its own id as the subject (RFC 9068, section 2.2).
  if (claims.find("client_id").string() == subject) token.principal.kind = Principal::Kind::service;
  if (!rules.roles_from_claims) return token;
  if (auto refused = read_org_and_role(claims, rules.claims, token.principal))
    return std::unexpected(std::move(*refused));
  if (auto refused = read_roles(claims, rules.claims, token.principal)) return std::unexpected(std::move(*refused));
  return token;
}

}  // namespace tokenrail::auth
