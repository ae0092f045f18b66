#include "common/auth/oidc_settings.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/auth/trusted_url.hpp"

namespace tokenrail::auth {
namespace {

std::unexpected<Error> refuse(std::string detail) {
  return fail(ErrorKind::invalid_input, std::move(detail));
}

std::string text_or_empty(const config::Values& values, std::string_view name) {
  return values.is_set(name) ? values.text(name) : std::string();
}

std::unexpected<Error> refuse_mapping(std::string_view entry, std::string_view why) {
  return refuse(
      fmt::format("auth.oidc_group_roles: '{}' {}; give GROUP=ORGANISATION:ROLE or GROUP=platform_admin", entry, why));
}

/// The last '=' separates, because the name of a group may hold one, and an organisation's id may not.
Result<GroupRole> read_mapping(std::string_view entry) {
  const auto equals = entry.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return refuse_mapping(entry, "names no group");
  const auto right = entry.substr(equals + 1);
  GroupRole mapping{.group = std::string(entry.substr(0, equals))};
  if (right == platform_admin_name) return mapping;
  const auto colon = right.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return refuse_mapping(entry, "names no organisation");
  const auto role = role_of(right.substr(colon + 1));
  if (!role) return refuse_mapping(entry, "names no role");
  mapping.org = std::string(right.substr(0, colon));
  mapping.role = *role;
  return mapping;
}

}  // namespace

Result<std::optional<OidcSettings>> read_oidc_settings(const config::Values& values) {
  if (!values.is_set("auth.oidc_client_id")) return std::nullopt;
  OidcSettings read{.issuer = text_or_empty(values, "auth.oidc_issuer"),
                    .client_id = values.text("auth.oidc_client_id"),
                    .client_secret = Secret(text_or_empty(values, "auth.oidc_client_secret")),
                    .scopes = values.list("auth.oidc_scopes"),
                    .groups_claim = text_or_empty(values, "auth.oidc_groups_claim"),
                    .claims = {.org = text_or_empty(values, "auth.org_claim"),
                               .role = text_or_empty(values, "auth.role_claim"),
                               .roles = text_or_empty(values, "auth.roles_claim")}};
  if (read.issuer.empty()) read.issuer = text_or_empty(values, "auth.issuer");
  if (read.issuer.empty()) {
    return refuse(
        "auth.oidc_client_id is set and auth.oidc_issuer is not; set TOKENRAIL_AUTH_OIDC_ISSUER to the address of the "
        "provider");
  }
  if (!is_trusted_url(read.issuer)) {
    return refuse(fmt::format(
        "the issuer of logins is '{}', and what comes over http can be replaced on its way; use https", read.issuer));
  }
  if (std::ranges::find(read.scopes, "openid") == read.scopes.end())
    return refuse("auth.oidc_scopes lacks openid, without which the provider gives no ID token; add it");
  for (const auto& entry : values.list("auth.oidc_group_roles")) {
    auto mapping = read_mapping(entry);
    if (!mapping) return std::unexpected(std::move(mapping.error()));
    read.group_roles.push_back(std::move(*mapping));
  }
  return read;
}

}  // namespace tokenrail::auth
