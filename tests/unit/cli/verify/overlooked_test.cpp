#include "cli/verify/overlooked.hpp"

#include <gtest/gtest.h>

#include "common/events/commit_metadata.hpp"

namespace tokenrail::verify {
namespace {

/// Offset 100 is committed, and a successor reads llm.audit from 50 on.
struct OverlookedTest : testing::Test {
  OverlookedTest() {
    options.committed = 100;
    options.metadata = events::encode({.epoch = 1, .audit_offset = events::AuditOffset(50)});
    about.org_id = "acme";
    about.request_id = "r";
  }
  CheckOptions options{};
  Subject about{};
};

TEST_F(OverlookedTest, EventBelowTheCommitAboutAnOpenRequestIsPassedBy) {
  Overlooked overlooked(options);
  EXPECT_TRUE(overlooked.note(100, {.at = 49, .about = &about}));
  EXPECT_EQ(overlooked.first(), std::nullopt) << "the request has not been read yet";
  overlooked.is_there(100, about, {});
  EXPECT_EQ(overlooked.first(), 49);
}

TEST_F(OverlookedTest, BoundsAreExact) {
  Overlooked overlooked(options);
  EXPECT_FALSE(overlooked.note(99, {.at = 49, .about = &about})) << "committed";
  EXPECT_FALSE(overlooked.note(100, {.at = 50, .about = &about})) << "a successor reads it";
}

TEST_F(OverlookedTest, WithoutACommitNothingIsPassedBy) {
  options.committed.reset();
  Overlooked overlooked(options);
  EXPECT_FALSE(overlooked.note(100, {.at = 49, .about = &about}));
}

TEST_F(OverlookedTest, OtherRequestAtTheOffsetIsOfAnotherLog) {
  Overlooked overlooked(options);
  overlooked.note(100, {.at = 49, .about = &about});
  Subject other;
  other.org_id = "acme";
  other.request_id = "another";
  overlooked.is_there(100, other, {});
  EXPECT_EQ(overlooked.first(), std::nullopt);
}

TEST_F(OverlookedTest, EventThatIsOlderThanTheRequestIsOfAnotherLog) {
  Overlooked overlooked(options);
  overlooked.note(100, {.at = 49, .broker_ms = 1'000, .about = &about});
  Asked asked;
  asked.broker_ms = 1'001 + options.clock_skew_ms;
  overlooked.is_there(100, about, asked);
  EXPECT_EQ(overlooked.first(), std::nullopt);
  --asked.broker_ms;
  overlooked.is_there(100, about, asked);
  EXPECT_EQ(overlooked.first(), 49) << "within the skew of two clocks";
}

TEST_F(OverlookedTest, RequestBeforeTheReadingCannotBeLookedAt) {
  options.requests_from = 200;
  Overlooked overlooked(options);
  EXPECT_FALSE(overlooked.note(150, {.at = 49, .about = &about}));
  EXPECT_EQ(overlooked.first(), 49);
}

TEST_F(OverlookedTest, OffsetBeyondTheLogHasNoRequest) {
  options.ends.requests = 150;
  Overlooked overlooked(options);
  EXPECT_FALSE(overlooked.note(150, {.at = 49, .about = &about}));
  EXPECT_TRUE(overlooked.note(149, {.at = 49, .about = &about}));
}

TEST_F(OverlookedTest, ForgottenOffsetIsNotLookedAtAgain) {
  Overlooked overlooked(options);
  overlooked.note(100, {.at = 49, .about = &about});
  overlooked.forget(100);
  overlooked.is_there(100, about, {});
  EXPECT_EQ(overlooked.first(), std::nullopt);
}

}  // namespace
}  // namespace tokenrail::verify
