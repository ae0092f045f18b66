#include "workers/router/core/partition_phase.hpp"

#include <set>

#include <gtest/gtest.h>

#include "workers/router/core/invariant.hpp"

namespace tokenrail::router {
namespace {

using enum PartitionPhase;

std::set<PartitionPhase> followers(PartitionPhase from) {
  std::set<PartitionPhase> all;
  for (std::size_t to = 0; to < partition_phases; ++to) {
    if (may_follow(from, static_cast<PartitionPhase>(to))) all.insert(static_cast<PartitionPhase>(to));
  }
  return all;
}

using Phases = std::set<PartitionPhase>;

TEST(PartitionPhase, HasItsFollowers) {
  EXPECT_EQ(followers(claiming), (Phases{locating, reading_audit, draining_reports, closed}));
  EXPECT_EQ(followers(locating), (Phases{reading_audit, draining_reports, closed}));
  EXPECT_EQ(followers(reading_audit), (Phases{reading_chunks, draining_reports, closed}));
  EXPECT_EQ(followers(reading_chunks), (Phases{committing, draining_reports, closed}));
  EXPECT_EQ(followers(committing), (Phases{running, draining_reports, closed}));
  EXPECT_EQ(followers(running), (Phases{releasing, draining_reports, closed}));
  EXPECT_EQ(followers(releasing), (Phases{continuing, closed}));
  EXPECT_EQ(followers(continuing), (Phases{closed}));
  EXPECT_EQ(followers(draining_reports), (Phases{verifying_ownership, closed}));
  EXPECT_EQ(followers(verifying_ownership), (Phases{claiming, draining_reports, verifying_ownership, closed}));
  EXPECT_EQ(followers(closed), (Phases{closed}));
}

TEST(PartitionPhase, HasAName) {
  EXPECT_EQ(name_of(claiming), "claiming");
  EXPECT_EQ(name_of(closed), "closed");
}

TEST(Invariant, EndsTheProcess) {
  EXPECT_DEATH(invariant_broken("a phase follows that may not"), "");
}

TEST(Invariant, StepOfAnotherPhaseEndsTheProcess) {
  require_phase(3, running, {committing, running}, "an event of the audit log");
  EXPECT_DEATH(require_phase(3, closed, {committing, running}, "an event of the audit log"), "");
}

}  // namespace
}  // namespace tokenrail::router
