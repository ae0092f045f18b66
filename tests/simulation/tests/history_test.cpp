// What a history is: a function of its seed.

#include "tests/simulation/history.hpp"

#include <gtest/gtest.h>

#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {
namespace {

TEST(History, IsTheSameForTheSameSeedByteForByte) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto once = run_history(seed);
    const auto again = run_history(seed);
    EXPECT_EQ(once.hash, again.hash) << "seed " << seed;
    EXPECT_EQ(once.steps, again.steps) << "seed " << seed;
  }
}

TEST(History, HasADigestForEachSeed) {
  const auto found = search({.from = 7, .seeds = 5, .jobs = 2, .digests = true});
  ASSERT_EQ(found.digests.size(), 5U);
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto history = run_history(7 + i);
    EXPECT_EQ(found.digests[i].seed, history.seed);
    EXPECT_EQ(found.digests[i].hash, history.hash);
    EXPECT_EQ(found.digests[i].steps, history.steps);
  }
  EXPECT_TRUE(search({.from = 7, .seeds = 1}).digests.empty());
}

TEST(History, DiffersFromSeedToSeed) {
  EXPECT_NE(run_history(1).hash, run_history(2).hash);
}

TEST(History, NamesItsItemsAsText) {
  EXPECT_EQ(to_text({0, 3, 4, 5, 9}), "0,3-5,9");
  EXPECT_EQ(items_from("0,3-5,9"), (std::vector<std::size_t>{0, 3, 4, 5, 9}));
  for (const auto* wrong : {"x", "1-", "5-3", "1,,2", "-"}) EXPECT_FALSE(items_from(wrong)) << wrong;
}

TEST(Plan, KeepsDuplicatesTogetherWhenItIsMadeShorter) {
  Plan plan;
  plan.requests.resize(3);
  plan.requests[2].kind = RequestKind::duplicate;
  plan.requests[2].duplicate_of = 1;
  plan.faults.resize(1);
  const auto both = plan.with_only({1, 2, 3});
  ASSERT_EQ(both.requests.size(), 2);
  EXPECT_EQ(both.requests[1].duplicate_of, 0);
  EXPECT_EQ(both.faults.size(), 1);
  const auto alone = plan.with_only({2});
  ASSERT_EQ(alone.requests.size(), 1);
  EXPECT_EQ(alone.requests[0].kind, RequestKind::ordinary);
}

// Where nothing fails nothing is run twice, nothing is interrupted and nothing is void.
TEST(History, WithoutFaultsNothingRunsTwice) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    auto plan = make_plan(seed);
    plan.faults.clear();
    World world(plan);
    const auto violation = world.run();
    EXPECT_FALSE(violation) << "seed " << seed << ": " << violation->promise << " " << violation->text;
    EXPECT_EQ(world.oracle.figures().runs_again, 0) << "seed " << seed;
    EXPECT_EQ(world.oracle.figures().interrupted, 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tokenrail::simulation
