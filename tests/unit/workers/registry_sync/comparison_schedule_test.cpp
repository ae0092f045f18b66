#include "workers/registry_sync/comparison_schedule.hpp"

#include <gtest/gtest.h>

namespace tokenrail::registry_sync {
namespace {

using namespace std::chrono_literals;

constexpr ComparisonSchedule::Clock::time_point start{1000h};

TEST(ComparisonSchedule, ComparesAtOnceAndAfterEachInterval) {
  ComparisonSchedule schedule(1h);
  EXPECT_TRUE(schedule.due(start));
  EXPECT_FALSE(schedule.whole());
  schedule.succeeded(schedule.begin(), start);
  EXPECT_TRUE(schedule.whole());
  EXPECT_FALSE(schedule.due(start));
  EXPECT_FALSE(schedule.due(start + 1h - 1ns));
  EXPECT_TRUE(schedule.due(start + 1h));
}

TEST(ComparisonSchedule, QuestionMakesTheNextOneDue) {
  ComparisonSchedule schedule(1h);
  schedule.succeeded(schedule.begin(), start);
  const auto wanted = schedule.ask();
  EXPECT_TRUE(schedule.due(start));
  EXPECT_LT(schedule.reconciled(), wanted);
  schedule.succeeded(schedule.begin(), start);
  EXPECT_GE(schedule.reconciled(), wanted);
  EXPECT_FALSE(schedule.due(start));
}

// The running comparison may have read the database before the caller wrote, so another one has to follow. It once did
// not, because the end of the running one set the next date over the question.
TEST(ComparisonSchedule, NextComparisonAnswersQuestionDuringOne) {
  ComparisonSchedule schedule(1h);
  const auto running = schedule.begin();
  const auto wanted = schedule.ask();
  schedule.succeeded(running, start);
  EXPECT_LT(schedule.reconciled(), wanted);
  EXPECT_TRUE(schedule.due(start));
  schedule.succeeded(schedule.begin(), start);
  EXPECT_GE(schedule.reconciled(), wanted);
  EXPECT_FALSE(schedule.due(start));
}

TEST(ComparisonSchedule, FailedComparisonAnswersNothing) {
  ComparisonSchedule schedule(1h);
  schedule.succeeded(schedule.begin(), start);
  const auto wanted = schedule.ask();
  schedule.begin();
  EXPECT_LT(schedule.reconciled(), wanted);
  EXPECT_TRUE(schedule.due(start));
  schedule.succeeded(schedule.begin(), start);
  EXPECT_GE(schedule.reconciled(), wanted);
}

TEST(ComparisonSchedule, NewLeadershipComparesAgainAndNumbersGoOn) {
  ComparisonSchedule schedule(1h);
  const auto first = schedule.begin();
  schedule.succeeded(first, start);
  schedule.reset();
  EXPECT_FALSE(schedule.whole());
  EXPECT_TRUE(schedule.due(start));
  EXPECT_GT(schedule.begin(), first);
}

}  // namespace
}  // namespace tokenrail::registry_sync
