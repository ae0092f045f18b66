// Saved views, and lists that take one by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/model_views.hpp"
#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ViewsTest : public GovernanceTest {
 protected:
  ModelViews views() { return ModelViews(*database_); }

  /// Slugs of what acme's list shows.
  std::vector<std::string> shown(const ModelFilter& filter) {
    const auto page = models().list(of("acme"), scope("acme"), filter, {});
    EXPECT_TRUE(page.has_value()) << page.error().detail;
    std::vector<std::string> slugs;
    if (!page) return slugs;
    EXPECT_EQ(page->total, static_cast<std::int64_t>(page->items.size()));
    for (const auto& item : page->items) {
      const auto begin = item.json.find(R"("slug" : ")") + 10;
      slugs.push_back(item.json.substr(begin, item.json.find('"', begin) - begin));
    }
    return slugs;
  }
  void price(const std::string& model, const std::string& dimension, int amount) {
    sql().run("INSERT INTO price (model_id, dimension, amount, source, created_by) SELECT id, '" + dimension + "', " +
              std::to_string(amount) + ", 'curated', 'test' FROM model WHERE slug = 'ollama/" + model + "'");
  }
};

TEST_F(ViewsTest, AViewIsAFilterWithPinnedModels) {
  const auto made = views().set(of("acme"), scope("acme"),
                                {.name = "small", .filter = {.search = "qwen"}, .pins = {"ollama/llama3.2"}}, {});
  ASSERT_OK(made);
  EXPECT_THAT(made->json, HasSubstr(R"("q": "qwen")"));
  EXPECT_THAT(shown({.view = "small"}), ElementsAre("ollama/llama3.2", "ollama/qwen3"));
  // The list's own filter holds too.
  EXPECT_THAT(shown({.search = "llama3", .view = "small"}), ElementsAre("ollama/llama3.2"));
  ASSERT_OK(views().set(of("acme"), scope("acme"), {.name = "small", .filter = {.search = "qwen"}}, made->version));
  EXPECT_THAT(shown({.view = "small"}), ElementsAre("ollama/qwen3"));
}

TEST_F(ViewsTest, FreeMeansEveryPriceIsZero) {
  price("llama3.2", "input", 0);
  price("llama3.2", "output", 0);
  EXPECT_THAT(shown({.free = true}), ElementsAre("ollama/llama3.2"));
  EXPECT_THAT(shown({.free = false}), ElementsAre());  // of qwen3 no price is known
  price("qwen3", "input", 0);
  price("qwen3", "output", 7);
  EXPECT_THAT(shown({.free = true}), ElementsAre("ollama/llama3.2"));
  EXPECT_THAT(shown({.free = false}), ElementsAre("ollama/qwen3"));
}

TEST_F(ViewsTest, UnknownContextIsNotLargeEnough) {
  sql().run("UPDATE model SET context_window = NULL WHERE slug = 'ollama/qwen3'");
  EXPECT_THAT(shown({.context_min = 4096}), ElementsAre("ollama/llama3.2"));
  EXPECT_THAT(shown({.context_min = 4097}), ElementsAre());
}

TEST_F(ViewsTest, ThePlatformsViewsAreSeenAndNotChanged) {
  ASSERT_OK(views().set(root(), {}, {.name = "all qwen", .filter = {.search = "qwen"}}, {}));
  EXPECT_THAT(shown({.view = "all qwen"}), ElementsAre("ollama/qwen3"));
  EXPECT_EQ(views().remove(of("acme"), scope("acme"), "all qwen", {}).error().kind, ErrorKind::not_found);
  // One of the organisation's own under the same name is nearer.
  ASSERT_OK(views().set(of("acme"), scope("acme"), {.name = "all qwen", .filter = {.search = "llama3"}}, {}));
  EXPECT_THAT(shown({.view = "all qwen"}), ElementsAre("ollama/llama3.2"));
  EXPECT_EQ(views().list(of("acme"), scope("acme"), {})->items.size(), 2U);
  ASSERT_OK(views().remove(of("acme"), scope("acme"), "all qwen", {}));
  EXPECT_THAT(shown({.view = "all qwen"}), ElementsAre("ollama/qwen3"));
}

