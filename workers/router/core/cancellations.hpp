// The requests that somebody asked to end, for as long as that is remembered: a cancellation may come before its
// request, and every router reads all of them before it starts anything. Pure; bounded: the oldest is forgotten first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

class Cancellations {
 public:
  /// `window`: how long one is remembered.
  Cancellations(Millis window, std::size_t requests_max) : window_(window), requests_max_(requests_max) {}

  /// The topic has so many partitions, and none of them has been read.
  void expect(std::int32_t partitions) {
    for (std::int32_t number = 0; number < partitions; ++number) unread_.insert(number);
  }
  /// That partition has been read to its end. Returns whether that is news.
  bool read_to_end(std::int32_t partition) { return unread_.erase(partition) > 0; }
  [[nodiscard]] const std::set<std::int32_t>& unread() const { return unread_; }

  [[nodiscard]] bool too_old(Millis asked, Millis now) const { return now - asked > window_; }
  /// `asked`: wall time of the asking.
  void remember(const std::string& org_id, const std::string& request_id, Millis asked) {
    std::pair name{org_id, request_id};
    if (asked_.insert_or_assign(name, asked).second) order_.push_back(std::move(name));
    while (order_.size() > requests_max_) {
      asked_.erase(order_.front());
      order_.pop_front();
    }
  }
  [[nodiscard]] bool contains(const std::string& org_id, const std::string& request_id, Millis now) const {
    if (asked_.empty()) return false;
    const auto it = asked_.find({org_id, request_id});
    return it != asked_.end() && !too_old(it->second, now);
  }

 private:
  using Name = std::pair<std::string, std::string>;  ///< orgId, requestId

  const Millis window_;
  const std::size_t requests_max_;
  std::map<Name, Millis> asked_{};
  std::deque<Name> order_{};  ///< oldest first
  std::set<std::int32_t> unread_{};
};

}  // namespace tokenrail::router
