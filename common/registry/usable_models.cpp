#include "common/registry/usable_models.hpp"

#include "common/registry/judgement.hpp"

namespace tokenrail::registry {

std::vector<const events::ModelState*> usable_models(const Projection& projection, const Caller& caller,
                                                     const ResolutionRules& rules, std::int64_t now_ms) {
  const Question question{.caller = caller};
  Asking asking(projection, question, rules, 0, now_ms);
  std::vector<const events::ModelState*> found;
  for (const auto& scope : asking.scopes) {
    projection.for_each_in_order(scope.org_id, scope.user_id, [&](const events::ModelState& row) {
      const auto model = effective(asking, row);
      // A nearer row of the same model has had its turn.
      if (&model.nearest() != &row || model.hidden()) return true;
      asking.requirements = requirements_of_kind(row.kind);
      if (judge(asking, model, {}).usable()) found.push_back(&row);
      return true;
    });
  }
  return found;
}

}  // namespace tokenrail::registry
