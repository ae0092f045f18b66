#include "common/registry/connection_health.hpp"

#include <gtest/gtest.h>

namespace tokenrail::registry {
namespace {

ConnectionHealth after(const std::string& error_class) {
  return health_after_sync(
             {.connection_id = "c", .trigger = "schedule", .status = "failed", .error_class = error_class})
      .value_or(ConnectionHealth{.state = "as before"});
}

TEST(ConnectionHealth, ASyncThatListedModelsIsHealthy) {
  for (const auto* status : {"ok", "held"})
    EXPECT_EQ(health_after_sync({.connection_id = "c", .trigger = "manual", .status = status}),
              (ConnectionHealth{.state = "healthy"}));
}

TEST(ConnectionHealth, AProviderThatCannotBeUsedIsDown) {
  for (const auto* reason :
       {"connect_failed", "connect_timeout", "total_timeout", "broken", "auth", "quota", "server_error",
        "credential_missing", "refused_address", "redirect", "not_found", "a class that is new"})
    EXPECT_EQ(after(reason), (ConnectionHealth{.state = "down", .reason = reason}));
}

TEST(ConnectionHealth, LimitingOrUnreadableProviderIsDegraded) {
  for (const auto* reason : {"rate_limited", "overloaded", "busy", "too_large", "not_json", "unexpected_status"})
    EXPECT_EQ(after(reason), (ConnectionHealth{.state = "degraded", .reason = reason}));
}

TEST(ConnectionHealth, OwnFailuresDoNotChangeHealth) {
  for (const auto* reason : {"conflict", "refused", "no_adapter"}) EXPECT_EQ(after(reason).state, "as before");
}

TEST(ConnectionHealth, ATestThatAnsweredIsHealthy) {
  EXPECT_EQ(health_after_test("", "", true), (ConnectionHealth{.state = "healthy"}));
}

TEST(ConnectionHealth, TestThatOnlyReachedHostChangesNothing) {
  EXPECT_FALSE(health_after_test("", "", false).has_value());
}

TEST(ConnectionHealth, AFailedStageGivesTheReason) {
  EXPECT_EQ(health_after_test("auth", "auth", true), (ConnectionHealth{.state = "down", .reason = "auth"}));
  EXPECT_EQ(health_after_test("tcp", "unreachable", true),
            (ConnectionHealth{.state = "down", .reason = "unreachable"}));
  EXPECT_EQ(health_after_test("list", "rate_limited", true),
            (ConnectionHealth{.state = "degraded", .reason = "rate_limited"}));
  EXPECT_EQ(health_after_test("list", "bad_request", true),
            (ConnectionHealth{.state = "degraded", .reason = "bad_request"}));
}

TEST(ConnectionHealth, MissingModelDoesNotChangeHealth) {
  EXPECT_FALSE(health_after_test("call", "not_found_model", true).has_value());
  EXPECT_FALSE(health_after_test("call", "bad_request", true).has_value());
}

}  // namespace
}  // namespace tokenrail::registry
