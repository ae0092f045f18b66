#include "workers/registry_api/access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workers/registry_api/call.hpp"

namespace tokenrail::registry_api {
namespace {

using auth::Permission;
using auth::Principal;
using auth::Role;

Principal member(Role role) {
  return {.issuer = "i", .subject = "anna", .roles = {{"acme", role}}};
}

int status_of(const Route& route, const Principal& principal, std::string_view org, bool personal = false) {
  const auto decision = decide_access(route, principal, org, personal);
  EXPECT_FALSE(decision.reason.empty());
  return decision.refusal ? info_of(decision.refusal->fault).status : 200;
}

Route route(Access access, std::string_view permission = {}) {
  return {
      .method = "GET", .pattern = "/", .operation = "op", .summary = "", .access = access, .permission = permission};
}

TEST(Access, FollowsTheRoleInTheOrganisation) {
  const auto writes = route(Access::org, "org:models:write");
  EXPECT_EQ(status_of(writes, member(Role::model_admin), "acme"), 200);
  EXPECT_EQ(status_of(writes, member(Role::viewer), "acme"), 403);
  EXPECT_EQ(status_of(writes, {}, "acme"), 401);
}

TEST(Access, ForeignOrganisationIsUnknown) {
  const auto reads = route(Access::org, "org:models:read");
  EXPECT_EQ(status_of(reads, member(Role::org_admin), "other"), 404);
  const auto foreign = decide_access(reads, member(Role::org_admin), "other", false);
  EXPECT_EQ(body_of(*foreign.refusal, "r"), body_of(no_such_organisation("other"), "r"));
}

TEST(Access, PlatformScopeNeedsPlatformPermission) {
  const auto reads = route(Access::org, "org:models:read");
  EXPECT_EQ(status_of(reads, member(Role::org_admin), platform_org), 403);
  auto root = member(Role::viewer);
  root.platform_admin = true;
  EXPECT_EQ(status_of(reads, root, platform_org), 200);
  EXPECT_EQ(status_of(route(Access::platform, "platform:orgs:write"), root, ""), 200);
  EXPECT_EQ(status_of(route(Access::platform, "platform:orgs:write"), member(Role::org_admin), ""), 403);
}

TEST(Access, OwnerMayChangeOwnRows) {
  const auto writes = route(Access::org, "org:models:write");
  EXPECT_EQ(status_of(writes, member(Role::member), "acme", false), 403);
  EXPECT_EQ(status_of(writes, member(Role::member), "acme", true), 200);
}

TEST(Access, OpenRoutesNeedNoCaller) {
  EXPECT_EQ(status_of(route(Access::open), {}, ""), 200);
  EXPECT_EQ(status_of(route(Access::caller), {}, ""), 401);
  EXPECT_EQ(status_of(route(Access::caller), member(Role::viewer), ""), 200);
}

TEST(Access, EveryPermissionHasOneForThePlatform) {
  for (std::size_t i = 0; i < auth::permission_count; ++i)
    EXPECT_TRUE(is_platform(platform_permission(static_cast<Permission>(i)))) << i;
  EXPECT_EQ(platform_permission(Permission::credentials_write), Permission::platform_credentials_write);
  EXPECT_EQ(platform_permission(Permission::platform_blocks_write), Permission::platform_blocks_write);
}

}  // namespace
}  // namespace tokenrail::registry_api
