#include "cli/config_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Result<ConfigPlan> planned(const std::string& registry, const std::string& yaml) {
  const auto file = value_from_yaml(yaml);
  EXPECT_TRUE(file.has_value()) << file.error().detail;
  return plan_config(value_from_json(registry).value(), *file);
}

constexpr const char* registry = R"({
  "organizations":[{"id":"acme","displayName":"Acme"}],
  "connections":[{"name":"local","provider":"ollama","baseUrl":"http://localhost:11434"}],
  "models":[{"provider":"ollama","modelName":"a","enabled":true,"tags":["x"],"settings":{"contextWindow":8192},
             "prices":[{"dimension":"input","amount":"2.5"}],"deployments":[{"connection":"local"}]},
            {"provider":"ollama","modelName":"b","enabled":false}],
  "defaults":[{"kind":"generation","model":"ollama/a"}],
  "aliases":[{"alias":"best","targets":[{"model":"ollama/a","weight":1}]}],
  "views":[{"name":"free","filter":{"free":true},"pins":["ollama/a","ollama/b"],"forAuto":true}],
  "grants":[{"org":"acme","to":"org","what":"model","object":"ollama/a"}]})";

TEST(ConfigPlan, OwnExportChangesNothing) {
  const auto plan = planned(registry, to_yaml(value_from_json(registry).value()));
  ASSERT_TRUE(plan.has_value()) << plan.error().detail;
  EXPECT_THAT(plan->changes, IsEmpty());
  EXPECT_EQ(plan->same, 8U);
  EXPECT_EQ(plan->others, 0U);
}

TEST(ConfigPlan, VersionsAreNoDifferenceAndGoWithEachChange) {
  constexpr const char* versioned = R"({
    "aliases":[{"alias":"best","version":5,"targets":[{"model":"ollama/a","weight":1}]},
               {"alias":"kept","version":6,"targets":[{"model":"ollama/a","weight":1}]}],
    "defaults":[{"kind":"generation","version":7,"model":"ollama/a"}]})";
  const auto file = value_from_yaml(
                        "aliases:\n- {alias: best, targets: [{model: ollama/b}]}\n"
                        "- {alias: kept, targets: [{model: ollama/a}]}\n- {alias: new, targets: [{model: ollama/a}]}\n")
                        .value();
  const Prune prune{};
  const auto plan = plan_config(value_from_json(versioned).value(), file, &prune);
  ASSERT_TRUE(plan.has_value()) << plan.error().detail;
  ASSERT_EQ(plan->changes.size(), 3U);
  EXPECT_EQ(plan->same, 1U);
  EXPECT_EQ(plan->changes[0].version, 5);
  EXPECT_THAT(plan->changes[0].differences, ElementsAre(HasSubstr("targets: ")));
  EXPECT_EQ(plan->changes[1].version, std::nullopt) << "it is to be made";
  EXPECT_EQ(plan->changes[2].version, 7) << "it is to be removed";
  EXPECT_THAT(to_json(without_versions(value_from_json(versioned).value())), Not(HasSubstr("version")));
}

TEST(ConfigPlan, OrderDefaultsAndNotationAreNoChange) {
  const auto plan =
      planned(registry,
              "models:\n"
              "- {modelName: b, provider: ollama, blocked: false, tags: []}\n"
              "- modelName: a\n"
              "  provider: ollama\n"
              "  enabled: true\n"
              "  tags: [x]\n"
              "  settings: {contextWindow: 8192}\n"
              "  prices: [{amount: '2.50', dimension: input, serviceTier: standard, minContextTokens: 0}]\n"
              "connections:\n"
              "- {name: local, provider: ollama, baseUrl: 'http://localhost:11434', weight: 1, enabled: true}\n"
              "aliases: [{alias: best, targets: [{model: ollama/a}]}]\n");
  ASSERT_TRUE(plan.has_value()) << plan.error().detail;
  EXPECT_THAT(plan->changes, IsEmpty()) << plan->changes.front().key << " "
                                        << plan->changes.front().differences.front();
  EXPECT_EQ(plan->same, 4U);
  EXPECT_EQ(plan->others, 4U) << "what the file does not have stays";
}

