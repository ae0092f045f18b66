// From what a connection lists and what the registry holds of it to what has to change. Pure: the time is an argument.
//
// Nothing is ever deleted: a model that is listed no longer is `missing` at once, and unroutable once it has been
// missing for long enough and in enough runs. A list that is empty or has shrunk to less than half is held: none of it
// is applied. What a person set is never changed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/registry/sync_plan.hpp"
#include "workers/registry_sync/facts.hpp"

namespace tokenrail::registry_sync {

struct DiffRules {
  std::chrono::milliseconds missing_grace{std::chrono::hours(24)};
  std::int64_t missing_runs = 3;
  bool accept_held = false;  ///< apply also what would be held
};

/// A connection's list as it was read.
struct ProviderList {
  std::vector<ListedModel> models{};
  /// Entries that could not be read or stored. While there are any, no model is taken to be missing: it may be one of
  /// them.
  std::int64_t unreadable = 0;
  /// New models above the bound of a connection, which are not in `models`. None of them is known, so none is missing.
  std::int64_t beyond = 0;
  /// The provider's own list could not be read: these are only the models that an operator named by hand. No model is
  /// taken to be missing.
  bool by_hand = false;
};

/// Whether a connection's globs let a model in.
[[nodiscard]] bool wanted(const registry::Connection& connection, const std::string& name);

[[nodiscard]] registry::SyncPlan plan_sync(const registry::Connection& connection, const ProviderList& list,
                                           const std::vector<registry::StoredModel>& stored, const DiffRules& rules,
                                           std::int64_t now_ms);

}  // namespace tokenrail::registry_sync
