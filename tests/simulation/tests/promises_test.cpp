// The promises under seeded faults, and every planted bug found.

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "tests/simulation/bugs.hpp"
#include "tests/simulation/history.hpp"

namespace tokenrail::simulation {
namespace {

constexpr std::uint64_t seeds_for_promises = 5'000;
constexpr std::uint64_t seeds_for_bugs = 40'000;

int jobs() {
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// Histories say nothing on their own.
const bool quiet = [] {
  spdlog::set_level(spdlog::level::off);
  return true;
}();

class Simulation : public ::testing::Test {
 protected:
  void TearDown() override { router::planted_bug = router::Bug::none; }
};

TEST_F(Simulation, KeepsEveryPromise) {
  ASSERT_TRUE(quiet);
  const auto found = search({.from = 1, .seeds = seeds_for_promises, .jobs = jobs()});
  for (const auto& red : found.red) {
    ADD_FAILURE() << fmt::format("seed {}: {} broken: {}\nreplay: ./dev simulate --seeds 1 --from {} --trace", red.seed,
                                 red.violation->promise, red.violation->text, red.seed);
  }
  EXPECT_EQ(found.histories, seeds_for_promises);
  // Histories in which nothing happens keep every promise too.
  for (const auto& member : Oracle::Figures::members()) EXPECT_GT(found.figures.*member.value, 0) << member.name;
  fmt::print("{} histories, {} steps, {:.0f} seeds a second\n", found.histories, found.steps,
             static_cast<double>(found.histories) / found.seconds);
}

/// Chance comes by their histories once in ten thousands of seeds, if ever; directed_test.cpp tells them step by step.
constexpr std::array told_step_by_step{
    router::Bug::continued_ignored,     router::Bug::chunk_cap_too_far,    router::Bug::complete_when_acknowledged,
    router::Bug::runs_again_though_cut, router::Bug::duplicate_though_run, router::Bug::terminal_is_enough,
    router::Bug::unclaimed_fill_window, router::Bug::silent_takes_places,  router::Bug::letters_fill_window};

// A check that no bug has made red is not a check.
TEST_F(Simulation, FindsEveryPlantedBug) {
  for (const auto& [name, bug] : planted_bugs()) {
    if (std::ranges::find(told_step_by_step, bug) != told_step_by_step.end()) continue;
    router::planted_bug = bug;
    const auto found = search({.from = 1, .seeds = seeds_for_bugs, .jobs = jobs()});
    if (found.red.empty()) {
      ADD_FAILURE() << fmt::format("{} was planted, and {} histories kept every promise", name, found.histories);
      continue;
    }
    const auto& red = found.red.front();
    EXPECT_NE(red.violation->promise, "CRASH") << name << ", seed " << red.seed;
    fmt::print("{:30} {:12} seed {:6}  {}\n", name, red.violation->promise, red.seed,
               red.violation->text.substr(0, 120));
  }
}

}  // namespace
}  // namespace tokenrail::simulation
