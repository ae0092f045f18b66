// Which connections the deployments of a person's model lead to, on a real PostgreSQL.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/events/model_event.hpp"
#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;

class DeploymentsTest : public GovernanceTest {
 protected:
  void SetUp() override {
    GovernanceTest::SetUp();
    if (IsSkipped()) return;
    platforms_ = made(root(), {});
    acmes_ = made(root(), scope("acme"));
    bens_ = made(root(), {.org_id = "acme", .user_id = "ben"});
  }
  /// A connection with the name `openai` in that scope.
  std::string made(const Actor& actor, const Scope& where) {
    const auto connection = connections().create(
        actor, where, R"({"provider":"openai","name":"openai","baseUrl":"https://api.openai.com/v1"})");
    EXPECT_TRUE(connection.has_value()) << connection.error().detail;
    return connection ? connection->id : std::string();
  }
  Result<Document> create(const Actor& actor, const Scope& where, const std::string& name,
                          const std::string& deployments) {
    return models().create(
        actor, where,
        R"({"provider":"openai","modelName":")" + name + R"(","enabled":true,"deployments":[)" + deployments + "]}");
  }
  /// The connections that serve the model whose event is the newest.
  std::string serving() {
    const auto event = events::parse_model_upserted(newest("payload"));
    std::string ids;
    if (event)
      for (const auto& deployment : event->model.deployments)
        ids += deployment.connection_id + "=" + deployment.upstream_name + " ";
    return ids;
  }
  static std::string on(const std::string& connection, const std::string& upstream) {
    return R"({"connectionId":")" + connection + R"(","upstreamName":")" + upstream + R"("})";
  }

  std::string platforms_;
  std::string acmes_;
  std::string bens_;
};

TEST_F(DeploymentsTest, NameIsTheNearestConnection) {
  ASSERT_OK(create(of("acme"), scope("acme"), "a", on("openai", "a")));
  EXPECT_EQ(serving(), acmes_ + "=a ");
  ASSERT_OK(create(root(), {}, "b", on("openai", "b")));
  EXPECT_EQ(serving(), platforms_ + "=b ");
  ASSERT_OK(create(of("other"), scope("other"), "c", on("openai", "c")));
  EXPECT_EQ(serving(), platforms_ + "=c ");
  const Scope ben{.org_id = "acme", .user_id = "ben"};
  ASSERT_OK(create({.name = "user:ben", .scope = ben}, ben, "d", on("openai", "d")));
  EXPECT_EQ(serving(), bens_ + "=d ");
}

TEST_F(DeploymentsTest, LimitsArePublishedAndStayUntilTheyAreCleared) {
  const auto limits = [&]() -> std::pair<std::optional<std::int64_t>, std::optional<std::int64_t>> {
    const auto event = events::parse_model_upserted(newest("payload"));
    if (!event || event->model.deployments.size() != 1) return {-1, -1};
    const auto& deployment = event->model.deployments.front();
    return {deployment.requests_per_minute, deployment.tokens_per_minute};
  };
  const auto set = [&](const std::string& members) {
    return models().change(of("acme"), scope("acme"), "openai/a",
                           R"({"deployments":[{"connectionId":"openai")" + members + "}]}", {});
  };
  ASSERT_OK(create(of("acme"), scope("acme"), "a",
                   R"({"connectionId":"openai","requestsPerMinute":60,"tokensPerMinute":100000})"));
  EXPECT_EQ(limits(), std::pair(std::optional<std::int64_t>(60), std::optional<std::int64_t>(100'000)));
  const auto weighed = set(R"(,"weight":3)");
  ASSERT_OK(weighed);
  EXPECT_THAT(weighed->json, HasSubstr(R"("requestsPerMinute" : 60, "tokensPerMinute" : 100000)"));
  EXPECT_EQ(limits().first, 60) << "who does not know the limits does not remove them";
  ASSERT_OK(set(R"(,"requestsPerMinute":null,"tokensPerMinute":5)"));
  EXPECT_EQ(limits(), std::pair(std::optional<std::int64_t>(), std::optional<std::int64_t>(5)));
  EXPECT_EQ(set(R"(,"tokensPerMinute":0)").error().kind, ErrorKind::invalid_input) << "the database has the rule too";
}

TEST_F(DeploymentsTest, IdIsExactlyThatConnection) {
  ASSERT_OK(create(of("acme"), scope("acme"), "a", on(platforms_, "a")));
  EXPECT_EQ(serving(), platforms_ + "=a ");
  const auto model = create(of("acme"), scope("acme"), "b", on("openai", "first") + "," + on(platforms_, "second"));
  ASSERT_OK(model);
  EXPECT_THAT(serving(), HasSubstr(acmes_ + "=first "));
  EXPECT_THAT(serving(), HasSubstr(platforms_ + "=second "));
}

TEST_F(DeploymentsTest, ConnectionNamedTwiceIsServedAsNamedFirst) {
  ASSERT_OK(create(of("acme"), scope("acme"), "a", on(acmes_, "first") + "," + on("openai", "second")));
  EXPECT_EQ(serving(), acmes_ + "=first ");
}

TEST_F(DeploymentsTest, PersonalConnectionServesItsUserOnly) {
  const auto refused = create(root(), scope("acme"), "a", on(bens_, "a"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::not_found);
}

TEST_F(DeploymentsTest, BlockedModelIsNotServedUnderAnotherName) {
  ASSERT_OK(create(root(), {}, "gpt-4o", on("openai", "gpt-4o")));
  ASSERT_OK(models().change(root(), {}, "openai/gpt-4o", R"({"blocked":true})", {}));
  const auto refused = create(of("acme"), scope("acme"), "x", on(platforms_, "gpt-4o"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::forbidden);
  EXPECT_THAT(refused.error().detail, HasSubstr("openai/gpt-4o"));
  // Without upstreamName the model's own name goes to the provider.
  EXPECT_FALSE(models()
                   .create(of("acme"), scope("acme"),
                           R"({"provider":"ollama","modelName":"gpt-4o","deployments":[{"connectionId":")" +
                               platforms_ + R"("}]})")
                   .has_value());
  ASSERT_OK(create(of("acme"), scope("acme"), "y", on(platforms_, "gpt-4o-mini")));
  EXPECT_FALSE(
      models()
          .change(of("acme"), scope("acme"), "openai/y", R"({"deployments":[)" + on(platforms_, "gpt-4o") + "]}", {})
          .has_value());
  // A key of its own is the organisation's affair, and what is blocked the platform may still arrange.
  ASSERT_OK(create(of("acme"), scope("acme"), "z", on(acmes_, "gpt-4o")));
  ASSERT_OK(models().change(root(), {}, "openai/gpt-4o", R"({"deployments":[)" + on(platforms_, "gpt-4o") + "]}", {}));
  ASSERT_OK(models().change(root(), {}, "openai/gpt-4o", R"({"blocked":false})", {}));
  ASSERT_OK(create(of("acme"), scope("acme"), "x", on(platforms_, "gpt-4o")));
}

TEST_F(DeploymentsTest, BlockReachesDeploymentsThatWereThereBefore) {
  ASSERT_OK(create(root(), {}, "gpt-4o", on("openai", "gpt-4o")));
  ASSERT_OK(create(of("acme"), scope("acme"), "x", on(platforms_, "gpt-4o")));
  ASSERT_OK(create(of("acme"), scope("acme"), "tagged", on(platforms_, "gpt-4o:latest")));
  ASSERT_OK(create(of("acme"), scope("acme"), "other", on(platforms_, "gpt-4o-mini")));
  ASSERT_OK(create(of("acme"), scope("acme"), "own", on(acmes_, "gpt-4o")));
  const auto status = [&](const std::string& name) {
    const auto found = models().get(of("acme"), scope("acme"), "openai/" + name);
    return found ? found->json : found.error().detail;
  };
  for (const auto* name : {"x", "tagged", "other", "own"})
    ASSERT_OK(models().change(of("acme"), scope("acme"), std::string("openai/") + name, R"({"enabled":true})", {}));
  EXPECT_THAT(status("x"), HasSubstr(R"("status" : "active")"));
  ASSERT_OK(models().change(root(), {}, "openai/gpt-4o", R"({"blocked":true})", {}));
  for (const auto* name : {"x", "tagged"}) {
    EXPECT_THAT(status(name), HasSubstr(R"("status" : "unserved")"));
    EXPECT_THAT(status(name), HasSubstr(R"("blockedBy" : "openai/gpt-4o")"));
  }
  for (const auto* name : {"other", "own"}) EXPECT_THAT(status(name), HasSubstr(R"("status" : "active")"));
  EXPECT_EQ(models().list(of("acme"), scope("acme"), {.status = "unserved"}, {})->total, 2);
  ASSERT_OK(models().change(root(), {}, "openai/gpt-4o", R"({"blocked":false})", {}));
  EXPECT_THAT(status("x"), HasSubstr(R"("status" : "active")"));
}

}  // namespace
}  // namespace tokenrail::registry
