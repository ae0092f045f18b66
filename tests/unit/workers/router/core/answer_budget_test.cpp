#include "workers/router/core/answer_budget.hpp"

#include <deque>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

struct Answer final : AnswerBudget::Holder {
  explicit Answer(std::string owner = "acme") : Holder(std::move(owner)) {}
};

TEST(AnswerBudget, ExactlyTheBoundIsAllowed) {
  AnswerBudget budget(100);
  Answer a;
  Answer b;
  budget.hold(a, 60);
  budget.hold(b, 40);
  EXPECT_EQ(budget.bytes(), 100U);
  EXPECT_EQ(budget.one_too_many(), nullptr);
  budget.hold(b, 41);
  EXPECT_EQ(budget.one_too_many(), &a);
}

TEST(AnswerBudget, LargestAnswerIsOneTooMany) {
  AnswerBudget budget(100);
  std::deque<Answer> answers(10);
  for (auto& answer : answers) budget.hold(answer, 10);
  EXPECT_EQ(budget.one_too_many(), nullptr);
  budget.hold(answers[4], 15);
  EXPECT_EQ(budget.one_too_many(), &answers[4]);
  budget.hold(answers[4], 0);
  EXPECT_EQ(budget.one_too_many(), nullptr);
  EXPECT_EQ(budget.bytes(), 90U);
}

TEST(AnswerBudget, OrganisationThatHoldsTheMostGivesBack) {
  AnswerBudget budget(100);
  std::deque<Answer> many(10);
  for (auto& answer : many) budget.hold(answer, 8);
  Answer only("beta");
  budget.hold(only, 20);
  EXPECT_EQ(budget.one_too_many(), nullptr);
  budget.hold(many[3], 9);
  EXPECT_EQ(budget.one_too_many(), &many[3]) << "and not the largest of all";
}

TEST(AnswerBudget, HoldersComeAndGoInAnyOrder) {
  AnswerBudget budget(5);
  std::deque<Answer> answers(4);
  for (auto& answer : answers) budget.hold(answer, 2);
  budget.hold(answers[0], 0);
  budget.hold(answers[3], 0);
  EXPECT_EQ(budget.bytes(), 4U);
  budget.hold(answers[0], 7);
  EXPECT_EQ(budget.one_too_many(), &answers[0]);
  for (auto& answer : answers) budget.hold(answer, 0);
  EXPECT_EQ(budget.bytes(), 0U);
  EXPECT_EQ(budget.one_too_many(), nullptr);
}

}  // namespace
}  // namespace tokenrail::router
