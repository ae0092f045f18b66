#include "common/events/model_event.hpp"

#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tokenrail::events {
namespace {

ModelPrices prices_of_everything() {
  return {.input_micros = 0,
          .output_micros = 12,
          .others = {{.key = {.dimension = PriceDimension::cache_write_1h,
                              .tier = ServiceTier::priority,
                              .min_context_tokens = 200'001,
                              .window = {.from_minute = 1439, .to_minute = 0}},
                      .micros = 3},
                     {.key = {.dimension = PriceDimension::search}, .micros = 0}},
          .version = 9};
}

ModelUpserted whole_event() {
  ModelUpserted event;
  event.version = 12;
  event.before_version = 11;
  event.changed_fields = {"digest", "deployments"};
  event.cause = "sync";
  event.actor = "registry-sync";
  auto& model = event.model;
  model.id = "m-1";
  model.org_id = "acme";
  model.owner_user_id = "u-7";
  model.provider = "ollama";
  model.model_name = "library/llama3.2:1b";
  model.slug = "ollama/library/llama3.2:1b";
  model.display_name = "Llama \"small\"";
  model.description = "a\nb";
  model.family = "llama";
  model.digest = "sha256:1";
  model.lifecycle = "deprecated";
  model.enabled = false;
  model.platform_blocked = true;
  model.availability = "missing";
  model.missing_since_ms = 99;
  model.routable = false;
  model.context_window = 131'072;
  model.input_tokens_max = 100;
  model.output_tokens_max = 50;
  model.embedding_dimensions = 3;
  model.capabilities = {{"tools", Support::supported}, {"vision", Support::unsupported}, {"x", Support::unknown}};
  model.is_default = true;
  model.version = 12;
  model.deployments = {DeploymentState{.id = "d-1",
                                       .connection_id = "c-1",
                                       .connection_name = "env-ollama",
                                       .provider = "ollama",
                                       .adapter = "ollama",
                                       .base_url = "http://localhost:11434",
                                       .auth_type = "bearer",
                                       .credential_id = "k-1",
                                       .credential_version = 4,
                                       .upstream_name = "llama3.2:1b",
                                       .priority = 2,
                                       .weight = 5,
                                       .enabled = false,
                                       .requests_per_minute = 60,
                                       .tokens_per_minute = 1000,
                                       .parameters = {.temperature = 0.5, .stop = {"END"}}}};
  model.inherits = true;
  model.hidden = true;
  model.maintenance_until_ms = 7;
  model.maintenance_reason = "moving";
  model.tags = {"a", "b"};
  model.replacement = {.provider = "ollama", .name = "llama4"};
  model.quality_score = 0.5;
  model.scores = std::map<std::string, double>{{"coding", 0.75}, {"reasoning", 0.25}};
  model.prices = prices_of_everything();
  model.first_token_ms = 80;
  event.key = model_key(model);
  return event;
}

TEST(ModelEvent, PriceThatCannotBeReadIsLeftOut) {
  const auto read = parse_model_upserted(
      R"({"version":3,"model":{"provider":"p","modelName":"m","prices":{"inputMicros":5,"version":-1,"others":[)"
      R"({"dimension":"input","minContextTokens":9,"micros":1},{"dimension":"by_moonlight","micros":1},)"
      R"({"dimension":"input","serviceTier":"express","micros":1},{"dimension":"input"},{"dimension":"input","micros":-1},)"
      R"({"dimension":"input","minContextTokens":-2,"micros":1},{"dimension":"input","utcFrom":"24:00","utcTo":"01:00","micros":1},)"
      R"({"dimension":"input","utcFrom":"10:00","micros":1},{"dimension":"input","utcFrom":"1:00","utcTo":"02:60","micros":1},7]}}})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(
      read->model.prices,
      (ModelPrices{.input_micros = 5,
                   .others = {{.key = {.dimension = PriceDimension::input, .min_context_tokens = 9}, .micros = 1}}}));
}

TEST(ModelKey, NamesScopeProviderAndModel) {
  ModelState model;
  model.provider = "ollama";
  model.model_name = "llama3.2:1b";
  EXPECT_EQ(model_key(model), "_/_/ollama/llama3.2:1b");
  model.org_id = "acme";
  EXPECT_EQ(model_key(model), "acme/_/ollama/llama3.2:1b");
  model.owner_user_id = "u-7";
  model.model_name = "hf.co/org/model";
  EXPECT_EQ(model_key(model), "acme/u-7/ollama/hf.co/org/model") << "the name is the rest and stays as it is";
}

TEST(ModelKey, NoTwoModelsShareOne) {
  const std::string pieces[] = {"a", "_", "a/b", "a%2Fb", "%5F", "a%", "/", "%"};
  std::set<std::string> keys;
  std::size_t models = 0;
  for (const auto& org : pieces) {
    for (const auto& user : pieces) {
      for (const auto& provider : pieces) {
        for (const auto& name : pieces) {
          ModelState model;
          model.org_id = org;
          model.owner_user_id = user;
          model.provider = provider;
          model.model_name = name;
          keys.insert(model_key(model));
          model.org_id.clear();
          model.owner_user_id.clear();
          keys.insert(model_key(model));
          ++models;
        }
      }
    }
  }
  EXPECT_EQ(keys.size(), models + std::size(pieces) * std::size(pieces));
}

TEST(ModelUpserted, DeploymentHasPricesOfItsOwn) {
  auto event = whole_event();
  event.model.deployments[0].prices = prices_of_everything();
  event.model.deployments.push_back(event.model.deployments[0]);
  event.model.deployments[1].prices = ModelPrices{};  // none is known there
  event.model.deployments.push_back(event.model.deployments[0]);
  event.model.deployments[2].prices = std::nullopt;  // those of the model
  const auto read = parse_model_upserted(to_json(event));
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  ASSERT_EQ(read->model.deployments.size(), 3U);
  EXPECT_EQ(read->model.deployments[0].prices, prices_of_everything());
  EXPECT_EQ(read->model.deployments[1].prices, ModelPrices{});
  EXPECT_EQ(read->model.deployments[2].prices, std::nullopt);
}

TEST(ModelUpserted, ComesBackAsItWasWritten) {
  const auto event = whole_event();
  const auto json = to_json(event);
  const auto read = parse_model_upserted(json);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(to_json(*read), json);
  EXPECT_EQ(read->key, "acme/u-7/ollama/library/llama3.2:1b");
  EXPECT_EQ(read->model.capabilities.at("tools"), Support::supported);
  EXPECT_EQ(read->model.capabilities.at("vision"), Support::unsupported);
  ASSERT_EQ(read->model.deployments.size(), 1U);
  EXPECT_EQ(read->model.deployments[0].credential_id, "k-1");
  EXPECT_FALSE(read->model.deployments[0].enabled);
  EXPECT_EQ(read->model.deployments[0].parameters, event.model.deployments[0].parameters);
  EXPECT_TRUE(invalid_parameters(read->model).empty());
}

TEST(ModelUpserted, MissingFieldsGetDefaultsAndNewAreIgnored) {
  const auto read = parse_model_upserted(
      R"({"version":3,"later":{"x":1},"model":{"provider":"p","modelName":"m","capabilities":{"a":"maybe","b":1},)"
      R"("deployments":[{"id":"d","shape":"new"},7]}})");
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(read->key, "_/_/p/m");
  EXPECT_EQ(read->model.version, 3);
  EXPECT_TRUE(read->model.enabled);
  EXPECT_TRUE(read->model.routable);
  EXPECT_EQ(read->model.lifecycle, "active");
  EXPECT_EQ(read->model.kind, "generation");
  EXPECT_EQ(read->model.capabilities.size(), 1U);
  EXPECT_EQ(read->model.capabilities.at("a"), Support::unknown);
  ASSERT_EQ(read->model.deployments.size(), 1U);
  EXPECT_EQ(read->model.deployments[0].weight, 1);
  EXPECT_EQ(read->model.deployments[0].auth_type, "none");
}

TEST(ModelUpserted, ReadsAdditionsAndImpossibleOnesAreUnknown) {
  const auto read = parse_model_upserted(to_json(whole_event()));
  ASSERT_TRUE(read.has_value());
  const auto& model = read->model;
  EXPECT_TRUE(model.inherits && model.hidden);
  EXPECT_EQ(model.maintenance_until_ms, 7);
  EXPECT_EQ(model.maintenance_reason, "moving");
  EXPECT_EQ(model.tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(model.replacement, (ModelName{.provider = "ollama", .name = "llama4"}));
  EXPECT_EQ(model.quality_score, 0.5);
  EXPECT_EQ(*model.scores, (std::map<std::string, double>{{"coding", 0.75}, {"reasoning", 0.25}}));
  EXPECT_EQ(model.prices, prices_of_everything());
  EXPECT_EQ(model.first_token_ms, 80);

  const auto odd = parse_model_upserted(
      R"({"version":3,"model":{"provider":"p","modelName":"m","qualityScore":1.5,"scores":{"a":2,"b":"x"},"maintenanceUntilMs":-1,)"
      R"("prices":{"inputMicros":-5,"outputMicros":"x"},"replacement":{"provider":"p"},"tags":"x","firstTokenMs":-1}})");
  ASSERT_TRUE(odd.has_value());
  EXPECT_EQ(to_json(*odd).find("qualityScore"), std::string::npos);
  EXPECT_FALSE(odd->model.scores.has_value());
  EXPECT_EQ(odd->model.prices, ModelPrices{});
  EXPECT_FALSE(odd->model.maintenance_until_ms || odd->model.replacement || odd->model.first_token_ms);
  EXPECT_TRUE(odd->model.tags.empty());
}

TEST(ModelUpserted, WritesOnlyAdditionsThatAreSet) {
  const auto json = to_json(parse_model_upserted(R"({"version":3,"model":{"provider":"p","modelName":"m"}})").value());
  EXPECT_TRUE(json.ends_with(R"("deployments":[]}})")) << json;
}

TEST(ModelUpserted, RefusesUnusableFieldByName) {
  struct Row {
    std::string_view json;
    std::string_view detail;
  };
  const Row rows[] = {
      {"", "not JSON"},
      {"[]", "not a JSON object"},
      {R"({"type":"model_registry.mark","version":1})", "type"},
      {R"({"type":7,"version":1})", "type"},
      {R"({"model":{"provider":"p","modelName":"m"}})", "version"},
      {R"({"version":1})", "model"},
      {R"({"version":1,"model":"m"})", "model"},
      {R"({"version":1,"model":{"modelName":"m"}})", "model.provider"},
      {R"({"version":1,"model":{"provider":"p"}})", "model.modelName"},
  };
  for (const auto& row : rows) {
    const auto read = parse_model_upserted(row.json);
    ASSERT_FALSE(read.has_value()) << row.json;
    EXPECT_EQ(read.error().kind, ErrorKind::invalid_input);
    EXPECT_NE(read.error().detail.find(row.detail), std::string::npos) << read.error().detail;
  }
}

TEST(ModelUpserted, InvalidDefaultParameterCostsOneWarning) {
  auto json = to_json(whole_event());
  const std::string_view valid = R"("temperature":0.5)";
  json.replace(json.find(valid), valid.size(), R"("temperature":3,"topK":7)");
  const auto read = parse_model_upserted(json);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->model.deployments.at(0).parameters, (CallDefaults{.top_k = 7, .stop = {"END"}}));
  EXPECT_EQ(invalid_parameters(read->model),
            std::vector<std::string>{"ollama/library/llama3.2:1b: a default parameter of deployment d-1 on connection "
                                     "env-ollama is not used: temperature must be a number from 0 to 2."});
  EXPECT_FALSE(to_json(*read).contains("temperature"));
}

TEST(RegistryMark, ComesBackAsItWasWritten) {
  const auto read = parse_registry_mark(to_json(RegistryMark{.version = 9, .models = 3}));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->version, 9);
  EXPECT_EQ(read->models, 3);
  EXPECT_FALSE(parse_registry_mark(R"({"models":3})").has_value());
  EXPECT_FALSE(parse_registry_mark(to_json(whole_event())).has_value());
}

TEST(ModelUpserted, AnyBytesAreReadWithoutHarm) {
  const auto whole = to_json(whole_event());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse_model_upserted(whole.substr(0, length)).has_value()) << length;
  }
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    std::mt19937 random(seed);
    auto text = whole;
    text[random() % text.size()] = static_cast<char>(random() % 256);
    if (const auto read = parse_model_upserted(text)) {
      EXPECT_TRUE(parse_model_upserted(to_json(*read)).has_value()) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace tokenrail::events
