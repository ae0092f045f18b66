// What providers said, as it came: their lists of models, and what each of them said of one model. Blocking; see
// governed_database.hpp.
#pragma once

#include <string>

#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class ProviderAnswers {
 public:
  explicit ProviderAnswers(GovernedDatabase& database) : database_(database) {}

  /// The last lists of a connection of exactly that scope, by its id or name, newest first: id and fetchedAt. Errors:
  /// not_found; forbidden where the connection is the platform's.
  Result<DocumentPage> lists(const Actor& actor, const Scope& scope, const std::string& connection,
                             const PageRequest& page);
  /// One of them, with its text as `body`. Errors: as lists(), and not_found.
  Result<Document> list(const Actor& actor, const Scope& scope, const std::string& connection, const std::string& id);
  /// The answers about a model: `answers`, one for each connection that sent any, with the model's entry of the list
  /// and the answer about it. Errors: not_found.
  Result<Document> of_model(const Actor& actor, const Scope& scope, const std::string& model);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
