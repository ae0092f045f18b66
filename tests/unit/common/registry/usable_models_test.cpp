#include "common/registry/usable_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/explanation_json.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t version = 1;

class UsableModels : public testing::Test {
 protected:
  std::vector<std::string> slugs(std::string_view org = "acme", std::string_view user = "ann") {
    std::vector<std::string> found;
    for (const auto* row : usable_models(projection_, {.org_id = org, .user_id = user}, {}, test_now_ms))
      found.push_back(row->slug + (row->org_id.empty() ? "" : " of " + row->org_id));
    return found;
  }
  Projection projection_{};
};

TEST_F(UsableModels, ListsNearestRowOfEachUsableModel) {
  put(projection_, model("ollama", "a"));
  put(projection_, model("ollama", "b"));
  auto off = model("ollama", "off");
  off.enabled = off.routable = false;
  put(projection_, off);
  auto own = model("ollama", "b", "acme");
  own.display_name = "Ours";
  put(projection_, own);
  put(projection_, model("ollama", "foreign", "other"));
  EXPECT_THAT(slugs(), ElementsAre("ollama/b of acme", "ollama/a"));
  EXPECT_THAT(slugs(""), ElementsAre("ollama/a", "ollama/b"));
}

TEST_F(UsableModels, AreFoundInStepsBetweenWhichTheRegistryChanges) {
  for (int i = 0; i < 7; ++i) put(projection_, model("ollama", "m" + std::to_string(i)));
  put(projection_, model("ollama", "m3", "acme"));
  const auto whole = slugs();
  ASSERT_EQ(whole.size(), 7U);
  for (std::size_t rows = 1; rows < 10; ++rows) {
    UsableModelsWalk walk("acme", "ann");
    std::vector<std::string> found;
    while (!walk.done()) {
      const auto part = walk.next(projection_, {}, test_now_ms, rows);
      EXPECT_LE(part.size(), rows);
      for (const auto* row : part) found.push_back(row->slug + (row->org_id.empty() ? "" : " of " + row->org_id));
    }
    EXPECT_EQ(found, whole) << rows;
  }

  // The row at which the walk is goes, and one comes behind it.
  UsableModelsWalk walk("other", "");
  EXPECT_EQ(walk.next(projection_, {}, test_now_ms, 2).back()->slug, "ollama/m1");
  projection_.apply(events::model_key(model("ollama", "m1")), std::nullopt);
  put(projection_, model("ollama", "m1a"));
  std::vector<std::string> rest;
  while (!walk.done())
    for (const auto* row : walk.next(projection_, {}, test_now_ms, 3)) rest.push_back(row->model_name);
  EXPECT_THAT(rest, ElementsAre("m1a", "m2", "m3", "m4", "m5", "m6"));
}

TEST_F(UsableModels, ListsEveryKindWithoutHiddenModels) {
  auto embedding = model("ollama", "embed");
  embedding.kind = "embedding";
  put(projection_, embedding);
  auto hidden = model("ollama", "hidden");
  hidden.hidden = true;
  put(projection_, hidden);
  EXPECT_THAT(slugs(), ElementsAre("ollama/embed"));
}

TEST_F(UsableModels, AnAllowListLeavesOnlyWhatIsGranted) {
  put(projection_, model("ollama", "a"));
  put(projection_, model("ollama", "b"));
  put_record(projection_, events::RegistryOrganization{.org_id = "acme", .allow_list = true}, version);
  EXPECT_THAT(slugs(), IsEmpty());
  put_record(projection_,
             events::RegistryGrants{.org_id = "acme",
                                    .grants = {grant_of(events::SubjectKind::user, "ann", events::ObjectKind::model,
                                                        model("ollama", "b").id)}},
             version);
  EXPECT_THAT(slugs(), ElementsAre("ollama/b"));
  EXPECT_THAT(slugs("acme", "bob"), IsEmpty());
}

TEST_F(UsableModels, ExplanationAsJsonHasChoiceOrFailures) {
  put(projection_, model("ollama", "a"));
  const auto text = [&](std::string_view name) {
    return explanation_json(explain(
        projection_, {.caller = {.org_id = "acme"}, .model = events::ModelReference{"ollama", std::string(name)}}, {},
        test_now_ms));
  };
  EXPECT_THAT(text("a"), HasSubstr(R"({"usable":true,"model":"ollama/a","choice":{"reason":"named",)"));
  EXPECT_THAT(text("a"), HasSubstr(R"("targets":[{"model":"ollama/a","deploymentId":"d-m---ollama-a",)"));
  EXPECT_THAT(text("a"), HasSubstr(R"({"clause":"found","holds":true,"scope":"platform",)"));
  EXPECT_THAT(text("b"), HasSubstr(R"({"usable":false,"model":null,"failure":{"code":"MODEL_NOT_FOUND","message":)"));
  EXPECT_THAT(text("b"), HasSubstr(R"("holds":false)"));
}

}  // namespace
}  // namespace tokenrail::registry
