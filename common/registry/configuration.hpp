// What people decided, as one document: organisations, connections, models, prices, defaults, aliases, views and grants
// of the platform and of its organisations. What providers and catalogues say is not part of it, nor is any secret.
// Blocking; see governed_database.hpp.
#pragma once

#include <string>

#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

/// A JSON object with a list for each kind. Members have a fixed order, and lists are sorted by the names of their
/// entries. But for `version`, which entries of their own have, the same decisions give the same text. Grants and
/// models have none: those of a name are several rows. Rows of single users are left out.
Result<std::string> read_configuration(GovernedDatabase& database, const Actor& actor);

/// Models that a provider's list named, and connections that serve such models or come from the environment: in the
/// form of a configuration, only with what they are known by.
Result<std::string> read_owned_by_sync(GovernedDatabase& database, const Actor& actor);

}  // namespace tokenrail::registry
