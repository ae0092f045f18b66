#include "common/registry/projection.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/allocations.hpp"
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

TEST(Projection, KeepsOnlyRecordsThatAreNamed) {
  Projection projection;
  put(projection, model("ollama", "a"));
  put(projection, model("ollama", "b"));
  const auto put_record = [&](const auto& record) {
    const auto key = events::record_key(record);
    EXPECT_EQ(projection.apply(key, events::to_json(record)), Applied::changed) << key;
    return key;
  };
  const events::RegistryDefault pointer{
      .version = 1, .org_id = "acme", .model_id = "m", .model = {.provider = "ollama", .name = "a"}};
  const events::RegistryAlias alias{.version = 1, .org_id = "acme", .alias = "best", .targets = {{.model_id = "m"}}};
  const events::RegistryView view{.version = 1, .org_id = "acme", .name = "cheap", .for_auto = true};
  const events::RegistryGrants grants{.version = 1, .org_id = "acme"};
  const events::RegistryOrganization organization{.version = 1, .org_id = "acme", .slug = "acme"};
  const std::set<std::string, std::less<>> all{events::model_key(model("ollama", "a")),
                                               events::model_key(model("ollama", "b")),
                                               put_record(pointer),
                                               put_record(alias),
                                               put_record(view),
                                               put_record(grants),
                                               put_record(organization)};
  projection.apply(events::registry_mark_key, events::to_json(events::RegistryMark{.version = 1, .models = 2}));
  EXPECT_EQ(projection.keep_only(all), 0U);
  EXPECT_EQ(projection.size(), 2U);

  EXPECT_EQ(projection.keep_only({events::model_key(model("ollama", "b"))}), 6U);
  EXPECT_EQ(names_in_order(projection, "", ""), std::vector<std::string>{"b"});
  EXPECT_TRUE(projection.named("", "", "a").empty());
  EXPECT_EQ(projection.default_pointer("acme", "", "generation", "", ""), nullptr);
  EXPECT_EQ(projection.alias("acme", "", "best"), nullptr);
  EXPECT_EQ(projection.view("acme", "", "cheap"), nullptr);
  EXPECT_EQ(projection.auto_view("acme", ""), nullptr);
  EXPECT_EQ(projection.grants("acme"), nullptr);
  EXPECT_EQ(projection.organization("acme"), nullptr);
  EXPECT_TRUE(projection.complete());
}

