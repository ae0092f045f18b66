// From what a connection lists and what the registry holds of it to what has to change. Pure: the time is an argument.
//
// Nothing is ever deleted: a model that is listed no longer is `missing` at once, and unroutable once it has been
// missing for long enough and in enough runs. Additions and changed facts are applied. What looks wrong (registry/
// held_values.hpp, and a list that lacks most known models) is held for a person. What a person set is never changed.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "common/registry/sync_plan.hpp"
#include "workers/registry_sync/facts.hpp"

namespace tokenrail::registry_sync {

struct DiffRules {
  std::chrono::milliseconds missing_grace{std::chrono::hours(24)};
  std::int64_t missing_runs = 3;
  bool accept_held = false;  ///< apply also what would be held
  /// A connection of which fewer models are known may lose most of them; an empty list is held nevertheless.
  std::int64_t small_list = 10;
};

/// A connection's list as it was read.
struct ProviderList {
  std::vector<ListedModel> models{};
  /// Entries that could not be read or stored. While there are any, no model is taken to be missing: it may be one of
  /// them.
  std::int64_t unreadable = 0;
  std::int64_t without_details = 0;  ///< models whose details were asked for and could not be read
  /// New models above the bound of a connection, which are not in `models`. None of them is known, so none is missing.
  std::int64_t beyond = 0;
  /// The provider's own list could not be read: these are only the models that an operator named by hand. No model is
  /// taken to be missing, and no fact of a known model changes.
  bool by_hand = false;
};

/// Whether a connection's globs let a model in.
[[nodiscard]] bool wanted(const registry::Connection& connection, const std::string& name);

/// `decided`: held changes of the connection and decisions on them that are in force. `above`: names of the provider's
/// models in the scopes above the connection's. Where new models start disabled, they stay as they are: a row of the
/// connection's scope would disable them, and a deployment would take their requests.
[[nodiscard]] registry::SyncPlan plan_sync(const registry::Connection& connection, const ProviderList& list,
                                           const std::vector<registry::StoredModel>& stored, const DiffRules& rules,
                                           std::int64_t now_ms, const std::vector<registry::HeldChange>& decided = {},
                                           const std::set<std::string>& above = {});

}  // namespace tokenrail::registry_sync
