#include "workers/registry_sync/diff.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_sync {
namespace {

using events::Support;
using registry::Connection;
using registry::HeldChange;
using registry::PlannedModel;
using registry::StoredModel;
using registry::SyncPlan;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = PlannedModel::Kind;

constexpr std::int64_t t0 = 1'700'000'000'000;
constexpr std::int64_t hour = 3'600'000;

Connection connection() {
  Connection c;
  c.id = "c1";
  c.provider = c.adapter = "ollama";
  c.name = "env-ollama";
  c.base_url = "http://localhost:11434";
  c.new_models_enabled = true;
  return c;
}

ListedModel listed(std::string name, std::string digest = "d1") {
  ListedModel model;
  model.name = std::move(name);
  model.details_key = model.digest = std::move(digest);
  model.family = "llama";
  model.context_window = 8192;
  model.capabilities = {{"chat", Support::supported}, {"vision", Support::unsupported}};
  model.details_known = true;
  model.raw = "{}";
  return model;
}

ProviderList list_of(std::vector<ListedModel> models) {
  return {.models = std::move(models)};
}

/// What the database would give back after a plan was carried out.
std::vector<StoredModel> carried_out(const SyncPlan& plan, std::vector<StoredModel> stored = {}) {
  static std::int64_t version = 100;
  for (const auto& planned : plan.models) {
    StoredModel after{.state = planned.after,
                      .overridden = {},
                      .details_digest = planned.details_digest,
                      .details_at_ms = planned.details_at_ms,
                      .missing_expired = planned.missing_expired,
                      .here = planned.here};
    if (!planned.changed_fields.empty()) after.state.version = ++version;
    if (after.state.id.empty()) after.state.id = "id-" + after.state.model_name;
    if (after.here->id.empty()) after.here->id = "dep-" + after.state.model_name;
    for (auto& deployment : after.state.deployments)
      if (deployment.id.empty()) deployment.id = after.here->id;
    const auto same =
        std::ranges::find_if(stored, [&](const auto& m) { return m.state.model_name == after.state.model_name; });
    if (same == stored.end()) {
      stored.push_back(std::move(after));
    } else {
      after.elsewhere = same->elsewhere;
      after.overridden = same->overridden;
      after.listed_elsewhere = same->listed_elsewhere;
      after.told_elsewhere = same->told_elsewhere;
      *same = std::move(after);
    }
  }
  return stored;
}

std::vector<StoredModel> stored_of(const std::vector<ListedModel>& models) {
  return carried_out(plan_sync(connection(), list_of(models), {}, {}, t0));
}

std::vector<std::string> kinds(const SyncPlan& plan) {
  std::vector<std::string> words;
  for (const auto& planned : plan.models)
    words.push_back(std::string(name_of(planned.kind)) + " " + planned.after.model_name);
  return words;
}

TEST(Diff, ANewModelIsAddedWhole) {
  const auto plan = plan_sync(connection(), list_of({listed("b"), listed("a")}), {}, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("added a", "added b"));
  EXPECT_EQ(plan.added, 2);
  EXPECT_EQ(plan.listed, 2);
  const auto& a = plan.models[0];
  EXPECT_EQ(a.after.slug, "ollama/a");
  EXPECT_TRUE(a.after.enabled);
  EXPECT_TRUE(a.after.routable);
  EXPECT_EQ(a.after.context_window, 8192);
  EXPECT_EQ(a.details_digest, "d1");
  ASSERT_THAT(a.after.deployments, SizeIs(1));
  EXPECT_EQ(a.after.deployments[0].base_url, "http://localhost:11434");
  EXPECT_EQ(a.after.deployments[0].upstream_name, "a");
  EXPECT_THAT(a.changed_fields, testing::Contains("contextWindow"));
}

TEST(Diff, RuleDecidesWhetherNewModelsAreEnabled) {
  auto c = connection();
  c.new_models_enabled = false;
  c.org_id = "acme";
  c.slug_prefix = "lab-";
  const auto plan = plan_sync(c, list_of({listed("a")}), {}, {}, t0);
  EXPECT_FALSE(plan.models.at(0).after.enabled);
  EXPECT_FALSE(plan.models.at(0).after.routable);
  EXPECT_EQ(plan.models.at(0).after.org_id, "acme");
  EXPECT_EQ(plan.models.at(0).after.slug, "lab-ollama/a");
}

TEST(Diff, ModelsOfScopeAboveStayItsUntilEnabled) {
  auto c = connection();
  c.new_models_enabled = false;
  c.org_id = "acme";
  const auto planned = [&](const std::vector<StoredModel>& stored) {
    return plan_sync(c, list_of({listed("a"), listed("b")}), stored, {}, t0, {}, {"a", "x"});
  };
  const auto fresh = planned({});
  EXPECT_THAT(kinds(fresh), ElementsAre("added b"));
  EXPECT_EQ(fresh.unchanged, 1);

  auto stored = carried_out(plan_sync(c, list_of({listed("a"), listed("b")}), {}, {}, t0));
  auto& own = stored.at(0);
  ASSERT_EQ(own.state.model_name, "a");
  EXPECT_TRUE(planned(stored).idle()) << "a connection that serves it already goes on";
  own.here = std::nullopt;
  own.state.deployments.clear();
  own.state.inherits = true;
  EXPECT_TRUE(planned(stored).idle()) << "a person changed another field";
  own.state.inherits = false;
  EXPECT_THAT(kinds(planned(stored)), ElementsAre("linked a"));
  own.state.inherits = true;
  c.new_models_enabled = true;
  EXPECT_THAT(kinds(planned(stored)), ElementsAre("linked a"));
}

TEST(Diff, AnUnchangedListChangesNothing) {
  const std::vector models{listed("a"), listed("b"), listed("c")};
  const auto stored = stored_of(models);
  const auto plan = plan_sync(connection(), list_of({models[2], models[0], models[1]}), stored, {}, t0 + hour);
  EXPECT_THAT(plan.models, IsEmpty());
  EXPECT_EQ(plan.unchanged, 3);
}

TEST(Diff, ExactlyWhatChangedIsPlanned) {
  const auto stored = stored_of({listed("kept"), listed("removed"), listed("rebuilt"), listed("other")});
  auto rebuilt = listed("rebuilt", "d2");
  rebuilt.context_window = 131072;
  const auto plan =
      plan_sync(connection(), list_of({listed("kept"), rebuilt, listed("other"), listed("new")}), stored, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("added new", "updated rebuilt", "missing removed"));
  EXPECT_THAT(plan.models[1].changed_fields, ElementsAre("digest", "contextWindow"));
  EXPECT_THAT(plan.models[2].changed_fields, ElementsAre("availability", "missingSinceMs"));
  EXPECT_EQ(plan.models[1].before_version, stored[2].state.version);
  EXPECT_EQ(plan.added, 1);
  EXPECT_EQ(plan.updated, 1);
  EXPECT_EQ(plan.missing, 1);
  EXPECT_EQ(plan.unchanged, 2);
}

TEST(Diff, FactThatACatalogueHasAlreadyIsNoEvent) {
  auto model = listed("a:1b");
  auto stored = stored_of({model});
  stored[0].elsewhere.output_tokens_max = 512;
  stored[0].elsewhere.capabilities = {{"tools", Support::supported}};
  const auto plan_of = [&] { return plan_sync(connection(), list_of({model}), stored, {}, t0 + hour); };
  EXPECT_THAT(plan_of().models, IsEmpty());

  // Its row has it from now on, also when the catalogue says something else later.
  model.output_tokens_max = 512;
  model.capabilities["tools"] = Support::supported;
  const auto known = plan_of();
  ASSERT_THAT(kinds(known), ElementsAre("noted a:1b"));
  EXPECT_THAT(known.models[0].changed_fields, IsEmpty());
  EXPECT_EQ(known.models[0].after.output_tokens_max, 512);
  stored = carried_out(known, stored);
  EXPECT_THAT(plan_of().models, IsEmpty());

  model.output_tokens_max = 1024;
  model.family = "qwen";
  const auto other = plan_of();
  ASSERT_THAT(kinds(other), ElementsAre("updated a:1b"));
  EXPECT_THAT(other.models[0].changed_fields, ElementsAre("family", "outputTokensMax"));
}

TEST(Diff, MissingModelIsReportedOnceAndExpiresOnce) {
  const auto others = std::vector{listed("x"), listed("y")};
  auto all = others;
  all.push_back(listed("gone"));
  auto stored = stored_of(all);
  const DiffRules rules{.missing_grace = std::chrono::hours(24), .missing_runs = 3};
  struct Step {
    std::int64_t after_hours;
    std::vector<std::string> kinds;
    bool routable;
  };
  const std::vector<Step> steps{
      {0, {"missing gone"}, true},  // at once
      {1, {"noted gone"}, true},    // the second run is counted
      {2, {"noted gone"}, true},    // the third
      {3, {}, true},                // nothing more to count, the grace is not over
      {23, {}, true},
      {24, {"expired gone"}, false},
      {25, {}, false},
      {240, {}, false},
  };
  for (const auto& step : steps) {
    SCOPED_TRACE(step.after_hours);
    const auto plan = plan_sync(connection(), list_of(others), stored, rules, t0 + step.after_hours * hour);
    EXPECT_EQ(kinds(plan), step.kinds);
    stored = carried_out(plan, stored);
    EXPECT_EQ(stored[0].state.routable, step.routable);
    EXPECT_EQ(stored[0].state.availability, "missing");
    EXPECT_EQ(stored[0].state.missing_since_ms, t0);
  }
  all[2].name = "gone";
  const auto plan = plan_sync(connection(), list_of(all), stored, rules, t0 + 241 * hour);
  EXPECT_THAT(kinds(plan), ElementsAre("back gone"));
  EXPECT_TRUE(plan.models[0].after.routable);
  EXPECT_EQ(plan.models[0].after.missing_since_ms, std::nullopt);
  EXPECT_EQ(plan.updated, 1);
}

TEST(Diff, TheGraceNeedsTimeAndRuns) {
  const auto others = std::vector{listed("x"), listed("y")};
  const auto everything = std::vector{listed("gone"), listed("x"), listed("y")};
  // Long away, but seen missing in one run only: registry-sync was not running meanwhile.
  auto stored = stored_of(everything);
  const DiffRules rules{.missing_grace = std::chrono::hours(24), .missing_runs = 3};
  stored = carried_out(plan_sync(connection(), list_of(others), stored, rules, t0), stored);
  auto plan = plan_sync(connection(), list_of(others), stored, rules, t0 + 100 * hour);
  EXPECT_THAT(kinds(plan), ElementsAre("noted gone"));
  stored = carried_out(plan, stored);
  plan = plan_sync(connection(), list_of(others), stored, rules, t0 + 101 * hour);
  EXPECT_THAT(kinds(plan), ElementsAre("expired gone"));

  // No grace at all: missing and unroutable in one event.
  plan = plan_sync(connection(), list_of(others), stored_of(everything),
                   {.missing_grace = std::chrono::milliseconds(0), .missing_runs = 1}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("missing gone"));
  EXPECT_THAT(plan.models[0].changed_fields, ElementsAre("availability", "missingSinceMs", "routable"));
}

// ---- what looks wrong --------------------------------------------------------------------------------------------

std::vector<ListedModel> numbered(int from, int to) {
  std::vector<ListedModel> models;
  for (int i = from; i < to; ++i) models.push_back(listed("m" + std::to_string(100 + i)));
  return models;
}

/// What the database would hold of held changes after a plan was carried out.
std::vector<HeldChange> kept(const SyncPlan& plan, std::vector<HeldChange> rows = {}) {
  static int next = 0;
  std::erase_if(rows, [&](const HeldChange& row) { return std::ranges::count(plan.ended, row.id) > 0; });
  for (auto change : plan.held) {
    if (!change.id.empty()) continue;
    change.id = "h" + std::to_string(++next);
    rows.push_back(std::move(change));
  }
  for (auto change : plan.accepted) {
    std::erase_if(rows, [&](const HeldChange& row) { return row.id == change.id; });
    if (!change.model_id.empty()) continue;
    change.id = "h" + std::to_string(++next);
    change.decision = "accepted";
    rows.push_back(std::move(change));
  }
  return rows;
}

TEST(Held, ListWithoutMostModelsRemovesNone) {
  const auto stored = stored_of(numbered(0, 12));
  auto list = numbered(0, 5);
  list.push_back(listed("new"));
  list[0] = listed("m100", "d2");
  const auto plan = plan_sync(connection(), list_of(list), stored, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("updated m100", "added new"));
  ASSERT_THAT(plan.held, SizeIs(1));
  EXPECT_EQ(plan.held[0].reason, "the list lacks 7 of 12 known models");
  EXPECT_THAT(plan.held[0].after.missing, SizeIs(7));
  EXPECT_EQ(plan.listed, 6);
  EXPECT_EQ(plan.added, 1);
  EXPECT_EQ(plan.updated, 1);
  EXPECT_EQ(plan.unchanged, 4);
  EXPECT_EQ(plan.missing, 7);

  const auto half = plan_sync(connection(), list_of(numbered(0, 6)), stored, {}, t0);
  EXPECT_THAT(half.held, IsEmpty()) << "half of them is not most";
  EXPECT_EQ(half.models.size(), 6U);
  const auto accepted = plan_sync(connection(), list_of(list), stored, {.accept_held = true}, t0);
  EXPECT_THAT(accepted.held, IsEmpty());
  EXPECT_THAT(accepted.accepted, SizeIs(1));
  EXPECT_THAT(accepted.models, SizeIs(9));
}

TEST(Held, AcceptsSmallListUnlessEmpty) {
  const auto stored = stored_of(numbered(0, 9));
  EXPECT_THAT(plan_sync(connection(), list_of(numbered(0, 1)), stored, {}, t0).models, SizeIs(8));
  const auto plan = plan_sync(connection(), {}, stored, {}, t0);
  EXPECT_THAT(plan.models, IsEmpty());
  ASSERT_THAT(plan.held, SizeIs(1));
  EXPECT_EQ(plan.held[0].reason, "the list is empty, but 9 models are known");
  EXPECT_THAT(plan_sync(connection(), {}, {}, {}, t0).held, IsEmpty()) << "an empty registry has nothing to lose";
}

TEST(Held, EmptyListKeepsModelsMissingAlready) {
  auto stored = stored_of({listed("a"), listed("b")});
  stored = carried_out(plan_sync(connection(), list_of({listed("c")}), stored, {}, t0), stored);
  for (int run = 1; run < 6; ++run) {
    const auto plan = plan_sync(connection(), {}, stored, {}, t0 + run * 24 * hour);
    EXPECT_THAT(plan.models, IsEmpty());
    stored = carried_out(plan, stored);
  }
  EXPECT_TRUE(stored[0].state.routable);
}

TEST(Held, SeveralShortListsRemoveNoMoreThanOne) {
  auto stored = stored_of(numbered(0, 20));
  auto plan = plan_sync(connection(), list_of(numbered(0, 12)), stored, {}, t0);
  EXPECT_THAT(plan.held, IsEmpty());
  stored = carried_out(plan, stored);
  plan = plan_sync(connection(), list_of(numbered(0, 7)), stored, {}, t0 + hour);
  ASSERT_THAT(plan.held, SizeIs(1)) << "7 of 12 would be most; 7 of 20 are not";
  EXPECT_THAT(plan.held[0].after.missing, SizeIs(5)) << "those that are missing for the first time";
  EXPECT_THAT(plan.models, IsEmpty());

  // Once the grace of the eight is over they are not known any more.
  for (int run = 1; run < 5; ++run)
    stored = carried_out(plan_sync(connection(), list_of(numbered(0, 12)), stored, {}, t0 + run * 24 * hour), stored);
  plan = plan_sync(connection(), list_of(numbered(0, 7)), stored, {}, t0 + 120 * hour);
  EXPECT_THAT(plan.held, IsEmpty());
  EXPECT_THAT(plan.models, SizeIs(5));
}

TEST(Held, RejectedRemovalStaysRejectedWhileRepeated) {
  const auto stored = stored_of(numbered(0, 12));
  auto rows = kept(plan_sync(connection(), list_of(numbered(0, 4)), stored, {}, t0));
  auto plan = plan_sync(connection(), list_of(numbered(0, 4)), stored, {}, t0, rows);
  ASSERT_THAT(plan.held, SizeIs(1));
  EXPECT_EQ(plan.held[0].id, rows[0].id) << "the same change waits";
  EXPECT_TRUE(plan.idle());

  rows[0].decision = "rejected";
  for (const int count : {4, 5}) {
    plan = plan_sync(connection(), list_of(numbered(0, count)), stored, {}, t0, rows);
    EXPECT_TRUE(plan.idle()) << count;
    EXPECT_THAT(plan.held, IsEmpty()) << count;
  }
  plan = plan_sync(connection(), list_of(numbered(0, 3)), stored, {}, t0, rows);
  EXPECT_THAT(plan.held, SizeIs(1)) << "one model more is another question";
  EXPECT_THAT(plan.ended, ElementsAre(rows[0].id));
  EXPECT_THAT(plan_sync(connection(), list_of(numbered(0, 12)), stored, {}, t0, rows).ended, ElementsAre(rows[0].id));
}

TEST(Held, AcceptedRemovalIsNotHeldAgain) {
  auto stored = stored_of(numbered(0, 30));
  auto plan = plan_sync(connection(), list_of(numbered(0, 12)), stored, {.accept_held = true}, t0);
  auto rows = kept(plan);
  stored = carried_out(plan, stored);
  plan = plan_sync(connection(), list_of(numbered(0, 11)), stored, {}, t0 + hour, rows);
  EXPECT_THAT(plan.held, IsEmpty()) << "one of twelve is gone, the others were accepted";
  EXPECT_THAT(plan.ended, IsEmpty());
  for (int run = 1; run < 5; ++run)
    stored =
        carried_out(plan_sync(connection(), list_of(numbered(0, 12)), stored, {}, t0 + run * 24 * hour, rows), stored);
  EXPECT_FALSE(stored[29].state.routable);
  EXPECT_THAT(plan_sync(connection(), list_of(numbered(0, 12)), stored, {}, t0 + 120 * hour, rows).ended,
              ElementsAre(rows[0].id));
}

TEST(Held, AcceptedEmptyListRemovesItsModels) {
  auto stored = stored_of({listed("a")});
  auto plan = plan_sync(connection(), {}, stored, {.accept_held = true}, t0);
  const auto rows = kept(plan);
  stored = carried_out(plan, stored);
  for (int run = 1; run < 4; ++run)
    stored = carried_out(plan_sync(connection(), {}, stored, {}, t0 + run * 24 * hour, rows), stored);
  EXPECT_FALSE(stored[0].state.routable);
}

TEST(Held, RemovesExcludedModelsWithoutADecision) {
  const auto stored = stored_of(numbered(0, 12));
  auto narrow = connection();
  narrow.include_globs = {"m100"};
  const auto plan = plan_sync(narrow, list_of(numbered(0, 12)), stored, {}, t0);
  EXPECT_THAT(plan.held, IsEmpty());
  EXPECT_THAT(plan.models, SizeIs(11));
}

ListedModel worse(const std::string& name) {
  auto model = listed(name, "d2");
  model.context_window = 4096;
  model.capabilities = {{"chat", Support::unsupported}, {"vision", Support::supported}};
  return model;
}

TEST(Held, HoldsShrinkingFactsAndAppliesTheRest) {
  const auto stored = stored_of({listed("a"), listed("b")});
  const auto plan = plan_sync(connection(), list_of({worse("a"), listed("b")}), stored, {}, t0);
  ASSERT_THAT(kinds(plan), ElementsAre("updated a"));
  EXPECT_THAT(plan.models[0].changed_fields, ElementsAre("digest", "capabilities"));
  EXPECT_EQ(plan.models[0].after.context_window, 8192);
  EXPECT_EQ(plan.models[0].after.capabilities.at("chat"), Support::supported);
  EXPECT_EQ(plan.models[0].after.capabilities.at("vision"), Support::supported);
  ASSERT_THAT(plan.held, SizeIs(1));
  EXPECT_EQ(plan.held[0].model_name, "a");
  EXPECT_EQ(plan.held[0].reason,
            "the context window would shrink from 8192 to 4096; the capability chat would become unsupported");
  EXPECT_EQ(to_json(plan.held[0].before), R"({"contextWindow":8192,"capabilities":{"chat":"supported"}})");
  EXPECT_EQ(to_json(plan.held[0].after), R"({"contextWindow":4096,"capabilities":{"chat":"unsupported"}})");

  const auto accepted = plan_sync(connection(), list_of({worse("a"), listed("b")}), stored, {.accept_held = true}, t0);
  EXPECT_THAT(accepted.held, IsEmpty());
  EXPECT_EQ(accepted.models.at(0).after.context_window, 4096);
}

std::vector<Price> input_price(std::int64_t micros) {
  return {{.key = {.dimension = PriceDimension::input}, .micros = micros}};
}
ListedModel priced(std::string name, std::int64_t micros) {
  auto model = listed(std::move(name));
  model.prices = input_price(micros);
  return model;
}

TEST(Diff, ListedPricesBelongToTheDeployment) {
  auto plan = plan_sync(connection(), list_of({priced("a", 100)}), {}, {}, t0);
  ASSERT_THAT(plan.models, SizeIs(1));
  EXPECT_TRUE(plan.models[0].prices_changed);
  EXPECT_EQ(plan.models[0].here.prices, input_price(100));
  const auto stored = carried_out(plan);
  EXPECT_TRUE(plan_sync(connection(), list_of({priced("a", 100)}), stored, {}, t0).idle());
  EXPECT_TRUE(plan_sync(connection(), list_of({listed("a")}), stored, {}, t0).idle()) << "the list does not say";

  plan = plan_sync(connection(), list_of({priced("a", 300)}), stored, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("updated a"));
  EXPECT_THAT(plan.models[0].changed_fields, ElementsAre("prices"));
  EXPECT_EQ(plan.models[0].here.prices, input_price(300));
}

TEST(Held, HoldsPriceTimesTenOrCrossingZero) {
  const auto change = [](std::int64_t before, std::int64_t after) {
    const auto stored = carried_out(plan_sync(connection(), list_of({priced("a", before)}), {}, {}, t0));
    return plan_sync(connection(), list_of({priced("a", after)}), stored, {}, t0);
  };
  const auto plan = change(1'000'000, 10'000'000);
  EXPECT_THAT(plan.models, IsEmpty()) << "what counted counts";
  ASSERT_THAT(plan.held, SizeIs(1));
  EXPECT_EQ(plan.held[0].reason, "the price of input 1 -> 10: ten times or more");
  EXPECT_EQ(to_json(plan.held[0].after), R"({"prices":[{"dimension":"input","micros":10000000}]})");
  EXPECT_EQ(registry::parse_held_values(to_json(plan.held[0].after)), plan.held[0].after);
  EXPECT_THAT(change(0, 5).held, SizeIs(1));
  EXPECT_THAT(change(5, 0).held, SizeIs(1));
  EXPECT_THAT(change(100, 10).held, SizeIs(1));
  EXPECT_THAT(change(100, 999).held, IsEmpty());
}

TEST(Held, PriceThatVanishesIsHeldAndItsReturnCompared) {
  const auto both = [](std::int64_t input, std::int64_t output) {
    auto model = priced("a", input);
    model.prices->push_back({.key = {.dimension = PriceDimension::output}, .micros = output});
    return model;
  };
  const auto stored = carried_out(plan_sync(connection(), list_of({both(1'000'000, 2'000'000)}), {}, {}, t0));
  const auto plan = plan_sync(connection(), list_of({priced("a", 1'000'000)}), stored, {}, t0);
  EXPECT_THAT(plan.models, IsEmpty()) << "what counted counts";
  ASSERT_THAT(plan.held, SizeIs(1));
  EXPECT_EQ(plan.held[0].reason, "the price of output 2 -> unknown: it would have no price");
  EXPECT_EQ(plan.held[0].after.prices, input_price(1'000'000));

  auto without = priced("a", 0);
  without.prices = std::vector<Price>();
  EXPECT_TRUE(plan_sync(connection(), list_of({without}), stored, {}, t0).idle()) << "no price at all: they stay";
  EXPECT_THAT(plan_sync(connection(), list_of({both(1'000'000, 20'000'000)}), stored, {}, t0).held, SizeIs(1));
}

TEST(Held, ModelsNamedByHandKeepWhatTheListSaid) {
  const auto stored = carried_out(plan_sync(connection(), list_of({priced("a", 100)}), {}, {}, t0));
  ListedModel named;
  named.name = "a";
  named.digest = "d1";
  named.details_key = "d1";
  named.details_known = true;
  const ProviderList list{.models = {named}, .by_hand = true};
  const auto plan = plan_sync(connection(), list, stored, {}, t0);
  EXPECT_THAT(plan.held, IsEmpty()) << "no list came";
  EXPECT_THAT(plan.models, IsEmpty());
}

TEST(Held, RejectedPriceStaysRejectedUntilAccepted) {
  const auto stored = carried_out(plan_sync(connection(), list_of({priced("a", 100)}), {}, {}, t0));
  auto rows = kept(plan_sync(connection(), list_of({priced("a", 1000)}), stored, {}, t0));
  rows.at(0).decision = "rejected";
  EXPECT_TRUE(plan_sync(connection(), list_of({priced("a", 1000)}), stored, {}, t0, rows).idle());
  EXPECT_THAT(plan_sync(connection(), list_of({priced("a", 2000)}), stored, {}, t0, rows).held, SizeIs(1));
  const auto accepted = plan_sync(connection(), list_of({priced("a", 1000)}), stored, {.accept_held = true}, t0);
  EXPECT_EQ(accepted.models.at(0).here.prices, input_price(1000));
}

TEST(Held, RejectedChangeStaysRejectedWhileRepeated) {
  auto stored = stored_of({listed("a"), listed("b")});
  auto plan = plan_sync(connection(), list_of({worse("a"), listed("b")}), stored, {}, t0);
  auto rows = kept(plan);
  stored = carried_out(plan, stored);
  rows[0].decision = "rejected";
  EXPECT_TRUE(plan_sync(connection(), list_of({worse("a"), listed("b")}), stored, {}, t0, rows).idle());

  // Without details nothing is known of the change, so the decision stays.
  auto blind = worse("a");
  blind.details_known = false;
  EXPECT_TRUE(plan_sync(connection(), list_of({blind, listed("b")}), stored, {}, t0, rows).idle());

  auto smaller = worse("a");
  smaller.context_window = 2048;
  plan = plan_sync(connection(), list_of({smaller, listed("b")}), stored, {}, t0, rows);
  EXPECT_THAT(plan.held, SizeIs(1)) << "another value is another question";
  EXPECT_THAT(plan.ended, ElementsAre(rows[0].id));
}

TEST(Held, HeldChangeEndsWithItsCause) {
  auto stored = stored_of({listed("a"), listed("b")});
  const auto rows = kept(plan_sync(connection(), list_of({worse("a"), listed("b")}), stored, {}, t0));
  EXPECT_THAT(plan_sync(connection(), list_of({listed("a"), listed("b")}), stored, {}, t0, rows).ended,
              ElementsAre(rows[0].id));
  stored.erase(stored.begin());
  EXPECT_THAT(plan_sync(connection(), list_of({listed("b")}), stored, {}, t0, rows).ended, ElementsAre(rows[0].id))
      << "its model was deleted";
}

TEST(Diff, MissingModelCountsInEachRun) {
  auto stored = stored_of({listed("a"), listed("b")});
  for (int run = 0; run < 5; ++run) {
    const auto plan = plan_sync(connection(), list_of({listed("a")}), stored, {}, t0 + run * 24 * hour);
    EXPECT_EQ(plan.missing, 1);
    EXPECT_EQ(plan.unchanged, 1);
    stored = carried_out(plan, stored);
  }
}

TEST(Diff, DetailsThatCouldNotBeReadAreCounted) {
  auto list = list_of({listed("a")});
  list.without_details = 3;
  list.unreadable = 1;
  EXPECT_EQ(plan_sync(connection(), list, {}, {}, t0).failed, 4);
}

TEST(Diff, BadEntryNeitherAbortsNorMakesMissing) {
  const auto stored = stored_of({listed("a"), listed("b")});
  auto list = list_of({listed("a"), listed("c")});
  list.unreadable = 1;
  auto plan = plan_sync(connection(), list, stored, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("added c")) << "the unreadable entry may have been b";
  EXPECT_EQ(plan.failed, 1);

  plan = plan_sync(connection(), list_of({listed("a"), listed("c"), listed("bad\nname"), listed("a")}), stored, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("added c", "missing b")) << "what cannot be stored is none of the stored";
  EXPECT_EQ(plan.failed, 2);
}

TEST(Diff, CountsModelsBeyondTheBoundOnly) {
  const auto stored = stored_of({listed("a"), listed("b"), listed("c"), listed("d")});
  auto list = list_of({listed("a")});
  list.beyond = 1;
  const auto plan = plan_sync(connection(), list, stored, {}, t0);
  EXPECT_THAT(plan.held, IsEmpty());
  EXPECT_EQ(plan.failed, 1);
  EXPECT_THAT(kinds(plan), ElementsAre("missing b", "missing c", "missing d")) << "none of them is beyond";
}

TEST(Diff, KeepsValuesSetByAPerson) {
  auto stored = stored_of({listed("a")});
  stored[0].overridden = {"contextWindow", "capabilities"};
  stored[0].state.context_window = 2048;
  stored[0].state.capabilities["vision"] = Support::supported;
  stored[0].state.enabled = false;
  stored[0].state.routable = false;
  auto changed = listed("a", "d2");
  changed.context_window = 999;
  const auto plan = plan_sync(connection(), list_of({changed}), stored, {}, t0);
  ASSERT_THAT(plan.models, SizeIs(1));
  EXPECT_THAT(plan.models[0].changed_fields, ElementsAre("digest"));
  EXPECT_EQ(plan.models[0].after.context_window, 2048);
  EXPECT_EQ(plan.models[0].after.capabilities.at("vision"), Support::supported);
  EXPECT_FALSE(plan.models[0].after.enabled);
}

TEST(Diff, DeploymentDisabledByAPersonStaysOff) {
  auto stored = stored_of({listed("a"), listed("b")});
  stored[0].here->enabled = false;
  stored[0].state.deployments[0].enabled = false;
  stored[0].state.routable = false;
  EXPECT_THAT(plan_sync(connection(), list_of({listed("a"), listed("b")}), stored, {}, t0).models, IsEmpty());

  const auto plan = plan_sync(connection(), list_of({listed("a", "d2"), listed("b")}), stored, {}, t0);
  ASSERT_THAT(plan.models, SizeIs(1));
  EXPECT_THAT(plan.models[0].changed_fields, ElementsAre("digest"));
  EXPECT_FALSE(plan.models[0].after.deployments[0].enabled);
  EXPECT_FALSE(plan.models[0].after.routable);

  // Missing and back again: still off.
  auto away = carried_out(plan_sync(connection(), list_of({listed("b")}), stored, {}, t0), stored);
  EXPECT_FALSE(away[0].state.deployments[0].enabled);
  const auto back = plan_sync(connection(), list_of({listed("a"), listed("b")}), away, {}, t0);
  ASSERT_THAT(kinds(back), ElementsAre("back a"));
  EXPECT_FALSE(back.models[0].after.deployments[0].enabled);
}

TEST(Diff, EveryFieldThatAPersonCanSetSurvives) {
  struct Row {
    const char* field;
    std::function<void(ListedModel&)> changed;
  };
  const std::vector<Row> table{
      {"digest", [](ListedModel& m) { m.digest = "other"; }},
      {"family", [](ListedModel& m) { m.family = "other"; }},
      {"kind", [](ListedModel& m) { m.kind = "embedding"; }},
      {"contextWindow", [](ListedModel& m) { m.context_window = 16384; }},
      {"embeddingDimensions", [](ListedModel& m) { m.embedding_dimensions = 1; }},
      {"capabilities", [](ListedModel& m) { m.capabilities["tools"] = Support::supported; }},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.field);
    auto stored = stored_of({listed("a")});
    auto changed = listed("a");
    row.changed(changed);
    const auto plain = plan_sync(connection(), list_of({changed}), stored, {}, t0);
    ASSERT_THAT(plain.models, SizeIs(1));
    EXPECT_THAT(plain.models[0].changed_fields, ElementsAre(row.field));
    stored[0].overridden = {row.field};
    for (const auto& planned : plan_sync(connection(), list_of({changed}), stored, {}, t0).models)
      EXPECT_THAT(planned.changed_fields, IsEmpty()) << "only the deployment's own bookkeeping may change";
  }
}

