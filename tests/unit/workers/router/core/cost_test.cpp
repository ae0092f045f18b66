// What an answer costs, in the terminal chunk and in the llm.response.
#include "common/registry/cost.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CostTest : public RouterCoreTest {
 protected:
  /// Model "priced", which has those prices.
  void add_priced_model(events::ModelPrices prices) {
    add_model("priced", "ollama", "c1");
    events::ModelUpserted event;
    event.version = 5;
    event.model = *projection.find("", "", "ollama", "priced");
    event.model.version = 5;
    event.model.prices = std::move(prices);
    event.key = events::model_key(event.model);
    ASSERT_EQ(projection.apply(event.key, events::to_json(event)), registry::Projection::Applied::changed);
  }
  /// Of five tokens in and two out.
  events::Chunk answered(const std::string& more = "") {
    assign();
    request("r1", more, "k", R"("modelProvider":"ollama","modelName":"priced",)");
    settle();
    answer(http.newest());
    settle();
    return chunks().back();
  }
  std::string response() {
    for (const auto& entry : producer->logs[{"llm.audit", 0}])
      if (entry.value->find("\"llm.response\"") != std::string::npos) return *entry.value;
    return {};
  }
  std::string exposition() { return metrics.text(); }
};

TEST_F(CostTest, IsInTheTerminalChunkAndInTheResponse) {
  add_priced_model({.input_micros = 3'000'000, .output_micros = 15'000'000, .version = 4711});
  const auto last = answered();
  EXPECT_EQ(last.cost_micros, 5 * 3 + 2 * 15);
  EXPECT_EQ(last.price_version, "4711");
  EXPECT_THAT(response(), HasSubstr(R"("cost":45,"priceVersion":"4711")"));
  EXPECT_THAT(exposition(), HasSubstr(R"(llm_cost_micros_total{modelName="priced",orgId="o",provider="ollama"} 45)"));
}

// S0.66 to S0.69
TEST_F(CostTest, RequestsTokensAndTimeAreCountedByModel) {
  add_priced_model({});
  answered();
  for (const auto* series :
       {R"(llm_requests_total{modelName="priced",orgId="o",outcome="completed",provider="ollama"} 1)",
        R"(llm_tokens_input_total{modelName="priced",orgId="o",provider="ollama"} 5)",
        R"(llm_tokens_output_total{modelName="priced",orgId="o",provider="ollama"} 2)",
        R"(llm_request_duration_ms_count{modelName="priced",provider="ollama"} 1)"})
    EXPECT_THAT(exposition(), HasSubstr(std::string(series) + "\n"));
}

TEST_F(CostTest, IsAbsentWhereAPriceIsUnknown) {
  add_priced_model({.input_micros = 3'000'000, .version = 4});
  const auto last = answered();
  EXPECT_EQ(last.cost_micros, std::nullopt);
  EXPECT_EQ(last.price_version, "");
  EXPECT_THAT(response(), Not(HasSubstr("\"cost\"")));
  EXPECT_THAT(exposition(), Not(HasSubstr("llm_cost_micros_total{")));
}

TEST_F(CostTest, OfAFreeModelIsZero) {
  add_priced_model({.input_micros = 0, .output_micros = 0, .version = 4});
  EXPECT_EQ(answered().cost_micros, 0);
  EXPECT_THAT(response(), HasSubstr(R"("cost":0,"priceVersion":"4")"));
}

TEST_F(CostTest, TimeOfDayOfTheRequestDecides) {
  const auto minute = registry::minute_of_day(environment.wall.count());
  const DayWindow now{.from_minute = static_cast<std::int16_t>(minute),
                      .to_minute = static_cast<std::int16_t>((minute + 1) % minutes_a_day)};
  add_priced_model({.input_micros = 3'000'000,
                    .output_micros = 0,
                    .others = {{.key = {.dimension = PriceDimension::input, .window = now}, .micros = 1'000'000}},
                    .version = 4});
  EXPECT_EQ(answered().cost_micros, 5);
}

TEST_F(CostTest, ServiceTierOfTheRequestDecides) {
  add_priced_model(
      {.input_micros = 3'000'000,
       .output_micros = 0,
       .others = {{.key = {.dimension = PriceDimension::input, .tier = ServiceTier::flex}, .micros = 2'000'000},
                  {.key = {.dimension = PriceDimension::output, .tier = ServiceTier::flex}, .micros = 0}},
       .version = 4});
  EXPECT_EQ(answered(R"("providerConfig":{"ollama":{"service_tier":"flex"}},)").cost_micros, 10);
}

class DeploymentCostTest : public CostTest {
 protected:
  /// Model "two" is on "a" and "b"; the prices of each.
  void add_two(Rare<events::ModelPrices> a, Rare<events::ModelPrices> b) {
    add_model_on_two_connections();
    events::ModelUpserted event;
    event.model = *projection.find("", "", "ollama", "two");
    event.version = event.model.version = 3;
    event.model.prices = {.input_micros = 1'000'000, .output_micros = 1'000'000, .version = 3};
    event.model.deployments.at(0).prices = std::move(a);
    event.model.deployments.at(1).prices = std::move(b);
    event.key = events::model_key(event.model);
    ASSERT_EQ(projection.apply(event.key, events::to_json(event)), registry::Projection::Applied::changed);
    options.retry.calls_per_target_max = 1;
    make_core(options);
  }
  /// The first connection answers, or fails.
  events::Chunk answered_by(bool first) {
    assign();
    request("r1", "", "k", R"("modelProvider":"ollama","modelName":"two",)");
    settle();
    if (!first) {
      http.end(http.newest(), http::Ending::connect_failed);
      settle();
      wake_after(std::chrono::seconds(10));
      settle();
    }
    answer(http.newest());
    settle();
    return chunks().back();
  }
};

TEST_F(DeploymentCostTest, PriceOfTheDeploymentThatAnsweredCounts) {
  add_two(events::ModelPrices{.input_micros = 2'000'000, .output_micros = 0, .version = 7},
          events::ModelPrices{.input_micros = 5'000'000, .output_micros = 10'000'000, .version = 8});
  const auto last = answered_by(false);
  EXPECT_EQ(last.cost_micros, 5 * 5 + 2 * 10);
  EXPECT_EQ(last.price_version, "8");
  EXPECT_THAT(response(), HasSubstr(R"("cost":45,"priceVersion":"8")"));
}

TEST_F(DeploymentCostTest, WithoutOneOfItsOwnTheModelsPriceCounts) {
  add_two(std::nullopt, events::ModelPrices{.input_micros = 5'000'000, .output_micros = 10'000'000, .version = 8});
  const auto last = answered_by(true);
  EXPECT_EQ(last.cost_micros, 7);
  EXPECT_EQ(last.price_version, "3");
}

TEST_F(DeploymentCostTest, UnknownPriceOfTheDeploymentIsNotTheModels) {
  add_two(events::ModelPrices{}, std::nullopt);
  EXPECT_EQ(answered_by(true).cost_micros, std::nullopt);
}

TEST_F(CostTest, OfARequestThatWasNotCalledIsUnknown) {
  add_priced_model({.input_micros = 1, .output_micros = 1, .version = 4});
  assign();
  request("r1", "", "k", R"("modelProvider":"ollama","modelName":"absent",)");
  settle();
  EXPECT_EQ(chunks().back().cost_micros, std::nullopt);
}

}  // namespace
}  // namespace tokenrail::router
