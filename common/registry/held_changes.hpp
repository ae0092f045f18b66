// Changes of providers' lists that wait for a person, and what the person decides. Blocking; see governed_database.hpp.
#pragma once

#include <string>

#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class HeldChanges {
 public:
  explicit HeldChanges(GovernedDatabase& database) : database_(database) {}

  /// What waits for a decision, of the scope's connections, oldest first.
  Result<DocumentPage> list(const Actor& actor, const Scope& scope, const PageRequest& page);

  enum class Decision {
    accept,  ///< the change is applied at once
    reject,  ///< the registry stays as it is while the list repeats the change
  };
  /// Decides, and asks registry-sync to sync the connection. Errors: not_found; conflict, where it was decided before.
  Result<Document> decide(const Actor& actor, const Scope& scope, const std::string& id, Decision decision,
                          const std::string& reason);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