TEST(Diff, WithoutDetailsWhatIsKnownStays) {
  const auto stored = stored_of({listed("a")});
  auto blind = listed("a", "d2");
  blind.details_known = false;
  blind.context_window = std::nullopt;
  blind.capabilities.clear();
  auto plan = plan_sync(connection(), list_of({blind}), stored, {}, t0);
  ASSERT_THAT(plan.models, SizeIs(1));
  EXPECT_THAT(plan.models[0].changed_fields, ElementsAre("digest"));
  EXPECT_EQ(plan.models[0].after.context_window, 8192);
  EXPECT_EQ(plan.models[0].details_digest, "d1") << "asked again at the next run";
  const auto after = carried_out(plan, stored);
  EXPECT_THAT(plan_sync(connection(), list_of({blind}), after, {}, t0).models, IsEmpty());

  // The details come later and say nothing new: written down, but not published.
  plan = plan_sync(connection(), list_of({listed("a", "d2")}), after, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("noted a"));
  EXPECT_EQ(plan.models[0].details_digest, "d2");
  EXPECT_EQ(plan.unchanged, 1);
}

TEST(Diff, NotesRepeatedDetailsWithoutAnEvent) {
  const auto stored = stored_of({listed("a")});
  auto again = listed("a");
  again.details_at_ms = t0;
  const auto plan = plan_sync(connection(), list_of({again}), stored, {}, t0);
  ASSERT_THAT(kinds(plan), ElementsAre("noted a"));
  EXPECT_EQ(plan.models[0].details_at_ms, t0);
  EXPECT_THAT(plan_sync(connection(), list_of({again}), carried_out(plan, stored), {}, t0).models, IsEmpty());
}

