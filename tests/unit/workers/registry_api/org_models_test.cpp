#include "workers/registry_api/endpoints/org_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {
namespace {

using testing::HasSubstr;

Json parsed(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value) << text;
  return value ? std::move(*value) : Json();
}

// S0.50
TEST(OrgModels, ShowWhoseRowItIs) {
  const auto global =
      org_model_of(parsed(R"({"id":"1","scope":"platform","orgId":null,"modelName":"a","enabled":true})"));
  EXPECT_EQ(global.text_of("scope"), "global");
  EXPECT_TRUE(global.find("orgId")->is_null());
  const auto own = org_model_of(parsed(R"({"id":"1","scope":"override","orgId":"acme","modelName":"a"})"));
  EXPECT_EQ(own.text_of("scope"), "org");
  EXPECT_EQ(own.text_of("orgId"), "acme");
}

TEST(OrgModels, HaveEveryFieldOfTheOlderForm) {
  const auto model = org_model_of(parsed(
      R"({"id":"1","scope":"organization","orgId":"acme","provider":"ollama","modelName":"a","displayName":"","description":"",
          "enabled":true,"isDefault":true,"capabilities":{"chat":"supported","vision":"unsupported","tools":"unknown"},
          "contextWindow":10,"outputTokensMax":null,"metadata":{"x":1}})"));
  EXPECT_EQ(model.write(),
            R"({"id":"1","orgId":"acme","provider":"ollama","modelName":"a","displayName":"a","description":null,)"
            R"("isEnabled":true,"isDefault":true,"capabilities":["chat"],"contextWindow":10,"maxOutputTokens":null,)"
            R"("inputPriceMicros":null,"outputPriceMicros":null,"metadata":{"x":1},"scope":"org"})");
}

TEST(OrgModels, HavePricesPerThousandTokens) {
  const auto model = org_model_of(parsed(R"({"id":"1","prices":{"input":"0.15","output":"0.0001"}})"));
  EXPECT_EQ(model.find("inputPriceMicros")->write(), "150");
  EXPECT_EQ(model.find("outputPriceMicros")->write(), "0.1");
}

TEST(OrgModels, PricesThatAreNotNamedStay) {
  const auto own = parsed(
      R"([{"dimension":"input","serviceTier":"standard","minContextTokens":0,"amount":"1"},
          {"dimension":"input","serviceTier":"batch","minContextTokens":0,"amount":"0.5"},
          {"dimension":"output","serviceTier":"standard","minContextTokens":0,"amount":"2"}])");
  EXPECT_FALSE(prices_from_org_model(parsed("{}"), own));
  const auto prices = prices_from_org_model(parsed(R"({"inputPriceMicros":3000})"), own);
  ASSERT_TRUE(prices);
  const std::vector<Price> wanted{
      {.key = {.dimension = PriceDimension::input, .tier = ServiceTier::batch}, .micros = 500'000},
      {.key = {.dimension = PriceDimension::output}, .micros = 2'000'000},
      {.key = {.dimension = PriceDimension::input}, .micros = 3'000'000}};
  EXPECT_EQ(*prices, wanted);
}

// S0.52, S0.57
TEST(OrgModels, MissingFieldsStayButTheDescriptionIsCleared) {
  EXPECT_EQ(patch_from_org_model(parsed(R"({"provider":"p","modelName":"m","displayName":"D"})"), false).write(),
            R"({"displayName":"D","description":null})");
  EXPECT_EQ(
      patch_from_org_model(
          parsed(R"({"displayName":"D","description":"x","isEnabled":false,"capabilities":["chat","chat"],
                           "contextWindow":5,"maxOutputTokens":6,"metadata":{}})"),
          false)
          .write(),
      R"({"displayName":"D","description":"x","enabled":false,"contextWindow":5,"outputTokensMax":6,"metadata":{},)"
      R"("capabilities":{"chat":"supported"}})");
}

// S0.15
TEST(OrgModels, FirstRowIsEnabledByDefault) {
  EXPECT_EQ(patch_from_org_model(parsed(R"({"displayName":"D"})"), true).boolean_of("enabled"), true);
  EXPECT_EQ(patch_from_org_model(parsed(R"({"displayName":"D","isEnabled":false})"), true).boolean_of("enabled"),
            false);
}

// S0.53
TEST(OrgModels, ProblemsHaveErrorAndDetails) {
  const Problem problem{.fault = Fault::invalid_body,
                        .errors = {{"/provider", "must not be empty"}, {"/capabilities/0", "must be a string"}}};
  EXPECT_THAT(
      body_of(problem, "r", true),
      HasSubstr(R"("error":"INVALID_BODY","details":{"_errors":[],"capabilities":{"_errors":["must be a string"]},)"
                R"("provider":{"_errors":["must not be empty"]}})"));
  EXPECT_EQ(body_of(problem, "r").find("\"details\""), std::string::npos);
}

}  // namespace
}  // namespace tokenrail::registry_api
