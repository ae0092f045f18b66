// How a model is found: aliases, default pointers and "auto".
#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/resolution.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace tokenrail::registry {
namespace {

using events::AutoSelection;
using events::ChatRequest;
using events::ErrorCode;
using events::ObjectKind;
using events::Sticky;
using events::SubjectKind;
using events::Support;
using testing::ElementsAre;
using testing::HasSubstr;

ChatRequest ask(std::string name) {
  ChatRequest request;
  request.request_id = "r1";
  request.org_id = "acme";
  request.user_id = "ann";
  if (!name.empty()) request.model = events::ModelReference{.provider = {}, .name = std::move(name)};
  request.messages.push_back({.content = {{.text = "hello"}}});
  return request;
}

std::string chosen(const std::expected<Route, Refusal>& route) {
  if (!route) return "refused: " + route.error().message;
  EXPECT_EQ(route->choice.chosen, route->targets[0].model.provider + "/" + route->targets[0].model.model_name);
  EXPECT_FALSE(route->choice.detail.empty());
  return route->targets[0].model.model_name;
}

Projection registry_of(const std::vector<std::string>& names) {
  Projection projection;
  for (const auto& name : names) put(projection, model("ollama", name));
  return projection;
}

// ---- aliases -----------------------------------------------------------------------------------------------------

// S2.3: the model behind a stable name changes without its callers.
TEST(Alias, LeadsToItsModel) {
  auto projection = registry_of({"a", "b"});
  put_record(projection, alias_of("fast", {target_of("ollama", "a")}));
  auto route = resolve(projection, ask("fast"), {}, 1);
  EXPECT_EQ(chosen(route), "a");
  EXPECT_EQ(route->choice.asked, "fast");
  EXPECT_EQ(route->choice.alias, "fast");
  EXPECT_EQ(route->choice.variant, "");
  EXPECT_EQ(route->choice.reason, "alias");
  put_record(projection, alias_of("fast", {target_of("ollama", "b")}), 2);
  EXPECT_EQ(chosen(resolve(projection, ask("fast"), {}, 1)), "b");
  projection.apply("_alias/_/_/fast", std::nullopt);
  EXPECT_THAT(chosen(resolve(projection, ask("fast"), {}, 1)), HasSubstr("no model fast"));
}

TEST(Alias, NearestScopeWinsThenAlias) {
  auto projection = registry_of({"a", "b", "c", "name"});
  EXPECT_EQ(chosen(resolve(projection, ask("name"), {}, 1)), "name");
  put_record(projection, alias_of("name", {target_of("ollama", "a")}));
  EXPECT_EQ(chosen(resolve(projection, ask("name"), {}, 1)), "a") << "before a model of the same name";
  put(projection, model("ollama", "name", "acme"));
  EXPECT_EQ(chosen(resolve(projection, ask("name"), {}, 1)), "name") << "a nearer model before a farther alias";
  put_record(projection, alias_of("name", {target_of("ollama", "b")}, "acme"));
  EXPECT_EQ(chosen(resolve(projection, ask("name"), {}, 1)), "b");
  put_record(projection, alias_of("name", {target_of("ollama", "c")}, "acme", "ann"));
  EXPECT_EQ(chosen(resolve(projection, ask("name"), {}, 1)), "c");

  auto other = ask("name");
  other.org_id = "beta";
  EXPECT_EQ(chosen(resolve(projection, other, {}, 1)), "a") << "another organisation's alias does not exist";
  auto with_provider = ask("name");
  with_provider.model->provider = "ollama";
  EXPECT_EQ(chosen(resolve(projection, with_provider, {}, 1)), "name") << "a provider's own model has no alias";
}

TEST(Alias, DrawsItsTargetsByWeight) {
  auto projection = registry_of({"a", "b", "reserve"});
  put_record(projection, alias_of("test", {target_of("ollama", "reserve", 0), target_of("ollama", "a", 9),
                                           target_of("ollama", "b")}));
  std::map<std::string, int> first;
  for (std::uint64_t random = 0; random < 2'000; ++random) {
    const auto route = resolve(projection, ask("test"), {}, random);
    ++first[chosen(route)];
    ASSERT_EQ(route->targets.size(), 3U) << "the others follow";
    EXPECT_EQ(route->targets[2].model.model_name, "reserve");
    EXPECT_EQ(route->choice.variant, route->choice.chosen);
    EXPECT_EQ(chosen(resolve(projection, ask("test"), {}, random)), route->targets[0].model.model_name);
  }
  EXPECT_EQ(first.size(), 2U);
  EXPECT_NEAR(first["a"], 1'800, 60);
}

// A conversation stays on its target; S3.15: the answer of one conversation comes from one model.
TEST(Alias, StickyAliasKeepsConversationOrUser) {
  auto projection = registry_of({"a", "b"});
  auto alias = alias_of("test", {target_of("ollama", "a"), target_of("ollama", "b")});
  std::int64_t version = 0;
  const auto spread = [&](Sticky sticky, const auto& vary) {
    alias.sticky = sticky;
    put_record(projection, alias, ++version);
    std::map<std::string, int> first;
    for (int i = 0; i < 400; ++i) {
      auto request = ask("test");
      vary(request, i);
      const auto name = chosen(resolve(projection, request, {}, 1));
      ++first[name];
      for (std::uint64_t random = 2; random < 5; ++random)
        EXPECT_EQ(chosen(resolve(projection, request, {}, random)), name);
    }
    return first;
  };
  const auto by_conversation = spread(Sticky::conversation, [](ChatRequest& request, int i) {
    request.metadata["conversationId"] = fmt::format("conversation-{}", i);
  });
  EXPECT_NEAR(by_conversation.at("a"), 200, 40);
  const auto by_user =
      spread(Sticky::user, [](ChatRequest& request, int i) { request.user_id = fmt::format("user-{}", i); });
  EXPECT_NEAR(by_user.at("a"), 200, 40);
}

TEST(Alias, AStickyAliasWithoutAConversationIsDrawn) {
  auto projection = registry_of({"a", "b"});
  auto alias = alias_of("test", {target_of("ollama", "a"), target_of("ollama", "b")});
  alias.sticky = Sticky::conversation;
  put_record(projection, alias);
  std::set<std::string> names;
  for (std::uint64_t random = 0; random < 50; ++random)
    names.insert(chosen(resolve(projection, ask("test"), {}, random)));
  EXPECT_EQ(names.size(), 2U);
}

// Where a conversation goes is part of what an experiment measured: it must not change between versions.
TEST(Alias, TheStableHashIsStable) {
  EXPECT_EQ(stable_hash("conversation-1"), 8'475'201'547'905'913'463U);
  EXPECT_EQ(stable_hash(""), 17'665'956'581'633'026'203U);
  EXPECT_EQ(stable_hash("conversation-1", 7), 2'601'696'799'516'068'505U);
}

TEST(Alias, AnotherWeightMovesNoConversationBetweenTheOthers) {
  std::vector<events::AliasTarget> targets{target_of("p", "a", 3), target_of("p", "b", 3), target_of("p", "c", 3)};
  auto changed = targets;
  changed[2].weight = 1;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const auto before = drawn_order(targets, seed).front();
    const auto after = drawn_order(changed, seed).front();
    if (before != 2) {
      EXPECT_EQ(after, before);
    }
  }
}

TEST(Alias, ReplacesUnusableTarget) {
  auto projection = registry_of({"b"});
  auto off = model("ollama", "off");
  off.enabled = off.routable = false;
  put(projection, off);
  put_record(projection, alias_of("test", {target_of("ollama", "off", 1'000'000), target_of("ollama", "b", 1)}));
  const auto route = resolve(projection, ask("test"), {}, 1);
  EXPECT_EQ(chosen(route), "b");
  EXPECT_EQ(route->choice.variant, "ollama/off");
  EXPECT_THAT(route->warnings, ElementsAre(HasSubstr("The target ollama/off of the alias test was left out")));

  put_record(projection, alias_of("test", {target_of("ollama", "off"), target_of("ollama", "gone", 0)}), 2);
  const auto refused = resolve(projection, ask("test"), {}, 1);
  EXPECT_EQ(refused.error().code, ErrorCode::model_not_enabled);
  EXPECT_THAT(refused.error().message, HasSubstr("ollama/off is disabled"));

  put_record(projection, alias_of("test", {}), 3);
  EXPECT_EQ(resolve(projection, ask("test"), {}, 1).error().code, ErrorCode::invalid_model_config);
}

TEST(Alias, IsGrantedWithoutItsModels) {
  auto projection = registry_of({"a"});
  put_record(projection, alias_of("fast", {target_of("ollama", "a")}, "acme"));
  const auto grants = [&](bool restricted, bool allow, std::int64_t version) {
    put_record(projection,
               events::RegistryGrants{.org_id = "acme",
                                      .restricted = restricted,
                                      .grants = {grant_of(SubjectKind::org, "acme", ObjectKind::alias, "fast", allow)}},
               version);
  };
  grants(true, true, 1);
  EXPECT_EQ(chosen(resolve(projection, ask("fast"), {}, 1)), "a");
  EXPECT_THAT(chosen(resolve(projection, ask("a"), {}, 1)), HasSubstr("not granted"));
  grants(false, false, 2);
  EXPECT_THAT(chosen(resolve(projection, ask("fast"), {}, 1)), HasSubstr("is denied to the org acme"));
  EXPECT_EQ(chosen(resolve(projection, ask("a"), {}, 1)), "a");
}

TEST(Alias, MayBeAFallback) {
  auto projection = registry_of({"a", "b"});
  put_record(projection, alias_of("fast", {target_of("ollama", "b")}));
  auto request = ask("gone");
  request.fallbacks = {{.provider = {}, .name = "fast"}};
  const auto route = resolve(projection, request, {}, 1);
  EXPECT_EQ(chosen(route), "b");
  EXPECT_EQ(route->choice.reason, "fallback");
  EXPECT_EQ(route->choice.asked, "gone");
  EXPECT_EQ(route->choice.alias, "fast");
}

// ---- default pointers --------------------------------------------------------------------------------------------

// S0.16, S0.54, S1.10, S1.17: defaults are pointers of a scope, a kind and perhaps a provider.
TEST(DefaultPointer, NearestScopesDefaultWinsOverFlags) {
  auto projection = registry_of({"a", "b", "c", "first"});
  auto flagged = model("ollama", "flagged");
  flagged.is_default = true;
  put(projection, flagged);
  EXPECT_EQ(chosen(resolve(projection, ask(""), {}, 1)), "flagged");
  put_record(projection, default_of("ollama", "a"));
  const auto route = resolve(projection, ask(""), {}, 1);
  EXPECT_EQ(chosen(route), "a");
  EXPECT_EQ(route->choice.reason, "default");
  EXPECT_EQ(route->choice.asked, "");
  EXPECT_THAT(route->choice.detail, HasSubstr("default of the platform"));
  put_record(projection, default_of("ollama", "b", "acme"));
  EXPECT_EQ(chosen(resolve(projection, ask(""), {}, 1)), "b");
  put_record(projection, default_of("ollama", "c", "acme", "ann"));
  EXPECT_EQ(chosen(resolve(projection, ask(""), {}, 1)), "c");
  projection.apply("_default/acme/ann/generation/_/_", std::nullopt);
  EXPECT_EQ(chosen(resolve(projection, ask(""), {}, 1)), "b");
}

TEST(DefaultPointer, UnusableDefaultFallsBackToNextScope) {
  auto projection = registry_of({"a", "z"});
  put_record(projection, default_of("ollama", "gone", "acme"));
  put_record(projection, default_of("ollama", "z"));
  const auto route = resolve(projection, ask(""), {}, 1);
  EXPECT_EQ(chosen(route), "z");
  EXPECT_THAT(route->warnings, ElementsAre(HasSubstr("no model ollama/gone")));
}

TEST(DefaultPointer, IsFoundByKindProviderAndPurpose) {
  Projection projection;
  const auto kind_of = [&](std::string name, std::string kind, std::string provider = "ollama") {
    auto m = model(std::move(provider), std::move(name));
    m.kind = std::move(kind);
    put(projection, m);
  };
  kind_of("chat", "generation");
  kind_of("embed", "embedding");
  kind_of("embed-o", "embedding", "openai");
  kind_of("embed-s", "embedding");
  auto pointer = default_of("ollama", "embed");
  pointer.kind = "embedding";
  put_record(projection, pointer);
  pointer.purpose = "search";
  pointer.model.name = "embed-s";
  put_record(projection, pointer);
  pointer = default_of("openai", "embed-o");
  pointer.kind = "embedding";
  pointer.provider = "openai";
  put_record(projection, pointer);
  const auto named = [&](std::string_view kind, std::string_view provider, std::string_view purpose) {
    const auto explanation =
        explain(projection, {.caller = {.org_id = "acme"}, .kind = kind, .provider = provider, .purpose = purpose}, {},
                test_now_ms);
    return explanation.model ? explanation.model->name : "refused: " + explanation.failure->message;
  };
  EXPECT_EQ(named("embedding", "", ""), "embed");
  EXPECT_EQ(named("embedding", "", "search"), "embed-s");
  EXPECT_EQ(named("embedding", "", "other"), "embed");
  EXPECT_EQ(named("embedding", "openai", ""), "embed-o");
  EXPECT_EQ(named("embedding", "openai", "search"), "embed-o");
  EXPECT_THAT(named("rerank", "", ""), HasSubstr("no default is set"));
  EXPECT_EQ(named("generation", "", ""), "chat");
}

TEST(DefaultPointer, AStrictOrganisationGetsNoOther) {
  auto projection = registry_of({"a"});
  put_record(projection, events::RegistryOrganization{.org_id = "acme", .strict_default = true});
  EXPECT_THAT(chosen(resolve(projection, ask(""), {}, 1)), HasSubstr("no default is set"));
  auto other = ask("");
  other.org_id = "beta";
  const auto route = resolve(projection, other, {}, 1);
  EXPECT_EQ(chosen(route), "a");
  EXPECT_EQ(route->choice.reason, "first");
}

TEST(DefaultPointer, HiddenModelsAreNotChosenUnasked) {
  Projection projection;
  auto hidden = model("ollama", "a");
  hidden.hidden = true;
  put(projection, hidden);
  put(projection, model("ollama", "b"));
  EXPECT_EQ(chosen(resolve(projection, ask(""), {}, 1)), "b");
  EXPECT_EQ(chosen(resolve(projection, ask("auto"), {}, 1)), "b");
  EXPECT_EQ(chosen(resolve(projection, ask("a"), {}, 1)), "a");
}

// ---- auto --------------------------------------------------------------------------------------------------------

events::ModelState rated(std::string name, double quality, std::int64_t input, std::int64_t output,
                         std::int64_t first_token_ms) {
  auto m = model("ollama", std::move(name));
  m.quality_score = quality;
  m.prices = {.input_micros = input, .output_micros = output};
  m.first_token_ms = first_token_ms;
  return m;
}

Projection rated_registry() {
  Projection projection;
  put(projection, rated("best", 0.9, 3'000'000, 15'000'000, 900));
  put(projection, rated("good", 0.7, 150'000, 600'000, 400));
  put(projection, rated("cheap", 0.4, 50'000, 80'000, 300));
  put(projection, rated("quick", 0.3, 100'000, 100'000, 80));
  put(projection, model("ollama", "a-unrated"));
  return projection;
}

// S4.2, S4.29: a model is found by what the request needs.
TEST(Auto, SelectsWhatTheRequestPrefers) {
  const auto projection = rated_registry();
  using enum events::AutoSelection::Prefer;
  const auto best_by = [&](events::AutoSelection::Prefer prefer) {
    auto request = ask("auto");
    request.auto_selection.prefer = prefer;
    const auto route = resolve(projection, request, {}, 1);
    EXPECT_EQ(route->choice.reason, "auto");
    EXPECT_EQ(route->choice.asked, "auto");
    return chosen(route);
  };
  EXPECT_EQ(best_by(quality), "best");
  EXPECT_EQ(best_by(price), "cheap");
  EXPECT_EQ(best_by(speed), "quick");
}

TEST(Auto, HoldsToTheRequestsLimits) {
  const auto projection = rated_registry();
  const auto within = [&](events::AutoSelection limits) {
    auto request = ask("auto");
    request.auto_selection = limits;
    return chosen(resolve(projection, request, {}, 1));
  };
  EXPECT_EQ(within({.input_micros_max = 150'000}), "good");
  EXPECT_EQ(within({.input_micros_max = 149'999}), "cheap");
  EXPECT_EQ(within({.output_micros_max = 100'000}), "cheap");
  EXPECT_EQ(within({.quality_min = 0.5, .prefer = events::AutoSelection::Prefer::speed}), "good");
  const auto none = within({.input_micros_max = 1});
  EXPECT_THAT(none, HasSubstr("5 of 5 models fail the clause selection"));
}

TEST(Auto, NeedsWhatTheRequestNeeds) {
  auto projection = rated_registry();
  auto with_tools = rated("tools", 0.2, 1, 1, 1);
  with_tools.capabilities["tools"] = Support::supported;
  put(projection, with_tools);
  auto without = rated("best", 0.9, 3'000'000, 15'000'000, 900);
  without.capabilities["tools"] = Support::unsupported;
  without.context_window = 10;
  put(projection, without, 2);
  auto request = ask("auto");
  request.tools.push_back({.name = "f"});
  EXPECT_EQ(chosen(resolve(projection, request, {}, 1)), "tools") << "known to have it, before those that may";
  projection.apply("_/_/ollama/tools", std::nullopt);
  EXPECT_EQ(chosen(resolve(projection, request, {}, 1)), "good") << "of those that may have it the best";

  auto long_one = ask("auto");
  long_one.messages[0].content[0].text.assign(200, 'x');
  EXPECT_EQ(chosen(resolve(projection, long_one, {}, 1)), "good");
}

TEST(Auto, AModelThatIsMissingComesLast) {
  auto projection = rated_registry();
  auto missing = rated("best", 0.9, 1, 1, 1);
  missing.availability = "missing";
  put(projection, missing, 2);
  EXPECT_EQ(chosen(resolve(projection, ask("auto"), {}, 1)), "good");
}

TEST(Auto, SeesTheModelAsTheOrganisationHasIt) {
  auto projection = rated_registry();
  auto off = model("ollama", "best", "acme");
  off.deployments.clear();
  off.enabled = off.routable = false;
  put(projection, off);
  EXPECT_EQ(chosen(resolve(projection, ask("auto"), {}, 1)), "good");
  auto better = model("ollama", "cheap", "acme");
  better.deployments.clear();
  better.inherits = true;
  better.quality_score = 0.8;
  put(projection, better);
  EXPECT_EQ(chosen(resolve(projection, ask("auto"), {}, 1)), "cheap");
  put_record(projection, events::RegistryOrganization{.org_id = "acme", .allow_list = true});
  EXPECT_EQ(chosen(resolve(projection, ask("auto"), {}, 1)), "cheap");
  projection.apply("acme/_/ollama/cheap", std::nullopt);
  EXPECT_THAT(chosen(resolve(projection, ask("auto"), {}, 1)), HasSubstr("no model that may be selected"));
}

// S4.14: reasoning, coding, creative writing and summaries are scores of their own.
TEST(Auto, SelectsByTheMetricThatIsAskedFor) {
  auto projection = rated_registry();
  auto coder = rated("cheap", 0.4, 50'000, 80'000, 300);
  coder.scores = std::map<std::string, double>{{"coding", 0.8}, {"reasoning", 0.1}};
  put(projection, coder, 2);
  auto thinker = rated("good", 0.7, 150'000, 600'000, 400);
  thinker.scores = std::map<std::string, double>{{"coding", 0.6}, {"reasoning", 0.9}};
  put(projection, thinker, 2);
  const auto by = [&](events::AutoSelection selection) {
    auto request = ask("auto");
    request.auto_selection = std::move(selection);
    return resolve(projection, request, {}, 1);
  };
  EXPECT_EQ(chosen(by({.quality_metric = "coding"})), "cheap");
  EXPECT_EQ(by({.quality_metric = "coding"})->choice.detail,
            "Its score for coding 0.8 is the highest of the models that can answer.");
  EXPECT_EQ(chosen(by({.quality_metric = "reasoning"})), "good");
  EXPECT_EQ(chosen(by({.quality_min = 0.7, .quality_metric = "reasoning", .prefer = AutoSelection::Prefer::speed})),
            "good");
  EXPECT_EQ(chosen(by({.quality_metric = "juggling"})), "a-unrated") << "known of none: the first by priority and name";
  EXPECT_THAT(chosen(by({.quality_min = 0.1, .quality_metric = "juggling"})), HasSubstr("the clause selection"));

  auto own = model("ollama", "good", "acme");
  own.deployments.clear();
  own.inherits = true;
  own.scores = std::map<std::string, double>{{"coding", 0.95}};
  put(projection, own);
  EXPECT_EQ(chosen(by({.quality_metric = "coding"})), "good") << "the organisation's score counts";
  EXPECT_EQ(chosen(by({.quality_metric = "reasoning"})), "good") << "the platform's, where it has none";
}

events::RegistryView view_of(std::string name, events::ViewFilter filter, std::string org = {}, std::string user = {}) {
  return {.org_id = std::move(org),
          .owner_user_id = std::move(user),
          .name = std::move(name),
          .filter = std::move(filter),
          .for_auto = true};
}

// S3.13: the whole registry, unless a scope sets a view.
TEST(Auto, SelectsFromTheViewOfTheNearestScope) {
  auto projection = rated_registry();
  const auto route = [&] { return resolve(projection, ask("auto"), {}, 1); };
  EXPECT_EQ(chosen(route()), "best");
  EXPECT_EQ(route()->choice.view, "");
  put_record(projection, view_of("cheaper", {.search = "good"}));
  EXPECT_EQ(chosen(route()), "good");
  EXPECT_EQ(route()->choice.view, "cheaper");
  EXPECT_THAT(route()->choice.detail, HasSubstr("of the models of the view cheaper that can answer"));
  put_record(projection, view_of("ours", {.search = "CHEAP"}, "acme"));
  EXPECT_EQ(chosen(route()), "cheap");
  put_record(projection, view_of("theirs", {.search = "best"}, "other"));
  EXPECT_EQ(chosen(route()), "cheap");
  auto off = view_of("ours", {.search = "CHEAP"}, "acme");
  off.for_auto = false;
  put_record(projection, off, 2);
  EXPECT_EQ(chosen(route()), "good") << "the platform's again";
  projection.apply("_view/_/_/cheaper", std::nullopt);
  EXPECT_EQ(chosen(route()), "best") << "the whole registry again";
}

TEST(Auto, SelectsFromTheViewThatTheRequestNames) {
  auto projection = rated_registry();
  put_record(projection, view_of("cheaper", {.search = "good"}));
  auto named = view_of("fast", {.search = "quick"}, "acme");
  named.for_auto = false;
  named.pins = {"m---ollama-cheap", "m---ollama-a-unrated"};
  put_record(projection, named);
  auto request = ask("auto");
  request.auto_selection.view = "fast";
  EXPECT_EQ(chosen(resolve(projection, request, {}, 1)), "cheap") << "a pinned model, better than the one found";
  request.auto_selection.prefer = AutoSelection::Prefer::speed;
  EXPECT_EQ(chosen(resolve(projection, request, {}, 1)), "quick");
}

// S3.15
TEST(Auto, TakesTheWholeRegistryWhereTheViewFails) {
  auto projection = rated_registry();
  auto request = ask("auto");
  request.auto_selection.view = "gone";
  const auto missing = resolve(projection, request, {}, 1);
  EXPECT_EQ(chosen(missing), "best");
  EXPECT_EQ(missing->warnings,
            (std::vector<std::string>{"There is no view gone. \"auto\" selected from the whole registry."}));

  put_record(projection, view_of("none", {.provider = "openai"}));
  const auto empty = resolve(projection, ask("auto"), {}, 1);
  EXPECT_EQ(chosen(empty), "best");
  EXPECT_EQ(empty->choice.view, "");
  EXPECT_EQ(empty->warnings, (std::vector<std::string>{
                                 "No model of the view none can answer the request. \"auto\" selected from the whole "
                                 "registry."}));

  put_record(projection, view_of("none", {.search = "best"}), 2);
  auto blocked = rated("best", 0.9, 3'000'000, 15'000'000, 900);
  blocked.platform_blocked = true;
  put(projection, blocked, 2);
  EXPECT_EQ(chosen(resolve(projection, ask("auto"), {}, 1)), "good") << "the view's only model cannot answer";
}

TEST(Auto, IsAReservedName) {
  Projection projection;
  put(projection, model("ollama", "auto"));
  put(projection, rated("best", 0.9, 1, 1, 1));
  put_record(projection, alias_of("auto", {target_of("ollama", "auto")}));
  EXPECT_EQ(chosen(resolve(projection, ask("auto"), {}, 1)), "best");
  auto named = ask("auto");
  named.model->provider = "ollama";
  EXPECT_EQ(chosen(resolve(projection, named, {}, 1)), "auto");
}

TEST(Auto, FallbackAnswersWithoutSelection) {
  Projection projection;
  auto hidden = model("ollama", "spare");
  hidden.hidden = true;
  put(projection, hidden);
  auto request = ask("auto");
  EXPECT_EQ(resolve(projection, request, {}, 1).error().code, ErrorCode::model_not_found);
  request.fallbacks = {{.provider = "ollama", .name = "spare"}};
  EXPECT_EQ(chosen(resolve(projection, request, {}, 1)), "spare");
}

}  // namespace
}  // namespace tokenrail::registry