TEST(Diff, IncludeAndExcludeChooseAmongTheListed) {
  auto c = connection();
  c.include_globs = {"llama*", "qwen*"};
  c.exclude_globs = {"*:70b"};
  const auto plan = plan_sync(
      c, list_of({listed("llama3:8b"), listed("llama3:70b"), listed("qwen3"), listed("mistral")}), {}, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("added llama3:8b", "added qwen3"));
  EXPECT_EQ(plan.listed, 2);
}

TEST(Diff, CountsAreThoseOfTheRecord) {
  auto c = connection();
  c.exclude_globs = {"*:70b"};
  auto list = list_of({listed("a"), listed("b"), listed("a"), listed("excluded:70b"), listed("no\nname")});
  list.beyond = 10;
  list.without_details = 100;
  const auto plan = plan_sync(c, list, stored_of({listed("a")}), {}, t0);
  EXPECT_EQ(plan.listed, 2) << "neither the excluded one nor those above the bound";
  EXPECT_EQ(plan.failed, 112) << "a second time, no name, above the bound, without details";
  EXPECT_EQ(plan.added, 1);
  EXPECT_EQ(plan.unchanged, 1);
}

// ---- a model that two connections serve --------------------------------------------------------------------------

StoredModel served_by_another(bool listed_there) {
  auto model = stored_of({listed("a", "theirs")}).at(0);
  model.state.deployments[0].connection_id = "c0";
  model.here.reset();
  model.listed_elsewhere = model.told_elsewhere = listed_there;
  return model;
}

