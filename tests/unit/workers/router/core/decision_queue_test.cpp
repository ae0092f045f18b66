#include "workers/router/core/decision_queue.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::router {
namespace {

TEST(DecisionQueue, OnlyTheFirstCallerServesIt) {
  DecisionQueue queue;
  EXPECT_TRUE(queue.add(5_request));
  EXPECT_EQ(queue.next(), 5_request);
  EXPECT_FALSE(queue.add(6_request)) << "added while 5 is decided about";
  EXPECT_FALSE(queue.add(4_request));
  EXPECT_EQ(queue.next(), 6_request) << "in the order of adding";
  EXPECT_EQ(queue.next(), 4_request);
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(DecisionQueue, ServedQueueIsServedAgain) {
  DecisionQueue queue;
  EXPECT_TRUE(queue.add(5_request));
  EXPECT_EQ(queue.next(), 5_request);
  EXPECT_EQ(queue.next(), std::nullopt);
  EXPECT_TRUE(queue.add(5_request));
}

}  // namespace
}  // namespace tokenrail::router
