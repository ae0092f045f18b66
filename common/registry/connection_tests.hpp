// What tests of connections need of the database, and where their results are kept. Blocking; see
// governed_database.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/registry/connection_health.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

/// Results that are kept of one connection, and of a scope's drafts; older ones are removed.
inline constexpr std::int64_t kept_connection_tests = 20;

class ConnectionTestLog {
 public:
  explicit ConnectionTestLog(GovernedDatabase& database) : database_(database) {}

  struct Subject {
    std::string id{};
    std::string name{};
    std::string provider{};
    std::string adapter{};
    std::string base_url{};
    std::string auth_type{};
    std::string auth_name{};
    std::string credential_id{};  ///< empty: none
  };
  /// A connection of exactly that scope, by id or name. Errors: not_found; forbidden where it is the platform's, whose
  /// key an organisation must not use up.
  Result<Subject> subject(const Actor& actor, const Scope& scope, const std::string& id);
  /// Error: not_found.
  Result<std::string> adapter_of(const std::string& provider);

  struct Record {
    std::string connection_id{};  ///< empty: a draft
    std::string name{};           ///< of the connection; empty: a draft
    std::string provider{};
    std::string base_url{};
    std::string model{};  ///< empty: none was called
    std::string outcome{};
    std::string stages{};  ///< JSON array, without secrets
    std::int64_t latency_ms = 0;
    std::optional<ConnectionHealth> health{};  ///< nothing: that of the connection stays
  };
  /// Keeps the result and the connection's health, and writes the audit entry `connection.tested`.
  Result<void> record(const Actor& actor, const Scope& scope, const Record& test);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