TEST(Diff, LinksModelThatTheScopeHas) {
  const auto plan = plan_sync(connection(), list_of({listed("a", "mine")}), {served_by_another(true)}, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("linked a"));
  EXPECT_THAT(plan.models[0].changed_fields, ElementsAre("deployments"));
  EXPECT_THAT(plan.models[0].after.deployments, SizeIs(2));
  EXPECT_EQ(plan.models[0].after.digest, "theirs") << "the first connection gives the facts";
  EXPECT_EQ(plan.models[0].here.digest, "mine");
  EXPECT_EQ(plan.added, 1);
}

TEST(Diff, TwoBuildsOfOneNameDoNotAlternate) {
  auto stored =
      carried_out(plan_sync(connection(), list_of({listed("a", "mine")}), {served_by_another(true)}, {}, t0), {});
  stored[0].listed_elsewhere = stored[0].told_elsewhere = true;
  EXPECT_THAT(plan_sync(connection(), list_of({listed("a", "mine")}), stored, {}, t0).models, IsEmpty());
}

TEST(Diff, AnswerOfASecondConnectionIsKeptWhenItChanges) {
  auto mine = listed("a", "mine");
  mine.answer = R"({"list":{"name":"a"}})";
  const auto linked = plan_sync(connection(), list_of({mine}), {served_by_another(true)}, {}, t0);
  EXPECT_EQ(linked.models.at(0).answer, mine.answer);
  auto stored = carried_out(linked, {});
  stored[0].listed_elsewhere = stored[0].told_elsewhere = true;
  EXPECT_THAT(plan_sync(connection(), list_of({mine}), stored, {}, t0).models, IsEmpty());

  mine.answer = R"({"list":{"name":"a","size":7}})";
  mine.details_known = false;  // it is not asked for details
  const auto plan = plan_sync(connection(), list_of({mine}), stored, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("noted a"));
  EXPECT_EQ(plan.models[0].answer, mine.answer);
  stored = carried_out(plan, stored);
  EXPECT_THAT(plan_sync(connection(), list_of({mine}), stored, {}, t0).models, IsEmpty());
}

