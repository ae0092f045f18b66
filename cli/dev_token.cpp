#include "cli/dev_token.hpp"

#include <chrono>

#include <fmt/format.h>

#include "common/auth/principal.hpp"

namespace tokenrail::cli {
namespace {

using std::chrono::seconds;

std::string known_roles() {
  return fmt::format("{} or {}", fmt::join(auth::role_names, ", "), auth::platform_admin_name);
}

Result<seconds> lifetime_of(const Call& call) {
  const auto text = call.value("expires");
  if (!text) return auth::dev_token_lifetime;
  const auto given = duration_flag("expires", *text);
  if (!given) return std::unexpected(given.error());
  if (*given < seconds(1) || *given > auth::dev_token_lifetime_max)
    return fail(ErrorKind::invalid_input,
                fmt::format("--expires {}: a time from 1s to {}h is needed", *text,
                            std::chrono::floor<std::chrono::hours>(auth::dev_token_lifetime_max).count()));
  return std::chrono::floor<seconds>(*given);
}

}  // namespace

Result<auth::DevIssuer::Claims> dev_token_claims(const Call& call, const std::string& audience, std::string_view user) {
  const auto role = call.value("role").value_or("");
  if (role.empty())
    return fail(ErrorKind::invalid_input, fmt::format("no role was given; add --role {}", known_roles()));
  const bool platform_admin = role == auth::platform_admin_name;
  if (!platform_admin && !auth::role_of(role))
    return fail(ErrorKind::invalid_input,
                fmt::format("--role {}: there is no such role; write {}", role, known_roles()));
  const auto org = call.value("org").value_or("");
  if (org.empty() && !platform_admin)
    return fail(ErrorKind::invalid_input, fmt::format("the role {} counts in an organisation; add --org ORG", role));
  const auto lifetime = lifetime_of(call);
  if (!lifetime) return std::unexpected(lifetime.error());
  return auth::DevIssuer::Claims{.audience = audience,
                                 .subject = call.value("subject").value_or(std::string(user)),
                                 .org = org,
                                 .role = role,
                                 .lifetime = *lifetime};
}

}  // namespace tokenrail::cli
