// Which workers gave a partition up although they were well: what they left open was not lost with its worker. A worker
// that cannot release the partition in order (a failure is being repaired, or its router.released was not acknowledged)
// says so beside its last commit, and the next owner reads it there. Pure.
//
// Owned by Partition, one for each. It never commits; it says what a commit contains.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/events/audit_fold.hpp"
#include "common/events/commit_metadata.hpp"

namespace tokenrail::router {

class WellWorkers {
 public:
  /// What the group has when the partition is assigned.
  void inherit(std::vector<events::WellWorker> workers) { workers_ = std::move(workers); }
  /// This worker runs requests under that claim.
  void runs(std::int64_t epoch) { own_epoch_ = epoch; }

  /// For the last commit of this worker, which has that id. Nothing: it has not run any request.
  [[nodiscard]] std::optional<std::vector<events::WellWorker>> given_up_by(std::string_view worker) const {
    if (!own_epoch_) return std::nullopt;
    auto all = workers_;
    std::erase_if(all, [&](const auto& known) { return known.worker == worker; });
    if (all.size() >= events::well_workers_listed_max) all.erase(all.begin());
    all.push_back({.epoch = *own_epoch_, .worker = std::string(worker)});
    return all;
  }
  /// For every other commit: those that have attempts which are not closed yet.
  [[nodiscard]] std::vector<events::WellWorker> with_open_attempts(const events::AuditFold& fold) const {
    std::vector<events::WellWorker> all;
    if (workers_.empty()) return all;
    const auto open = fold.open();
    for (const auto& known : workers_) {
      if (std::ranges::any_of(open, [&](const auto* attempt) { return left_open(known, *attempt); }))
        all.push_back(known);
    }
    return all;
  }

  /// The worker that ran the attempt gave it up, and was well.
  [[nodiscard]] bool gave_up(const events::AuditFold::Attempt& attempt) const {
    if (attempt.continued && attempt.continued->given_up) return true;
    return std::ranges::any_of(workers_, [&](const auto& known) { return left_open(known, attempt); });
  }

 private:
  // What it began later, or continues behind a release of an earlier claim, may have been lost with it.
  static bool left_open(const events::WellWorker& known, const events::AuditFold::Attempt& attempt) {
    if (known.worker != events::worker_of(attempt.ids.instance) || attempt.ids.epoch > known.epoch) return false;
    return !attempt.continued || attempt.continued->epoch == known.epoch;
  }

  std::vector<events::WellWorker> workers_{};
  std::optional<std::int64_t> own_epoch_{};
};

}  // namespace tokenrail::router
