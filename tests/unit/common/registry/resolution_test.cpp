#include "common/registry/resolution.hpp"

#include <functional>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/near_names.hpp"
#include "tests/support/allocations.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace tokenrail::registry {
namespace {

using events::ChatRequest;
using events::ErrorCode;
using events::ModelState;
using events::Support;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ChatRequest ask(std::string provider, std::string name) {
  ChatRequest request;
  request.request_id = "r1";
  request.org_id = "acme";
  request.user_id = "ann";
  request.model = events::ModelReference{.provider = std::move(provider), .name = std::move(name)};
  request.messages.push_back({.content = {{.text = "hello"}}});
  return request;
}

ChatRequest ask_default() {
  auto request = ask("", "");
  request.model.reset();
  return request;
}

Projection registry_of(const std::vector<ModelState>& models) {
  Projection projection;
  for (const auto& m : models) put(projection, m);
  return projection;
}

ModelState with(ModelState m, const std::function<void(ModelState&)>& change) {
  change(m);
  return m;
}

std::vector<std::string> tried(const Route& route) {
  std::vector<std::string> names;
  for (const auto& target : route.targets) names.push_back(target.deployment.id);
  return names;
}

std::string answered_by(const std::expected<Route, Refusal>& route) {
  return route ? route->targets.front().model.id : "refused: " + route.error().message;
}

// ---- one model: state, blocks, limits, capabilities --------------------------------------------------------------

struct Verdict {
  std::string what;
  std::function<void(ModelState&)> model;
  std::function<void(ChatRequest&)> request;
  std::optional<ErrorCode> refused;  ///< nothing: it is answered
  std::string message{};
};

const auto as_is = [](auto&) {};

std::vector<Verdict> verdicts() {
  const auto capability = [](const std::string& name, Support support) {
    return [=](ModelState& m) { m.capabilities[name] = support; };
  };
  const auto tools = [](ChatRequest& r) { r.tools.push_back({.name = "f"}); };
  const auto image = [](ChatRequest& r) { r.messages[0].content.push_back({.type = "image", .data = "aGk="}); };
  const auto file = [](ChatRequest& r) { r.messages[0].content.push_back({.type = "file", .data = "aGk="}); };
  const auto audio = [](ChatRequest& r) { r.messages[0].content.push_back({.type = "audio", .data = "aGk="}); };
  const auto schema = [](ChatRequest& r) {
    r.response_format = {.kind = events::ResponseFormat::Kind::json_schema, .schema = "{}"};
  };
  const auto thinking = [](ChatRequest& r) { r.reasoning = events::Reasoning{.enabled = true}; };
  const auto bytes = [](std::size_t n) {
    return [n](ChatRequest& r) { r.messages[0].content[0].text.assign(n, 'x'); };
  };
  using enum ErrorCode;
  using enum Support;
  return {
      {"a plain model", as_is, as_is, {}},
      {"retired", [](auto& m) { m.lifecycle = "retired"; }, as_is, model_not_enabled, "is retired"},
      {"deprecated still answers", [](auto& m) { m.lifecycle = "deprecated"; }, as_is, {}},
      {"disabled",
       [](auto& m) {
         m.enabled = false;
         m.routable = false;
       },
       as_is, model_not_enabled, "disabled at the platform level"},
      {"blocked", [](auto& m) { m.platform_blocked = true; }, as_is, model_not_enabled,
       "blocked at the platform level"},
      {"missing within the grace", [](auto& m) { m.availability = "missing"; }, as_is, {}},
      {"missing past the grace",
       [](auto& m) {
         m.availability = "missing";
         m.routable = false;
       },
       as_is, model_not_enabled, "no longer offered"},
      {"unreachable is for the call to find out", [](auto& m) { m.availability = "unreachable"; }, as_is, {}},
      {"not routable for another reason", [](auto& m) { m.routable = false; }, as_is, model_not_enabled,
       "cannot be routed"},
      {"no deployment", [](auto& m) { m.deployments.clear(); }, as_is, invalid_model_config, "by no connection"},
      {"every deployment disabled", [](auto& m) { m.deployments[0].enabled = false; }, as_is, model_not_enabled,
       "is disabled"},
      {"no base URL", [](auto& m) { m.deployments[0].base_url.clear(); }, as_is, invalid_model_config, "base URL"},
      {"no upstream name", [](auto& m) { m.deployments[0].upstream_name.clear(); }, as_is, invalid_model_config,
       "upstream name"},
      {"an adapter that does not exist", [](auto& m) { m.deployments[0].adapter = "zeta"; }, as_is,
       unsupported_provider, "the adapter zeta"},
      {"embedding kind", [](auto& m) { m.kind = "embedding"; }, as_is, capability_unsupported, "of kind embedding"},
      {"embedding kind with tools", [](auto& m) { m.kind = "embedding"; }, tools, capability_unsupported,
       "of kind embedding"},
      {"a kind from the future", [](auto& m) { m.kind = "omni"; }, as_is, {}},
      {"chat unsupported", capability("chat", unsupported), as_is, capability_unsupported, "does not support chat"},
      {"tools unsupported", capability("tools", unsupported), tools, capability_unsupported, "does not support tools"},
      {"tools unsupported but switched off",
       capability("tools", unsupported),
       [=](ChatRequest& r) {
         tools(r);
         r.tool_choice = events::ToolChoice{.mode = events::ToolChoice::Mode::none};
       },
       {}},
      {"tools unsupported but not asked for", capability("tools", unsupported), as_is, {}},
      {"tools unknown", capability("tools", unknown), tools, {}},
      {"tools not mentioned", as_is, tools, {}},
      {"tools supported", capability("tools", supported), tools, {}},
      {"vision unsupported", capability("vision", unsupported), image, capability_unsupported, "images"},
      {"vision unknown", capability("vision", unknown), image, {}},
      {"files unsupported", capability("files", unsupported), file, capability_unsupported, "does not support files"},
      {"files unknown", capability("files", unknown), file, {}},
      {"files unsupported, and an image", capability("files", unsupported), image, {}},
      {"audio unsupported", capability("audio_in", unsupported), audio, capability_unsupported,
       "does not support audio"},
      {"audio not mentioned", as_is, audio, {}},
      {"json_schema unsupported", capability("json_schema", unsupported), schema, capability_unsupported, "Schema"},
      {"json_schema unknown", capability("json_schema", unknown), schema, {}},
      {"json_mode unsupported", capability("json_mode", unsupported),
       [](ChatRequest& r) { r.response_format = {.kind = events::ResponseFormat::Kind::json}; }, capability_unsupported,
       "JSON"},
      {"reasoning unsupported", capability("reasoning", unsupported), thinking, capability_unsupported, "reasoning"},
      {"reasoning by effort", capability("reasoning", unsupported),
       [](ChatRequest& r) { r.reasoning = events::Reasoning{.effort = "high"}; }, capability_unsupported, "reasoning"},
      {"reasoning switched off",
       capability("reasoning", unsupported),
       [](ChatRequest& r) { r.reasoning = events::Reasoning{.enabled = false}; },
       {}},
      {"reasoning unknown", capability("reasoning", unknown), thinking, {}},
      {"as long as may be", [](auto& m) { m.context_window = 100; }, bytes(807), {}},
      {"clearly too long", [](auto& m) { m.context_window = 100; }, bytes(808), context_too_long, "100 tokens"},
      {"the input limit counts where there is one",
       [](auto& m) {
         m.context_window = 1000;
         m.input_tokens_max = 10;
       },
       bytes(88), context_too_long, "10 tokens"},
      {"an unknown context is no limit", as_is, bytes(1'000'000), {}},
      {"an image is no text",
       [](auto& m) { m.context_window = 100; },
       [](ChatRequest& r) { r.messages[0].content.push_back({.type = "image", .data = std::string(100'000, 'A')}); },
       {}},
      {"maxTokens at the limit", [](auto& m) { m.output_tokens_max = 50; }, [](auto& r) { r.tokens_max = 50; }, {}},
      {"maxTokens above the limit", [](auto& m) { m.output_tokens_max = 50; }, [](auto& r) { r.tokens_max = 51; },
       invalid_request, "at most 50 tokens"},
      {"maxTokens without a known limit", as_is, [](auto& r) { r.tokens_max = 1 << 30; }, {}},
  };
}

TEST(Resolution, NearerRowsPricesOverrideDeployments) {
  Projection projection;
  auto platform = model("ollama", "a");
  platform.prices = {.input_micros = 1, .output_micros = 1, .version = 1};
  platform.deployments[0].prices = events::ModelPrices{.input_micros = 5, .output_micros = 5, .version = 1};
  put(projection, platform);
  const auto deployment_prices = [&] {
    const Scopes scopes({.org_id = "acme"});
    return EffectiveModel(projection, scopes, "ollama", "a").state().deployments.at(0).prices;
  };
  EXPECT_EQ(deployment_prices(), platform.deployments[0].prices);
  auto own = model("ollama", "a", "acme");
  own.deployments.clear();
  put(projection, own, 2);
  EXPECT_EQ(deployment_prices(), platform.deployments[0].prices) << "the nearer row has no price";
  own.prices = {.input_micros = 9, .output_micros = 9, .version = 3};
  put(projection, own, 3);
  EXPECT_EQ(deployment_prices(), std::nullopt);
}

TEST(Resolution, SelectsModelOrGivesReason) {
  for (const auto& verdict : verdicts()) {
    SCOPED_TRACE(verdict.what);
    auto request = ask("ollama", "m");
    verdict.request(request);
    const auto projection = registry_of({with(model("ollama", "m"), verdict.model)});
    const auto route = resolve(projection, request, {.adapters = {"ollama"}}, 1);
    if (!verdict.refused) {
      EXPECT_TRUE(route.has_value()) << route.error().message;
      continue;
    }
    ASSERT_FALSE(route.has_value());
    EXPECT_EQ(events::name_of(route.error().code), events::name_of(*verdict.refused));
    EXPECT_THAT(route.error().message, HasSubstr(verdict.message));
    EXPECT_THAT(route.error().message, HasSubstr("ollama/m"));
    EXPECT_EQ(route.error().provider, "ollama");
  }
}

// ---- scopes ------------------------------------------------------------------------------------------------------

struct Rows {
  std::string what;
  std::vector<std::string> scopes;  ///< of "p", "o", "u": which rows there are; "!": blocked, "-": disabled
  std::string answers;              ///< whose row, or the word that the refusal has
};

TEST(Resolution, TheNearestScopeWinsAndBlocksWinDownwards) {
  const std::vector<Rows> table{
      {"platform alone", {"p"}, "p"},
      {"organisation over platform", {"p", "o"}, "o"},
      {"user over both", {"p", "o", "u"}, "u"},
      {"user over platform", {"p", "u"}, "u"},
      {"a disabled platform model may be enabled below", {"p-", "o"}, "o"},
      {"a disabled organisation row hides the platform's", {"p", "o-"}, "disabled at the organisation level"},
      {"and the user may lift it", {"p", "o-", "u"}, "u"},
      {"a platform block beats the organisation", {"p!", "o"}, "blocked at the platform level"},
      {"a platform block beats the user", {"p!", "o", "u"}, "blocked at the platform level"},
      {"an organisation block beats the user", {"p", "o!", "u"}, "blocked at the organisation level"},
      {"and the organisation's own use", {"p", "o!"}, "blocked at the organisation level"},
      {"the highest block is reported", {"p!", "o!", "u"}, "blocked at the platform level"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.what);
    Projection projection;
    std::map<std::string, std::string> ids;
    for (const auto& scope : row.scopes) {
      auto m = model("ollama", "m", scope[0] == 'p' ? "" : "acme", scope[0] == 'u' ? "ann" : "");
      m.enabled = m.routable = !scope.contains('-');
      m.platform_blocked = scope.contains('!');
      ids[m.id] = scope.substr(0, 1);
      put(projection, m);
    }
    const auto route = resolve(projection, ask("ollama", "m"), {}, 1);
    if (route) {
      EXPECT_EQ(ids[route->targets[0].model.id], row.answers);
    } else {
      EXPECT_EQ(route.error().code, ErrorCode::model_not_enabled);
      EXPECT_THAT(route.error().message, HasSubstr(row.answers));
    }
  }
}

TEST(Resolution, BlockReachesTheSameUpstreamUnderAnotherName) {
  const auto on = [](events::ModelState m, std::string connection, std::string upstream, std::string owner = {}) {
    auto& d = m.deployments.at(0);
    d.connection_id = std::move(connection);
    d.connection_org_id = std::move(owner);
    d.upstream_name = std::move(upstream);
    return m;
  };
  Projection projection;
  auto blocked = on(model("openai", "gpt-4o"), "c", "gpt-4o:latest");
  blocked.platform_blocked = true;
  put(projection, blocked);
  put(projection, on(model("openai", "again"), "c", "gpt-4o"));
  put(projection, on(model("openai", "renamed", "acme"), "c", "gpt-4o"));
  put(projection, on(model("openai", "of-ann", "acme", "ann"), "c", "gpt-4o:latest"));
  put(projection, on(model("openai", "small", "acme"), "c", "gpt-4o-mini"));
  put(projection, on(model("openai", "elsewhere", "acme"), "c-2", "gpt-4o"));
  put(projection, on(model("openai", "own-key", "acme"), "c", "gpt-4o", "acme"));
  for (const auto* name : {"renamed", "of-ann"}) {
    const auto route = resolve(projection, ask("openai", name), {}, 1);
    ASSERT_FALSE(route) << name;
    EXPECT_EQ(route.error().code, ErrorCode::model_not_enabled);
    EXPECT_THAT(route.error().message, HasSubstr("which the platform blocks"));
  }
  // What the platform serves itself is the platform's decision.
  for (const auto* name : {"again", "small", "elsewhere", "own-key"})
    EXPECT_TRUE(resolve(projection, ask("openai", name), {}, 1)) << name;
  blocked.platform_blocked = false;
  put(projection, blocked, 2);
  EXPECT_TRUE(resolve(projection, ask("openai", "renamed"), {}, 1));
  blocked.platform_blocked = true;
  put(projection, blocked, 3);
  EXPECT_FALSE(resolve(projection, ask("openai", "renamed"), {}, 1));
  projection.apply(events::model_key(blocked), std::nullopt);
  EXPECT_TRUE(resolve(projection, ask("openai", "renamed"), {}, 1)) << "nothing blocks it any more";
}

TEST(Resolution, AnotherOrganisationsModelDoesNotExist) {
  const auto projection = registry_of({model("ollama", "m", "other"), model("ollama", "n", "acme", "bob")});
  for (const auto* name : {"m", "n"}) {
    const auto route = resolve(projection, ask("ollama", name), {}, 1);
    ASSERT_FALSE(route.has_value());
    EXPECT_EQ(route.error().code, ErrorCode::model_not_found);
    EXPECT_THAT(route.error().message, testing::Not(HasSubstr("Did you mean")));
  }
}

TEST(Resolution, OpenFieldsComeFromRowsAbove) {
  auto platform = model("ollama", "m");
  platform.context_window = 4096;
  platform.output_tokens_max = 100;
  platform.capabilities = {{"tools", Support::unsupported}, {"vision", Support::supported}};
  auto own = model("ollama", "m", "acme");
  own.deployments.clear();
  own.output_tokens_max = 50;
  own.capabilities = {{"tools", Support::supported}, {"vision", Support::unknown}};
  const auto projection = registry_of({platform, own});

  auto request = ask("ollama", "m");
  request.tools.push_back({.name = "f"});
  const auto route = resolve(projection, request, {}, 1);
  ASSERT_TRUE(route.has_value()) << route.error().message;
  const auto& m = route->targets[0].model;
  EXPECT_EQ(m.id, own.id);
  EXPECT_EQ(m.context_window, 4096);
  EXPECT_EQ(m.output_tokens_max, 50);
  EXPECT_EQ(m.capabilities.at("vision"), Support::supported);
  EXPECT_EQ(route->targets[0].deployment.id, platform.deployments[0].id);
}

TEST(Resolution, MissingModelIsMissingForInheritingRows) {
  auto platform = model("ollama", "m");
  platform.availability = "missing";
  platform.routable = false;
  auto own = model("ollama", "m", "acme");
  own.deployments.clear();
  auto route = resolve(registry_of({platform, own}), ask("ollama", "m"), {}, 1);
  ASSERT_FALSE(route.has_value());
  EXPECT_THAT(route.error().message, HasSubstr("no longer offered"));

  own.deployments = {deployment("own")};
  route = resolve(registry_of({platform, own}), ask("ollama", "m"), {}, 1);
  ASSERT_TRUE(route.has_value());
  EXPECT_THAT(tried(*route), ElementsAre("own"));
}

// ---- names -------------------------------------------------------------------------------------------------------

TEST(Resolution, LowerRowEnablesDisabledModelEvenIfMissing) {
  auto platform = model("ollama", "m");
  platform.enabled = platform.routable = false;
  platform.availability = "missing";
  platform.missing_since_ms = 1;
  auto own = model("ollama", "m", "acme");
  own.deployments.clear();
  EXPECT_EQ(answered_by(resolve(registry_of({platform, own}), ask("ollama", "m"), {}, 1)), own.id);
  platform.enabled = true;
  EXPECT_THAT(answered_by(resolve(registry_of({platform, own}), ask("ollama", "m"), {}, 1)), HasSubstr("refused"))
      << "enabled and not routable: it is missing past its grace";
}

TEST(Resolution, UnknownModelErrorListsNearNames) {
  const auto projection = registry_of({model("ollama", "llama3.2:latest"), model("ollama", "qwen3:8b")});
  const auto route = resolve(projection, ask("ollama", "lama3.2:latest"), {}, 1);
  ASSERT_FALSE(route.has_value());
  EXPECT_EQ(route.error().code, ErrorCode::model_not_found);
  EXPECT_FALSE(route.error().retryable);
  EXPECT_THAT(route.error().message, HasSubstr("Did you mean ollama/llama3.2:latest?"));
  EXPECT_THAT(route.error().message, HasSubstr("tokenrail registry list"));
}

struct Naming {
  std::string provider;
  std::string name;
  std::string answers;
};

TEST(Resolution, NamesMeanWhatPeopleMeanByThem) {
  const std::vector<ModelState> models{
      model("ollama", "llama3.2:latest"),  model("ollama", "hf.co:443/a/b:latest"),
      model("ollama", "qwen3:8b"),         model("lmstudio", "shared"),
      model("ollama", "shared"),           with(model("ollama", "own", "acme"), [](auto& m) { m.slug = "our-best"; }),
      model("lmstudio", "tagless:latest"), model("store", "small:stable"),
  };
  const auto projection = registry_of(models);
  const ResolutionRules rules{.implied_tags = {{"ollama", ":latest"}, {"store", ":stable"}}};
  const std::vector<Naming> table{
      {"ollama", "llama3.2:latest", models[0].id},
      {"ollama", "llama3.2", models[0].id},
      {"", "llama3.2", models[0].id},
      {"", "llama3.2:latest", models[0].id},
      {"", "ollama/llama3.2:latest", models[0].id},
      {"", "ollama/llama3.2", models[0].id},
      {"ollama", "hf.co:443/a/b", models[1].id},
      {"", "qwen3:8b", models[2].id},
      {"", "shared", models[3].id},
      {"", "our-best", models[5].id},
      {"", "own", models[5].id},
      {"ollama", "qwen3", ""},
      {"ollama", "our-best", ""},
      {"lmstudio", "tagless", ""},
      {"store", "small", models[7].id},
      {"", "small", models[7].id},
      {"ollama", "small", ""},
      {"store", "llama3.2", ""},
      {"lmstudio", "llama3.2", ""},
      {"ollama", "LLAMA3.2", ""},
      {"", "", ""},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.provider + " | " + row.name);
    const auto route = resolve(projection, ask(row.provider, row.name), rules, 1);
    if (!row.answers.empty()) {
      EXPECT_EQ(answered_by(route), row.answers);
    } else {
      ASSERT_FALSE(route.has_value());
      EXPECT_EQ(route.error().code, ErrorCode::model_not_found);
    }
  }
}

TEST(Resolution, WithoutARuleNoTagIsImplied) {
  EXPECT_FALSE(
      resolve(registry_of({model("ollama", "llama3.2:latest")}), ask("ollama", "llama3.2"), {}, 1).has_value());
}

TEST(Resolution, AmbiguousNameIsTakenWithWarning) {
  const auto projection = registry_of({model("lmstudio", "shared"), model("ollama", "shared")});
  const auto route = resolve(projection, ask("", "shared"), {}, 1);
  ASSERT_TRUE(route.has_value());
  EXPECT_THAT(route->warnings, ElementsAre(HasSubstr("lmstudio was taken")));
}

// ---- the default -------------------------------------------------------------------------------------------------

const auto is_default = [](ModelState& m) { m.is_default = true; };

TEST(Resolution, TheDefaultIsThatOfTheNearestScope) {
  std::vector<ModelState> models{model("ollama", "aaa"), with(model("ollama", "p"), is_default)};
  EXPECT_EQ(answered_by(resolve(registry_of(models), ask_default(), {}, 1)), models[1].id);
  models.push_back(with(model("ollama", "o", "acme"), is_default));
  EXPECT_EQ(answered_by(resolve(registry_of(models), ask_default(), {}, 1)), models[2].id);
  models.push_back(with(model("ollama", "u", "acme", "ann"), is_default));
  EXPECT_EQ(answered_by(resolve(registry_of(models), ask_default(), {}, 1)), models[3].id);
}

TEST(Resolution, DefaultOfAnotherKindIsNotForChats) {
  const auto projection = registry_of({with(model("ollama", "embed"),
                                            [](auto& m) {
                                              m.kind = "embedding";
                                              m.is_default = true;
                                            }),
                                       model("ollama", "talks")});
  const auto route = resolve(projection, ask_default(), {}, 1);
  EXPECT_EQ(answered_by(route), model("ollama", "talks").id);
  EXPECT_THAT(route->warnings, IsEmpty());
}

TEST(Resolution, SkipsUnusableDefaultWithWarning) {
  const auto projection = registry_of({with(model("ollama", "gone"),
                                            [](auto& m) {
                                              m.is_default = true;
                                              m.enabled = m.routable = false;
                                            }),
                                       model("ollama", "zzz")});
  auto route = resolve(projection, ask_default(), {}, 1);
  EXPECT_EQ(answered_by(route), model("ollama", "zzz").id);
  EXPECT_THAT(route->warnings, ElementsAre(HasSubstr("default model could not be used")));

  route = resolve(projection, ask_default(), {.strict_default = true}, 1);
  ASSERT_FALSE(route.has_value());
  EXPECT_EQ(route.error().code, ErrorCode::model_not_enabled);
}

TEST(Resolution, WithoutDefaultFirstUsableModelAnswers) {
  const std::vector<ModelState> models{
      with(model("ollama", "a-disabled"), [](auto& m) { m.enabled = m.routable = false; }),
      with(model("ollama", "b-embeds"), [](auto& m) { m.kind = "embedding"; }),
      with(model("ollama", "c-later"), [](auto& m) { m.deployments[0].priority = 5; }),
      with(model("ollama", "d-no-tools"), [](auto& m) { m.capabilities["tools"] = Support::unsupported; }),
      model("ollama", "e"),
  };
  const auto projection = registry_of(models);
  EXPECT_EQ(answered_by(resolve(projection, ask_default(), {}, 1)), models[3].id);
  auto with_tools = ask_default();
  with_tools.tools.push_back({.name = "f"});
  EXPECT_EQ(answered_by(resolve(projection, with_tools, {}, 1)), models[4].id);

  const auto strict = resolve(projection, ask_default(), {.strict_default = true}, 1);
  ASSERT_FALSE(strict.has_value());
  EXPECT_EQ(strict.error().code, ErrorCode::model_not_found);
  EXPECT_THAT(strict.error().message, HasSubstr("no default is set"));
}

TEST(Resolution, WithoutDefaultMissingModelAnswersLast) {
  const auto is_missing = [](ModelState& m) { m.availability = "missing"; };
  const auto inherits = [](ModelState& m) { m.deployments.clear(); };
  std::vector<ModelState> models{with(model("ollama", "a-gone"), is_missing),
                                 with(model("ollama", "a-gone", "acme"), inherits)};
  EXPECT_EQ(answered_by(resolve(registry_of(models), ask_default(), {}, 1)), models[1].id);
  models.push_back(model("ollama", "b"));
  EXPECT_EQ(answered_by(resolve(registry_of(models), ask_default(), {}, 1)), models[2].id);
  EXPECT_EQ(answered_by(resolve(registry_of(models), ask("ollama", "a-gone"), {}, 1)), models[1].id);
}

TEST(Resolution, EmptyRegistryErrorSaysHowToFillIt) {
  const auto route = resolve({}, ask_default(), {}, 1);
  ASSERT_FALSE(route.has_value());
  EXPECT_EQ(route.error().code, ErrorCode::model_not_found);
  EXPECT_THAT(route.error().message, HasSubstr("tokenrail registry sync"));
}

// ---- the route ---------------------------------------------------------------------------------------------------

TEST(Resolution, DeploymentsComeByPriorityAndThenByWeight) {
  auto m = model("ollama", "m");
  m.deployments = {deployment("reserve", 1, 0), deployment("heavy", 1, 9), deployment("light", 1, 1),
                   deployment("first", 0, 1), deployment("off", 0, 1)};
  m.deployments[4].enabled = false;
  const auto projection = registry_of({m});

  std::map<std::string, int> seconds;
  for (std::uint64_t random = 0; random < 2000; ++random) {
    const auto route = resolve(projection, ask("ollama", "m"), {}, random);
    ASSERT_TRUE(route.has_value());
    const auto order = tried(*route);
    ASSERT_EQ(order.size(), 4U);
    ASSERT_EQ(order.front(), "first");
    ASSERT_EQ(order.back(), "reserve");
    ++seconds[order[1]];
    EXPECT_EQ(tried(*resolve(projection, ask("ollama", "m"), {}, random)), order);
  }
  EXPECT_NEAR(seconds["heavy"], 1800, 100);
}

TEST(Resolution, AbsurdWeightsDoNoHarm) {
  auto m = model("ollama", "m");
  const auto most = std::numeric_limits<std::int64_t>::max();
  m.deployments = {deployment("a", most, most), deployment("b", most, most), deployment("c", most, -most)};
  const auto route = resolve(registry_of({m}), ask("ollama", "m"), {}, ~std::uint64_t{0});
  ASSERT_TRUE(route.has_value());
  EXPECT_EQ(route->targets.size(), 3U);
  EXPECT_EQ(route->targets.back().deployment.id, "c");
}

TEST(Resolution, SkipsForeignAdapterIfAnotherServes) {
  auto m = model("ollama", "m");
  m.deployments.push_back(deployment("foreign", -1));
  m.deployments.back().adapter = "zeta";
  const auto route = resolve(registry_of({m}), ask("ollama", "m"), {.adapters = {"ollama"}}, 1);
  ASSERT_TRUE(route.has_value());
  EXPECT_THAT(tried(*route), ElementsAre(m.deployments[0].id));
  EXPECT_THAT(route->warnings, ElementsAre(HasSubstr("zeta")));
  EXPECT_EQ(resolve(registry_of({m}), ask("ollama", "m"), {}, 1)->targets.size(), 2U);
}

TEST(Resolution, FallbacksFollowInTheirOrderEachOnce) {
  const auto projection = registry_of({model("ollama", "a"), model("ollama", "b"), model("ollama", "c"),
                                       with(model("ollama", "off"), [](auto& m) { m.enabled = m.routable = false; })});
  auto request = ask("ollama", "a");
  request.fallbacks = {{"ollama", "c"}, {"ollama", "off"}, {"", "nowhere"}, {"ollama", "a"}, {"", "b"}, {"", "auto"}};
  const auto route = resolve(projection, request, {}, 1);
  ASSERT_TRUE(route.has_value());
  std::vector<std::string> names;
  for (const auto& target : route->targets) names.push_back(target.model.model_name);
  EXPECT_THAT(names, ElementsAre("a", "c", "b"));
  EXPECT_THAT(route->warnings, ElementsAre(HasSubstr("ollama/off was left out"), HasSubstr("nowhere was left out")));
}

TEST(Resolution, AFallbackAnswersForAModelThatCannot) {
  const auto projection = registry_of({model("ollama", "b")});
  auto request = ask("ollama", "gone");
  request.fallbacks = {{"ollama", "b"}};
  auto route = resolve(projection, request, {}, 1);
  ASSERT_TRUE(route.has_value());
  EXPECT_EQ(answered_by(route), model("ollama", "b").id);
  EXPECT_THAT(route->warnings, ElementsAre(HasSubstr("ollama/gone")));

  request.fallbacks = {{"ollama", "gone-too"}};
  route = resolve(projection, request, {}, 1);
  ASSERT_FALSE(route.has_value());
  EXPECT_THAT(route.error().message, HasSubstr("no model ollama/gone."));
}

// ---- near names --------------------------------------------------------------------------------------------------

std::vector<std::string> near_names(std::string_view asked, const std::vector<std::string>& names,
                                    std::size_t count_max) {
  NearNames near(asked, count_max);
  for (const auto& name : names) near.look_at({}, name);
  return near.found();
}

TEST(NearNames, AreFewNearAndBounded) {
  const std::vector<std::string> names{"ollama/llama3.2:latest", "ollama/llama3.1:latest", "ollama/qwen3:8b",
                                       "ollama/mistral:7b",      std::string(5000, 'x'),   ""};
  EXPECT_THAT(near_names("llama3.2", names, 3), ElementsAre("ollama/llama3.2:latest"));
  EXPECT_THAT(near_names("OLLAMA/QWEN3:8B", names, 3), ElementsAre("ollama/qwen3:8b"));
  EXPECT_THAT(near_names("ollama/llama3.2:latst", names, 1), ElementsAre("ollama/llama3.2:latest"));
  EXPECT_THAT(near_names("gpt-5", names, 3), IsEmpty());
  EXPECT_THAT(near_names("", names, 3), IsEmpty());
  EXPECT_THAT(near_names(std::string(5000, 'x'), names, 3), IsEmpty());
}

TEST(NearNames, AreNearestFirstAndEachOnce) {
  EXPECT_THAT(near_names("model", {"modell", "mmodell", "model", "modell", "model", "nodel"}, 3),
              ElementsAre("model", "modell", "nodel"));
  NearNames near("ollama/lama3", 2);
  EXPECT_TRUE(near.look_at("ollama", "llama3"));
  EXPECT_TRUE(near.look_at("ollama", "llama2"));
  EXPECT_TRUE(near.look_at("openai", "llama3"));
  EXPECT_THAT(near.found(), ElementsAre("ollama/llama3", "ollama/llama2"));
}

TEST(NearNames, BoundsWorkOfEveryQuestion) {
  const std::vector<std::string> hard{std::string(128, 'a'), std::string(64, 'a') + std::string(64, 'b'), "a",
                                      std::string(40, 'x') + "y"};
  for (const auto& asked : hard) {
    NearNames near(asked, 3);
    std::size_t offered = 0;
    bool goes_on = true;
    for (; goes_on && offered < 5'000; ++offered) {
      auto name = asked;
      name.back() = '!';  // as near as can be, so that nothing lets a comparison end early
      name.front() = static_cast<char>('A' + offered % 26);
      goes_on = near.look_at({}, name);
    }
    EXPECT_FALSE(goes_on) << asked;
    EXPECT_LE(near.names_seen(), NearNames::names_max) << asked;
    EXPECT_LE(near.cells(), NearNames::cells_max + NearNames::name_bytes_max * NearNames::name_bytes_max) << asked;
    EXPECT_LE(near.found().size(), 3U);
  }
}

TEST(Resolution, MisspeltNameCostsTheSameInAnyRegistry) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  const auto cost = [](const Projection& projection, const ChatRequest& request) {
    const tests::AllocationCount count;
    const auto route = resolve(projection, request, {}, 1);
    EXPECT_FALSE(route.has_value());
    return count.since();
  };
  Projection small;
  Projection large;
  for (int i = 0; i < 4'000; ++i) {
    const auto m = model("ollama", fmt::format("a-model-with-a-name-of-some-length-{:06}", i));
    if (i < 400) put(small, m);
    put(large, m);
  }
  auto request = ask("ollama", "a-modle-with-a-name-of-some-lenght-x");
  for (int i = 0; i < 32; ++i)
    request.fallbacks.push_back({.provider = "ollama", .name = fmt::format("a-modle-{}", i)});
  EXPECT_LE(cost(large, request), cost(small, request) + 100) << "no copy a model, and no fallback looks again";
}

TEST(Resolution, UnknownFallbacksGetNoSuggestions) {
  auto request = ask("ollama", "llama3.2:latest");
  request.fallbacks = {{.provider = "ollama", .name = "qwen3:8"}};
  const auto route =
      resolve(registry_of({model("ollama", "llama3.2:latest"), model("ollama", "qwen3:8b")}), request, {}, 1);
  ASSERT_TRUE(route.has_value());
  ASSERT_EQ(route->warnings.size(), 1U);
  EXPECT_THAT(route->warnings[0], HasSubstr("no model ollama/qwen3:8."));
  EXPECT_THAT(route->warnings[0], testing::Not(HasSubstr("Did you mean")));
}

TEST(Resolution, DisabledModelsArePassedOverWithoutWords) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  Projection projection;
  for (int i = 0; i < 2'000; ++i) {
    auto m = model("ollama", fmt::format("a-model-with-a-name-of-some-length-{:06}", i));
    m.enabled = false;
    put(projection, m);
  }
  const tests::AllocationCount count;
  const auto route = resolve(projection, ask_default(), {}, 1);
  EXPECT_LE(count.since(), 200U);
  ASSERT_FALSE(route.has_value());
  EXPECT_EQ(route.error().code, ErrorCode::model_not_enabled);
  EXPECT_THAT(route.error().message, HasSubstr("length-000000 is disabled"));
}

}  // namespace
}  // namespace tokenrail::registry
