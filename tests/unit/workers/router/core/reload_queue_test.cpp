#include "workers/router/core/reload_queue.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::router {
namespace {

TEST(ReloadQueue, OneReadingServesAll) {
  ReloadQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.want(10_request), 10_request);
  EXPECT_EQ(queue.want(12_request), std::nullopt) << "it comes by anyway";
  EXPECT_EQ(queue.size(), 2U);
  queue.read(10_request);
  queue.forget(10_request);
  EXPECT_EQ(queue.skip(), std::nullopt);
  EXPECT_EQ(queue.want(10_request), 10_request) << "the reading has passed it";
}

TEST(ReloadQueue, BeginsAnewWhereTheNextIsFarAway) {
  ReloadQueue queue;
  queue.want(0_request);
  queue.want(1_request + ReloadQueue::read_through_max);
  queue.read(0_request);
  queue.forget(0_request);
  EXPECT_EQ(queue.skip(), std::nullopt);
  queue.forget(1_request + ReloadQueue::read_through_max);
  EXPECT_EQ(queue.skip(), std::nullopt);
  queue.clear();
  queue.want(5_request);
  queue.want(1'000_request);
  queue.read(5_request);
  queue.forget(5_request);
  EXPECT_EQ(queue.skip(), 1'000_request);
  EXPECT_EQ(queue.skip(), std::nullopt) << "it reads there";
}

TEST(ReloadQueue, TakesOutWhatTheReadingHasPassed) {
  ReloadQueue queue;
  queue.want(3_request);
  queue.want(5_request);
  queue.want(9_request);
  EXPECT_EQ(queue.take_passed(6_request), 3_request);
  EXPECT_EQ(queue.take_passed(6_request), 5_request);
  EXPECT_EQ(queue.take_passed(6_request), std::nullopt);
  EXPECT_EQ(queue.size(), 1U);
}

}  // namespace
}  // namespace tokenrail::router
