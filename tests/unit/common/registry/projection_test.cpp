#include "common/registry/projection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/registry/registry_fixture.hpp"

namespace tokenrail::registry {
namespace {

using Applied = Projection::Applied;
using testing::ElementsAre;

std::vector<std::string> names_in_order(const Projection& projection, std::string_view org, std::string_view user) {
  std::vector<std::string> names;
  projection.for_each_in_order(org, user, [&](const events::ModelState& m) {
    names.push_back(m.model_name);
    return true;
  });
  return names;
}

TEST(Projection, HoldsWhatWasUpsertedByExactScope) {
  Projection projection;
  EXPECT_EQ(put(projection, model("ollama", "hf.co/a/b:Q4")), Applied::changed);
  EXPECT_EQ(put(projection, model("ollama", "own", "acme", "ann")), Applied::changed);

  ASSERT_NE(projection.find("", "", "ollama", "hf.co/a/b:Q4"), nullptr);
  EXPECT_EQ(projection.find("acme", "", "ollama", "hf.co/a/b:Q4"), nullptr);
  EXPECT_EQ(projection.find("acme", "", "ollama", "own"), nullptr);
  EXPECT_EQ(projection.find("acme", "bob", "ollama", "own"), nullptr);
  ASSERT_NE(projection.find("acme", "ann", "ollama", "own"), nullptr);
  EXPECT_EQ(projection.size(), 2U);
}

TEST(Projection, KeepsTheHighestVersionPerKey) {
  Projection projection;
  auto m = model("ollama", "a");
  m.context_window = 1;
  EXPECT_EQ(put(projection, m, 5), Applied::changed);
  m.context_window = 2;
  EXPECT_EQ(put(projection, m, 5), Applied::unchanged);
  EXPECT_EQ(put(projection, m, 4), Applied::unchanged);
  EXPECT_EQ(projection.find("", "", "ollama", "a")->context_window, 1);
  EXPECT_EQ(put(projection, m, 6), Applied::changed);
  EXPECT_EQ(projection.find("", "", "ollama", "a")->context_window, 2);
  EXPECT_EQ(projection.find("", "", "ollama", "a")->version, 6);
}

TEST(Projection, IsCompleteOnceTheMarkWasSeen) {
  Projection projection;
  EXPECT_FALSE(projection.complete());
  EXPECT_EQ(projection.apply("_registry", "not json"), Applied::malformed);
  EXPECT_FALSE(projection.complete());
  EXPECT_EQ(projection.apply("_registry", events::to_json(events::RegistryMark{.version = 7, .models = 2})),
            Applied::mark);
  EXPECT_TRUE(projection.complete());
  EXPECT_EQ(projection.mark()->version, 7);
  EXPECT_EQ(projection.apply("_registry", std::nullopt), Applied::mark);
  EXPECT_FALSE(projection.complete());
}

TEST(Projection, ATombstoneRemovesTheModelFromEveryIndex) {
  Projection projection;
  auto m = model("ollama", "a");
  m.is_default = true;
  put(projection, m);
  EXPECT_EQ(projection.apply(events::model_key(m), std::nullopt), Applied::removed);
  EXPECT_EQ(projection.apply(events::model_key(m), std::nullopt), Applied::unchanged);
  EXPECT_EQ(projection.size(), 0U);
  EXPECT_TRUE(projection.named("", "", "a").empty());
  EXPECT_EQ(projection.with_slug("", "", "ollama/a"), nullptr);
  EXPECT_TRUE(projection.defaults("", "").empty());
  EXPECT_TRUE(names_in_order(projection, "", "").empty());
}

TEST(Projection, KeysOfOtherKindsAreIgnored) {
  Projection projection;
  for (const auto* key : {"_future", "_alias/acme/_/fast", "_alias/acme/_/x/fast", "one/two/three", ""})
    EXPECT_EQ(projection.apply(key, "{}"), Applied::ignored) << key;
}

TEST(Projection, AMalformedValueLeavesWhatWasHeld) {
  Projection projection;
  const auto m = model("ollama", "a");
  put(projection, m);
  for (const auto* value : {"", "{", "null", "[]", "{}", "{\"version\":9}"})
    EXPECT_EQ(projection.apply(events::model_key(m), value), Applied::malformed) << value;
  EXPECT_NE(projection.find("", "", "ollama", "a"), nullptr);
}

TEST(Projection, AValueUnderAnotherModelsKeyIsMalformed) {
  Projection projection;
  events::ModelUpserted event;
  event.model = model("ollama", "secret", "acme");
  event.model.version = event.version = 3;
  event.key = events::model_key(event.model);
  event.cause = "sync";
  EXPECT_EQ(projection.apply("other/_/ollama/secret", events::to_json(event)), Applied::malformed);
  EXPECT_EQ(projection.size(), 0U);
}

// "acme/ann" as an organisation id spells the same key as organisation "acme", user "ann".
TEST(Projection, ASlashInAnIdDoesNotReachIntoAnotherScope) {
  Projection projection;
  put(projection, model("ollama", "x/y", "acme", "ann"));
  ASSERT_NE(projection.find("acme", "ann", "ollama", "x/y"), nullptr);
  EXPECT_EQ(projection.find("acme/ann", "ollama", "x", "y"), nullptr);
  EXPECT_EQ(projection.find("_", "_", "ollama", "x/y"), nullptr);

  put(projection, model("ollama", "own", "acme/ann"));
  ASSERT_NE(projection.find("acme/ann", "", "ollama", "own"), nullptr);
  EXPECT_EQ(projection.find("acme", "ann", "ollama", "own"), nullptr);
  EXPECT_EQ(projection.named("acme/ann", "", "own").size(), 1U);
}

TEST(Projection, TheUnderscoreIsNoOrganisation) {
  Projection projection;
  put(projection, model("ollama", "a"));
  EXPECT_EQ(projection.find("_", "_", "ollama", "a"), nullptr);
  EXPECT_TRUE(projection.named("_", "", "a").empty());
  EXPECT_TRUE(names_in_order(projection, "_", "_").empty());
}

TEST(Projection, FindsByNameSlugDefaultAndOrder) {
  Projection projection;
  auto a = model("ollama", "same");
  a.slug = "z-last";
  a.deployments[0].priority = 1;
  auto b = model("lmstudio", "same");
  b.slug = "first";
  b.deployments[0].priority = 1;
  b.is_default = true;
  auto c = model("ollama", "urgent");
  c.slug = "zz";
  c.deployments[0].priority = -1;
  auto d = model("ollama", "unserved");
  d.slug = "aa";
  d.deployments[0].enabled = false;
  for (auto& m : {a, b, c, d}) put(projection, m);

  const auto named = projection.named("", "", "same");
  ASSERT_EQ(named.size(), 2U);
  EXPECT_EQ(named[0]->provider, "lmstudio");
  EXPECT_EQ(named[1]->provider, "ollama");
  EXPECT_TRUE(projection.named("", "", "sam").empty());
  EXPECT_EQ(projection.with_slug("", "", "zz")->model_name, "urgent");
  ASSERT_EQ(projection.defaults("", "").size(), 1U);
  EXPECT_EQ(projection.defaults("", "")[0]->provider, "lmstudio");
  EXPECT_THAT(names_in_order(projection, "", ""), ElementsAre("urgent", "same", "same", "unserved"));

  c.deployments[0].priority = 9;
  c.slug = "moved";
  put(projection, c, 2);
  EXPECT_EQ(projection.with_slug("", "", "zz"), nullptr);
  EXPECT_THAT(names_in_order(projection, "", ""), ElementsAre("same", "same", "urgent", "unserved"));
}

}  // namespace
}  // namespace tokenrail::registry
