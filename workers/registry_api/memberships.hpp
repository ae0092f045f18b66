// What the database says of a caller beside the token: memberships, what is denied to them by name, and service tokens.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include <boost/asio/awaitable.hpp>

#include "common/auth/api_token.hpp"
#include "common/auth/principal.hpp"
#include "common/auth/session.hpp"
#include "common/registry/organizations.hpp"
#include "workers/registry_api/database_pool.hpp"

namespace tokenrail::registry_api {

/// Issuer of the principals of service tokens.
inline constexpr std::string_view service_token_issuer = "tokenrail:service-tokens";

/// The principal with what the rows add: a role in the rows counts instead of the token's for the same organisation, so
/// that an organisation governs its members here. Roles in organisations that are deleted, and names that are no role
/// or permission, give nothing. Pure.
[[nodiscard]] auth::Principal with_memberships(auth::Principal principal, const registry::Organizations::Known& known);

/// Whether the database said all of the principal already. A client that asks for itself with a JWT is a service too,
/// but has memberships and denials like a person. Pure.
[[nodiscard]] bool is_service_token(const auth::Principal& principal);

/// The generation of a session that begins now: no lower than any that was ended. Pure.
[[nodiscard]] std::int64_t login_generation(const registry::Organizations::Known& known);

/// The principal without the roles that the session's login gave in organisations that the person was removed from
/// since. Memberships of the database are added after that. Pure.
[[nodiscard]] auth::Principal without_ended_roles(auth::Principal principal, const auth::Session& session,
                                                  const registry::Organizations::Known& known);

/// Whether the session was ended before its time. Pure.
[[nodiscard]] bool is_ended(const auth::Session& session, const registry::Organizations::Known& known);

/// The principal of a service token, where the hash is the stored one. Pure.
[[nodiscard]] std::optional<auth::Principal> service_principal(const std::string& id, const auth::Digest& sha256,
                                                               const registry::Organizations::TokenOwner& owner);

/// What the database said of callers lately. While it does not answer, that counts: readers of what needs no database
/// are served, and writers learn that it is away instead of that they are strangers. Pure; one thread.
/// `session_id`: of a browser's session; empty: there is none.
class KnownCallers {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t callers_max = 10'000;
  static constexpr std::chrono::minutes age_max{5};

  void remember(const auth::Principal& principal, const std::string& session_id, registry::Organizations::Known known,
                Clock::time_point now);
  /// Nothing: it is not known, or that was too long ago.
  [[nodiscard]] std::optional<registry::Organizations::Known> recall(const auth::Principal& principal,
                                                                     const std::string& session_id,
                                                                     Clock::time_point now) const;
  /// Of every session, because one of them was ended, or all.
  void forget(const auth::Principal& principal);

 private:
  struct Memory {
    registry::Organizations::Known known;
    Clock::time_point at;
  };
  /// By issuer, subject and session.
  std::map<std::tuple<std::string, std::string, std::string>, Memory> callers_{};
};

/// What the database says of the principal and of the session, or what `callers` remember while it does not answer.
boost::asio::awaitable<Result<registry::Organizations::Known>> find_caller(DatabasePool* database,
                                                                           KnownCallers* callers,
                                                                           auth::Principal principal,
                                                                           std::string session_id);

/// Whether there is such an organisation. True also while the database does not answer: what needs it fails by itself.
boost::asio::awaitable<bool> organization_exists(DatabasePool* database, std::string org);

/// service_principal() from the database; nothing: there is no such token, or it was revoked or has expired.
boost::asio::awaitable<Result<std::optional<auth::Principal>>> find_service_token(DatabasePool& database,
                                                                                  std::string id, auth::Digest sha256);

}  // namespace tokenrail::registry_api
