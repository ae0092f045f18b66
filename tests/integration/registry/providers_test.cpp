// The providers that the database knows are those that the programs know.
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "common/providers/profile.hpp"
#include "common/registry/connections.hpp"
#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

TEST_F(StoreTest, EveryKnownProviderCanHaveAConnection) {
  for (const auto& profile : providers::profiles()) {
    SCOPED_TRACE(profile.provider);
    const auto made = store_->ensure_platform_connection({.name = "test-" + std::string(profile.provider),
                                                          .provider = std::string(profile.provider),
                                                          .base_url = "http://localhost:1",
                                                          .auth_type = std::string(name_of(profile.auth))});
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->adapter, profile.adapter);
    EXPECT_EQ(made->auth_type, name_of(profile.auth));
  }
  const auto unknown = store_->ensure_platform_connection(
      {.name = "test-unknown", .provider = "no-such-provider", .base_url = "http://localhost:1"});
  EXPECT_FALSE(unknown);
}

TEST_F(StoreTest, FormsBeginWithTheHeaderThatCallsCarry) {
  for (const auto& profile : providers::profiles()) {
    SCOPED_TRACE(profile.provider);
    EXPECT_EQ(
        sql().run("SELECT COALESCE((SELECT f ->> 'default' FROM provider p, jsonb_array_elements(p.credential_form "
                  "-> 'fields') AS f WHERE p.slug = '" +
                  std::string(profile.provider) +
                  "' AND f ->> 'name' = 'authName' AND f -> 'authTypes' = '[\"header\"]'), '')"),
        profile.auth_name);
  }
}

TEST_F(StoreTest, OtherKindOfKeyChangesTheConnection) {
  const auto before = store_->ensure_platform_connection(
      {.name = "env-openai", .provider = "openai", .base_url = "http://localhost:1", .auth_type = "none"});
  const auto after = store_->ensure_platform_connection(
      {.name = "env-openai", .provider = "openai", .base_url = "http://localhost:1", .auth_type = "bearer"});
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->id, after->id);
  EXPECT_EQ(after->auth_type, "bearer");
}

TEST_F(StoreTest, PersonsValuesWinOverEnvironment) {
  GovernedDatabase database(options_);
  Connections connections(database);
  const Actor root{.name = "cli:root", .all_organizations = true};
  const auto from_environment = [&](const std::string& base_url) {
    return store_
        ->ensure_platform_connection(
            {.name = "env-ollama", .provider = "ollama", .base_url = base_url, .auth_type = "none"})
        .value();
  };
  // A field that the environment does not know changes nothing about the others.
  ASSERT_TRUE(connections.change(root, {}, connection_.id, R"({"priority":7})", std::nullopt).has_value());
  EXPECT_EQ(from_environment("http://second:1").base_url, "http://second:1");

  const auto set = connections.change(root, {}, connection_.id, R"({"baseUrl":"http://people:1"})", std::nullopt);
  ASSERT_TRUE(set.has_value()) << set.error().detail;
  const auto version = sql().run("SELECT version FROM connection");
  EXPECT_EQ(from_environment("http://third:1").base_url, "http://people:1");
  EXPECT_EQ(from_environment("http://third:1").priority, 7);
  EXPECT_EQ(sql().run("SELECT version FROM connection"), version) << "nothing was written";
}

TEST_F(StoreTest, ResetFieldIsTheEnvironmentsAgain) {
  GovernedDatabase database(options_);
  Connections connections(database);
  const Actor root{.name = "cli:root", .all_organizations = true};
  const PlatformConnection wanted{
      .name = "env-ollama", .provider = "ollama", .base_url = connection_.base_url, .new_models_enabled = true};
  ASSERT_TRUE(connections.change(root, {}, connection_.id, R"({"onNew":"disabled"})", std::nullopt).has_value());
  EXPECT_FALSE(store_->ensure_platform_connection(wanted)->new_models_enabled);
  ASSERT_TRUE(connections.change(root, {}, connection_.id, R"({"onNew":null})", std::nullopt).has_value());
  EXPECT_TRUE(store_->ensure_platform_connection(wanted)->new_models_enabled);
}

}  // namespace
}  // namespace tokenrail::registry
