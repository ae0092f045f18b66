#include "common/telemetry/loop_turns.hpp"

#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::telemetry {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr TurnMeter::Time start{std::chrono::seconds(1'000)};

TEST(TurnMeter, TurnTakesFromBeginToEnd) {
  TurnMeter meter;
  meter.begin(start);
  const auto turn = meter.end(start + milliseconds(30));
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->took, milliseconds(30));
  EXPECT_EQ(turn->longest_step, nullptr);
}

TEST(TurnMeter, NoBeginIsNoTurn) {
  TurnMeter meter;
  EXPECT_FALSE(meter.end(start));
  meter.begin(start);
  EXPECT_TRUE(meter.end(start));
  EXPECT_FALSE(meter.end(start));
  meter.begin(start);
  meter.drop();
  EXPECT_FALSE(meter.end(start));
}

TEST(TurnMeter, StepBeginsTheTurnBehindAWait) {
  TurnMeter meter;
  meter.step("http", start);
  const auto turn = meter.end(start + milliseconds(30));
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->took, milliseconds(30));
  EXPECT_EQ(std::string_view(turn->longest_step), "http");
}

TEST(TurnMeter, LongestStepIsNamed) {
  TurnMeter meter;
  meter.begin(start);
  meter.step("first", start + milliseconds(1));
  meter.step("second", start + milliseconds(6));
  meter.step("third", start + milliseconds(16));
  const auto turn = meter.end(start + milliseconds(20));
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->took, milliseconds(20));
  EXPECT_EQ(std::string_view(turn->longest_step), "second");
  EXPECT_EQ(turn->longest_step_took, milliseconds(10));
}

TEST(TurnMeter, NamesFirstOfEqualSteps) {
  TurnMeter meter;
  meter.step("first", start);
  meter.step("second", start + milliseconds(5));
  const auto turn = meter.end(start + milliseconds(10));
  ASSERT_TRUE(turn);
  EXPECT_EQ(std::string_view(turn->longest_step), "first");
}

TEST(TurnMeter, OneTurnsStepsAreNotTheNexts) {
  TurnMeter meter;
  meter.step("http", start);
  meter.end(start + milliseconds(30));
  meter.begin(start + milliseconds(30));
  const auto turn = meter.end(start + milliseconds(40));
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->longest_step, nullptr);
}

TEST(LongTurnWarning, NamesWhatRan) {
  const TurnMeter::Turn turn{.took = milliseconds(812), .longest_step = "http", .longest_step_took = milliseconds(790)};
  EXPECT_EQ(long_turn_warning(turn, milliseconds(250)),
            "one turn of the event loop took 812 ms, 790 ms of them for: http; all else waited");
}

TEST(LongTurnWarning, BeginsExactlyAtItsBound) {
  const TurnMeter::Turn turn{.took = milliseconds(250)};
  EXPECT_TRUE(long_turn_warning(turn, milliseconds(250)));
  EXPECT_FALSE(long_turn_warning(turn, milliseconds(251)));
  EXPECT_FALSE(long_turn_warning(turn, milliseconds(0))) << "0: none";
}

TEST(LoopTurns, StepWithoutALoopDoesNothing) {
  loop_step("nothing");
  Metrics metrics;
  auto turns = std::make_unique<LoopTurns>(metrics, milliseconds(0));
  turns.reset();
  loop_step("nothing");
}

TEST(LoopTurns, TurnsAreAMetric) {
  Metrics metrics;
  LoopTurns turns(metrics, milliseconds(0));
  turns.begin();
  loop_step("http");
  turns.end();
  turns.end();
  EXPECT_THAT(metrics.text(), HasSubstr("tokenrail_loop_turn_ms_count 1\n"));
  EXPECT_THAT(metrics.text(), HasSubstr("tokenrail_loop_turn_ms_bucket{le=\"250\"} "));
}

}  // namespace
}  // namespace tokenrail::telemetry
