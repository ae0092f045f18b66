// A database session for the governed part of the registry: each call is one transaction, made as an actor under the
// role `tokenrail_app`, so that row-level security holds for whatever the programs forget to filter.
//
// Blocking, one thread at a time, like Store; errors as Store's, and conflict (a version other than the expected one,
// a name that is taken), not_found and forbidden (the actor may not write these rows) besides.
#pragma once

#include <memory>
#include <string>

#include "common/registry/actor.hpp"
#include "common/registry/database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class Session;

class GovernedDatabase {
 public:
  explicit GovernedDatabase(DatabaseOptions options);
  ~GovernedDatabase();
  GovernedDatabase(GovernedDatabase&&) noexcept;
  GovernedDatabase& operator=(GovernedDatabase&&) noexcept;

  /// Answers, and has the schema that this binary needs.
  Result<void> check();
  /// A fresh id (UUID, version 7) for a row that is to be written.
  Result<std::string> new_id();

  /// For this module's .cpp files.
  [[nodiscard]] Session& session() { return *session_; }

 private:
  std::unique_ptr<Session> session_;
};

}  // namespace tokenrail::registry
