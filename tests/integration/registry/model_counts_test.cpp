// What a list counts and what the statistics count, against the models themselves.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/catalogs.hpp"
#include "common/registry/model_views.hpp"
#include "common/registry/prices.hpp"
#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;

class ModelCountsTest : public GovernanceTest {
 protected:
  /// One model or more of each status, and rows of acme over some.
  void SetUp() override {
    GovernanceTest::SetUp();
    if (IsSkipped()) return;
    const std::string served = R"(,"enabled":true,"deployments":[{"connectionId":")" + connection_.name + R"("}])";
    add("a", served + R"(,"capabilities":{"chat":"supported","tools":"supported"})");
    add("a2", served + R"(,"capabilities":{"chat":"supported","tools":"unsupported"})");
    add("blocked", served + R"(,"blocked":true,"lifecycle":"retired")");
    add("retired", served + R"(,"retiresAt":"2020-01-01T00:00:00Z")");
    add("disabled", R"(,"enabled":false)");
    add("maintained", served + R"(,"maintenanceUntil":"2900-01-01T00:00:00Z")");
    add("unserved", R"(,"enabled":true)");
    add("gone", served);
    sql().run(
        "UPDATE model SET availability = 'missing', missing_since = now(), missing_expired = true WHERE model_name = "
        "'gone'");
    change("a2", R"({"enabled":false,"capabilities":{"vision":"supported","chat":"unsupported"}})");
    change("disabled", R"({"enabled":true})");
    change("maintained", R"({"blocked":true})");
    ASSERT_OK(models().create(of("acme"), scope("acme"), R"({"provider":"ollama","modelName":"own")" + served + "}"));
  }

  void add(const std::string& name, const std::string& fields) {
    ASSERT_OK(models().create(root(), {}, R"({"provider":"ollama","modelName":")" + name + "\"" + fields + "}"));
  }
  void change(const std::string& name, const std::string& patch) {
    ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/" + name, patch, {}));
  }
  std::vector<Document> list(const Actor& actor, const ModelFilter& filter) {
    auto found = models().list(actor, actor.scope, filter, {.count_max = 100});
    EXPECT_TRUE(found.has_value()) << found.error().detail;
    EXPECT_EQ(found->total, static_cast<std::int64_t>(found->items.size()));
    return found->items;
  }
  /// What SQL says of a JSON text, which it names j.
  std::string of_json(const std::string& json, const std::string& expression) {
    return sql().run("SELECT " + expression + " FROM (SELECT CAST($json$" + json + "$json$ AS jsonb) AS j) x");
  }
  std::string text_in(const std::string& json, const std::string& member) {
    return of_json(json, "j ->> '" + member + "'");
  }
  static std::vector<Actor> readers() { return {root(), of("acme"), of("other")}; }
};

TEST_F(ModelCountsTest, ListsAndStatisticsCountTheSameStatuses) {
  for (const auto& reader : readers()) {
    std::string all;
    for (const auto& model : list(reader, {})) all += (all.empty() ? "" : ",") + model.json;
    const auto counted = [&](const std::string& key, const std::string& from) {
      return of_json("[" + all + "]", "CAST((SELECT jsonb_object_agg(k, n) FROM (SELECT " + key +
                                          " AS k, count(*) AS n FROM jsonb_array_elements(j) m" + from +
                                          " GROUP BY 1) a) AS text)");
    };
    const auto statistics = models().statistics(reader, reader.scope);
    ASSERT_OK(statistics);
    EXPECT_EQ(of_json(statistics->json, "CAST(j -> 'byStatus' AS text)"), counted("m ->> 'status'", "")) << reader.name;
    EXPECT_EQ(of_json(statistics->json, "CAST(j -> 'byCapability' AS text)"),
              counted("c.key", ", jsonb_each_text(m -> 'capabilities') c WHERE c.value = 'supported'"))
        << reader.name;
    for (const auto* status : {"active", "blocked", "retired", "disabled", "maintenance", "missing", "unserved"}) {
      const auto found = list(reader, {.status = status});
      EXPECT_FALSE(found.empty() && reader.name != of("acme").name) << "each status is some model's: " << status;
      EXPECT_EQ(std::to_string(found.size()),
                of_json(statistics->json, std::string("COALESCE(j -> 'byStatus' ->> '") + status + "', '0')"))
          << reader.name << " " << status;
      for (const auto& model : found) EXPECT_EQ(text_in(model.json, "status"), status);
    }
    EXPECT_TRUE(list(reader, {.status = "another"}).empty());
  }
}

