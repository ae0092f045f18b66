// Long work that someone asked for, and how far it is. Syncs, and comparisons of the topics with the
// database. Blocking; see governed_database.hpp.
#pragma once

#include <string>

#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class Operations {
 public:
  explicit Operations(GovernedDatabase& database) : database_(database) {}

  /// {"id","kind":"sync"|"republish","state":"running"|"done"|"failed","progress":{…},"result":{…}}: `result` once it
  /// has ended. Errors: not_found, also for one of another scope.
  Result<Document> get(const Actor& actor, const Scope& scope, const std::string& id);
  /// Asks registry-sync to compare the compacted topics with the database, for the platform. The id of the operation.
  Result<std::string> request_republish(const Actor& actor);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
