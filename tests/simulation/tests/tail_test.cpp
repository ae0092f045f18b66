// Where a successor begins to read when a tool has taken the metadata of the commit away.

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {
namespace {

constexpr std::int64_t second = 1'000'000;

TEST(TailWithoutMetadata, IsReadFromTheTimeOfTheOldestRequestAndHidesNothing) {
  spdlog::set_level(spdlog::level::off);
  constexpr int answered = 20;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    auto plan = make_plan(seed);
    plan.partitions = 1;
    plan.workers = 1;
    plan.faults.clear();
    plan.hedge_after_ms = 0;  // calls are counted
    plan.heal_at = Micros(30 * second);
    plan.queue_max = 0;
    plan.commit_lost = plan.answer_lost = plan.late_commit = 0;
    plan.requests.assign(answered + 1, {.tokens = 1});
    plan.requests.back() = {.tokens = 4, .token_gap_us = second / 3};
    World world(plan);
    auto& first = world.start_worker(0);
    for (std::size_t i = 0; i < answered; ++i) world.send_request(i);
    ASSERT_TRUE(world.run_until([&] { return world.broker.committed[0].offset == answered; })) << seed;
    ASSERT_FALSE(world.run_until([] { return false; }, Micros(3'600 * second))) << seed;
    world.send_request(answered);
    ASSERT_TRUE(world.run_until([&] { return world.broker.log(Topic::chunks, 0).end() > 2 * answered; })) << seed;

    // It dies in the middle of an answer, or when its end is in the log and nobody has heard of it.
    const bool ended = seed % 2 == 0;
    if (ended) {
      first.close(Gate::acks);
      const auto& chunks = world.broker.log(Topic::chunks, 0);
      ASSERT_TRUE(world.run_until([&] {
        return chunks.at(chunks.end() - 1).value->find("\"done\":true") != std::string::npos;
      })) << seed;
    }
    world.crash(first.id(), seed, std::nullopt);
    world.broker.committed[0].metadata = seed % 3 == 0 ? "somebody else's" : "";
    const auto violation = world.heal_and_finish();
    ASSERT_FALSE(violation) << "seed " << seed << ": " << violation->promise << " " << violation->text;
    EXPECT_EQ(world.calls_of(answered), ended ? 1 : 2) << seed;
    ASSERT_NE(world.in_slot(0), nullptr);
    // Its llm.request and the claim; of what was said an hour ago nothing.
    EXPECT_LE(world.in_slot(0)->reader().handed_on(Topic::audit), 8) << seed;
    EXPECT_LE(world.in_slot(0)->reader().handed_on(Topic::chunks), 12) << seed;
  }
}

}  // namespace
}  // namespace tokenrail::simulation