TEST_F(ViewsTest, OthersDoNotSeeIt) {
  ASSERT_OK(views().set(of("acme"), scope("acme"), {.name = "mine"}, {}));
  EXPECT_EQ(views().get(of("other"), scope("other"), "mine").error().kind, ErrorKind::not_found);
  EXPECT_EQ(models().list(of("other"), scope("other"), {.view = "mine"}, {}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(views().list(of("other"), scope("other"), {})->total, 0);
}

TEST_F(ViewsTest, NamedObjectsMustExist) {
  EXPECT_EQ(views().set(of("acme"), scope("acme"), {.name = "v", .pins = {"ollama/none"}}, {}).error().kind,
            ErrorKind::not_found);
  EXPECT_EQ(views().set(of("acme"), scope("acme"), {.name = "v", .filter = {.provider = "none"}}, {}).error().kind,
            ErrorKind::invalid_input);
  EXPECT_EQ(views().set(of("acme"), scope("acme"), {.name = "v"}, 7).error().kind, ErrorKind::conflict);
}

TEST_F(ViewsTest, AChangeOfAnOldVersionIsRefused) {
  const auto made = views().set(of("acme"), scope("acme"), {.name = "v"}, {});
  ASSERT_OK(made);
  ASSERT_OK(views().set(of("acme"), scope("acme"), {.name = "v", .filter = {.free = true}}, made->version));
  EXPECT_EQ(views().set(of("acme"), scope("acme"), {.name = "v"}, made->version).error().kind, ErrorKind::conflict);
  EXPECT_EQ(views().remove(of("acme"), scope("acme"), "v", made->version).error().kind, ErrorKind::conflict);
  const auto entries = log().audit(of("acme"), scope("acme"), {.target_type = "view"}, {});
  ASSERT_OK(entries);
  EXPECT_EQ(entries->total, 2);
  EXPECT_THAT(entries->items.at(0).json, HasSubstr(R"("free": true)"));
}

// ---- "auto"
// -----------------------------------------------------------------------------------------------------------

// S3.14
TEST_F(ViewsTest, ScopeHasOneViewForAuto) {
  ASSERT_OK(views().set(of("acme"), scope("acme"), {.name = "a", .for_auto = true}, {}));
  ASSERT_OK(views().set(root(), {}, {.name = "a", .for_auto = true}, {}));
  const auto made = views().set(of("acme"), scope("acme"), {.name = "b", .for_auto = true}, {});
  ASSERT_OK(made);
  EXPECT_THAT(made->json, HasSubstr(R"("forAuto" : true)"));
  EXPECT_THAT(views().get(of("acme"), scope("acme"), "a")->json, HasSubstr(R"("forAuto" : false)"));
  EXPECT_THAT(views().get(root(), {}, "a")->json, HasSubstr(R"("forAuto" : true)")) << "the platform's stays";
  EXPECT_EQ(log().audit(of("acme"), scope("acme"), {.target_type = "view"}, {})->total, 3) << "a set, b set, a changed";
  ASSERT_OK(views().set(of("acme"), scope("acme"), {.name = "b"}, made->version));
  EXPECT_EQ(count("model_view WHERE for_auto"), "1");
}

TEST_F(ViewsTest, ViewIsPublishedAndPurged) {
  ASSERT_OK(views().set(
      of("acme"), scope("acme"),
      {.name = "small", .filter = {.search = "qwen", .hidden = false}, .pins = {"ollama/llama3.2"}, .for_auto = true},
      {}));
  EXPECT_EQ(newest("aggregateid"), "_view/acme/_/small");
  EXPECT_THAT(newest("payload"),
              HasSubstr(R"("filter":{"q":"qwen"},"pins":[")" +
                        sql().run("SELECT id FROM model WHERE slug = 'ollama/llama3.2' AND org_id IS NULL") +
                        R"("],"forAuto":true)"));
  ASSERT_OK(views().remove(of("acme"), scope("acme"), "small", {}));
  EXPECT_EQ(newest("type || ' ' || aggregateid || ' ' || COALESCE(CAST(payload AS text), 'null')"),
            "model_registry.view _view/acme/_/small null");
}

}  // namespace
}  // namespace tokenrail::registry
