#include "common/auth/jwks_schedule.hpp"

#include <gtest/gtest.h>

#include "tests/unit/common/auth/signer.hpp"

namespace tokenrail::auth {
namespace {

using namespace std::chrono_literals;
using Need = JwksSchedule::Need;

class JwksScheduleTest : public ::testing::Test {
 protected:
  void expect(Need need, bool fetch, bool wait, const char* why) {
    const auto step = schedule_.step(need, now_);
    EXPECT_EQ(step.fetch, fetch) << why;
    EXPECT_EQ(step.wait, wait) << why;
  }
  void succeed() {
    schedule_.started(now_);
    schedule_.succeeded(keys_, now_);
  }
  void fail() {
    schedule_.started(now_);
    schedule_.failed("refused");
  }

  JwkSet keys_ = *JwkSet::parse(testing::jwks({testing::keyring().ed25519.jwk("k")}));
  JwksSchedule schedule_{JwksSchedule::Options{}};
  JwksSchedule::Time now_{1000h};
};

TEST_F(JwksScheduleTest, FirstRequestFetchesAndOthersWaitForIt) {
  expect(Need::keys, true, true, "nothing is there");
  schedule_.started(now_);
  expect(Need::keys, false, true, "one fetch at a time");
  expect(Need::unknown_key, false, true, "one fetch at a time");
  EXPECT_EQ(schedule_.keys(now_), nullptr);
  schedule_.succeeded(keys_, now_);
  expect(Need::keys, false, false, "there are keys");
  ASSERT_NE(schedule_.keys(now_), nullptr);
  EXPECT_EQ(schedule_.keys(now_)->size(), 1U);
}

TEST_F(JwksScheduleTest, FailedFirstFetchIsRepeatedAfterTwoSeconds) {
  fail();
  expect(Need::keys, false, false, "just failed");
  now_ += 1999ms;
  expect(Need::keys, false, false, "too early");
  now_ += 1ms;
  expect(Need::keys, true, true, "2 s later");
  EXPECT_EQ(schedule_.failure(), "refused");
}

TEST_F(JwksScheduleTest, RefreshesKeysInTheBackground) {
  succeed();
  now_ += 10min - 1ms;
  expect(Need::keys, false, false, "young");
  now_ += 1ms;
  expect(Need::keys, true, false, "due, and the old ones serve meanwhile");
  schedule_.started(now_);
  expect(Need::keys, false, false, "running");
  EXPECT_NE(schedule_.keys(now_), nullptr);
}

TEST_F(JwksScheduleTest, RequestAfterQuietTimeWaitsForNewKeys) {
  succeed();
  now_ += 20min - 1ms;
  expect(Need::keys, true, false, "not old enough");
  now_ += 1ms;
  expect(Need::keys, true, true, "a key may have been revoked");
  schedule_.started(now_);
  expect(Need::keys, false, true, "running");
}

TEST_F(JwksScheduleTest, StaleKeysServeWhileFetchesFail) {
  succeed();
  now_ += 10min;
  fail();
  EXPECT_EQ(schedule_.failure(), "refused");
  for (const auto later : {0s, 29s}) {
    now_ += later;
    expect(Need::keys, false, false, "failed less than 30 s ago");
    now_ -= later;
  }
  now_ += 30s;
  expect(Need::keys, true, false, "tried again");
  now_ += 12h;
  expect(Need::keys, true, false, "no request waits for an issuer that is known to fail");
  EXPECT_NE(schedule_.keys(now_), nullptr);
  schedule_.started(now_);
  expect(Need::keys, false, false, "nor for the fetch that runs");
}

TEST_F(JwksScheduleTest, StaleKeysEndAfterADay) {
  succeed();
  now_ += 24h - 1ms;
  fail();
  EXPECT_NE(schedule_.keys(now_), nullptr);
  now_ += 1ms;
  EXPECT_EQ(schedule_.keys(now_), nullptr);
  EXPECT_EQ(schedule_.age(now_), 24h);
  expect(Need::keys, false, false, "failed a moment ago");
  now_ += 2s;
  expect(Need::keys, true, true, "as if there had never been any");
}

TEST_F(JwksScheduleTest, SuccessEndsAFailure) {
  succeed();
  now_ += 10min;
  fail();
  now_ += 30s;
  succeed();
  EXPECT_EQ(schedule_.failure(), "");
  expect(Need::keys, false, false, "fresh");
}

TEST_F(JwksScheduleTest, UnknownKeyFetchesAtMostEveryThirtySeconds) {
  succeed();
  expect(Need::unknown_key, false, false, "just fetched");
  now_ += 30s - 1ms;
  expect(Need::unknown_key, false, false, "too early");
  now_ += 1ms;
  expect(Need::unknown_key, true, true, "the issuer may have a new key");
  fail();
  expect(Need::unknown_key, false, false, "a failed fetch counts too");
  now_ += 30s;
  expect(Need::unknown_key, true, true, "again");
}

TEST_F(JwksScheduleTest, EmptySetRevokesAllKeys) {
  succeed();
  schedule_.started(now_);
  schedule_.succeeded(JwkSet{}, now_);
  ASSERT_NE(schedule_.keys(now_), nullptr);
  EXPECT_EQ(schedule_.keys(now_)->size(), 0U);
}

}  // namespace
}  // namespace tokenrail::auth
