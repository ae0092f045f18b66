// What was done by whom, and answers kept for requests that come twice. Blocking; see governed_database.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class GovernanceLog {
 public:
  explicit GovernanceLog(GovernedDatabase& database) : database_(database) {}

  struct AuditFilter {
    std::string action{};       ///< "model.changed"
    std::string target_type{};  ///< "model"
    std::string target_id{};
    std::string actor{};
  };
  /// Newest first.
  Result<DocumentPage> audit(const Actor& actor, const Scope& scope, const AuditFilter& filter,
                             const PageRequest& page);
  /// Syncs of the scope's connections, newest first.
  Result<DocumentPage> sync_runs(const Actor& actor, const Scope& scope, const PageRequest& page);
  /// Asks registry-sync to sync a connection of the scope now, and returns the request's id. `accept_held`: apply
  /// also what would be held. Errors: not_found; conflict where the connection is not synced.
  Result<std::string> request_sync(const Actor& actor, const Scope& scope, const std::string& connection_id,
                                   bool accept_held);

  /// An answer as it was given.
  struct StoredAnswer {
    std::int64_t status = 0;
    std::string headers{};  ///< JSON object
    std::string body{};
  };
  enum class Claimed {
    fresh,      ///< the caller answers it, and calls finish() or abandon()
    replayed,   ///< it was answered before: see `answer`
    in_flight,  ///< another call answers it at this moment
    mismatch,   ///< the key came with another request before
  };
  struct Claim {
    Claimed outcome = Claimed::fresh;
    StoredAnswer answer{};
  };
  /// `key`: of the header Idempotency-Key; `request_sha256`: of method, path and body, in hex.
  Result<Claim> claim(const Actor& actor, const std::string& key, const std::string& request_sha256);
  Result<void> finish(const Actor& actor, const std::string& key, const StoredAnswer& answer);
  /// The request was not answered: the same again is a fresh one.
  Result<void> abandon(const Actor& actor, const std::string& key);
  /// Removes what has expired. Returns how many.
  Result<std::int64_t> prune();

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