TEST(ConfigPlan, ReplacementIsNamedAndNoSetting) {
  const auto plan = planned(registry, "models: [{provider: ollama, modelName: b, replacement: ollama/a}]");
  ASSERT_TRUE(plan.has_value()) << plan.error().detail;
  ASSERT_EQ(plan->changes.size(), 1U);
  EXPECT_THAT(plan->changes.front().differences, ElementsAre("replacement: nothing -> ollama/a"));

  const auto by_id = planned(registry, "models: [{provider: ollama, modelName: b, settings: {replacementId: x}}]");
  ASSERT_FALSE(by_id.has_value());
  EXPECT_THAT(by_id.error().detail, HasSubstr("models[0]: a replacement is named beside the settings"));
}

TEST(ConfigPlan, NameOfSeveralConnectionsSaysWhoseItIs) {
  constexpr const char* several = R"({
    "organizations":[{"id":"acme"}],
    "connections":[{"name":"both","provider":"vllm","baseUrl":"http://a"},
                   {"org":"acme","name":"both","provider":"vllm","baseUrl":"http://b"}],
    "models":[{"org":"acme","provider":"vllm","modelName":"m","enabled":true,
               "prices":[{"dimension":"input","amount":"1","connection":"both","connectionOf":"platform"}],
               "deployments":[{"connection":"both"},{"connection":"both","connectionOf":"platform"}]}],
    "grants":[{"org":"acme","to":"org","what":"connection","object":"both"},
              {"org":"acme","to":"org","what":"connection","object":"both","objectOf":"platform"}]})";
  const auto same = planned(several, to_yaml(value_from_json(several).value()));
  ASSERT_TRUE(same.has_value()) << same.error().detail;
  EXPECT_THAT(same->changes, IsEmpty());
  EXPECT_EQ(same->same, 6U) << "two grants are two entries";
  const auto other = planned(several,
                             "models: [{org: acme, provider: vllm, modelName: m, enabled: true, deployments: "
                             "[{connection: both}]}]");
  ASSERT_TRUE(other.has_value()) << other.error().detail;
  ASSERT_EQ(other->changes.size(), 1U);
  EXPECT_THAT(other->changes[0].differences, ElementsAre(HasSubstr("deployments")));

  // Where only the platform has the name, it says nothing.
  constexpr const char* one = R"({"connections":[{"name":"both","provider":"vllm","baseUrl":"http://a"}],
    "models":[{"org":"acme","provider":"vllm","modelName":"m","enabled":true,"deployments":[{"connection":"both"}]}]})";
  const auto needless = planned(one,
                                "models: [{org: acme, provider: vllm, modelName: m, enabled: true, deployments: "
                                "[{connection: both, connectionOf: platform}]}]");
  ASSERT_TRUE(needless.has_value()) << needless.error().detail;
  EXPECT_THAT(needless->changes, IsEmpty());
  const auto wrong = planned(one,
                             "models: [{org: acme, provider: vllm, modelName: m, deployments: [{connection: both, "
                             "connectionOf: beta}]}]");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().detail, HasSubstr("connectionOf has to be platform"));
}

TEST(ConfigPlan, PruningRemovesWhatTheFileLacksUsersFirst) {
  const Prune prune{.owned = value_from_json(R"({"models":[],"connections":[]})").value()};
  const auto plan = plan_config(value_from_json(registry).value(), {}, &prune);
  ASSERT_TRUE(plan.has_value()) << plan.error().detail;
  std::vector<std::string> removed;
  for (const auto& change : plan->changes) {
    EXPECT_EQ(change.wanted.kind, ConfigValue::Kind::null);
    EXPECT_EQ(change.now.kind, ConfigValue::Kind::object);
    removed.push_back(change.collection + " " + change.key);
  }
  EXPECT_THAT(removed, ElementsAre(HasSubstr("grants acme"), "views free", "aliases best", "defaults generation",
                                   "models ollama/b", "models ollama/a", "connections local", "organizations acme"));
  EXPECT_EQ(plan->others, 0U);
}

