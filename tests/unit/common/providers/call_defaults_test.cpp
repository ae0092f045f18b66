#include "common/providers/call_defaults.hpp"

#include <gtest/gtest.h>

namespace tokenrail::providers {
namespace {

events::DeploymentState on(std::string adapter, std::string provider, events::CallDefaults parameters) {
  events::DeploymentState deployment;
  deployment.adapter = std::move(adapter);
  deployment.provider = std::move(provider);
  deployment.parameters = std::move(parameters);
  return deployment;
}

events::ChatRequest silent() {
  return {.request_id = "r", .org_id = "o"};
}

TEST(CallDefaults, FillWhatTheRequestLeavesOpen) {
  const auto deployment =
      on("openai", "groq", {.temperature = 0.2, .top_p = 0.5, .top_k = 4, .tokens_max = 100, .stop = {"END"}});
  const auto filled = with_defaults(silent(), {}, deployment);
  ASSERT_TRUE(filled.has_value());
  EXPECT_EQ(filled->temperature, 0.2);
  EXPECT_EQ(filled->top_p, 0.5);
  EXPECT_EQ(filled->top_k, 4);
  EXPECT_EQ(filled->tokens_max, 100);
  EXPECT_EQ(filled->stop, std::vector<std::string>{"END"});
  EXPECT_TRUE(filled->provider_config.empty());
}

TEST(CallDefaults, NeverDisplaceWhatTheRequestSays) {
  auto request = silent();
  request.temperature = 0;
  request.top_p = 1;
  request.top_k = 1;
  request.tokens_max = 7;
  request.stop = {"mine"};
  const auto filled = with_defaults(
      request, {},
      on("openai", "groq", {.temperature = 0.2, .top_p = 0.5, .top_k = 4, .tokens_max = 100, .stop = {"X"}}));
  ASSERT_TRUE(filled.has_value());
  EXPECT_EQ(filled->temperature, 0);
  EXPECT_EQ(filled->top_p, 1);
  EXPECT_EQ(filled->top_k, 1);
  EXPECT_EQ(filled->tokens_max, 7);
  EXPECT_EQ(filled->stop, std::vector<std::string>{"mine"});
}

TEST(CallDefaults, ADeploymentWithoutThemCopiesNothing) {
  EXPECT_FALSE(with_defaults(silent(), {}, on("ollama", "ollama", {})).has_value());
}

TEST(CallDefaults, DefaultOfMaxTokensIsCappedByTheModel) {
  events::ModelState model;
  model.output_tokens_max = 50;
  const auto deployment = on("ollama", "ollama", {.tokens_max = 100});
  EXPECT_EQ(call_parameters(silent(), model, deployment).tokens_max, 50);
  model.output_tokens_max = 500;
  EXPECT_EQ(call_parameters(silent(), model, deployment).tokens_max, 100);
}

TEST(CallDefaults, OllamasOwnReachOllamasApiOnly) {
  const events::CallDefaults defaults{.num_ctx = 8192, .keep_alive = "\"10m\""};
  EXPECT_EQ(with_defaults(silent(), {}, on("ollama", "ollama", defaults))->provider_config.at("ollama"),
            R"({"keep_alive":"10m","options":{"num_ctx":8192}})");
  EXPECT_TRUE(with_defaults(silent(), {}, on("openai", "vllm", defaults))->provider_config.empty());
}

TEST(CallDefaults, OllamasOwnYieldToTheRequestsProviderConfig) {
  auto request = silent();
  request.provider_config["ollama"] = R"({"keep_alive":0,"options":{"num_ctx":512,"mirostat":1}})";
  const auto filled = with_defaults(request, {}, on("ollama", "ollama", {.num_ctx = 8192, .keep_alive = "\"10m\""}));
  EXPECT_EQ(filled->provider_config.at("ollama"), R"({"keep_alive":0,"options":{"num_ctx":512,"mirostat":1}})");
}

TEST(CallDefaults, ProviderConfigIsLaidUnderTheRequests) {
  auto request = silent();
  request.provider_config["groq"] = R"({"a":1,"in":{"x":1,"deep":{"p1":1}},"only":true})";
  const auto filled = with_defaults(
      request, {}, on("openai", "groq", {.provider_config = R"({"a":2,"b":[2],"in":{"x":2,"y":2,"deep":{"p2":2}}})"}));
  EXPECT_EQ(filled->provider_config.at("groq"),
            R"({"a":1,"in":{"x":1,"deep":{"p1":1,"p2":2},"y":2},"only":true,"b":[2]})");
}

TEST(CallDefaults, ProviderConfigGoesWhereTheAdapterLooks) {
  const events::CallDefaults defaults{.provider_config = R"({"a":1})"};
  for (const auto& [adapter, provider, key] :
       {std::tuple{"openai", "groq", "groq"}, std::tuple{"openai-responses", "openai-responses", "openai-responses"},
        std::tuple{"azure", "azure", "azure"}, std::tuple{"anthropic", "x", "anthropic"},
        std::tuple{"gemini", "vertex", "gemini"}, std::tuple{"cohere", "x", "cohere"},
        std::tuple{"ollama", "x", "ollama"}}) {
    const auto filled = with_defaults(silent(), {}, on(adapter, provider, defaults));
    ASSERT_EQ(filled->provider_config.size(), 1U);
    EXPECT_EQ(filled->provider_config.begin()->first, key);
  }
}

TEST(CallDefaults, ParametersOverrideFieldsOfProviderConfig) {
  const auto deployment = on(
      "ollama", "ollama", {.provider_config = R"({"think":false,"options":{"temperature":0.1,"top_k":3,"seed":4}})"});
  auto request = silent();
  EXPECT_EQ(with_defaults(request, {}, deployment)->provider_config.at("ollama"),
            R"({"think":false,"options":{"temperature":0.1,"top_k":3,"seed":4}})");
  request.temperature = 1;
  request.seed = 5;
  request.reasoning = events::Reasoning{.enabled = true};
  EXPECT_EQ(with_defaults(request, {}, deployment)->provider_config.at("ollama"), R"({"options":{"top_k":3}})");
}

TEST(ServiceTiers, RequestOrDeploymentAsksForOne) {
  const auto tier = [](const std::string& own, const std::string& defaults) {
    auto request = silent();
    if (!own.empty()) request.provider_config["groq"] = own;
    return service_tier(request, on("openai", "groq", {.provider_config = defaults}));
  };
  EXPECT_EQ(tier("", ""), ServiceTier::standard);
  EXPECT_EQ(tier(R"({"service_tier":"flex"})", ""), ServiceTier::flex);
  EXPECT_EQ(tier("", R"({"service_tier":"priority"})"), ServiceTier::priority);
  EXPECT_EQ(tier(R"({"service_tier":"flex"})", R"({"service_tier":"priority"})"), ServiceTier::flex);
  EXPECT_EQ(tier(R"({"service_tier":null})", R"({"service_tier":"priority"})"), ServiceTier::priority);
  EXPECT_EQ(tier(R"({"service_tier":"auto"})", ""), ServiceTier::standard);
  EXPECT_EQ(tier(R"({"service_tier":"express"})", ""), std::nullopt);
  EXPECT_EQ(tier(R"({"service_tier":7})", ""), std::nullopt);
  EXPECT_EQ(tier(R"({"note":"service_tier"})", ""), ServiceTier::standard);
}

}  // namespace
}  // namespace tokenrail::providers
