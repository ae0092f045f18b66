// What one user owns in an organisation. Private to this module's .cpp files.
#pragma once

#include "common/registry/actor.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

/// Removes the views, aliases, defaults, models, connections and credentials of `user`, each as its owner could: with a
/// version, an event and an entry of the audit log by `actor`. A part of the transaction that runs. From here on its
/// statements are those of `user`.
Result<void> remove_personal_rows(GovernedDatabase& database, const Actor& actor, const Scope& user);

}  // namespace tokenrail::registry
