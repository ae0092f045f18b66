#include "common/registry/usable_models.hpp"

#include <limits>
#include <utility>

#include "common/registry/judgement.hpp"

namespace tokenrail::registry {

UsableModelsWalk::UsableModelsWalk(std::string org_id, std::string user_id, std::vector<std::string> groups)
    : org_id_(std::move(org_id)), user_id_(std::move(user_id)), groups_(std::move(groups)) {}

std::vector<const events::ModelState*> UsableModelsWalk::next(const Projection& projection,
                                                              const ResolutionRules& rules, std::int64_t now_ms,
                                                              std::size_t rows_max) {
  const Question question{.caller = {.org_id = org_id_, .user_id = user_id_, .groups = groups_}};
  Asking asking(projection, question, rules, 0, now_ms);
  std::vector<const events::ModelState*> found;
  std::size_t rows = 0;
  const auto look_at = [&](const events::ModelState& row) {
    if (rows == rows_max) return false;
    ++rows;
    if (rows == rows_max) after_ = Projection::OrderPlace::of(row);
    const auto model = effective(asking, row);
    // A nearer row of the same model has had its turn.
    if (&model.nearest() != &row || model.hidden()) return true;
    asking.requirements = requirements_of_kind(row.kind);
    if (judge(asking, model, {}).usable()) found.push_back(&row);
    return true;
  };
  while (!done_) {
    const auto& scope = *(asking.scopes.begin() + static_cast<std::ptrdiff_t>(scope_));
    if (after_) {
      projection.for_each_in_order_after(scope.org_id, scope.user_id, *after_, look_at);
    } else {
      projection.for_each_in_order(scope.org_id, scope.user_id, look_at);
    }
    // Whether this was the scope's last row, the next step sees.
    if (rows == rows_max) return found;
    after_.reset();
    done_ = asking.scopes.begin() + static_cast<std::ptrdiff_t>(++scope_) == asking.scopes.end();
  }
  return found;
}

std::vector<const events::ModelState*> usable_models(const Projection& projection, const Caller& caller,
                                                     const ResolutionRules& rules, std::int64_t now_ms) {
  UsableModelsWalk walk{
      std::string(caller.org_id), std::string(caller.user_id), {caller.groups.begin(), caller.groups.end()}};
  return walk.next(projection, rules, now_ms, std::numeric_limits<std::size_t>::max());
}

}  // namespace tokenrail::registry
