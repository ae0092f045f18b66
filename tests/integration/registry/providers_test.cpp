// The providers that the database knows are those that the programs know.
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "common/providers/profile.hpp"
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

TEST_F(StoreTest, AnotherKindOfKeyIsAChangeOfTheConnection) {
  const auto before = store_->ensure_platform_connection(
      {.name = "env-openai", .provider = "openai", .base_url = "http://localhost:1", .auth_type = "none"});
  const auto after = store_->ensure_platform_connection(
      {.name = "env-openai", .provider = "openai", .base_url = "http://localhost:1", .auth_type = "bearer"});
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->id, after->id);
  EXPECT_EQ(after->auth_type, "bearer");
}

}  // namespace
}  // namespace tokenrail::registry
