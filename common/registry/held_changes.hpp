// Changes of providers' lists and of catalogues that wait for a person, and what the person decides. Blocking; see
// governed_database.hpp.
#pragma once

#include <string>

#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class HeldChanges {
 public:
  explicit HeldChanges(GovernedDatabase& database) : database_(database) {}

  /// What waits for a decision, of the scope's connections and, for the platform, of catalogues.
  Result<DocumentPage> list(const Actor& actor, const Scope& scope, const PageRequest& page);

  enum class Decision {
    accept,  ///< the change is applied at once
    reject,  ///< the registry stays as it is while the list or the catalogue repeats the change
  };
  /// Decides, and asks registry-sync to sync the connection, where it is of one. Errors: not_found; conflict, where it
  /// was decided before.
  Result<Document> decide(const Actor& actor, const Scope& scope, const std::string& id, Decision decision,
                          const std::string& reason);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
