#include "workers/registry_api/rate_limits.hpp"

#include <algorithm>
#include <cmath>

namespace tokenrail::registry_api {

RateDecision RateLimits::take(std::string_view caller, Time now) {
  if (limit_.per_second <= 0) return {};
  const auto size = static_cast<double>(std::max<std::int64_t>(limit_.burst, 1));
  const auto found = by_caller_.find(caller);
  if (found != by_caller_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, found->second);
  } else {
    if (buckets_.size() >= callers_max_) {
      by_caller_.erase(buckets_.back().caller);
      buckets_.pop_back();
    }
    buckets_.push_front({.caller = std::string(caller), .tokens = size, .filled = now});
    by_caller_.emplace(buckets_.front().caller, buckets_.begin());
  }
  auto& bucket = buckets_.front();
  const double passed = std::max(0.0, std::chrono::duration<double>(now - bucket.filled).count());
  bucket.tokens = std::min(size, bucket.tokens + passed * limit_.per_second);
  bucket.filled = now;

  RateDecision decision{.limit = static_cast<std::int64_t>(size)};
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
  } else {
    decision.allowed = false;
    decision.retry_after_s =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil((1 - bucket.tokens) / limit_.per_second)));
  }
  decision.remaining = static_cast<std::int64_t>(bucket.tokens);
  decision.reset_s = static_cast<std::int64_t>(std::ceil((size - bucket.tokens) / limit_.per_second));
  return decision;
}

std::vector<http::Field> headers_of(const RateDecision& decision) {
  if (decision.limit == 0) return {};
  return {{.name = "RateLimit-Limit", .value = std::to_string(decision.limit)},
          {.name = "RateLimit-Remaining", .value = std::to_string(decision.remaining)},
          {.name = "RateLimit-Reset", .value = std::to_string(decision.reset_s)}};
}

}  // namespace tokenrail::registry_api
