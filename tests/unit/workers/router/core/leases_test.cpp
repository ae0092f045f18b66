#include "workers/router/core/leases.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::router {
namespace {

using namespace std::chrono_literals;
using Attempts = std::vector<Leases::Attempt>;

Leases two() {
  Leases leases;
  leases.set({7_request, 1'001}, 10ms);
  leases.set({8_request, 1'001}, 20ms);
  return leases;
}

TEST(Leases, ExpireWhenTheirTimeHasCome) {
  auto leases = two();
  EXPECT_TRUE(leases.expire(9ms).empty());
  EXPECT_EQ(leases.expire(10ms), (Attempts{{7_request, 1'001}}));
  EXPECT_TRUE(leases.any_expired());
  EXPECT_TRUE(leases.expire(30ms).empty()) << "not while the log is read for others";
  EXPECT_EQ(leases.take_expired(30ms), (Attempts{{7_request, 1'001}}));
  EXPECT_FALSE(leases.any_expired());
}

TEST(Leases, RenewedOrAnsweredOnesAreNotClosed) {
  auto leases = two();
  EXPECT_EQ(leases.expire(20ms).size(), 2U);
  leases.set({7_request, 1'001}, 50ms);
  leases.answered({8_request, 1'001});
  EXPECT_TRUE(leases.take_expired(49ms).empty());
  EXPECT_EQ(leases.size(), 1U);
}

TEST(Leases, ClosedOnesExpireNoMoreUnlessTheEventWasRefused) {
  auto leases = two();
  EXPECT_TRUE(leases.close({7_request, 1'001}));
  EXPECT_FALSE(leases.close({7_request, 1'001}));
  EXPECT_EQ(leases.closed(), 1U);
  EXPECT_TRUE(leases.expire(15ms).empty());
  leases.reopen({7_request, 1'001});
  EXPECT_EQ(leases.expire(15ms).size(), 1U);
  leases.clear();
  EXPECT_FALSE(leases.any_expired());
  EXPECT_EQ(leases.size(), 0U);
}

TEST(Leases, AnsweredOnesMayBeClosedOnceMore) {
  auto leases = two();
  leases.close({7_request, 1'001});
  leases.answered({7_request, 1'001});
  EXPECT_EQ(leases.closed(), 0U);
}

}  // namespace
}  // namespace tokenrail::router
