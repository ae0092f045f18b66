// The requests of a partition that are read and not complete, by offset, by name, and by the unit of their attempt.
// Pure.
//
// Owned by Partition, one for each. It counts attempts and never begins or ends one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/router/core/job.hpp"

namespace tokenrail::router {

class JobTable {
 public:
  /// A job that has only its offset yet; set_name() follows.
  Job& add(events::RequestOffset offset);
  /// Its request is known.
  void set_name(const Job& job);
  /// nullptr: there is none.
  [[nodiscard]] Job* find(events::RequestOffset offset);
  /// Offsets of all requests of that name, lowest first.
  [[nodiscard]] std::vector<events::RequestOffset> named(std::string_view org_id, std::string_view request_id) const;
  void erase(const Job& job);

  // In the order of their offsets.
  [[nodiscard]] auto begin() { return jobs_.begin(); }
  [[nodiscard]] auto end() { return jobs_.end(); }
  [[nodiscard]] auto begin() const { return jobs_.begin(); }
  [[nodiscard]] auto end() const { return jobs_.end(); }
  [[nodiscard]] bool empty() const { return jobs_.empty(); }
  [[nodiscard]] std::size_t size() const { return jobs_.size(); }

  /// `number` 0: it answers a duplicate, and counts as no attempt.
  void attempt_begins(const Job& job, std::uint64_t unit, std::int64_t number);
  void attempt_gone(std::uint64_t unit, std::int64_t number);
  void forget_attempts();
  /// Whose attempt has a unit of those low bits (low_unit()); nullptr: there is none.
  [[nodiscard]] Job* with_unit(std::uint64_t unit);
  [[nodiscard]] std::size_t attempts() const { return attempts_; }

  /// The job's attempt waits for a report, or waits no more.
  void wait_for_report(Job& job);
  void reported(Job& job);
  [[nodiscard]] std::size_t unreported() const { return unreported_; }

 private:
  std::map<events::RequestOffset, Job> jobs_{};
  std::set<std::pair<std::size_t, events::RequestOffset>> by_name_{};  ///< a hash of their ids, and their offset
  std::map<std::uint64_t, events::RequestOffset> by_unit_{};           ///< offsets, by the low bits
  std::size_t attempts_ = 0;
  std::size_t unreported_ = 0;
};

}  // namespace tokenrail::router
