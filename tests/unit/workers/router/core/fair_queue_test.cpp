// Whose request starts next, with the bounds it asks.
#include "workers/router/core/fair_queue.hpp"

#include <string>

#include <gtest/gtest.h>

#include "workers/router/core/in_flight.hpp"

namespace tokenrail::router {
namespace {

constexpr InFlight::Bounds roomy{.process = 100, .org = 100, .connection = 100};

JobRef job(std::int64_t offset, std::int32_t partition = 0) {
  return {.partition = partition, .generation = 1, .offset = events::RequestOffset(offset)};
}

/// Takes out whatever may start, as `organisation` + `offset`, and lets nothing of it run.
std::string taken(FairQueue& queue, const InFlight& in_flight) {
  std::string all;
  while (const auto next = queue.take(in_flight)) {
    all += (all.empty() ? "" : " ") + next->org_id + std::to_string(next->job.offset.value());
  }
  return all;
}

TEST(FairQueue, OrganisationsTakeTurnsHoweverManyOneAsks) {
  const FairQueue::Weights weights;
  FairQueue queue(weights);
  const InFlight in_flight(roomy);
  for (std::int64_t i = 1; i <= 4; ++i) queue.push(job(i), "a", false);
  queue.push(job(5), "b", false);
  queue.push(job(6), "b", false);
  EXPECT_EQ(taken(queue, in_flight), "a1 b5 a2 b6 a3 a4");
}

TEST(FairQueue, ATurnIsAsLongAsTheOrganisationWeighs) {
  const FairQueue::Weights weights{{"a", 2}};
  FairQueue queue(weights);
  const InFlight in_flight(roomy);
  for (std::int64_t i = 1; i <= 5; ++i) queue.push(job(i), "a", false);
  for (std::int64_t i = 6; i <= 8; ++i) queue.push(job(i), "b", false);
  EXPECT_EQ(taken(queue, in_flight), "a1 a2 b6 a3 a4 b7 a5 b8");
}

TEST(FairQueue, OneAtItsBoundIsPassedOverAndKeepsWhatItHas) {
  const FairQueue::Weights weights;
  FairQueue queue(weights);
  InFlight in_flight({.process = 100, .org = 1, .connection = 100});
  in_flight.started("a", "");
  queue.push(job(1), "a", false);
  queue.push(job(2), "b", false);
  EXPECT_EQ(taken(queue, in_flight), "b2");
  in_flight.over("a", "");
  EXPECT_EQ(taken(queue, in_flight), "a1");
}

TEST(FairQueue, OneThatHasWaitedBeforeGoesFirstAndCostsNoTurn) {
  const FairQueue::Weights weights;
  FairQueue queue(weights);
  const InFlight in_flight(roomy);
  queue.push(job(1), "b", false);
  queue.push(job(2), "a", false);
  queue.push(job(3), "a", true);
  EXPECT_EQ(taken(queue, in_flight), "a3 a2 b1");
}

TEST(FairQueue, OneIsLetTryForEachConnectionThatHasRoomOrganisationsInTurn) {
  const FairQueue::Weights weights;
  FairQueue queue(weights);
  InFlight in_flight({.process = 100, .org = 100, .connection = 1});
  in_flight.started("x", "full");
  queue.park("full", job(1), "a");
  queue.park("free", job(2), "a");
  queue.park("free", job(3), "a");
  queue.park("free", job(4), "b");
  EXPECT_TRUE(queue.unpark(in_flight));
  EXPECT_EQ(taken(queue, in_flight), "a2");
  EXPECT_TRUE(queue.unpark(in_flight));
  EXPECT_EQ(taken(queue, in_flight), "b4");
  EXPECT_TRUE(queue.unpark(in_flight));
  EXPECT_EQ(taken(queue, in_flight), "a3");
  EXPECT_FALSE(queue.unpark(in_flight));
  in_flight.over("x", "full");
  EXPECT_TRUE(queue.unpark(in_flight));
  EXPECT_EQ(taken(queue, in_flight), "a1");
}

TEST(FairQueue, NobodyIsLetTryWhoseOrganisationIsAtItsBound) {
  const FairQueue::Weights weights;
  FairQueue queue(weights);
  InFlight in_flight({.process = 100, .org = 1, .connection = 100});
  in_flight.started("a", "");
  queue.park("free", job(1), "a");
  EXPECT_FALSE(queue.unpark(in_flight));
  queue.park("free", job(2), "b");
  EXPECT_TRUE(queue.unpark(in_flight));
  EXPECT_EQ(taken(queue, in_flight), "b2");
}

TEST(FairQueue, ForgetsAPartitionWhereverItsJobsWait) {
  const FairQueue::Weights weights;
  FairQueue queue(weights);
  const InFlight in_flight(roomy);
  queue.push(job(1, 7), "a", false);
  queue.push(job(2, 8), "b", false);
  queue.park("c", job(3, 7), "a");
  queue.park("c", job(4, 8), "b");
  queue.forget(7);
  EXPECT_EQ(taken(queue, in_flight), "b2");
  EXPECT_TRUE(queue.unpark(in_flight));
  EXPECT_EQ(taken(queue, in_flight), "b4");
  EXPECT_FALSE(queue.unpark(in_flight));
  queue.push(job(5), "a", false);
  queue.clear();
  EXPECT_EQ(taken(queue, in_flight), "");
}

}  // namespace
}  // namespace tokenrail::router