TEST(Projection, KeysOfOtherKindsAreIgnored) {
  Projection projection;
  for (const auto* key : {"_future", "_future/acme/_/fast", "_future/acme/_/x/fast", "_alias", "one/two/three", ""})
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
TEST(Projection, SlashInIdStaysInItsScope) {
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

// ---- records beside models
// ---------------------------------------------------------------------------------------------

TEST(Projection, HoldsAliasesDefaultsGrantsAndOrganizations) {
  Projection projection;
  EXPECT_EQ(put_record(projection, alias_of("fast", {target_of("ollama", "a")}, "acme")), Applied::changed);
  auto pointer = default_of("ollama", "a", "acme", "ann");
  pointer.purpose = "title";
  EXPECT_EQ(put_record(projection, pointer), Applied::changed);
  EXPECT_EQ(put_record(projection, events::RegistryGrants{.org_id = "acme", .restricted = true}), Applied::changed);
  EXPECT_EQ(put_record(projection, events::RegistryOrganization{.org_id = "acme", .allow_list = true}),
            Applied::changed);

  ASSERT_NE(projection.alias("acme", "", "fast"), nullptr);
  EXPECT_EQ(projection.alias("acme", "", "fast")->targets.size(), 1U);
  EXPECT_EQ(projection.alias("", "", "fast"), nullptr);
  EXPECT_EQ(projection.alias("acme", "ann", "fast"), nullptr);
  EXPECT_EQ(projection.alias("acme", "", ""), nullptr);
  ASSERT_NE(projection.default_pointer("acme", "ann", "generation", "", "title"), nullptr);
  EXPECT_EQ(projection.default_pointer("acme", "ann", "generation", "", ""), nullptr);
  EXPECT_EQ(projection.default_pointer("acme", "ann", "embedding", "", "title"), nullptr);
  ASSERT_NE(projection.grants("acme"), nullptr);
  EXPECT_EQ(projection.grants("other"), nullptr);
  ASSERT_NE(projection.organization("acme"), nullptr);
  EXPECT_TRUE(projection.organization("acme")->allow_list);
  EXPECT_EQ(projection.size(), 0U) << "they are no models";
  EXPECT_FALSE(projection.complete());
}

TEST(Projection, KeepsHighestVersionUntilTombstone) {
  Projection projection;
  auto organization = events::RegistryOrganization{.org_id = "acme"};
  EXPECT_EQ(put_record(projection, organization, 5), Applied::changed);
  organization.deleted = true;
  EXPECT_EQ(put_record(projection, organization, 5), Applied::unchanged);
  EXPECT_EQ(put_record(projection, organization, 4), Applied::unchanged);
  EXPECT_FALSE(projection.organization("acme")->deleted);
  EXPECT_EQ(put_record(projection, organization, 6), Applied::changed);
  EXPECT_TRUE(projection.organization("acme")->deleted);
  EXPECT_EQ(projection.apply("_org/acme", "{"), Applied::malformed);
  EXPECT_TRUE(projection.organization("acme")->deleted);
  EXPECT_EQ(projection.apply("_org/acme", std::nullopt), Applied::removed);
  EXPECT_EQ(projection.apply("_org/acme", std::nullopt), Applied::unchanged);
  EXPECT_EQ(projection.organization("acme"), nullptr);
}

TEST(Projection, ARecordUnderAnotherKeyIsMalformed) {
  Projection projection;
  const auto put_under = [&](std::string_view key, const auto& record) {
    return projection.apply(key, events::to_json(record));
  };
  EXPECT_EQ(put_under("_grants/other", events::RegistryGrants{.org_id = "acme"}), Applied::malformed);
  EXPECT_EQ(put_under("_org/other", events::RegistryOrganization{.org_id = "acme"}), Applied::malformed);
  EXPECT_EQ(put_under("_alias/acme/_/b", alias_of("a", {target_of("p", "m")}, "acme")), Applied::malformed);
  EXPECT_EQ(put_under("_default/_/_/generation/_/_", default_of("p", "m", "acme")), Applied::malformed);
  EXPECT_EQ(put_under("_org/acme", events::RegistryGrants{.org_id = "acme"}), Applied::malformed);
}

TEST(Projection, OrdersUsableCandidatesByPreference) {
  Projection projection;
  auto good = model("ollama", "good");
  good.quality_score = 0.9;
  good.prices = {.input_micros = 10, .output_micros = 30};
  auto cheap = model("ollama", "cheap");
  cheap.quality_score = 0.5;
  cheap.prices = {.input_micros = 0, .output_micros = 0};
  cheap.first_token_ms = 100;
  auto unknown = model("ollama", "a-unknown");
  unknown.prices.input_micros = 1;
  auto hidden = model("ollama", "hidden");
  hidden.hidden = true;
  auto off = model("ollama", "off");
  off.enabled = off.routable = false;
  auto embeds = model("ollama", "embeds");
  embeds.kind = "embedding";
  for (const auto& m : {good, cheap, unknown, hidden, off, embeds}) put(projection, m);
  const auto by = [&](Preference preference) {
    std::vector<std::string> names;
    projection.for_each_candidate("", "", preference, [&](const events::ModelState& m) {
      names.push_back(m.model_name);
      return true;
    });
    return names;
  };
  EXPECT_THAT(by(Preference::order), ElementsAre("a-unknown", "cheap", "good"));
  EXPECT_THAT(by(Preference::quality), ElementsAre("good", "cheap", "a-unknown"));
  EXPECT_THAT(by(Preference::price), ElementsAre("cheap", "good", "a-unknown"));
  EXPECT_THAT(by(Preference::speed), ElementsAre("cheap", "a-unknown", "good"));

  off.enabled = off.routable = true;
  put(projection, off, 2);
  EXPECT_THAT(by(Preference::order), ElementsAre("a-unknown", "cheap", "good", "off"));
  projection.apply(events::model_key(off), std::nullopt);
  EXPECT_THAT(by(Preference::quality), ElementsAre("good", "cheap", "a-unknown"));
}

TEST(Projection, FindsRowsByTheirId) {
  Projection projection;
  auto a = model("ollama", "a");
  auto b = model("ollama", "a", "acme");
  b.id = a.id;
  put(projection, a);
  put(projection, b);
  put(projection, model("ollama", "c"));
  EXPECT_EQ(projection.with_id(a.id).size(), 2U);
  EXPECT_TRUE(projection.with_id("m").empty());
}

// What one model and its place in every index take: 2,140 bytes when this was written, of which the model itself is
// 816.
TEST(Projection, AModelTakesABoundedPieceOfMemory) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  Projection projection;
  put(projection, model("ollama", "first"));
  const auto before = tests::allocated_bytes();
  constexpr std::size_t models = 1'000;
  for (std::size_t i = 0; i < models; ++i)
    put(projection, model("ollama", fmt::format("a-model-with-a-name-of-some-length-{:04}", i)));
  EXPECT_LE((tests::allocated_bytes() - before) / models, 2'300U);
}

TEST(Projection, ScopeHasOneViewForAuto) {
  Projection projection;
  const auto name = [&](std::string_view org, std::string_view user) {
    const auto* view = projection.auto_view(org, user);
    return view == nullptr ? std::string("none") : view->name;
  };
  const auto set = [&](std::string view, bool for_auto, std::int64_t version) {
    put_record(projection, events::RegistryView{.org_id = "acme", .name = std::move(view), .for_auto = for_auto},
               version);
  };
  EXPECT_EQ(name("acme", ""), "none");
  set("a/b", true, 1);
  set("c", false, 2);
  EXPECT_EQ(name("acme", ""), "a/b");
  EXPECT_EQ(name("acme", "ann"), "none");
  EXPECT_EQ(name("", ""), "none");
  EXPECT_NE(projection.view("acme", "", "c"), nullptr);
  // Repairs come in any order.
  set("c", true, 4);
  set("a/b", false, 3);
  EXPECT_EQ(name("acme", ""), "c");
  projection.apply("_view/acme/_/a%2Fb", std::nullopt);
  EXPECT_EQ(name("acme", ""), "c");
  projection.apply("_view/acme/_/c", std::nullopt);
  EXPECT_EQ(name("acme", ""), "none");
}

}  // namespace
}  // namespace tokenrail::registry
