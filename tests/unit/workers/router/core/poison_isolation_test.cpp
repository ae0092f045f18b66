#include "workers/router/core/poison_isolation.hpp"

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

TEST(PoisonIsolation, PreparesOneAtATime) {
  PoisonIsolation isolation;
  EXPECT_FALSE(isolation.active());
  isolation.begin(2);
  EXPECT_TRUE(isolation.active());
  EXPECT_FALSE(isolation.busy());
  isolation.preparing(4);
  EXPECT_TRUE(isolation.busy());
  isolation.wait(5);
  isolation.wait(6);
  EXPECT_FALSE(isolation.has_next());
  EXPECT_EQ(isolation.next(), std::nullopt);
  EXPECT_FALSE(isolation.prepared(5));
  EXPECT_TRUE(isolation.prepared(4));
  EXPECT_FALSE(isolation.prepared(4));
  EXPECT_EQ(isolation.left(), 1);
  EXPECT_TRUE(isolation.has_next());
  EXPECT_EQ(isolation.next(), 5);
  isolation.preparing(5);
  EXPECT_TRUE(isolation.prepared(5));
  EXPECT_FALSE(isolation.active());
  EXPECT_EQ(isolation.next(), 6);
  EXPECT_EQ(isolation.next(), std::nullopt);
}

TEST(PoisonIsolation, OthersDoNotWaitForOneThatIsGivenUp) {
  PoisonIsolation isolation;
  isolation.begin(5);
  isolation.preparing(4);
  isolation.wait(5);
  isolation.give_up(7);
  EXPECT_TRUE(isolation.busy());
  isolation.give_up(4);
  EXPECT_FALSE(isolation.busy());
  EXPECT_EQ(isolation.next(), 5);
  EXPECT_EQ(isolation.left(), 5) << "it was not prepared";
}

TEST(PoisonIsolation, NothingWaitsBehindTheLast) {
  PoisonIsolation isolation;
  isolation.begin(1);
  isolation.preparing(1);
  isolation.prepared(1);
  isolation.preparing(2);
  EXPECT_FALSE(isolation.busy());
}

TEST(PoisonIsolation, ClearingKeepsHowManyAreLeft) {
  PoisonIsolation isolation;
  isolation.begin(3);
  isolation.preparing(1);
  isolation.wait(2);
  isolation.clear();
  EXPECT_FALSE(isolation.has_next());
  EXPECT_FALSE(isolation.busy());
  EXPECT_EQ(isolation.left(), 3);
}

}  // namespace
}  // namespace tokenrail::router
