#include "workers/registry_api/rate_limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using namespace std::chrono_literals;

const RateLimits::Time t0{1h};

TEST(RateLimits, AllowABurstThenTheRate) {
  RateLimits limits({.per_second = 2, .burst = 3}, 10);
  for (int left = 2; left >= 0; --left) {
    const auto decision = limits.take("a", t0);
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.remaining, left);
    EXPECT_EQ(decision.limit, 3);
  }
  const auto refused = limits.take("a", t0);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after_s, 1);
  EXPECT_EQ(refused.reset_s, 2);
  EXPECT_FALSE(limits.take("a", t0 + 499ms).allowed);
  EXPECT_TRUE(limits.take("a", t0 + 500ms).allowed);
}

TEST(RateLimits, CallersDoNotShareABucket) {
  RateLimits limits({.per_second = 1, .burst = 1}, 10);
  EXPECT_TRUE(limits.take("a", t0).allowed);
  EXPECT_TRUE(limits.take("b", t0).allowed);
  EXPECT_FALSE(limits.take("a", t0).allowed);
}

TEST(RateLimits, RefusedRequestsCostNothing) {
  RateLimits limits({.per_second = 1, .burst = 1}, 10);
  EXPECT_TRUE(limits.take("a", t0).allowed);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limits.take("a", t0 + 1ms).allowed);
  EXPECT_TRUE(limits.take("a", t0 + 1s).allowed);
}

TEST(RateLimits, TableIsBounded) {
  RateLimits limits({.per_second = 1, .burst = 1}, 3);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limits.take(std::to_string(i), t0).allowed);
  EXPECT_EQ(limits.callers(), 3U);
  EXPECT_FALSE(limits.take("99", t0).allowed) << "the callers seen last are kept";
}

TEST(RateLimits, ClockThatGoesBackGivesNothing) {
  RateLimits limits({.per_second = 1, .burst = 1}, 3);
  EXPECT_TRUE(limits.take("a", t0).allowed);
  EXPECT_FALSE(limits.take("a", t0 - 1h).allowed);
}

TEST(RateLimits, ZeroMeansNoLimit) {
  RateLimits limits({}, 3);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limits.take("a", t0).allowed);
  EXPECT_TRUE(headers_of(limits.take("a", t0)).empty());
  EXPECT_EQ(limits.callers(), 0U);
}

TEST(RateLimits, HeadersSayWhatIsLeft) {
  RateLimits limits({.per_second = 1, .burst = 5}, 3);
  const auto headers = headers_of(limits.take("a", t0));
  ASSERT_EQ(headers.size(), 3U);
  EXPECT_EQ(headers[0].name + "=" + headers[0].value, "RateLimit-Limit=5");
  EXPECT_EQ(headers[1].name + "=" + headers[1].value, "RateLimit-Remaining=4");
  EXPECT_EQ(headers[2].name + "=" + headers[2].value, "RateLimit-Reset=1");
}

}  // namespace
}  // namespace tokenrail::registry_api
