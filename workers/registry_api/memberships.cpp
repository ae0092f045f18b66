#include "workers/registry_api/memberships.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::Organizations;

std::optional<auth::Digest> digest_of(std::string_view hex) {
  auth::Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const auto* const begin = hex.data() + 2 * i;
    const auto [end, error] = std::from_chars(begin, begin + 2, digest.at(i), 16);
    if (error != std::errc{} || end != begin + 2) return std::nullopt;
  }
  return digest;
}

std::vector<std::string> organizations_of(const auth::Principal& principal) {
  std::vector<std::string> all;
  for (const auto& [org, role] : principal.roles) all.push_back(org);
  return all;
}

}  // namespace

auth::Principal with_memberships(auth::Principal principal, const Organizations::Known& known) {
  principal.platform_admin = principal.platform_admin || known.platform_admin;
  for (const auto& org : known.gone) principal.roles.erase(org);
  for (const auto& membership : known.memberships) {
    if (const auto role = auth::role_of(membership.role)) principal.roles[membership.org_id] = *role;
    for (const auto& name : membership.denied)
      if (const auto permission = auth::permission_of(name)) principal.denied[membership.org_id].insert(*permission);
  }
  return principal;
}

bool is_service_token(const auth::Principal& principal) {
  return principal.issuer == service_token_issuer;
}

bool is_ended(const auth::Session& session, const Organizations::Known& known) {
  return known.session_ended || session.generation < known.session_generation;
}

std::int64_t login_generation(const Organizations::Known& known) {
  auto generation = known.session_generation;
  for (const auto& ended : known.ended_roles) generation = std::max(generation, ended.generation);
  return generation;
}

auth::Principal without_ended_roles(auth::Principal principal, const auth::Session& session,
                                    const Organizations::Known& known) {
  for (const auto& ended : known.ended_roles)
    if (session.generation < ended.generation) principal.roles.erase(ended.org_id);
  return principal;
}

std::optional<auth::Principal> service_principal(const std::string& id, const auth::Digest& sha256,
                                                 const Organizations::TokenOwner& owner) {
  const auto stored = digest_of(owner.sha256_hex);
  if (!stored || !auth::same_digest(*stored, sha256)) return std::nullopt;
  auth::Principal principal{.issuer = std::string(service_token_issuer),
                            .subject = id,
                            .kind = auth::Principal::Kind::service,
                            .platform_admin = owner.role == auth::platform_admin_name};
  if (const auto role = auth::role_of(owner.role); role && !owner.org_id.empty()) principal.roles[owner.org_id] = *role;
  return principal;
}

void KnownCallers::remember(const auth::Principal& principal, const std::string& session_id, Organizations::Known known,
                            Clock::time_point now) {
  if (callers_.size() >= callers_max) {
    std::erase_if(callers_, [&](const auto& entry) { return entry.second.at + age_max <= now; });
    if (callers_.size() >= callers_max) callers_.erase(callers_.begin());
  }
  callers_.insert_or_assign({principal.issuer, principal.subject, session_id},
                            Memory{.known = std::move(known), .at = now});
}

std::optional<Organizations::Known> KnownCallers::recall(const auth::Principal& principal,
                                                         const std::string& session_id, Clock::time_point now) const {
  const auto found = callers_.find({principal.issuer, principal.subject, session_id});
  if (found == callers_.end() || found->second.at + age_max <= now) return std::nullopt;
  return found->second.known;
}

void KnownCallers::forget(const auth::Principal& principal) {
  auto caller = callers_.lower_bound({principal.issuer, principal.subject, std::string()});
  while (caller != callers_.end() && std::get<0>(caller->first) == principal.issuer &&
         std::get<1>(caller->first) == principal.subject)
    caller = callers_.erase(caller);
}

awaitable<Result<Organizations::Known>> find_caller(DatabasePool* database, KnownCallers* callers,
                                                    auth::Principal principal, std::string session_id) {
  auto known = co_await database->run([issuer = principal.issuer, subject = principal.subject, session_id,
                                       claimed = organizations_of(principal)](GovernedDatabase& governed) {
    return Organizations(governed).known(issuer, subject, session_id, claimed);
  });
  if (known) {
    callers->remember(principal, session_id, *known, KnownCallers::Clock::now());
    co_return std::move(*known);
  }
  auto remembered = callers->recall(principal, session_id, KnownCallers::Clock::now());
  if (!remembered) co_return std::unexpected(known.error());
  co_return std::move(*remembered);
}

awaitable<bool> organization_exists(DatabasePool* database, std::string org) {
  const auto found = co_await database->run([org](GovernedDatabase& governed) {
    return Organizations(governed).get({.name = "api", .scope = {.org_id = org}}, org);
  });
  co_return found || found.error().kind != ErrorKind::not_found;
}

awaitable<Result<std::optional<auth::Principal>>> find_service_token(DatabasePool& database, std::string id,
                                                                     auth::Digest sha256) {
  const auto owner =
      co_await database.run([id](GovernedDatabase& governed) { return Organizations(governed).token_owner(id); });
  if (!owner) co_return std::unexpected(owner.error());
  if (!*owner) co_return std::nullopt;
  co_return service_principal(id, sha256, **owner);
}

}  // namespace tokenrail::registry_api
