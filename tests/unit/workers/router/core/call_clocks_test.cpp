#include "workers/router/core/call_clocks.hpp"

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

using Silence = CallClocks::Silence;

constexpr Millis began{1'000};
constexpr Millis first_by{4'000};
constexpr Millis idle{500};
constexpr Millis far{90'000};

TEST(CallClocks, FirstTokenIsCountedFromTheAttempt) {
  CallClocks clocks(began);
  EXPECT_EQ(clocks.first_token_after(), std::nullopt);
  clocks.call_begins(Millis(1'200));
  EXPECT_TRUE(clocks.token(Millis(1'700)).first_of_attempt);
  EXPECT_FALSE(clocks.token(Millis(1'900)).first_of_attempt);
  EXPECT_EQ(clocks.first_token_after(), Millis(700));
  EXPECT_EQ(clocks.running_for(Millis(1'900)), Millis(900));
}

TEST(CallClocks, DroppedAnswerHasNoFirstToken) {
  CallClocks clocks(began);
  clocks.call_begins(began);
  clocks.token(Millis(1'100));
  clocks.forget_first_token();
  EXPECT_EQ(clocks.first_token_after(), std::nullopt);
  EXPECT_TRUE(clocks.token(Millis(1'500)).first_of_attempt);
}

TEST(CallClocks, EachCallHasAFirstToken) {
  CallClocks clocks(began);
  clocks.call_begins(began);
  EXPECT_TRUE(clocks.token(Millis(1'100)).first_of_call);
  EXPECT_FALSE(clocks.token(Millis(1'200)).first_of_call);
  clocks.call_begins(Millis(1'300));
  const auto token = clocks.token(Millis(1'400));
  EXPECT_TRUE(token.first_of_call);
  EXPECT_FALSE(token.first_of_attempt);
}

TEST(CallClocks, IdleClockRunsFromTheLastToken) {
  CallClocks clocks(began);
  clocks.call_begins(began);
  EXPECT_EQ(clocks.call_due(first_by, idle, far), first_by);
  clocks.token(Millis(1'100));
  EXPECT_EQ(clocks.call_due(first_by, idle, far), Millis(1'600));
  clocks.token(Millis(1'300));
  EXPECT_EQ(clocks.call_due(first_by, idle, far), Millis(1'800));
}

TEST(CallClocks, TimeHeldUpHereIsNoSilence) {
  CallClocks clocks(began);
  clocks.call_begins(began);
  clocks.token(Millis(1'100));
  clocks.resumed(Millis(5'000));
  EXPECT_EQ(clocks.call_due(first_by, idle, far), Millis(5'500));
}

TEST(CallClocks, DeadlineIsDueBeforeLaterClocks) {
  CallClocks clocks(began);
  clocks.call_begins(began);
  EXPECT_EQ(clocks.call_due(first_by, idle, Millis(2'000)), Millis(2'000));
  clocks.retry_at(Millis(3'000));
  EXPECT_EQ(clocks.wait_ends(Millis(2'000)), Millis(2'000));
  EXPECT_EQ(clocks.wait_ends(far), Millis(3'000));
}

TEST(CallClocks, TokenEndsTheWaitForAHedge) {
  CallClocks clocks(began);
  clocks.call_begins(began);
  clocks.hedge_at(Millis(1'500));
  EXPECT_EQ(clocks.call_due(first_by, idle, far), Millis(1'500));
  EXPECT_FALSE(clocks.hedge_is_due(Millis(1'499)));
  EXPECT_TRUE(clocks.hedge_is_due(Millis(1'500)));
  clocks.token(Millis(1'400));
  EXPECT_FALSE(clocks.hedge_is_due(far));
}

TEST(CallClocks, ErrorBodyIsWaitedForAfterItsStatus) {
  CallClocks clocks(began);
  clocks.refused(Millis(2'000));
  EXPECT_EQ(clocks.refusal_ends(), Millis(7'000));
}

TEST(CallClocks, SilenceSaysWhatTheCallHadSent) {
  CallClocks clocks(began);
  clocks.call_begins(began);
  clocks.bytes_decoded();
  EXPECT_EQ(clocks.silence(), Silence::no_token);
  clocks.token(Millis(1'100));
  clocks.bytes_decoded();
  EXPECT_EQ(clocks.silence(), Silence::fell_silent);
  clocks.bytes_decoded();
  EXPECT_EQ(clocks.silence(), Silence::kept_alive) << "bytes without a token";
  clocks.token(Millis(1'200));
  clocks.bytes_decoded();
  EXPECT_EQ(clocks.silence(), Silence::fell_silent);
}

}  // namespace
}  // namespace tokenrail::router
