// The promises under seeded faults, and each planted bug found.

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "tests/simulation/bugs.hpp"
#include "tests/simulation/history.hpp"

namespace tokenrail::simulation {
namespace {

constexpr std::uint64_t seeds_for_promises = 5'000;

int jobs() {
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

class Simulation : public ::testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
  void TearDown() override { router::planted_bug = router::Bug::none; }
};

TEST_F(Simulation, KeepsEveryPromise) {
  const auto found = search({.from = 1, .seeds = seeds_for_promises, .jobs = jobs()});
  for (const auto& red : found.red) {
    ADD_FAILURE() << fmt::format("seed {}: {} broken: {}\nreplay: ./dev simulate --seeds 1 --from {} --trace", red.seed,
                                 red.violation->promise, red.violation->text, red.seed);
  }
  EXPECT_EQ(found.histories, seeds_for_promises);
  fmt::print("{} histories, {} steps, {:.0f} seeds a second\n", found.histories, found.steps,
             static_cast<double>(found.histories) / found.seconds);
}

}  // namespace
}  // namespace tokenrail::simulation
