#include "workers/router/core/drain.hpp"

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

constexpr Millis grace{100};

TEST(Drain, NothingRunsBeforeItBegins) {
  Drain drain;
  drain.left_group();
  EXPECT_FALSE(drain.begun());
  EXPECT_FALSE(drain.runs());
  drain.begin(Millis(1'000), [] {});
  EXPECT_TRUE(drain.runs());
  EXPECT_FALSE(drain.is_over(Millis(0), grace, true)) << "a group that was left before it is joined again";
}

TEST(Drain, EndsWhenTheGroupIsLeftAndNothingRuns) {
  Drain drain;
  drain.begin(Millis(1'000), [] {});
  EXPECT_FALSE(drain.is_over(Millis(10), grace, true));
  drain.left_group();
  EXPECT_FALSE(drain.is_over(Millis(10), grace, false));
  EXPECT_TRUE(drain.is_over(Millis(10), grace, true));
}

TEST(Drain, DeadlineComesOnce) {
  Drain drain;
  drain.begin(Millis(1'000), [] {});
  EXPECT_FALSE(drain.take_deadline(Millis(999)));
  EXPECT_TRUE(drain.take_deadline(Millis(1'000)));
  EXPECT_FALSE(drain.take_deadline(Millis(1'001)));
}

TEST(Drain, GraceEndsWhatIsNotAnswered) {
  Drain drain;
  drain.begin(Millis(1'000), [] {});
  EXPECT_FALSE(drain.is_over(Millis(1'099), grace, false));
  EXPECT_TRUE(drain.is_over(Millis(1'100), grace, false));
}

TEST(Drain, SecondCallBringsTheDeadlineForward) {
  Drain drain;
  drain.begin(Millis(1'000), [] {});
  drain.hurry(Millis(50));
  EXPECT_TRUE(drain.take_deadline(Millis(50)));
  EXPECT_TRUE(drain.is_over(Millis(150), grace, false));
}

TEST(Drain, DoneIsTakenOnce) {
  int calls = 0;
  Drain drain;
  drain.begin(Millis(1'000), [&] { ++calls; });
  drain.take_done()();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(drain.runs());
  EXPECT_TRUE(drain.begun()) << "nothing starts any more";
}

}  // namespace
}  // namespace tokenrail::router
