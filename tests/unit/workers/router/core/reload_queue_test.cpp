#include "workers/router/core/reload_queue.hpp"

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

TEST(ReloadQueue, OneReadingServesAll) {
  ReloadQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.want(10), 10);
  EXPECT_EQ(queue.want(12), std::nullopt) << "it comes by anyway";
  EXPECT_EQ(queue.size(), 2U);
  queue.read(10);
  queue.forget(10);
  EXPECT_EQ(queue.skip(), std::nullopt);
  EXPECT_EQ(queue.want(10), 10) << "the reading has passed it";
}

TEST(ReloadQueue, BeginsAnewWhereTheNextIsFarAway) {
  ReloadQueue queue;
  queue.want(0);
  queue.want(1 + ReloadQueue::read_through_max);
  queue.read(0);
  queue.forget(0);
  EXPECT_EQ(queue.skip(), std::nullopt);
  queue.forget(1 + ReloadQueue::read_through_max);
  EXPECT_EQ(queue.skip(), std::nullopt);
  queue.clear();
  queue.want(5);
  queue.want(1'000);
  queue.read(5);
  queue.forget(5);
  EXPECT_EQ(queue.skip(), 1'000);
  EXPECT_EQ(queue.skip(), std::nullopt) << "it reads there";
}

TEST(ReloadQueue, TakesOutWhatTheReadingHasPassed) {
  ReloadQueue queue;
  queue.want(3);
  queue.want(5);
  queue.want(9);
  EXPECT_EQ(queue.take_passed(6), 3);
  EXPECT_EQ(queue.take_passed(6), 5);
  EXPECT_EQ(queue.take_passed(6), std::nullopt);
  EXPECT_EQ(queue.size(), 1U);
}

}  // namespace
}  // namespace tokenrail::router