TEST(ConfigPlan, PruningKeepsWhatASyncOwns) {
  const Prune prune{.owned = value_from_json(R"({"models":[{"provider":"ollama","modelName":"a"}],
                                                 "connections":[{"name":"local"}]})")
                                 .value()};
  const auto file = value_from_yaml("organizations: [{id: acme, displayName: Acme}]\nmodels: []\n");
  const auto plan = plan_config(value_from_json(registry).value(), *file, &prune);
  ASSERT_TRUE(plan.has_value()) << plan.error().detail;
  std::vector<std::string> removed;
  for (const auto& change : plan->changes) removed.push_back(change.collection + " " + change.key);
  EXPECT_THAT(removed, ElementsAre(HasSubstr("grants acme"), "views free", "aliases best", "defaults generation",
                                   "models ollama/b"));
  EXPECT_EQ(plan->others, 2U);
  EXPECT_EQ(plan->same, 1U);
}

TEST(ConfigPlan, FilterOfAViewIsCheckedAndHasOneNotation) {
  const auto same =
      planned(registry,
              "views:\n"
              "- {name: free, pins: [ollama/b, ollama/a, ollama/b], forAuto: true, filter: {hidden: true, q: "
              "'', tags: [], free: true}}\n");
  ASSERT_TRUE(same.has_value()) << same.error().detail;
  EXPECT_THAT(same->changes, IsEmpty());
  const auto refusal = [](const std::string& views) {
    const auto plan = planned(registry, "views: " + views);
    return plan ? std::string("planned") : plan.error().detail;
  };
  EXPECT_THAT(refusal("[{name: v, filter: {colour: red}}]"), HasSubstr("A filter has no member colour"));
  EXPECT_THAT(refusal("[{name: a, forAuto: true}, {name: b, forAuto: true}]"), HasSubstr("a is it already"));
  EXPECT_EQ(refusal("[{name: a, forAuto: true}, {org: acme, name: a, forAuto: true}]"), "planned");
}

TEST(ConfigPlan, NamesWhatIsMadeAndWhatDiffers) {
  const auto plan =
      planned(registry,
              "models:\n"
              "- {provider: ollama, modelName: a, enabled: false, settings: {displayName: A}, prices: []}\n"
              "- {org: acme, provider: ollama, modelName: a, enabled: true}\n"
              "organizations: [{id: other, mode: allow_list}]\n");
  ASSERT_TRUE(plan.has_value()) << plan.error().detail;
  ASSERT_EQ(plan->changes.size(), 3U);
  EXPECT_EQ(plan->changes[0].collection, "organizations");
  EXPECT_EQ(plan->changes[0].key, "other");
  EXPECT_EQ(plan->changes[0].now.kind, ConfigValue::Kind::null);
  EXPECT_EQ(plan->changes[1].key, "ollama/a");
  EXPECT_THAT(plan->changes[1].differences,
              ElementsAre("enabled: true -> false", R"(prices: [{"amount":"2.5","dimension":"input"}] -> [])",
                          "settings.displayName: nothing -> A", "settings.contextWindow: 8192 -> nothing",
                          R"(tags: ["x"] -> nothing)"));
  EXPECT_EQ(plan->changes[2].key, "acme ollama/a");
}

std::string refusal_of(const std::string& yaml) {
  const auto plan = planned("{}", yaml);
  return plan ? std::string("planned") : plan.error().detail;
}

