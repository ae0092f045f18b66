#include "cli/verify/losses.hpp"

#include <gtest/gtest.h>

#include "cli/verify/subject.hpp"

namespace tokenrail::verify {
namespace {

TEST(Losses, CountsEachOffsetOnceHoweverOftenItIsReported) {
  Losses losses;
  EXPECT_EQ(losses.add({.from = 10, .to = 20, .at = 1}), 10);
  EXPECT_EQ(losses.add({.from = 10, .to = 20, .at = 2}), 0) << "the next owner reports it again";
  EXPECT_EQ(losses.add({.from = 15, .to = 25, .at = 3}), 5);
  EXPECT_EQ(losses.add({.from = 25, .to = 30, .at = 4}), 5) << "they touch";
  EXPECT_EQ(losses.add({.from = 40, .to = 50, .at = 5}), 10);
  EXPECT_EQ(losses.add({.from = 0, .to = 60, .at = 6}), 30) << "one over all of them";
}

TEST(Losses, RangeEndsBeforeItsLastOffset) {
  Losses losses;
  losses.add({.from = 10, .to = 20, .at = 1});
  EXPECT_FALSE(losses.has(9));
  EXPECT_TRUE(losses.has(10));
  EXPECT_TRUE(losses.has(19));
  EXPECT_FALSE(losses.has(20));
}

TEST(Losses, RequestThatWasReadIsNotLost) {
  Losses losses;
  losses.add({.from = 10, .to = 20, .at = 1});
  Subject subject;
  EXPECT_TRUE(losses.has(subject, 12)) << "nothing is known of it";
  subject.asked[12].read = false;
  EXPECT_TRUE(losses.has(subject, 12)) << "an event named it";
  subject.asked[12].read = true;
  EXPECT_FALSE(losses.has(subject, 12));
}

TEST(Losses, NamesTheFirstEventThatPrecedesAnotherOne) {
  Losses losses;
  losses.add({.from = 10, .to = 20, .at = 7});
  losses.add({.from = 10, .to = 20, .at = 9});
  EXPECT_EQ(losses.told_before(12, 7), nullptr) << "not before itself";
  ASSERT_NE(losses.told_before(12, 8), nullptr);
  EXPECT_EQ(losses.told_before(12, 100)->at, 7);
  EXPECT_EQ(losses.told_before(20, 100), nullptr);
}

TEST(Losses, RecordThatWasThereWhenItsLossWasReportedContradictsIt) {
  Losses losses;
  losses.add({.from = 10, .to = 20, .at = 7, .broker_ms = 1'000});
  EXPECT_NE(losses.contradicted_by(12, 1'000), nullptr);
  EXPECT_EQ(losses.contradicted_by(12, 1'001), nullptr) << "a new log's";
  EXPECT_EQ(losses.contradicted_by(9, 1'000), nullptr);
}

TEST(Losses, KnowsTheOffsetsOfEventsThatItHasForgotten) {
  Losses losses;
  for (int i = 0; i < 1'001; ++i) losses.add({.from = i * 10, .to = i * 10 + 1, .at = i});
  EXPECT_EQ(losses.newest().size(), 1'000U);
  EXPECT_EQ(losses.newest().front().at, 1);
  EXPECT_TRUE(losses.has(0));
}

}  // namespace
}  // namespace tokenrail::verify
