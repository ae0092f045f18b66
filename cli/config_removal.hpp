// Removing an entry of the registry that a configuration file does not have.
#pragma once

#include "cli/config_plan.hpp"
#include "common/registry/actor.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

/// `change`: one whose `wanted` is null. In a transaction of its own, with revision, audit entry and event. Nothing is
/// forced: errors (conflict) name what still uses the entry.
[[nodiscard]] Result<void> remove_entry(registry::GovernedDatabase& database, registry::Actor actor,
                                        const ConfigChange& change);

}  // namespace tokenrail::cli
