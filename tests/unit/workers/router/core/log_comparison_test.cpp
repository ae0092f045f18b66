#include "workers/router/core/log_comparison.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::router {
namespace {

using Range = LogComparison::Range;

/// Requests 3 to 5 are not answered; the log was read to 6 and known to reach 8. The one that is there now ends at 7.
OldLog old_log() {
  return {.from = 3_request,
          .delivered_to = 6_request,
          .seen_to = 8_request,
          .until = 7_request,
          .unanswered = {{3_request, 30}, {4_request, 40}, {5_request, 50}},
          .witness = {.position = 8, .offset = 2, .time_ms = 20}};
}

TEST(LogComparison, WhatIsKeptIsNotLost) {
  LogComparison comparison(old_log());
  EXPECT_EQ(comparison.end(), 8_request);
  EXPECT_EQ(comparison.until(), 7_request);
  EXPECT_FALSE(comparison.read(3_request, 30));
  EXPECT_FALSE(comparison.read(4_request, 40));
  EXPECT_FALSE(comparison.read(5_request, 50));
  const auto outcome = comparison.read(6_request, 60);
  ASSERT_TRUE(outcome) << "the log has been read";
  EXPECT_EQ(comparison.gone(*outcome), (Range{.from = 7_request, .to = 8_request}));
}

TEST(LogComparison, RecordWithAnotherTimestampEndsIt) {
  LogComparison comparison(old_log());
  EXPECT_FALSE(comparison.read(3_request, 30));
  const auto outcome = comparison.read(4_request, 44);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->newer, Millis(44));
  EXPECT_EQ(comparison.gone(*outcome), (Range{.from = 4_request, .to = 8_request})) << "4 and 6 on are gone";
}

TEST(LogComparison, WitnessOfAnAnsweredRequestEndsItToo) {
  LogComparison comparison(old_log());
  const auto outcome = comparison.read(2_request, 21);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(comparison.gone(*outcome), (Range{.from = 6_request, .to = 8_request}))
      << "what was read and is not older may be of the log that is there now";
}

TEST(LogComparison, WhatWasAnsweredIsNotGone) {
  auto old = old_log();
  old.unanswered.clear();
  old.seen_to = 6_request;
  LogComparison comparison(std::move(old));
  EXPECT_EQ(comparison.end(), 6_request);
  EXPECT_EQ(comparison.gone({.unread_from = 0_request}), std::nullopt);
}

TEST(LogComparison, AddsWhatAnEarlierOneDidNotFindAgain) {
  LogComparison before(old_log());
  EXPECT_FALSE(before.read(3_request, 30));
  LogComparison comparison(
      OldLog{.delivered_to = 1_request, .seen_to = 2_request, .until = 3_request, .unanswered = {{1_request, 100}}});
  comparison.add(before);
  EXPECT_EQ(comparison.end(), 8_request);
  EXPECT_EQ(comparison.gone({.unread_from = 3_request}), (Range{.from = 1_request, .to = 8_request}));
  EXPECT_TRUE(comparison.read(2_request, 21)) << "by the older witness";
}

}  // namespace
}  // namespace tokenrail::router
