// The rows of a sync's plan: many models take few statements, and come out as one by one.
#include "common/registry/planned_rows.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::MatchesRegex;
using testing::SizeIs;

class PlannedRowsTest : public StoreTest {
 protected:
  static PlannedModel priced(const std::string& name, std::int64_t micros) {
    auto planned = adding(name);
    planned.here.prices = {{.key = {.dimension = PriceDimension::input}, .micros = micros},
                           {.key = {.dimension = PriceDimension::output}, .micros = 2 * micros}};
    planned.prices_changed = true;
    return planned;
  }
  static std::string name(int i) { return fmt::format("m-{:04}", i); }
  /// How often the whole table of models was read.
  std::string whole_reads() {
    end_sessions();
    store_ = std::make_unique<Store>(options_);
    return sql().run("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'model'");
  }
};

TEST_F(PlannedRowsTest, TakenSlugGetsAnEndOfItsOwn) {
  sql().run(
      "INSERT INTO model (provider, model_name, slug, enabled) VALUES ('openai', 'x', 'ollama/a', true), ('openai', "
      "'y', 'ollama/b', true)");
  sql().run("UPDATE model SET deleted_at = now() WHERE model_name = 'y'");
  apply({adding("a"), adding("b")});
  EXPECT_THAT(stored("a").state.slug, MatchesRegex("ollama/a~[0-9a-f]{6}"));
  EXPECT_EQ(stored("b").state.slug, "ollama/b") << "of a model that is deleted";
}

TEST_F(PlannedRowsTest, SlugOfAnotherScopeIsNotTaken) {
  auto database = sql();
  database.run("INSERT INTO organization (id, slug) VALUES ('acme', 'acme')");
  database.run(
      "INSERT INTO model (org_id, owner_user_id, provider, model_name, slug, enabled) VALUES ('acme', NULL, 'openai', "
      "'x', 'ollama/a', true), ('acme', 'anna', 'openai', 'x', 'ollama/b', true)");
  const auto id = database.run(
      "INSERT INTO connection (org_id, provider, name, base_url, auth_type, on_new) VALUES ('acme', 'ollama', 'own', "
      "'http://own:11434', 'none', 'enabled') RETURNING id");
  const auto connections = store_->connections().value();
  const auto own = *std::ranges::find(connections, id, &Connection::id);
  std::vector<PlannedModel> models{adding("a"), adding("b")};
  for (auto& model : models) model.after.org_id = "acme";
  apply({adding("a")});
  const auto applied = store_->apply(own, {.models = models}, run());
  ASSERT_TRUE(applied.has_value()) << applied.error().detail;
  EXPECT_EQ(stored("a").state.slug, "ollama/a");
  EXPECT_EQ(database.run("SELECT slug FROM model WHERE org_id = 'acme' AND owner_user_id IS NULL AND model_name = 'b'"),
            "ollama/b");
  EXPECT_THAT(database.run("SELECT slug FROM model WHERE org_id = 'acme' AND owner_user_id IS NULL AND model_name = "
                           "'a'"),
              MatchesRegex("ollama/a~[0-9a-f]{6}"));
}

TEST_F(PlannedRowsTest, ModelAddedByAnotherWriterStopsThePlan) {
  apply({adding("b")});
  const auto applied = store_->apply(connection_, {.models = {adding("a"), adding("b")}}, run());
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().kind, ErrorKind::cancelled);
  EXPECT_EQ(sql().run("SELECT string_agg(model_name, ' ') FROM model"), "b");
}

// Few models of many: by indexes, also where the scope's slugs are compared.
TEST_F(PlannedRowsTest, FewModelsOfManyAreFoundByIndexes) {
  apply({adding("a"), adding("b")});
  sql().run(
      "INSERT INTO model (provider, model_name, slug, enabled) SELECT 'ollama', 'model-' || g, 'ollama/model-' || g, "
      "true FROM generate_series(1, 50000) g");
  sql().run("INSERT INTO deployment (model_id, connection_id, upstream_name) SELECT id, '" + connection_.id +
            "', model_name FROM model WHERE model_name LIKE 'model-%'");
  for (const auto* table : {"model", "deployment"}) sql().run("ANALYZE " + std::string(table));
  const auto stored_a = stored("a");
  const auto before = whole_reads();
  auto change = changing(stored_a, PlannedModel::Kind::updated, {"digest"});
  change.after.digest = "sha-2";
  const auto applied = store_->apply(connection_, {.models = {change, priced("c", 5), adding("d")}}, run());
  ASSERT_TRUE(applied.has_value()) << applied.error().detail;
  EXPECT_EQ(whole_reads(), before);
}

TEST_F(PlannedRowsTest, PlanOfSeveralStatementsIsWrittenWhole) {
  constexpr int count = 1500;  // of some 1.5 KB each, where a statement takes a megabyte
  std::vector<PlannedModel> added;
  for (int i = count; i > 0; --i) {
    added.push_back(priced(name(i), i));
    added.back().raw = fmt::format(R"({{"parameterSize":"8B","words":"{}"}})", std::string(1200, 'x'));
    added.back().answer = fmt::format(R"({{"list":{}}})", i);
  }
  apply(added);
  const auto models = store_->load_models(connection_).value();
  ASSERT_THAT(models, SizeIs(count));
  for (int i = 1; i <= count; ++i) {
    const auto& model = models.at(static_cast<std::size_t>(i - 1));
    ASSERT_EQ(model.state.model_name, name(i));
    ASSERT_TRUE(model.here.has_value());
    EXPECT_EQ(model.here->prices, added.at(static_cast<std::size_t>(count - i)).here.prices);
    EXPECT_EQ(model.state.prices.input_micros, i);
  }
  EXPECT_EQ(sql().run("SELECT count(*) FROM deployment WHERE answer IS NOT NULL AND answered_at IS NOT NULL"), "1500");
  const auto records = store_->unpublished(10'000).value();
  std::vector<std::string> keys;
  for (const auto& record : records)
    if (record.type == "model_registry.upserted") keys.push_back(record.key);
  ASSERT_THAT(keys, SizeIs(count));
  EXPECT_TRUE(std::ranges::is_sorted(keys, std::ranges::greater())) << "events are in the order of the plan";

  // Every second one changes.
  std::vector<PlannedModel> changed;
  for (const auto& model : models) {
    changed.push_back(changing(model, PlannedModel::Kind::updated, {"digest", "prices"}));
    auto& planned = changed.back();
    planned.after.digest = "sha-2";
    planned.here.digest = "sha-2";
    planned.here.prices.pop_back();
    planned.prices_changed = true;
    if (changed.size() % 2 == 0) planned = changing(model, PlannedModel::Kind::noted, {});
  }
  apply(changed);
  EXPECT_EQ(sql().run("SELECT count(*) FILTER (WHERE digest = 'sha-2') || ' ' || count(*) FILTER (WHERE raw ->> "
                      "'parameterSize' = '8B') || ' ' || count(DISTINCT version) FROM model"),
            "750 1500 1500");
  EXPECT_EQ(sql().run("SELECT count(*) FILTER (WHERE effective_to IS NULL) || ' ' || count(*) FROM price"),
            "2250 3000");
  EXPECT_EQ(sql().run("SELECT count(*) FROM deployment WHERE answer IS NOT NULL"), "1500");
  EXPECT_EQ(sql().run("SELECT count(*) FROM outbox WHERE type = 'model_registry.upserted'"), "2250");
}

}  // namespace
}  // namespace tokenrail::registry
