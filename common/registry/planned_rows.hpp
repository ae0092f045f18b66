// The rows of a sync's plan: models, deployments and prices, with a statement for many of them. Private to this
// module's .cpp files.
#pragma once

#include <string>
#include <vector>

#include "common/registry/session.hpp"
#include "common/registry/sync_plan.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

/// SQL, over rows `a` and a row `w`: `a` is a model of the provider of `w`, in a scope above that of `w` (provider,
/// org_id, owner_user_id).
inline constexpr const char* rows_above =
    "a.deleted_at IS NULL AND a.provider = w.provider AND a.owner_user_id IS NULL AND w.org_id IS NOT NULL AND "
    "(a.org_id IS NULL OR (w.owner_user_id IS NOT NULL AND a.org_id = w.org_id))";

/// Writes the rows and returns the models' ids, in the plan's order. The rows are taken in the order of lock_models().
/// Errors: cancelled, where another writer has changed or added one of the models since the plan was made.
Result<std::vector<std::string>> write_planned_rows(soci::session& sql, const Connection& connection,
                                                    const SyncPlan& plan);

}  // namespace tokenrail::registry
