// Brings a database's schema up to what this binary knows: numbered migrations, forward only, each in a transaction of
// its own, one program at a time (an advisory lock). The SQL of migrations/ is part of the binary. Blocking.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/registry/database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

struct Migration {
  int version = 0;
  std::string_view name;
  std::string_view sql;
};

/// Those of this binary, in order.
[[nodiscard]] std::span<const Migration> migrations();

struct MigrationStatus {
  int applied = 0;                     ///< version of the newest applied one; 0: none
  std::vector<std::string> pending{};  ///< "0002_credentials", in order
};

/// Looks only; changes nothing. Errors as migrate()'s.
[[nodiscard]] Result<MigrationStatus> migration_status(const DatabaseOptions& options,
                                                       std::span<const Migration> known = migrations());

/// Applies what is pending and returns the names of what was applied. Errors: unavailable (no database);
/// rejected: a migration was changed after it had been applied, the database is newer than this binary, or a statement
/// failed (that migration is rolled back whole; those before it stay).
[[nodiscard]] Result<std::vector<std::string>> migrate(const DatabaseOptions& options,
                                                       std::span<const Migration> known = migrations());

}  // namespace tokenrail::registry