TEST(ConfigPlan, UnusablePriceIsRefusedByName) {
  const auto of = [](const std::string& prices) {
    return refusal_of("models:\n- {provider: p, modelName: a}\n- {provider: p, modelName: m, prices: [" + prices +
                      "]}\n");
  };
  const std::string price = "dimension: input, amount: '1'";
  EXPECT_EQ(of("{" + price + ", serviceTier: batch, minContextTokens: 200001, utcFrom: '16:30', utcTo: '00:30'}"),
            "planned");
  for (const auto& [member, why] : {
           std::pair("tier: batch", "there is no field tier; there are dimension, amount, serviceTier"),
           std::pair("serviceTier: fast", "there is no service tier 'fast'; there are standard, batch, flex, priority"),
           std::pair("serviceTier: 2", "the field serviceTier has a value of another kind, 2"),
           std::pair("minContextTokens: 200k", "the field minContextTokens has a value of another kind, '200k'"),
           std::pair("minContextTokens: 2.5",
                     "minContextTokens has to be a whole number from 0 to 1000000000000, not 2.5"),
           std::pair("minContextTokens: -1", "not -1"),
           std::pair("utcFrom: '8:00', utcTo: '16:00'", "utcFrom and utcTo as HH:MM, and utcFrom is '8:00'"),
           std::pair("utcFrom: '25:00'", "utcFrom is '25:00'"),
           std::pair("utcFrom: '08:00'", "utcTo is not there"),
           std::pair("utcTo: '08:00'", "utcFrom is not there"),
       }) {
    const auto refusal = of("{dimension: output, amount: '1'}, {" + price + ", " + member + "}");
    EXPECT_THAT(refusal, StartsWith("models[1].prices[1]: ")) << member;
    EXPECT_THAT(refusal, HasSubstr(why));
  }
  EXPECT_THAT(of("{amount: '1'}"), HasSubstr("models[1].prices[0]: it has no dimension"));
  EXPECT_THAT(of("{dimension: input}"), HasSubstr("models[1].prices[0]: it has no amount"));
  EXPECT_THAT(of("{dimension: inputs, amount: '1'}"),
              HasSubstr("models[1].prices[0]: there is no dimension 'inputs'; there are input, output"));
  EXPECT_THAT(of("{" + price + "}, {dimension: input, amount: 2.50, serviceTier: standard}"),
              HasSubstr("models[1].prices[1]: input has two prices"));
}

TEST(ConfigPlan, WindowOfTheWholeDayIsNone) {
  constexpr const char* model = R"({"models":[{"provider":"p","modelName":"m","enabled":false,
    "prices":[{"dimension":"input","amount":"1"}]}]})";
  const auto plan = planned(model,
                            "models: [{provider: p, modelName: m, prices: [{dimension: input, amount: '1', utcFrom: "
                            "'08:00', utcTo: '08:00'}]}]");
  ASSERT_TRUE(plan.has_value()) << plan.error().detail;
  EXPECT_THAT(plan->changes, IsEmpty());
}

TEST(ConfigPlan, UnusableTargetIsRefusedByName) {
  const auto of = [](const std::string& target) {
    return refusal_of("aliases: [{alias: a, targets: [" + target + "]}]");
  };
  EXPECT_EQ(of("{model: p/m, weight: 9}"), "planned");
  EXPECT_EQ(of("{model: p/m, weight: null}"), "planned");
  for (const auto& [target, why] : {
           std::pair("{model: p/m, wieght: 9}", "there is no field wieght; there are model, weight"),
           std::pair("{weight: 9}", "it has no model"),
           std::pair("{model: p/m, weight: nine}", "the field weight has a value of another kind, 'nine'"),
           std::pair("{model: p/m, weight: 0.5}", "weight has to be a whole number from 0 to 1000000, not 0.5"),
           std::pair("{model: p/m, weight: 1000001}", "not 1000001"),
       }) {
    EXPECT_THAT(of(target), StartsWith("aliases[0].targets[0]: ")) << target;
    EXPECT_THAT(of(target), HasSubstr(why));
  }
}

TEST(ConfigPlan, UnusableEntryIsRefusedByName) {
  for (const auto& [yaml, why] : {
           std::pair("model: []", "there are organizations"),
           std::pair("models: {}", "models: it is not a list"),
           std::pair("models: [7]", "models[0]: it is not an object"),
           std::pair("models: [{provider: p}]", "models[0]: it has no modelName"),
           std::pair("models: [{provider: p, modelName: m, color: red}]",
                     "models[0]: there is no field color; there are"),
           std::pair("models: [{provider: p, modelName: m, tags: x}]",
                     "models[0]: the field tags has a value of another kind"),
           std::pair("models: [{provider: p, modelName: m}, {provider: p, modelName: m}]",
                     "models[1]: p/m is there twice"),
           std::pair("models: [{provider: p, modelName: m, prices: [{dimension: input, amount: free}]}]", "'free'"),
           std::pair("[1]", "the file: it is not an object"),
       }) {
    const auto plan = planned("{}", yaml);
    ASSERT_FALSE(plan.has_value()) << yaml;
    EXPECT_EQ(plan.error().kind, ErrorKind::invalid_input);
    EXPECT_THAT(plan.error().detail, HasSubstr(why));
  }
  EXPECT_TRUE(planned("{}", "")->changes.empty());
}

}  // namespace
}  // namespace tokenrail::cli
