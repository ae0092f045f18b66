// Prices of single deployments on a real PostgreSQL: what lists say, what people set, and what is published.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/governed_models.hpp"
#include "common/registry/held_changes.hpp"
#include "common/registry/prices.hpp"
#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;
using Dimension = PriceDimension;

#define ASSERT_OK(result) ASSERT_TRUE((result).has_value()) << (result).error().detail

class DeploymentPricesTest : public StoreTest {
 protected:
  /// Model "a" on env-ollama and on "second", which comes after it.
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    database_ = std::make_unique<GovernedDatabase>(options_);
    apply({adding("a")});
    auto db = sql();
    db.run("INSERT INTO connection (provider, name, base_url, priority) VALUES ('ollama', 'second', 'http://h:1', 5)");
    db.run(
        "INSERT INTO deployment (model_id, connection_id, upstream_name) SELECT m.id, c.id, 'a' FROM model m, "
        "connection "
        "c WHERE c.name = 'second'");
  }
  void TearDown() override {
    database_.reset();
    StoreTest::TearDown();
  }
  static Actor root() { return {.name = "cli:root", .all_organizations = true}; }
  Prices prices() { return Prices(*database_); }
  static std::vector<Price> both(std::int64_t input, std::int64_t output) {
    return {{.key = {.dimension = Dimension::input}, .micros = input},
            {.key = {.dimension = Dimension::output}, .micros = output}};
  }
  /// A list of env-ollama says these prices.
  void list(std::vector<Price> listed) {
    auto planned = changing(stored("a"), PlannedModel::Kind::updated, {"prices"});
    planned.here.prices = std::move(listed);
    planned.prices_changed = true;
    apply({planned});
  }
  events::ModelState newest() { return events::parse_model_upserted(*outbox().back().payload).value().model; }

  std::unique_ptr<GovernedDatabase> database_;
};

TEST_F(DeploymentPricesTest, PublishesConnectionsPriceWithDeployment) {
  ASSERT_OK(prices().set(root(), {}, "ollama/a", both(1, 2), std::nullopt));
  EXPECT_EQ(newest().deployments.at(1).prices, std::nullopt);
  const auto set = prices().set(root(), {}, "ollama/a", both(7, 8), std::nullopt, "second");
  ASSERT_OK(set);
  EXPECT_THAT(set->json, HasSubstr(R"("connection" : "second")"));
  const auto model = newest();
  EXPECT_EQ(model.prices.input_micros, 1);
  EXPECT_EQ(model.deployments.at(0).prices, std::nullopt) << "the model's";
  ASSERT_TRUE(model.deployments.at(1).prices.has_value());
  EXPECT_EQ(model.deployments.at(1).prices->input_micros, 7);
  EXPECT_EQ(model.deployments.at(1).prices->version, model.prices.version);

  const auto shown = prices().get(root(), {}, "ollama/a", "second");
  ASSERT_OK(shown);
  EXPECT_THAT(shown->json, HasSubstr(R"("amount":"0.000007")"));
  EXPECT_THAT(prices().get(root(), {}, "ollama/a")->json, HasSubstr(R"("amount":"0.000001")"));
  ASSERT_OK(prices().set(root(), {}, "ollama/a", {}, std::nullopt, "second"));
  EXPECT_EQ(newest().deployments.at(1).prices, std::nullopt);
  EXPECT_EQ(prices().set(root(), {}, "ollama/a", both(1, 1), std::nullopt, "third").error().kind, ErrorKind::not_found);
}

TEST_F(DeploymentPricesTest, ListSaysWhatItsDeploymentCosts) {
  list(both(3, 4));
  auto model = newest();
  EXPECT_EQ(model.prices.input_micros, 3) << "the first deployment's are shown as the model's";
  EXPECT_EQ(model.deployments.at(0).prices, std::nullopt);
  EXPECT_EQ(model.deployments.at(1).prices, events::ModelPrices{}) << "of the other nothing is known";
  EXPECT_EQ(stored("a").here->prices, both(3, 4));
  EXPECT_THAT(prices().get(root(), {}, "ollama/a")->json, HasSubstr(R"("source":"provider")"));

  // What a person set of the model counts on every deployment.
  ASSERT_OK(prices().set(root(), {}, "ollama/a", both(1, 2), std::nullopt));
  model = newest();
  EXPECT_EQ(model.prices.input_micros, 1);
  EXPECT_EQ(model.deployments.at(1).prices, std::nullopt);
  EXPECT_EQ(stored("a").here->prices, both(3, 4)) << "a sync compares with what the list said";
  list({});
  EXPECT_EQ(newest().prices.input_micros, 1);
  EXPECT_EQ(sql().run("SELECT count(*) FROM price WHERE source = 'provider' AND effective_to IS NOT NULL"), "2");
}

TEST_F(DeploymentPricesTest, AcceptedPriceIsTheDeployments) {
  list(both(1, 2));
  const HeldChange held{.model_id = stored("a").state.id,
                        .before = {.prices = both(1, 2)},
                        .after = {.prices = both(10, 2)},
                        .reason = "the price of input"};
  const auto applied = store_->apply(connection_, {.held = {held}}, run("held"));
  ASSERT_OK(applied);
  const auto open = store_->held_changes("").value();
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].after.prices, both(10, 2));
  ASSERT_OK(HeldChanges(*database_).decide(root(), {}, open[0].id, HeldChanges::Decision::accept, ""));
  EXPECT_EQ(newest().prices.input_micros, 10);
  EXPECT_EQ(stored("a").here->prices, both(10, 2));
}

TEST_F(DeploymentPricesTest, RemovedDeploymentKeepsPricesAsHistory) {
  ASSERT_OK(prices().set(root(), {}, "ollama/a", both(7, 8), std::nullopt, "second"));
  const auto version = newest().deployments.at(1).prices->version;
  ASSERT_OK(Models(*database_)
                .change(root(), {}, "ollama/a", R"({"deployments":[{"connectionId":"env-ollama"}]})", std::nullopt));
  EXPECT_EQ(newest().deployments.size(), 1U);
  EXPECT_EQ(sql().run("SELECT count(*) FROM price WHERE deployment_id IS NOT NULL AND effective_to IS NOT NULL"), "2");
  ASSERT_OK(prices().set(root(), {}, "ollama/a", both(1, 2), std::nullopt));
  EXPECT_GT(newest().prices.version, version) << "versions of prices grow";
}

}  // namespace
}  // namespace tokenrail::registry
