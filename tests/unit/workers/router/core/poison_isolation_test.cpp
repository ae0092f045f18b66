#include "workers/router/core/poison_isolation.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::router {
namespace {

TEST(PoisonIsolation, PreparesOneAtATime) {
  PoisonIsolation isolation;
  EXPECT_FALSE(isolation.active());
  isolation.begin(2);
  EXPECT_TRUE(isolation.active());
  EXPECT_FALSE(isolation.busy());
  isolation.preparing(4_request);
  EXPECT_TRUE(isolation.busy());
  isolation.wait(5_request);
  isolation.wait(6_request);
  EXPECT_FALSE(isolation.has_next());
  EXPECT_EQ(isolation.next(), std::nullopt);
  EXPECT_FALSE(isolation.prepared(5_request));
  EXPECT_TRUE(isolation.prepared(4_request));
  EXPECT_FALSE(isolation.prepared(4_request));
  EXPECT_EQ(isolation.left(), 1);
  EXPECT_TRUE(isolation.has_next());
  EXPECT_EQ(isolation.next(), 5_request);
  isolation.preparing(5_request);
  EXPECT_TRUE(isolation.prepared(5_request));
  EXPECT_FALSE(isolation.active());
  EXPECT_EQ(isolation.next(), 6_request);
  EXPECT_EQ(isolation.next(), std::nullopt);
}

TEST(PoisonIsolation, OthersDoNotWaitForOneThatIsGivenUp) {
  PoisonIsolation isolation;
  isolation.begin(5);
  isolation.preparing(4_request);
  isolation.wait(5_request);
  isolation.give_up(7_request);
  EXPECT_TRUE(isolation.busy());
  isolation.give_up(4_request);
  EXPECT_FALSE(isolation.busy());
  EXPECT_EQ(isolation.next(), 5_request);
  EXPECT_EQ(isolation.left(), 5) << "it was not prepared";
}

TEST(PoisonIsolation, NothingWaitsBehindTheLast) {
  PoisonIsolation isolation;
  isolation.begin(1);
  isolation.preparing(1_request);
  isolation.prepared(1_request);
  isolation.preparing(2_request);
  EXPECT_FALSE(isolation.busy());
}

TEST(PoisonIsolation, ClearingKeepsHowManyAreLeft) {
  PoisonIsolation isolation;
  isolation.begin(3);
  isolation.preparing(1_request);
  isolation.wait(2_request);
  isolation.clear();
  EXPECT_FALSE(isolation.has_next());
  EXPECT_FALSE(isolation.busy());
  EXPECT_EQ(isolation.left(), 3);
}

}  // namespace
}  // namespace tokenrail::router
