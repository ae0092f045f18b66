#include "workers/router/core/log_reading.hpp"

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

TEST(LogReading, EachLogIsReadByItself) {
  LogReading reading;
  reading.started(Log::audit, Millis(0));
  EXPECT_TRUE(reading.reads(Log::audit));
  EXPECT_FALSE(reading.reads(Log::chunks));
  EXPECT_FALSE(reading.stop(Log::chunks)) << "it was not read";
  EXPECT_TRUE(reading.stop(Log::audit));
  EXPECT_FALSE(reading.stop(Log::audit));
  EXPECT_FALSE(reading.reads(Log::audit));
}

TEST(LogReading, LogIsSilentAfterThirtySeconds) {
  LogReading reading;
  reading.started(Log::audit, Millis(1'000));
  EXPECT_FALSE(reading.is_silent(Millis(30'999)));
  EXPECT_TRUE(reading.is_silent(Millis(31'000)));
  reading.heard(Millis(31'000));
  EXPECT_FALSE(reading.is_silent(Millis(60'999)));
  EXPECT_TRUE(reading.is_silent(Millis(61'000)));
}

TEST(LogReading, EveryReadingStartsTheWaitAgain) {
  LogReading reading;
  reading.started(Log::audit, Millis(1'000));
  reading.started(Log::chunks, Millis(20'000));
  EXPECT_FALSE(reading.is_silent(Millis(49'999)));
  EXPECT_TRUE(reading.is_silent(Millis(50'000)));
}

TEST(LogReading, QuestionsHaveNumbersOfTheirOwn) {
  LogReading reading;
  EXPECT_EQ(reading.next_question(), 1U);
  EXPECT_EQ(reading.next_question(), 2U);
}

}  // namespace
}  // namespace tokenrail::router
