// Lists that an index narrows show what they would show without it.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/registry/governed_models_sql.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/model_views_sql.hpp"
#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

class ModelSearchTest : public GovernanceTest {
 protected:
  static Actor user() { return {.name = "user:anna@acme", .scope = {.org_id = "acme", .user_id = "anna"}}; }

  void SetUp() override {
    GovernanceTest::SetUp();
    if (IsSkipped()) return;
    import({"Mixtral-8x7B", "100%_sure", R"(back\slash)", "größe", "tagged", "renamed"});
    // A catalogue and the name itself say how a model is called.
    sql().run("UPDATE model SET curated = '{\"displayName\":\"Curated Name\"}' WHERE model_name = 'qwen3'");
    sql().run("UPDATE model SET inferred = '{\"displayName\":\"Inferred Name\"}' WHERE model_name = 'llama3.2'");
    ASSERT_OK(models().change(root(), {}, "ollama/tagged", R"({"tags":["fast","cheap"]})", {}));
    ASSERT_OK(models().change(root(), {}, "ollama/renamed", R"({"displayName":"Platform Name","tags":["fast"]})", {}));
    ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/renamed", R"({"displayName":"Acme Name"})", {}));
    ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/tagged", R"({"tags":["acmes"]})", {}));
    ASSERT_OK(models().create(of("acme"), scope("acme"),
                              R"({"provider":"openai","modelName":"own","displayName":"Own Name","tags":["fast"]})"));
    ASSERT_OK(models().create(user(), user().scope,
                              R"({"provider":"openai","modelName":"personal","tags":["fast","mine"]})"));
    ASSERT_OK(models().create(of("other"), scope("other"),
                              R"({"provider":"openai","modelName":"others","displayName":"Others Name"})"));
  }

  /// Counted by the condition alone, over every model.
  std::string counted_over_all(const Actor& actor, const ModelFilter& filter) {
    const auto total = transact_as(*database_, actor, [&](soci::session& session) -> Result<std::string> {
      auto arguments = Arguments().scope(actor.scope);
      add_filter(arguments, "", filter);
      return read_text(session, effective_count("true", filter_condition(filter, Reads::whole, false)), arguments)
          .value_or("");
    });
    EXPECT_TRUE(total.has_value());
    return total.value_or("");
  }
};

TEST_F(ModelSearchTest, NarrowedListsLeaveNoModelOut) {
  std::vector<ModelFilter> filters;
  for (const auto* search : {"name",
                             "NAME",
                             "mixtral",
                             "8x7b",
                             "%_sure",
                             "100%",
                             "_",
                             R"(back\slash)",
                             R"(\)",
                             "größe",
                             "GRÖSSE",
                             "ma",
                             "a/ta",
                             "ollama/",
                             "curated name",
                             "platform",
                             "acme name",
                             "renamed acme",
                             "renamed platform",
                             "own own",
                             "own",
                             "others",
                             "personal",
                             "inferred",
                             "  ",
                             "nothing like it",
                             "llama3.2 inferred na",
                             "qwen3 curated"})
    filters.push_back({.search = search});
  for (const auto& tags : std::vector<std::vector<std::string>>{
           {"fast"}, {"fast", "cheap"}, {"acmes"}, {"mine"}, {"mine", "fast"}, {"none"}, {"cheap", "cheap"}})
    filters.push_back({.tags = tags});
  filters.push_back({.tags = {"fast"}, .search = "name"});
  filters.push_back({.capabilities = {"chat"}, .search = "renamed"});
  int found = 0;
  for (const auto& actor : {of("acme"), user(), of("other"), root()}) {
    for (const auto& filter : filters) {
      const auto listed = models().list(actor, actor.scope, filter, {});
      ASSERT_OK(listed);
      EXPECT_EQ(std::to_string(listed->total), counted_over_all(actor, filter))
          << actor.name << ": " << filter.search << testing::PrintToString(filter.tags);
      EXPECT_EQ(static_cast<std::int64_t>(listed->items.size()), listed->total);
      found += listed->items.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(found, 40) << "most of them look for something that is there";
}

}  // namespace
}  // namespace tokenrail::registry
