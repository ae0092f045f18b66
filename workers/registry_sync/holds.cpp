#include "workers/registry_sync/holds.hpp"

#include <algorithm>
#include <utility>

namespace tokenrail::registry_sync {

using registry::HeldChange;

Holds::Holds(registry::SyncPlan& plan, const std::vector<HeldChange>& decided, bool accept)
    : plan_(plan), accept_(accept) {
  for (const auto& row : decided) {
    if (row.decision == "accepted") {
      accepted_removals_.insert(row.after.missing.begin(), row.after.missing.end());
      accepted_rows_.push_back(row);
    } else {
      rows_[row.model_id].push_back(row);
    }
  }
}

void Holds::end_all_but(const std::set<std::string>& model_ids) {
  for (const auto& [model_id, rows] : rows_) {
    if (model_id.empty() || model_ids.contains(model_id)) continue;
    for (const auto& row : rows) end(row);
  }
}

void Holds::judge(const registry::StoredModel& before, registry::PlannedModel& planned) {
  const auto known_prices = before.here ? before.here->prices : std::vector<Price>();
  auto change = registry::suspicious_change(before.state, planned.after, known_prices, planned.here.prices);
  if (!change) {
    for (const auto& row : rows_[before.state.id]) end(row);
    return;
  }
  const auto back = change->before;
  if (settle(std::move(*change))) return;
  registry::set_values(planned.after, back);
  if (!back.prices.empty()) planned.here.prices = back.prices;
}

bool Holds::judge_removal(std::optional<HeldChange> removal) {
  if (removal) return settle(std::move(*removal));
  for (const auto& row : rows_[""]) end(row);
  return true;
}

bool Holds::settle(HeldChange change) {
  const auto& rows = rows_[change.model_id];
  const auto open = std::ranges::find_if(rows, [](const HeldChange& row) { return row.decision.empty(); });
  const auto rejected = std::ranges::find_if(
      rows, [&](const HeldChange& row) { return row.decision == "rejected" && repeats(change, row); });
  const auto end_all_but = [&](const HeldChange* kept) {
    for (const auto& row : rows)
      if (&row != kept) end(row);
  };
  if (accept_) {
    if (open != rows.end()) change.id = open->id;
    end_all_but(open == rows.end() ? nullptr : &*open);
    plan_.accepted.push_back(std::move(change));
    return true;
  }
  if (rejected != rows.end()) {
    end_all_but(&*rejected);
    return false;
  }
  if (open != rows.end() && open->after == change.after) {
    end_all_but(&*open);
    plan_.held.push_back(*open);
    return false;
  }
  end_all_but(nullptr);
  plan_.held.push_back(std::move(change));
  return false;
}

void Holds::end_removals(const std::function<bool(const std::string&)>& on_its_way) {
  for (const auto& row : accepted_rows_)
    if (std::ranges::none_of(row.after.missing, on_its_way)) end(row);
}

}  // namespace tokenrail::registry_sync
