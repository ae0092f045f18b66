#include "workers/router/core/continuation.hpp"

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

using Verdict = Continuation::Verdict;

Continuation after(std::string_view text) {
  Continuation continuation;
  continuation.published(text);
  EXPECT_TRUE(continuation.go_on());
  continuation.call_begins();
  return continuation;
}

TEST(Continuation, CallsOfAnUnbrokenAnswerAreProven) {
  Continuation continuation;
  continuation.call_begins();
  EXPECT_TRUE(continuation.proven());
  EXPECT_TRUE(continuation.prefix().empty());
  EXPECT_EQ(continuation.count(), 0);
}

TEST(Continuation, PrefixLeavesOutTrailingBlanks) {
  const auto continuation = after("The sky is\t \n");
  EXPECT_EQ(continuation.prefix(), "The sky is");
  EXPECT_EQ(continuation.text_bytes(), 13U);
  EXPECT_EQ(continuation.count(), 1);
}

TEST(Continuation, BlanksAloneCannotBeContinued) {
  Continuation continuation;
  continuation.published(" \n");
  EXPECT_TRUE(continuation.has_text());
  EXPECT_FALSE(continuation.go_on());
  EXPECT_EQ(continuation.count(), 0);
}

TEST(Continuation, PublishedBlanksAreNotRepeated) {
  auto continuation = after("one \n");
  EXPECT_EQ(continuation.without_repetition(" "), "");
  EXPECT_EQ(continuation.without_repetition("\n\ntwo"), "\ntwo") << "only what was published is left out";
  EXPECT_EQ(continuation.without_repetition(" three"), " three");
}

TEST(Continuation, BlanksBehindOtherTextAreKept) {
  auto continuation = after("one  ");
  EXPECT_EQ(continuation.without_repetition(" x"), "x");
  EXPECT_EQ(continuation.without_repetition(" y"), " y");
}

TEST(Continuation, TextUnlikeTheBeginningGoesOn) {
  auto continuation = after("The sky is blue");
  EXPECT_FALSE(continuation.proven());
  EXPECT_EQ(continuation.judge("The "), Verdict::unknown);
  EXPECT_EQ(continuation.judge("sea"), Verdict::goes_on);
  EXPECT_EQ(continuation.take_unproven(), "The sea");
  EXPECT_TRUE(continuation.proven());
  EXPECT_EQ(continuation.take_unproven(), "");
}

TEST(Continuation, WholePublishedTextOnceMoreBeginsAgain) {
  auto continuation = after("The sky is blue");
  EXPECT_EQ(continuation.judge("The sky is blu"), Verdict::unknown);
  EXPECT_EQ(continuation.judge("e"), Verdict::begins_again);
  continuation.begins_again("d1");
  EXPECT_TRUE(continuation.has_begun_again("d1"));
  EXPECT_FALSE(continuation.has_begun_again("d2"));
  EXPECT_EQ(continuation.take_unproven(), "") << "that text is not published";
}

TEST(Continuation, SixtyFourEqualBytesBeginAgain) {
  auto continuation = after(std::string(100, 'a'));
  EXPECT_EQ(continuation.judge(std::string(63, 'a')), Verdict::unknown);
  EXPECT_EQ(continuation.judge("a"), Verdict::begins_again);
}

TEST(Continuation, EightPublishedBytesAreTelling) {
  EXPECT_TRUE(after("seven b").proven()) << "so little may come again by chance";
  EXPECT_FALSE(after("eight by").proven());
}

TEST(Continuation, NextCallStartsWithoutUnprovenText) {
  auto continuation = after("The sky is blue");
  EXPECT_EQ(continuation.judge("The "), Verdict::unknown);
  continuation.call_begins();
  EXPECT_EQ(continuation.take_unproven(), "");
}

TEST(Continuation, ReleasedTextTakesNoMemory) {
  auto continuation = after(std::string(100, 'a'));
  EXPECT_GE(continuation.held_bytes(), 100U);
  continuation.release_text();
  EXPECT_EQ(continuation.held_bytes(), 0U);
  EXPECT_FALSE(continuation.has_text());
}

}  // namespace
}  // namespace tokenrail::router
