// What of a list is held, against what has been held and decided before. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/registry/sync_plan.hpp"

namespace tokenrail::registry_sync {

/// Fills in `held`, `accepted` and `ended` of a plan.
class Holds {
 public:
  /// `decided`: in force, as in plan_sync(). `accept`: a person accepted the whole list.
  Holds(registry::SyncPlan& plan, const std::vector<registry::HeldChange>& decided, bool accept);

  /// Ends what is about models that are not among these.
  void end_all_but(const std::set<std::string>& model_ids);
  /// Takes back from the plan what looks wrong and is not accepted. Called for a model whose facts are known now.
  void judge(const registry::StoredModel& before, registry::PlannedModel& planned);
  /// Whether models that are not listed become missing. `removal`: what looks wrong about it, if anything.
  [[nodiscard]] bool judge_removal(std::optional<registry::HeldChange> removal);

  /// Models whose removal a person accepted.
  [[nodiscard]] const std::set<std::string>& accepted_removals() const { return accepted_removals_; }
  /// Ends accepted removals of which no model is on its way out.
  void end_removals(const std::function<bool(const std::string&)>& on_its_way);

 private:
  /// True: it is applied.
  bool settle(registry::HeldChange change);
  void end(const registry::HeldChange& row) { plan_.ended.push_back(row.id); }

  registry::SyncPlan& plan_;
  bool accept_;
  std::map<std::string, std::vector<registry::HeldChange>> rows_;  ///< open and rejected, by model id
  std::vector<registry::HeldChange> accepted_rows_;
  std::set<std::string> accepted_removals_;
};

}  // namespace tokenrail::registry_sync
