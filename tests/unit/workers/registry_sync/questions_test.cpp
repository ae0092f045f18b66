#include "workers/registry_sync/questions.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workers/registry_sync/facts.hpp"

namespace tokenrail::registry_sync {
namespace {

using registry::StoredModel;
using testing::ElementsAre;
using testing::IsEmpty;

registry::Connection connection() {
  registry::Connection c;
  c.id = "c1";
  c.provider = c.adapter = "ollama";
  return c;
}

providers::ListedModel listed(std::string name, std::string digest = "d1") {
  providers::ListedModel model;
  model.name = std::move(name);
  model.digest = std::move(digest);
  return model;
}

constexpr std::int64_t now = 1'700'000'000'000;

/// With the details of a list's entry of that digest; empty: without any.
StoredModel stored(std::string name, const std::string& digest = "d1") {
  StoredModel model;
  model.state.model_name = std::move(name);
  if (!digest.empty()) model.details_digest = details_key(listed(model.state.model_name, digest), connection().id);
  model.details_at_ms = now;
  model.here = registry::StoredDeployment{.upstream_name = model.state.model_name};
  return model;
}

struct Memory {
  std::set<std::string> known;
  std::set<std::string> in_vain;
};

Selection select(std::vector<providers::ListedModel> models, const std::vector<StoredModel>& held = {},
                 std::size_t models_max = 100, const Memory& memory = {},
                 const registry::Connection& from = connection()) {
  return select_models(
      from, std::move(models), held, models_max, now - 1000,
      [&](const std::string& key) { return memory.known.contains(key); },
      [&](const std::string& key) { return memory.in_vain.contains(key); });
}

std::vector<std::string> asked(const Selection& selection) {
  std::vector<std::string> names;
  for (const auto& question : selection.questions) names.push_back(question.name);
  return names;
}

std::vector<std::string> taken(const Selection& selection) {
  std::vector<std::string> names;
  for (const auto& model : selection.models) names.push_back(model.name);
  return names;
}

TEST(Questions, AsksOnceForEachNewOrChangedModel) {
  EXPECT_THAT(asked(select({listed("a"), listed("b", "d2"), listed("new"), listed("new")}, {stored("a"), stored("b")})),
              ElementsAre("b", "new"));
  auto elsewhere = stored("a", "theirs");
  elsewhere.told_elsewhere = true;
  EXPECT_THAT(asked(select({listed("a")}, {elsewhere})), IsEmpty()) << "its facts come from another connection";
  EXPECT_THAT(asked(select({listed("a")}, {stored("a", "")})), ElementsAre("a"));
}

TEST(Questions, OldDetailsAreAskedForAgain) {
  auto old = stored("a");
  old.details_at_ms = now - 1001;
  EXPECT_THAT(asked(select({listed("a")}, {old})), ElementsAre("a"));
  old.details_at_ms = std::nullopt;
  EXPECT_THAT(asked(select({listed("a")}, {old})), ElementsAre("a")) << "their age is unknown";
  old.details_at_ms = now - 1000;
  EXPECT_THAT(asked(select({listed("a")}, {old})), IsEmpty());
}

TEST(Questions, AnotherServerVersionIsAReasonToAsk) {
  auto upgraded = listed("a");
  upgraded.server_version = "0.7.0";
  EXPECT_THAT(asked(select({upgraded}, {stored("a")})), ElementsAre("a"));
}

// Some servers give one digest to all of their models.
TEST(Questions, AsksForEachModelOfOneDigest) {
  EXPECT_THAT(asked(select({listed("chat", "same"), listed("embed", "same"), listed("vision", "same")})),
              ElementsAre("chat", "embed", "vision"));
  const Memory memory{.known = {memory_key(connection(), listed("chat", "same"))}, .in_vain = {}};
  EXPECT_THAT(asked(select({listed("chat", "same"), listed("embed", "same")}, {}, 100, memory)), ElementsAre("embed"));
}

TEST(Questions, RemembersDetailsByConnectionModelAndDigest) {
  auto other = connection();
  other.id = "c2";
  const auto key = memory_key(connection(), listed("a", "d1"));
  EXPECT_NE(key, memory_key(other, listed("a", "d1")));
  EXPECT_NE(key, memory_key(connection(), listed("b", "d1")));
  EXPECT_NE(key, memory_key(connection(), listed("a", "d2")));
  EXPECT_EQ(key, memory_key(connection(), listed("a", "d1")));
}

TEST(Questions, UnansweredQuestionsComeLast) {
  const Memory memory{.known = {},
                      .in_vain = {memory_key(connection(), listed("a")), memory_key(connection(), listed("b"))}};
  EXPECT_THAT(asked(select({listed("a"), listed("b"), listed("c"), listed("d")}, {}, 100, memory)),
              ElementsAre("c", "d", "a", "b"));
}

TEST(Questions, LeavesOutNewModelsAboveTheBound) {
  const std::vector<StoredModel> held{stored("a"), stored("b")};
  const std::vector list{listed("new1"), listed("a"), listed("new2"), listed("b"), listed("new3")};
  struct Row {
    std::size_t bound;
    std::vector<std::string> taken;
    std::int64_t beyond;
  };
  for (const auto& row : std::vector<Row>{{1, {"a", "b"}, 3},
                                          {2, {"a", "b"}, 3},
                                          {3, {"new1", "a", "b"}, 2},
                                          {4, {"new1", "a", "new2", "b"}, 1},
                                          {5, {"new1", "a", "new2", "b", "new3"}, 0}}) {
    SCOPED_TRACE(row.bound);
    const auto selection = select(list, held, row.bound);
    EXPECT_EQ(taken(selection), row.taken);
    EXPECT_EQ(selection.beyond, row.beyond);
    EXPECT_EQ(selection.questions.size(), row.taken.size() - held.size());
  }
  EXPECT_EQ(select(list, held, 3).first_beyond, "new2");
}

TEST(Questions, SkipsExcludedAndUnstorableModels) {
  auto from = connection();
  from.exclude_globs = {"big*"};
  const auto selection = select({listed("big:70b"), listed("bad\nname"), listed("a")}, {}, 1, {}, from);
  EXPECT_THAT(asked(selection), ElementsAre("a"));
  EXPECT_THAT(taken(selection), ElementsAre("big:70b", "bad\nname", "a")) << "the plan says what becomes of them";
  EXPECT_EQ(selection.beyond, 0);
}

TEST(PageTrail, FollowsEachPageOnceToTheLast) {
  PageTrail trail;
  EXPECT_TRUE(trail.follow("b"));
  EXPECT_TRUE(trail.follow("c"));
  EXPECT_FALSE(trail.follow(""));
  EXPECT_EQ(trail.cut(), "") << "the list is whole";
}

TEST(PageTrail, PagesInACircleAreNoWholeList) {
  PageTrail trail;
  EXPECT_TRUE(trail.follow("b"));
  EXPECT_TRUE(trail.follow("a"));
  EXPECT_FALSE(trail.follow("b"));
  EXPECT_EQ(trail.cut(), "page 3 of the list leads back to a page that was read, so the list may not be whole");
}

TEST(PageTrail, ListOfTooManyPagesIsNotWhole) {
  PageTrail trail(3);
  EXPECT_TRUE(trail.follow("2"));
  EXPECT_TRUE(trail.follow("3"));
  EXPECT_FALSE(trail.follow("4"));
  EXPECT_EQ(trail.cut(), "the list has more than 3 pages, and the rest was not read");

  PageTrail whole(3);
  EXPECT_TRUE(whole.follow("2"));
  EXPECT_TRUE(whole.follow("3"));
  EXPECT_FALSE(whole.follow(""));
  EXPECT_EQ(whole.cut(), "") << "three pages, and no fourth";
}

TEST(Patience, EndsAfterTimeOutsInARow) {
  Patience patience(3);
  patience.timed_out();
  patience.timed_out();
  EXPECT_FALSE(patience.exhausted());
  patience.answered();
  patience.timed_out();
  patience.timed_out();
  EXPECT_FALSE(patience.exhausted());
  patience.timed_out();
  EXPECT_TRUE(patience.exhausted());
}

}  // namespace
}  // namespace tokenrail::registry_sync
