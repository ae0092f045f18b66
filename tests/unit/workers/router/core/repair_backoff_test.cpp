#include "workers/router/core/repair_backoff.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

using namespace std::chrono_literals;

/// How long a repair that begins at `now` waits.
Millis waited(RepairBackoff& repairs, Millis now) {
  repairs.begin(now);
  Millis waits{0};
  while (!repairs.is_over(now + waits)) waits += 1ms;
  return waits;
}

TEST(RepairBackoff, WaitsLongerEachTime) {
  RepairBackoff repairs;
  Millis now = 1'000s;
  std::vector<Millis> waits;
  for (int i = 0; i < 9; ++i) waits.push_back(waited(repairs, now += 1s));
  EXPECT_EQ(waits, (std::vector<Millis>{0ms, 200ms, 400ms, 800ms, 1'600ms, 3'200ms, 6'400ms, 10s, 10s}));
  for (int i = 0; i < 40; ++i) EXPECT_EQ(waited(repairs, now += 1s), 10s);
}

TEST(RepairBackoff, BeginsAnewAfterQuiet) {
  RepairBackoff repairs;
  const Millis now = 1'000s;
  waited(repairs, now);
  EXPECT_EQ(waited(repairs, now + 60s), 200ms);
  EXPECT_EQ(waited(repairs, now + 120'001ms), 0ms);
}

}  // namespace
}  // namespace tokenrail::router