TEST_F(ModelCountsTest, FreeModelsAreThoseOfThePricesThatCountNow) {
  Prices prices(*database_);
  const Price nothing{.key = {.dimension = PriceDimension::input}, .micros = 0};
  const Price something{.key = {.dimension = PriceDimension::output}, .micros = 5};
  ASSERT_OK(prices.set(root(), {}, "ollama/a", {nothing}, {}, ""));
  ASSERT_OK(prices.set(root(), {}, "ollama/a2", {nothing, something}, {}, ""));
  ASSERT_OK(prices.set(of("acme"), scope("acme"), "ollama/a", {something}, {}, ""));
  const auto names = [&](const Actor& reader, bool free) {
    std::string found;
    for (const auto& model : list(reader, {.free = free})) found += text_in(model.json, "modelName") + " ";
    return found;
  };
  EXPECT_EQ(names(root(), true), "a ");
  EXPECT_EQ(names(root(), false), "a2 ");
  EXPECT_EQ(names(of("acme"), true), "");
  EXPECT_EQ(names(of("acme"), false), "a a2 ");
  for (const auto& reader : readers()) {
    const auto inspected = Catalogs(*database_).inspect(reader, reader.scope);
    ASSERT_OK(inspected);
    const auto all = static_cast<std::int64_t>(list(reader, {}).size());
    const std::int64_t free = reader.name == of("acme").name ? 0 : 1;
    EXPECT_THAT(inspected->json, HasSubstr("\"models\" : " + std::to_string(all)));
    EXPECT_THAT(inspected->json, HasSubstr("\"free\" : " + std::to_string(free)));
    EXPECT_THAT(inspected->json, HasSubstr("\"paid\" : " + std::to_string(2 - free)));
    EXPECT_THAT(inspected->json, HasSubstr("\"withoutPrice\" : " + std::to_string(all - 2)));
  }
}

TEST_F(ModelCountsTest, ViewShowsItsFilterAndItsPins) {
  ModelViews views(*database_);
  ASSERT_OK(views.set(
      of("acme"), scope("acme"),
      {.name = "mine", .filter = {.status = "blocked", .scope = "organization"}, .pins = {"ollama/gone"}}, {}));
  const auto found = list(of("acme"), {.view = "mine"});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(text_in(found[0].json, "modelName"), "gone");
  EXPECT_EQ(text_in(found[1].json, "modelName"), "maintained");
  EXPECT_TRUE(list(of("acme"), {.kind = "embedding", .view = "mine"}).empty());
  ASSERT_OK(views.set(of("acme"), scope("acme"), {.name = "all", .filter = {}, .pins = {}}, {}));
  EXPECT_EQ(list(of("acme"), {.view = "all"}).size(), list(of("acme"), {}).size());
}

TEST_F(ModelCountsTest, PageThatIsNotCountedIsTheSame) {
  const auto counted = models().list(of("acme"), scope("acme"), {}, {.count_max = 4});
  const auto other = models().list(of("acme"), scope("acme"), {}, {.count_max = 4, .counted = false});
  ASSERT_OK(counted);
  ASSERT_OK(other);
  EXPECT_EQ(other->total, 0);
  EXPECT_EQ(other->next, counted->next);
  ASSERT_EQ(other->items.size(), counted->items.size());
  for (std::size_t i = 0; i < other->items.size(); ++i) EXPECT_EQ(other->items[i].json, counted->items[i].json);
}

}  // namespace
}  // namespace tokenrail::registry
