#include "cli/verify/subjects.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::verify {
namespace {

using testing::ElementsAre;

/// Settled is what is a leftover here, so that a test decides it.
struct SubjectsTest : testing::Test {
  explicit SubjectsTest(std::size_t settled_max = 2) : subjects(settled_max) {
    subjects.set_rules({.settled = [](const Subject& subject) { return subject.leftover; },
                        .forgetting = [this](const Subject& subject) { forgotten.push_back(subject.request_id); }});
  }
  Subject& settle(const std::string& id, std::int64_t offset) {
    auto& subject = subjects.of("acme", id);
    subject.asked[offset].read = true;
    subjects.read_at(offset, subject);
    subject.leftover = true;
    subjects.touch(subject);
    return subject;
  }
  Subjects subjects;
  std::vector<std::string> forgotten{};
};

TEST_F(SubjectsTest, KnowsRequestsByOrganisationAndId) {
  auto& one = subjects.of("acme", "r");
  EXPECT_EQ(&subjects.of("acme", "r"), &one);
  EXPECT_NE(&subjects.of("other", "r"), &one);
  EXPECT_EQ(subjects.find("acme", "r"), &one);
  EXPECT_EQ(subjects.find("acme", "s"), nullptr);
  EXPECT_EQ(subjects.at(3), nullptr);
}

TEST_F(SubjectsTest, OldestIsForgottenWhenTooManyAreSettled) {
  settle("a", 1);
  settle("b", 2);
  EXPECT_FALSE(subjects.forgot_any());
  settle("c", 3);
  EXPECT_THAT(forgotten, ElementsAre("a"));
  EXPECT_TRUE(subjects.forgot_any());
  EXPECT_EQ(subjects.find("acme", "a"), nullptr);
  EXPECT_EQ(subjects.at(1), nullptr);
  EXPECT_NE(subjects.at(2), nullptr);
}

TEST_F(SubjectsTest, WhatChangesIsTheYoungestAgain) {
  settle("a", 1);
  settle("b", 2);
  settle("a", 1);
  settle("c", 3);
  EXPECT_THAT(forgotten, ElementsAre("b"));
}

TEST_F(SubjectsTest, WhatIsMissingSomethingIsNeverForgotten) {
  auto& open = subjects.of("acme", "open");
  subjects.touch(open);
  for (int i = 0; i < 10; ++i) settle("r" + std::to_string(i), i);
  EXPECT_EQ(subjects.find("acme", "open"), &open);
  EXPECT_EQ(subjects.pending(), 1U);
  open.leftover = true;
  subjects.touch(open);
  EXPECT_EQ(subjects.pending(), 0U);
  subjects.unsettle(open);
  EXPECT_EQ(subjects.pending(), 1U);
}

TEST_F(SubjectsTest, OffsetOfANewLogStaysThatOfTheNewRequest) {
  settle("old", 1);
  settle("new", 1);
  settle("third", 2);
  EXPECT_THAT(forgotten, ElementsAre("old"));
  ASSERT_NE(subjects.at(1), nullptr);
  EXPECT_EQ(subjects.at(1)->request_id, "new");
}

TEST_F(SubjectsTest, AreListedInTheOrderOfTheLog) {
  settle("b", 2);
  settle("a", 1);
  std::vector<std::string> names;
  for (const auto* subject : subjects.in_order()) names.push_back(subject->request_id);
  EXPECT_THAT(names, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace tokenrail::verify
