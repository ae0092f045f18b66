#include "workers/registry_api/memberships.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using auth::Permission;
using auth::Principal;
using auth::Role;
using registry::Organizations;

TEST(Memberships, RowsCountInsteadOfTheToken) {
  const Principal token{.issuer = "i", .subject = "anna", .roles = {{"acme", Role::org_admin}, {"beta", Role::member}}};
  const auto principal = with_memberships(
      token, {.memberships = {{.org_id = "acme", .role = "viewer"}, {.org_id = "gamma", .role = "member"}}});
  EXPECT_EQ(principal.roles.at("acme"), Role::viewer);
  EXPECT_EQ(principal.roles.at("beta"), Role::member);
  EXPECT_EQ(principal.roles.at("gamma"), Role::member);
  EXPECT_FALSE(principal.platform_admin);
}

TEST(Memberships, DeniedPermissionsAreTakenOver) {
  const auto principal = with_memberships(
      {.issuer = "i", .subject = "anna"},
      {.memberships = {{.org_id = "acme", .role = "org_admin", .denied = {"org:models:write", "no:such"}}}});
  EXPECT_FALSE(auth::decide(principal, Permission::models_write, "acme"));
  EXPECT_TRUE(auth::decide(principal, Permission::models_read, "acme"));
}

TEST(Memberships, DeletedOrganisationGivesNothing) {
  const auto principal =
      with_memberships({.issuer = "i", .subject = "anna", .roles = {{"acme", Role::org_admin}}}, {.gone = {"acme"}});
  EXPECT_FALSE(principal.is_member_of("acme"));
}

TEST(Memberships, UnknownRoleGivesNothing) {
  const auto principal =
      with_memberships({.issuer = "i", .subject = "anna"}, {.memberships = {{.org_id = "acme", .role = "emperor"}}});
  EXPECT_FALSE(principal.is_member_of("acme"));
}

std::string hex(const auth::Digest& digest) {
  std::string text;
  for (const auto byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

TEST(ServiceToken, IsNoClientWithAJwt) {
  EXPECT_FALSE(is_service_token({.issuer = "https://idp", .subject = "c", .kind = Principal::Kind::service}));
  EXPECT_TRUE(is_service_token({.issuer = std::string(service_token_issuer), .kind = Principal::Kind::service}));
}

TEST(ServiceToken, IsKnownByItsHash) {
  const auto made = auth::make_api_token();
  ASSERT_TRUE(made);
  const Organizations::TokenOwner owner{
      .org_id = "acme", .name = "ci", .role = "model_admin", .sha256_hex = hex(made->sha256)};
  const auto principal = service_principal(made->id, made->sha256, owner);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->roles.at("acme"), Role::model_admin);
  EXPECT_EQ(principal->kind, Principal::Kind::service);
  EXPECT_FALSE(principal->platform_admin);

  auto other = made->sha256;
  other[31] ^= 1;
  EXPECT_FALSE(service_principal(made->id, other, owner));
  auto broken = owner;
  broken.sha256_hex = "xyz";
  EXPECT_FALSE(service_principal(made->id, made->sha256, broken));
}

TEST(ServiceToken, PlatformMemberIsAPlatformAdmin) {
  const auto made = auth::make_api_token();
  ASSERT_TRUE(made);
  const auto principal =
      service_principal(made->id, made->sha256,
                        {.org_id = "", .name = "root", .role = "platform_admin", .sha256_hex = hex(made->sha256)});
  ASSERT_TRUE(principal);
  EXPECT_TRUE(principal->platform_admin);
  EXPECT_TRUE(principal->roles.empty());
}

TEST(Sessions, EndByTheirIdOrWithAllOfTheUser) {
  const auth::Session session{.id = "one", .generation = 2};
  EXPECT_FALSE(is_ended(session, {}));
  EXPECT_FALSE(is_ended(session, {.session_generation = 2}));
  EXPECT_TRUE(is_ended(session, {.session_generation = 3}));
  EXPECT_TRUE(is_ended(session, {.session_ended = true}));
}

TEST(Sessions, GiveNoRoleWhereTheirUserWasRemovedSince) {
  const Organizations::Known known{.session_generation = 1, .ended_roles = {{"acme", 4}, {"gone", 2}}};
  const auth::Principal anna{.issuer = "i",
                             .subject = "anna",
                             .roles = {{"acme", Role::org_admin}, {"beta", Role::viewer}, {"gone", Role::member}}};
  const auto roles_at = [&](std::int64_t generation) {
    return without_ended_roles(anna, {.generation = generation}, known).roles;
  };
  using Roles = decltype(anna.roles);
  EXPECT_EQ(roles_at(1), (Roles{{"beta", Role::viewer}}));
  EXPECT_EQ(roles_at(3), (Roles{{"beta", Role::viewer}, {"gone", Role::member}}));
  EXPECT_FALSE(is_ended({.generation = 1}, known));
  // A login afterwards counts by what the provider says.
  EXPECT_EQ(roles_at(login_generation(known)), anna.roles);
  EXPECT_EQ(login_generation({.session_generation = 7, .ended_roles = {{"acme", 4}}}), 7);
}

TEST(KnownCallers, AreForgottenAfterAWhile) {
  KnownCallers callers;
  const auth::Principal anna{.issuer = "i", .subject = "anna"};
  const KnownCallers::Clock::time_point now{std::chrono::hours(1)};
  EXPECT_FALSE(callers.recall(anna, "", now));
  callers.remember(anna, "", {.platform_admin = true}, now);
  const auto known = callers.recall(anna, "", now + KnownCallers::age_max - std::chrono::seconds(1));
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->platform_admin);
  EXPECT_FALSE(callers.recall(anna, "", now + KnownCallers::age_max));
  EXPECT_FALSE(callers.recall({.issuer = "other", .subject = "anna"}, "", now));
}

TEST(KnownCallers, SessionsOfAUserAreForgottenTogether) {
  KnownCallers callers;
  const KnownCallers::Clock::time_point now{std::chrono::hours(1)};
  const auth::Principal anna{.issuer = "i", .subject = "anna"};
  const auth::Principal anne{.issuer = "i", .subject = "anne"};
  for (const auto* session : {"", "one", "two"}) callers.remember(anna, session, {}, now);
  callers.remember(anne, "three", {}, now);
  EXPECT_FALSE(callers.recall(anna, "three", now));
  callers.forget(anna);
  for (const auto* session : {"", "one", "two"}) EXPECT_FALSE(callers.recall(anna, session, now)) << session;
  EXPECT_TRUE(callers.recall(anne, "three", now));
}

TEST(KnownCallers, AreBounded) {
  KnownCallers callers;
  const KnownCallers::Clock::time_point now{};
  for (std::size_t i = 0; i <= KnownCallers::callers_max; ++i)
    callers.remember({.issuer = "i", .subject = std::to_string(i)}, "", {}, now);
  std::size_t kept = 0;
  for (std::size_t i = 0; i <= KnownCallers::callers_max; ++i)
    kept += callers.recall({.issuer = "i", .subject = std::to_string(i)}, "", now) ? 1 : 0;
  EXPECT_EQ(kept, KnownCallers::callers_max);
}

}  // namespace
}  // namespace tokenrail::registry_api
