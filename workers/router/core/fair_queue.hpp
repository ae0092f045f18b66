// Which request starts next: organisations take turns, so that one that floods does not starve the others. Pure.
//
// An organisation gives as many requests in its turn as it weighs; one at its own bound is passed over. Requests whose
// connection has no room wait apart, by connection, and come back one for each connection that has room again.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "workers/router/core/in_flight.hpp"
#include "workers/router/core/job.hpp"

namespace tokenrail::router {

class FairQueue {
 public:
  using Weights = std::map<std::string, int>;
  struct Next {
    JobRef job;
    std::string org_id;
  };

  /// `weights`: of organisations, at least 1; of those it does not name: 1. Outlives the queue.
  explicit FairQueue(const Weights& weights) : weights_(weights) {}

  /// `at_front`: it has waited before, and its organisation's turn for it has been taken already.
  void push(const JobRef& job, const std::string& org_id, bool at_front);
  /// A job that was taken out and whose connection has no room.
  void park(const std::string& connection_id, const JobRef& job, const std::string& org_id);
  /// Lets one parked job more have a try for each connection that has room, organisations taking turns. One at its own
  /// bound is passed over: its jobs could not start, and would only be carried to and fro. False: nobody may try.
  bool unpark(const InFlight& in_flight);
  /// Takes the next one out. Nothing: nobody waits whose organisation has room.
  std::optional<Next> take(const InFlight& in_flight);

  /// Whatever of that partition waits is forgotten.
  void forget(std::int32_t partition);
  void clear();

 private:
  using ByOrg = std::map<std::string, std::deque<JobRef>>;
  struct Parked {
    ByOrg by_org{};
    std::string served{};  ///< the organisation whose turn was the last
  };
  struct Turn {
    std::string org_id;
    int left = 1;  ///< requests that it may still give in this turn
  };
  [[nodiscard]] Turn turn_of(const std::string& org_id) const;

  const Weights& weights_;
  ByOrg ready_{};
  std::deque<Turn> turns_{};                ///< of the organisations in ready_
  std::map<std::string, Parked> parked_{};  ///< by connection
};

}  // namespace tokenrail::router
