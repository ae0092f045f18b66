#include "workers/router/core/recent_requests.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/allocations.hpp"
#include "tests/support/offsets.hpp"

namespace tokenrail::router {
namespace {

constexpr std::int64_t window = 1'000;

TEST(RecentRequestsByTime, WhoseWindowIsOverIsForgotten) {
  RecentRequests recent(10, window);
  recent.seen("o", "a", 1_request, 0);
  recent.seen("o", "b", 2_request, 1);
  recent.forget_before(window, 7);
  EXPECT_NE(recent.find("o", "a"), nullptr) << "one that comes now is its duplicate";
  recent.forget_before(window + 1, 7);
  EXPECT_EQ(recent.find("o", "a"), nullptr);
  EXPECT_NE(recent.find("o", "b"), nullptr);
}

TEST(RecentRequestsByTime, NumbersOfTheForgottenStayTakenUntilTheNextEpoch) {
  RecentRequests recent(10, window);
  EXPECT_EQ(recent.next_attempt("o", "a", 1_request, 0, 7), 1);
  EXPECT_EQ(recent.next_attempt("o", "a", 1_request, 0, 7), 2);
  EXPECT_EQ(recent.next_attempt("o", "b", 2_request, 0, 7), 1);
  recent.seen("o", "c", 3_request, 90 * window);
  recent.forget_before(90 * window, 7);
  EXPECT_EQ(recent.find("o", "a"), nullptr);
  EXPECT_EQ(recent.size(), 1U);
  EXPECT_EQ(recent.next_attempt("o", "a", 5_request, 100 * window, 7), 3);
  EXPECT_EQ(recent.next_attempt("o", "b", 6_request, 100 * window, 7), 3);
  EXPECT_EQ(recent.next_attempt("o", "c", 3_request, 90 * window, 7), 3);
  EXPECT_EQ(recent.next_attempt("o", "a", 5_request, 100 * window, 7), 4);
  EXPECT_EQ(recent.next_attempt("o", "a", 5_request, 100 * window, 8), 1);
}

TEST(RecentRequestsByTime, WhatIsForgottenForTheBoundKeepsItsNumbersToo) {
  RecentRequests recent(1, window);
  EXPECT_EQ(recent.next_attempt("o", "a", 1_request, 0, 7), 1);
  EXPECT_EQ(recent.next_attempt("o", "b", 2_request, 0, 7), 2);
  EXPECT_EQ(recent.next_attempt("o", "a", 3_request, 0, 7), 3);
}

TEST(RecentRequestsByTime, AnOwnerOfManyDaysForgetsUntilHalfOfTheNumbersAreTaken) {
  RecentRequests recent(10, window);
  std::int64_t now = 0;
  for (std::int64_t n = 1; n <= RecentRequests::taken_max + 1; ++n, now += 2 * window) {
    recent.forget_before(now, 7);
    ASSERT_EQ(recent.size(), 0U) << n;
    ASSERT_EQ(recent.next_attempt("o", "a", events::RequestOffset(n), now, 7), n);
  }
  recent.forget_before(now, 7);
  EXPECT_EQ(recent.size(), 1U) << "the numbers that are left are those of retries";
  EXPECT_EQ(recent.next_attempt("o", "b", 1'000'000_request, now, 7), RecentRequests::taken_max + 1);
  recent.forget_before(now + 2 * window, 8);
  EXPECT_EQ(recent.size(), 0U);
}

TEST(RecentRequestsByTime, AsManyAsTheBoundAreKept) {
  RecentRequests recent(3, window);
  for (int i = 0; i < 3; ++i) recent.seen("o", std::to_string(i), events::RequestOffset(i), 0);
  EXPECT_NE(recent.find("o", "0"), nullptr);
  recent.seen("o", "3", 3_request, 0);
  EXPECT_EQ(recent.find("o", "0"), nullptr);
  EXPECT_NE(recent.find("o", "1"), nullptr);
  EXPECT_EQ(recent.size(), 3U);
}

TEST(RecentRequestsByTime, IdsAreToldApartByTheirBoundary) {
  RecentRequests recent(10, window);
  recent.seen("ab", "c", 1_request, 0);
  EXPECT_EQ(recent.find("a", "bc"), nullptr);
  EXPECT_EQ(recent.find("abc", ""), nullptr);
}

TEST(RecentRequestsByTime, AMillionIdsStayWithinTheirBound) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "no allocator that tells";
  constexpr std::size_t most = 100'000;
  const std::string long_org(256, 'o');
  const auto before = tests::allocated_bytes();
  RecentRequests recent(most, window);
  for (std::int64_t i = 0; i < 1'000'000; ++i)
    recent.next_attempt(long_org, std::to_string(i) + std::string(200, 'r'), events::RequestOffset(i), i, 7);
  EXPECT_EQ(recent.size(), most);
  EXPECT_LE(tests::allocated_bytes() - before, most * RecentRequests::bytes_each_max);
}

}  // namespace
}  // namespace tokenrail::router