TEST(Diff, AnswerWithoutDetailsDoesNotReplaceAWholeOne) {
  auto whole = listed("a");
  whole.answer = R"({"list":{},"details":{}})";
  const auto stored = stored_of({whole});
  auto part = whole;
  part.answer = R"({"list":{}})";
  part.details_known = false;
  EXPECT_THAT(plan_sync(connection(), list_of({part}), stored, {}, t0).models, IsEmpty());
  part.details_known = true;
  EXPECT_THAT(kinds(plan_sync(connection(), list_of({part}), stored, {}, t0)), ElementsAre("noted a"));
}

TEST(Diff, MissingHereButListedElsewhereIsPassedOverNotMissing) {
  auto stored =
      carried_out(plan_sync(connection(), list_of({listed("a"), listed("x")}), {served_by_another(true)}, {}, t0), {});
  for (auto& model : stored)
    if (model.state.model_name == "a") model.listed_elsewhere = model.told_elsewhere = true;
  auto plan = plan_sync(connection(), list_of({listed("x")}), stored, {}, t0);
  EXPECT_THAT(kinds(plan), ElementsAre("missing a"));
  const auto& a = plan.models[0].after;
  EXPECT_THAT(plan.models[0].changed_fields, ElementsAre("deployments"));
  EXPECT_EQ(a.availability, "listed");
  EXPECT_TRUE(a.routable);
  EXPECT_TRUE(a.deployments[0].enabled);
  EXPECT_FALSE(a.deployments[1].enabled);

  // Then the other one loses it too.
  stored = carried_out(plan, stored);
  for (auto& model : stored) model.listed_elsewhere = model.told_elsewhere = false;
  plan = plan_sync(connection(), list_of({listed("x")}), stored, {}, t0 + hour);
  EXPECT_THAT(kinds(plan), ElementsAre("missing a"));
  EXPECT_EQ(plan.models[0].after.availability, "missing");
}

TEST(SyncPlan, ModelsByHandTakeNoOtherForMissing) {
  auto list = list_of({listed("by-hand")});
  const auto stored =
      carried_out(plan_sync(connection(), list_of({listed("a"), listed("b"), listed("c")}), {}, {}, t0));
  list.by_hand = true;
  const auto plan = plan_sync(connection(), list, stored, {}, t0 + hour);
  EXPECT_THAT(plan.held, IsEmpty()) << "it is known to be no whole list";
  EXPECT_EQ(plan.added, 1);
  EXPECT_EQ(plan.missing, 0);
  list.by_hand = false;
  EXPECT_EQ(plan_sync(connection(), list, stored, {}, t0 + hour).missing, 3);
}

}  // namespace
}  // namespace tokenrail::registry_sync
