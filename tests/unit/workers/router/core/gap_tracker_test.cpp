#include "workers/router/core/gap_tracker.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::router {
namespace {

using namespace std::chrono_literals;
using Range = GapTracker::Range;
using Ranges = std::vector<Range>;

/// Gaps at 3 to 5 and at 8, asked about under number 1.
GapTracker asked_about_two() {
  GapTracker gaps;
  EXPECT_TRUE(gaps.note(3_request, 6_request));
  EXPECT_TRUE(gaps.note(8_request, 9_request));
  gaps.asked(1, 10ms);
  return gaps;
}

TEST(GapTracker, AsksOnceAboutAllGapsOfUnknownCause) {
  GapTracker gaps;
  EXPECT_FALSE(gaps.wants_question(0ms));
  EXPECT_FALSE(gaps.awaits(0));
  gaps.note(3_request, 6_request);
  EXPECT_TRUE(gaps.wants_question(0ms));
  gaps.asked(7, 10ms);
  EXPECT_FALSE(gaps.wants_question(20ms)) << "one at a time";
  EXPECT_TRUE(gaps.awaits(7));
  EXPECT_FALSE(gaps.awaits(6));
  gaps.note(8_request, 9_request);
  EXPECT_EQ(gaps.answered(4_request).lost, (Ranges{{3_request, 4_request}}));
  EXPECT_FALSE(gaps.wants_question(9ms)) << "not before its time";
  EXPECT_TRUE(gaps.wants_question(10ms)) << "about the gap that came later";
}

TEST(GapTracker, AsksAgainWhatWasNotAnswered) {
  auto gaps = asked_about_two();
  gaps.unanswered(50ms);
  EXPECT_FALSE(gaps.awaits(1));
  EXPECT_FALSE(gaps.wants_question(49ms));
  EXPECT_TRUE(gaps.wants_question(50ms));
  gaps.asked(2, 60ms);
  EXPECT_EQ(gaps.answered(100_request).lost, (Ranges{{3_request, 6_request}, {8_request, 9_request}}));
}

TEST(GapTracker, TellsHarmlessGapsFromLostRequests) {
  auto gaps = asked_about_two();
  const auto causes = gaps.answered(5_request);
  EXPECT_EQ(causes.lost, (Ranges{{3_request, 5_request}})) << "what is behind the log's first offset was never there";
  EXPECT_EQ(causes.harmless, (std::vector<events::RequestOffset>{8_request}));
  gaps.end(8_request);
  EXPECT_FALSE(gaps.covers(8_request));
  EXPECT_TRUE(gaps.covers(3_request));
  EXPECT_TRUE(gaps.covers(5_request));
  EXPECT_FALSE(gaps.covers(6_request));
  EXPECT_FALSE(gaps.covers(2_request));
}

TEST(GapTracker, GapThatBeginsWhereTheLogDoesIsHarmless) {
  auto gaps = asked_about_two();
  EXPECT_EQ(gaps.answered(3_request).harmless, (std::vector<events::RequestOffset>{3_request, 8_request}));
}

TEST(GapTracker, ReportsEachLossUntilItsEventCounts) {
  auto gaps = asked_about_two();
  EXPECT_TRUE(gaps.to_report().empty());
  (void)gaps.answered(100_request);
  EXPECT_EQ(gaps.to_report(), (Ranges{{3_request, 6_request}, {8_request, 9_request}}));
  EXPECT_TRUE(gaps.to_report().empty());
  EXPECT_EQ(gaps.report_counts(3_request), 3);
  EXPECT_EQ(gaps.report_counts(4_request), std::nullopt);
  EXPECT_EQ(gaps.reported(), (Ranges{{3_request, 6_request}}));
  gaps.report_uncounted_again();
  EXPECT_EQ(gaps.to_report(), (Ranges{{8_request, 9_request}}));
  gaps.report_all_again();
  EXPECT_TRUE(gaps.reported().empty());
  EXPECT_EQ(gaps.report_counts(3_request), std::nullopt) << "an event of before the repair";
  EXPECT_EQ(gaps.to_report(), (Ranges{{3_request, 6_request}, {8_request, 9_request}}));
}

TEST(GapTracker, NewestGapGrowsBeyondAThousand) {
  GapTracker gaps;
  for (std::int64_t i = 0; i < 1'000; ++i)
    EXPECT_TRUE(gaps.note(events::RequestOffset(i * 10), events::RequestOffset(i * 10 + 2)));
  EXPECT_FALSE(gaps.note(20'000_request, 20'005_request));
  EXPECT_TRUE(gaps.covers(15'000_request));
  gaps.asked(1, 0ms);
  EXPECT_TRUE(gaps.note(30'000_request, 30'005_request)) << "one that is being asked about stays as it is";
}

TEST(GapTracker, ForgetsAll) {
  auto gaps = asked_about_two();
  gaps.clear();
  EXPECT_TRUE(gaps.empty());
  EXPECT_FALSE(gaps.awaits(1));
}

}  // namespace
}  // namespace tokenrail::router
