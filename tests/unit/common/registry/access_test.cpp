// Which models a caller may use: inheritance, maintenance, the allow-list and grants.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/resolution.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace tokenrail::registry {
namespace {

using events::ChatRequest;
using events::ErrorCode;
using events::ModelState;
using events::ObjectKind;
using events::SubjectKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ChatRequest ask(std::string name = "m") {
  ChatRequest request;
  request.request_id = "r1";
  request.org_id = "acme";
  request.user_id = "ann";
  request.groups = {"engineering"};
  if (!name.empty()) request.model = events::ModelReference{.provider = "ollama", .name = std::move(name)};
  request.messages.push_back({.content = {{.text = "hello"}}});
  return request;
}

/// An organisation's or a user's row over the platform's: it has no deployment and leaves everything open.
ModelState override_row(std::string org = "acme", std::string user = {}) {
  auto m = model("ollama", "m", std::move(org), std::move(user));
  m.deployments.clear();
  m.inherits = true;
  return m;
}

std::vector<std::string> failing(const std::expected<Route, Refusal>& route) {
  std::vector<std::string> names;
  if (route) return {"usable"};
  for (const auto& clause : route.error().clauses) {
    EXPECT_FALSE(clause.ok);
    EXPECT_FALSE(clause.detail.empty());
    names.emplace_back(name_of(clause.name));
  }
  return names;
}

// ---- fields that a row leaves open -------------------------------------------------------------------------------

// S0.15, S0.45: an organisation's row that says nothing of `enabled` follows the platform's.
TEST(EffectiveModel, InheritingRowFollowsRowAbove) {
  Projection projection;
  auto platform = model("ollama", "m");
  put(projection, platform);
  auto own = override_row();
  // As older records have it; the platform's value counts.
  own.enabled = own.routable = false;
  put(projection, own);
  EXPECT_THAT(failing(resolve(projection, ask(), {}, 1)), ElementsAre("usable"));

  platform.enabled = platform.routable = false;
  put(projection, platform, 2);
  own.enabled = own.routable = true;
  put(projection, own, 2);
  const auto refused = resolve(projection, ask(), {}, 1);
  EXPECT_THAT(failing(refused), ElementsAre("enabled"));
  EXPECT_THAT(refused.error().message, HasSubstr("disabled at the platform level"));
  EXPECT_EQ(refused.error().clauses[0].scope, "platform");
}

TEST(EffectiveModel, InheritingRowWithoutRowAboveIsDisabled) {
  Projection projection;
  auto own = override_row();
  own.deployments = {deployment("own")};
  put(projection, own);
  const auto refused = resolve(projection, ask(), {}, 1);
  EXPECT_THAT(failing(refused), ElementsAre("enabled"));
  EXPECT_THAT(refused.error().message, HasSubstr("disabled at the organisation level"));
}

TEST(EffectiveModel, AUserRowInheritsThroughTheOrganisation) {
  Projection projection;
  auto platform = model("ollama", "m");
  put(projection, platform);
  auto middle = override_row();
  middle.inherits = false;
  middle.enabled = middle.routable = false;
  put(projection, middle);
  put(projection, override_row("acme", "ann"));
  const auto refused = resolve(projection, ask(), {}, 1);
  EXPECT_THAT(failing(refused), ElementsAre("enabled"));
  EXPECT_EQ(refused.error().clauses[0].scope, "organisation");
}

TEST(EffectiveModel, TakesOpenFieldFromNearestRowWithIt) {
  Projection projection;
  auto platform = model("ollama", "m");
  platform.quality_score = 0.5;
  platform.prices = {.input_micros = 1, .output_micros = 2};
  platform.first_token_ms = 90;
  platform.replacement = {.provider = "ollama", .name = "next"};
  put(projection, platform);
  auto own = override_row();
  own.quality_score = 0.75;
  own.prices = {.input_micros = 5, .output_micros = {}};
  put(projection, own);
  const auto route = resolve(projection, ask(), {}, 1);
  ASSERT_TRUE(route.has_value());
  const auto& m = route->targets[0].model;
  EXPECT_EQ(m.quality_score, 0.75);
  EXPECT_EQ(m.prices, (events::ModelPrices{.input_micros = 5, .output_micros = {}})) << "prices count as a whole";
  EXPECT_EQ(m.first_token_ms, 90);
  EXPECT_EQ(m.replacement->name, "next");
}

TEST(EffectiveModel, EmptyRowDoesNotReviveRetiredModel) {
  Projection projection;
  auto platform = model("ollama", "m");
  platform.lifecycle = "retired";
  platform.replacement = {.provider = "ollama", .name = "next"};
  put(projection, platform);
  put(projection, override_row());
  const auto refused = resolve(projection, ask(), {}, 1);
  EXPECT_THAT(failing(refused), ElementsAre("lifecycle"));
  EXPECT_THAT(refused.error().message, HasSubstr("Use its replacement ollama/next"));
}

// ---- maintenance -------------------------------------------------------------------------------------------------

TEST(Maintenance, RefusesUntilItsEndAndNoLonger) {
  Projection projection;
  auto m = model("ollama", "m");
  m.maintenance_until_ms = 1'763'003'600'000;
  m.maintenance_reason = "more memory";
  put(projection, m);
  const auto during = resolve(projection, ask(), {}, 1, 1'763'003'599'999);
  EXPECT_THAT(failing(during), ElementsAre("maintenance"));
  EXPECT_EQ(during.error().code, ErrorCode::model_not_enabled);
  EXPECT_THAT(during.error().message, HasSubstr("until 2025-11-13 03:13:20 UTC: more memory"));
  EXPECT_THAT(failing(resolve(projection, ask(), {}, 1, 1'763'003'600'000)), ElementsAre("usable"));
}

TEST(Maintenance, NoRowBelowLiftsIt) {
  Projection projection;
  auto platform = model("ollama", "m");
  platform.maintenance_until_ms = test_now_ms + 10;
  put(projection, platform);
  auto own = model("ollama", "m", "acme");
  own.maintenance_until_ms = test_now_ms - 10;
  put(projection, own);
  const auto refused = resolve(projection, ask(), {}, 1);
  EXPECT_THAT(failing(refused), ElementsAre("maintenance"));
  EXPECT_EQ(refused.error().clauses[0].scope, "platform");
}

TEST(Maintenance, AnAbsurdTimeIsStillWritten) {
  Projection projection;
  auto m = model("ollama", "m");
  m.maintenance_until_ms = std::numeric_limits<std::int64_t>::max();
  put(projection, m);
  EXPECT_THAT(resolve(projection, ask(), {}, 1).error().message, HasSubstr("9999-12-31"));
}

// ---- refusals ----------------------------------------------------------------------------------------------------

TEST(Refusals, NameEveryClauseThatFails) {
  Projection projection;
  auto m = model("ollama", "m");
  m.platform_blocked = true;
  m.enabled = m.routable = false;
  m.maintenance_until_ms = test_now_ms + 1;
  m.output_tokens_max = 5;
  m.capabilities["tools"] = events::Support::unsupported;
  m.deployments[0].enabled = false;
  put(projection, m);
  put_record(projection, events::RegistryGrants{.org_id = "acme", .restricted = true});
  put_record(projection, events::RegistryOrganization{.org_id = "acme", .allow_list = true});
  auto request = ask();
  request.tokens_max = 6;
  request.tools.push_back({.name = "f"});
  const auto refused = resolve(projection, request, {}, 1);
  EXPECT_THAT(failing(refused), ElementsAre("blocked", "enabled", "maintenance", "allow_list", "granted", "capability",
                                            "output", "deployment"));
  EXPECT_EQ(refused.error().code, ErrorCode::model_not_enabled);
  EXPECT_THAT(refused.error().message, HasSubstr("blocked at the platform level"));
  EXPECT_THAT(refused.error().message, HasSubstr("Also: The model ollama/m is disabled"));
}

// ---- the organisation --------------------------------------------------------------------------------------------

// S0.2: an organisation controls which models its members may use.
TEST(AllowList, TakesOnlyModelsWithRowOfOrganisation) {
  Projection projection;
  put(projection, model("ollama", "m"));
  put(projection, model("ollama", "other"));
  put_record(projection, events::RegistryOrganization{.org_id = "acme", .allow_list = true});
  const auto refused = resolve(projection, ask(), {}, 1);
  EXPECT_THAT(failing(refused), ElementsAre("allow_list"));
  EXPECT_EQ(refused.error().code, ErrorCode::model_not_enabled);

  put(projection, override_row());
  EXPECT_THAT(failing(resolve(projection, ask(), {}, 1)), ElementsAre("usable"));
  EXPECT_THAT(failing(resolve(projection, ask("other"), {}, 1)), ElementsAre("allow_list"));
  auto elsewhere = ask("other");
  elsewhere.org_id = "beta";
  EXPECT_THAT(failing(resolve(projection, elsewhere, {}, 1)), ElementsAre("usable"));
}

TEST(AllowList, AUserCannotAddToIt) {
  Projection projection;
  put(projection, model("ollama", "m"));
  put(projection, override_row("acme", "ann"));
  put_record(projection, events::RegistryOrganization{.org_id = "acme", .allow_list = true});
  EXPECT_THAT(failing(resolve(projection, ask(), {}, 1)), ElementsAre("allow_list"));
  // S2.6: a user's own key and deployment are the user's own.
  auto own = model("ollama", "m", "acme", "ann");
  put(projection, own, 2);
  EXPECT_THAT(failing(resolve(projection, ask(), {}, 1)), ElementsAre("usable"));
}

TEST(AllowList, AGrantIsAsGoodAsARow) {
  Projection projection;
  const auto m = model("ollama", "m");
  put(projection, m);
  put_record(projection, events::RegistryOrganization{.org_id = "acme", .allow_list = true});
  put_record(projection,
             events::RegistryGrants{.org_id = "acme",
                                    .grants = {grant_of(SubjectKind::org, "acme", ObjectKind::model, m.id)}});
  EXPECT_THAT(failing(resolve(projection, ask(), {}, 1)), ElementsAre("usable"));
}

TEST(Organization, ADeletedOneUsesNothing) {
  Projection projection;
  put(projection, model("ollama", "m"));
  put_record(projection, events::RegistryOrganization{.org_id = "acme", .deleted = true});
  for (const auto* name : {"m", ""}) {
    const auto refused = resolve(projection, ask(name), {}, 1);
    EXPECT_THAT(failing(refused), ElementsAre("organization"));
    EXPECT_EQ(refused.error().code, ErrorCode::model_not_enabled);
  }
}

// ---- grants ------------------------------------------------------------------------------------------------------

struct Granting {
  std::string what;
  bool restricted;
  std::vector<events::Grant> grants;
  std::string verdict;
};

TEST(Grants, DenyBeatsAllowAndRestrictionNeedsAllow) {
  const auto m = model("ollama", "m");
  const auto connection = m.deployments[0].connection_id;
  using enum SubjectKind;
  const auto allow = [&](SubjectKind kind, std::string subject) {
    return grant_of(kind, std::move(subject), ObjectKind::model, m.id);
  };
  const auto deny = [&](SubjectKind kind, std::string subject) {
    return grant_of(kind, std::move(subject), ObjectKind::model, m.id, false);
  };
  const std::vector<Granting> table{
      {"nothing is said", false, {}, "usable"},
      {"restricted and nothing granted", true, {}, "granted"},
      {"granted to the organisation", true, {allow(org, "acme")}, "usable"},
      {"granted to a group of the user", true, {allow(group, "engineering")}, "usable"},
      {"granted to the user", true, {allow(user, "ann")}, "usable"},
      {"granted to another user", true, {allow(user, "bob")}, "granted"},
      {"granted to another group", true, {allow(group, "sales")}, "granted"},
      {"granted to another organisation", true, {allow(org, "beta")}, "granted"},
      {"a user's name as a group's", true, {allow(group, "ann")}, "granted"},
      {"denied to the user", false, {deny(user, "ann")}, "granted"},
      {"denied to another user", false, {deny(user, "bob")}, "usable"},
      {"denied to the group, granted to the user", true, {allow(user, "ann"), deny(group, "engineering")}, "granted"},
      {"denied to the user, granted to the organisation", true, {allow(org, "acme"), deny(user, "ann")}, "granted"},
      {"allowed to a kind of subject that is not known", true, {allow(other, "x")}, "granted"},
      {"denied to a kind of subject that is not known", false, {deny(other, "x")}, "granted"},
      {"another model granted", true, {grant_of(org, "acme", ObjectKind::model, "another")}, "granted"},
      {"its connection granted", true, {grant_of(org, "acme", ObjectKind::connection, connection)}, "usable"},
      {"its connection denied",
       false,
       {grant_of(org, "acme", ObjectKind::connection, connection, false)},
       "deployment"},
      {"a view granted", true, {grant_of(org, "acme", ObjectKind::view, m.id)}, "granted"},
      {"a view denied", false, {grant_of(org, "acme", ObjectKind::view, m.id, false)}, "usable"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.what);
    Projection projection;
    put(projection, m);
    put_record(projection,
               events::RegistryGrants{.org_id = "acme", .restricted = row.restricted, .grants = row.grants});
    EXPECT_THAT(failing(resolve(projection, ask(), {}, 1)), ElementsAre(row.verdict));
  }
}

TEST(Grants, IdOfAnyRowOfTheModelCounts) {
  Projection projection;
  const auto platform = model("ollama", "m");
  const auto own = override_row();
  put(projection, platform);
  put(projection, own);
  for (const auto& id : {platform.id, own.id}) {
    put_record(projection,
               events::RegistryGrants{.org_id = "acme",
                                      .restricted = true,
                                      .grants = {grant_of(SubjectKind::org, "acme", ObjectKind::model, id)}},
               id == own.id ? 2 : 1);
    EXPECT_THAT(failing(resolve(projection, ask(), {}, 1)), ElementsAre("usable")) << id;
  }
}

TEST(Grants, AGrantedConnectionOpensItsOwnDeploymentsOnly) {
  Projection projection;
  auto m = model("ollama", "m");
  m.deployments = {deployment("a"), deployment("b")};
  put(projection, m);
  const auto with = [&](bool restricted, bool allow, std::int64_t version) {
    put_record(
        projection,
        events::RegistryGrants{.org_id = "acme",
                               .restricted = restricted,
                               .grants = {grant_of(SubjectKind::org, "acme", ObjectKind::connection, "c-b", allow)}},
        version);
    std::vector<std::string> ids;
    for (const auto& target : resolve(projection, ask(), {}, 1).value().targets) ids.push_back(target.deployment.id);
    return ids;
  };
  EXPECT_THAT(with(true, true, 1), ElementsAre("b"));
  EXPECT_THAT(with(false, false, 2), ElementsAre("a"));
}

// A user's own model needs no grant, and a deny still refuses it.
TEST(Grants, AUsersOwnModelNeedsNoGrant) {
  Projection projection;
  const auto own = model("ollama", "m", "acme", "ann");
  put(projection, own);
  put_record(projection, events::RegistryGrants{.org_id = "acme", .restricted = true});
  EXPECT_THAT(failing(resolve(projection, ask(), {}, 1)), ElementsAre("usable"));
  put_record(projection,
             events::RegistryGrants{.org_id = "acme",
                                    .restricted = true,
                                    .grants = {grant_of(SubjectKind::user, "ann", ObjectKind::model, own.id, false)}},
             2);
  EXPECT_THAT(failing(resolve(projection, ask(), {}, 1)), ElementsAre("granted"));
}

TEST(Grants, LooksForDefaultAmongGrantedModels) {
  Projection projection;
  for (const auto* name : {"a", "b", "m"}) put(projection, model("ollama", name));
  const auto granted = [&](std::vector<events::Grant> grants, std::int64_t version) {
    put_record(projection, events::RegistryGrants{.org_id = "acme", .restricted = true, .grants = std::move(grants)},
               version);
    const auto route = resolve(projection, ask(""), {}, 1);
    return route ? route->targets[0].model.model_name : failing(route)[0];
  };
  EXPECT_EQ(granted({}, 1), "granted");
  EXPECT_EQ(granted({grant_of(SubjectKind::user, "ann", ObjectKind::model, model("ollama", "m").id)}, 2), "m");
  EXPECT_EQ(granted({grant_of(SubjectKind::user, "ann", ObjectKind::connection,
                              model("ollama", "b").deployments[0].connection_id)},
                    3),
            "b");
}

}  // namespace
}  // namespace tokenrail::registry
