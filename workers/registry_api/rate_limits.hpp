// Token buckets: how many requests a caller may make. Pure: the time is an argument. The table is bounded; when it is
// full, the caller that was seen longest ago is forgotten, which gives it a full bucket again.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/http/server.hpp"

namespace tokenrail::registry_api {

struct RateLimit {
  double per_second = 0;   ///< 0: no limit
  std::int64_t burst = 0;  ///< how many at once
};

struct RateDecision {
  bool allowed = true;
  std::int64_t limit = 0;  ///< the bucket's size; 0: no limit
  std::int64_t remaining = 0;
  std::int64_t reset_s = 0;        ///< until the bucket is full again, rounded up
  std::int64_t retry_after_s = 0;  ///< where not allowed: until there is one token, at least 1
};

class RateLimits {
 public:
  using Time = std::chrono::steady_clock::time_point;
  RateLimits(RateLimit limit, std::size_t callers_max) : limit_(limit), callers_max_(callers_max) {}

  /// Takes one token from the caller's bucket.
  RateDecision take(std::string_view caller, Time now);
  [[nodiscard]] std::size_t callers() const { return buckets_.size(); }

 private:
  struct Bucket {
    std::string caller;
    double tokens = 0;
    Time filled{};
  };
  RateLimit limit_;
  std::size_t callers_max_;
  std::list<Bucket> buckets_{};                                                    ///< the one seen last first
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_caller_{};  ///< keys are in buckets_
};

/// RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset; none where there is no limit.
[[nodiscard]] std::vector<http::Field> headers_of(const RateDecision& decision);

}  // namespace tokenrail::registry_api
