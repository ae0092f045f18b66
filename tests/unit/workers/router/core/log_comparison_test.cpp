#include "workers/router/core/log_comparison.hpp"

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

using Range = LogComparison::Range;

/// Requests 3 to 5 are not answered; the log was read to 6 and known to reach 8. The one that is there now ends at 7.
OldLog old_log() {
  return {.from = 3,
          .delivered_to = 6,
          .seen_to = 8,
          .until = 7,
          .unanswered = {{3, 30}, {4, 40}, {5, 50}},
          .witness = {.position = 8, .offset = 2, .time_ms = 20}};
}

TEST(LogComparison, WhatIsKeptIsNotLost) {
  LogComparison comparison(old_log());
  EXPECT_EQ(comparison.end(), 8);
  EXPECT_EQ(comparison.until(), 7);
  EXPECT_FALSE(comparison.read(3, 30));
  EXPECT_FALSE(comparison.read(4, 40));
  EXPECT_FALSE(comparison.read(5, 50));
  const auto outcome = comparison.read(6, 60);
  ASSERT_TRUE(outcome) << "the log has been read";
  EXPECT_EQ(comparison.gone(*outcome), (Range{.from = 7, .to = 8}));
}

TEST(LogComparison, RecordWithAnotherTimestampEndsIt) {
  LogComparison comparison(old_log());
  EXPECT_FALSE(comparison.read(3, 30));
  const auto outcome = comparison.read(4, 44);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->newer, Millis(44));
  EXPECT_EQ(comparison.gone(*outcome), (Range{.from = 4, .to = 8})) << "4 and 6 on are gone";
}

TEST(LogComparison, WitnessOfAnAnsweredRequestEndsItToo) {
  LogComparison comparison(old_log());
  const auto outcome = comparison.read(2, 21);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(comparison.gone(*outcome), (Range{.from = 6, .to = 8}))
      << "what was read and is not older may be of the log that is there now";
}

TEST(LogComparison, WhatWasAnsweredIsNotGone) {
  auto old = old_log();
  old.unanswered.clear();
  old.seen_to = 6;
  LogComparison comparison(std::move(old));
  EXPECT_EQ(comparison.end(), 6);
  EXPECT_EQ(comparison.gone({.unread_from = 0}), std::nullopt);
}

TEST(LogComparison, AddsWhatAnEarlierOneDidNotFindAgain) {
  LogComparison before(old_log());
  EXPECT_FALSE(before.read(3, 30));
  LogComparison comparison(OldLog{.delivered_to = 1, .seen_to = 2, .until = 3, .unanswered = {{1, 100}}});
  comparison.add(before);
  EXPECT_EQ(comparison.end(), 8);
  EXPECT_EQ(comparison.gone({.unread_from = 3}), (Range{.from = 1, .to = 8}));
  EXPECT_TRUE(comparison.read(2, 21)) << "by the older witness";
}

}  // namespace
}  // namespace tokenrail::router
