// How often each (orgId, requestId) has been attempted under the current epoch, so that no two attempts of a request
// share a number. Pure; bounded: the oldest is forgotten first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace tokenrail::router {

class RecentRequests {
 public:
  explicit RecentRequests(std::size_t requests_max) : requests_max_(requests_max) {}

  /// 1 for the first attempt, then one more each time.
  std::int64_t next_attempt(const std::string& org_id, const std::string& request_id) {
    auto key = org_id + '\0' + request_id;
    const auto [it, fresh] = counts_.try_emplace(key, 0);
    const auto n = ++it->second;
    if (fresh) {
      order_.push_back(std::move(key));
      if (order_.size() > requests_max_) {
        counts_.erase(order_.front());
        order_.pop_front();
      }
    }
    return n;
  }
  void clear() {
    counts_.clear();
    order_.clear();
  }

 private:
  std::size_t requests_max_;
  std::unordered_map<std::string, std::int64_t> counts_;
  std::deque<std::string> order_;
};

}  // namespace tokenrail::router
