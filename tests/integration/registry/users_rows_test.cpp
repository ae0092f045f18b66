// What an organisation's change brings about in its users' rows, which the organisation's administrator does not see.
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/events/model_event.hpp"
#include "common/registry/model_views.hpp"
#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;

class UsersRowsTest : public GovernanceTest {
 protected:
  static Actor anna() { return {.name = "user:anna@acme", .scope = {.org_id = "acme", .user_id = "anna"}}; }

  void SetUp() override {
    GovernanceTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_OK(
        connections().create(of("acme"), scope("acme"),
                             R"({"provider":"openai","name":"acme-openai","baseUrl":"https://api.openai.com/v1"})"));
    ASSERT_OK(models().create(
        anna(), anna().scope,
        R"({"provider":"openai","modelName":"gpt-4o","enabled":true,"deployments":[{"connectionId":"acme-openai"}]})"));
  }
  /// The newest payload that was published under the key; empty: it was removed last.
  std::string published(const std::string& key) {
    return sql().run("SELECT payload FROM outbox WHERE aggregateid = '" + key + "' ORDER BY seq DESC LIMIT 1");
  }
  events::ModelState users_model() {
    const auto event = events::parse_model_upserted(published("acme/anna/openai/gpt-4o"));
    EXPECT_TRUE(event.has_value());
    return event ? event->model : events::ModelState();
  }
};

TEST_F(UsersRowsTest, UsersModelFollowsTheOrganisationsConnection) {
  ASSERT_TRUE(users_model().routable);
  ASSERT_OK(connections().change(of("acme"), scope("acme"), "acme-openai", R"({"enabled":false})", {}));
  EXPECT_FALSE(users_model().deployments.at(0).enabled);
  EXPECT_FALSE(users_model().routable);

  const auto refused = connections().remove(of("acme"), scope("acme"), "acme-openai", false, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().detail, HasSubstr("serves 1 models"));
  ASSERT_OK(connections().remove(of("acme"), scope("acme"), "acme-openai", true, {}));
  EXPECT_TRUE(users_model().deployments.empty());
}

TEST_F(UsersRowsTest, WhatLeadsToAModelGoesWithIt) {
  ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"displayName":"Ours"})", {}));
  ASSERT_OK(pointers().set_alias(anna(), anna().scope, {.alias = "mine", .targets = {{"ollama/qwen3", 1}}}, {}));
  for (const auto& actor : {of("acme"), anna()})
    ASSERT_OK(ModelViews(*database_).set(actor, actor.scope, {.name = "v", .pins = {"ollama/qwen3"}}, {}));
  const auto platforms =
      sql().run("SELECT id FROM model WHERE org_id IS NULL AND provider = 'ollama' AND model_name = 'qwen3'");
  ASSERT_EQ(published("_view/acme/_/v").find(platforms), std::string::npos) << "the organisation's row is pinned";

  ASSERT_OK(models().remove(of("acme"), scope("acme"), "ollama/qwen3", true, {}));
  EXPECT_THAT(published("_view/acme/_/v"), HasSubstr(R"("pins":[")" + platforms + R"("])"));
  EXPECT_THAT(published("_view/acme/anna/v"), HasSubstr(R"("pins":[")" + platforms + R"("])"));
  EXPECT_EQ(sql().run("SELECT model_id FROM model_alias_target"), platforms);
}

}  // namespace
}  // namespace tokenrail::registry
