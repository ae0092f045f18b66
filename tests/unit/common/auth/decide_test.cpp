// decide() against the tables of docs/explanation/authorisation.md, which people read and this test reads too: every
// role × every permission × {own organisation, another one} × {shared row, own row, another user's row}.
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/auth/principal.hpp"

namespace tokenrail::auth {
namespace {

using ::testing::HasSubstr;

/// A table of the page: row name and column name to cell.
using Table = std::map<std::pair<std::string, std::string>, std::string>;

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  line.remove_prefix(1);
  while (!line.empty()) {
    const auto end = line.find('|');
    std::string cell(line.substr(0, end));
    std::erase_if(cell, [](char c) { return c == ' ' || c == '`'; });
    cells.push_back(std::move(cell));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return cells;
}

/// The table below the heading.
Table table_below(std::string_view heading) {
  std::ifstream file(TOKENRAIL_SOURCE_DIR "/docs/explanation/authorisation.md");
  Table table;
  std::vector<std::string> columns;
  bool below = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) below = line == heading;
    if (!below || !line.starts_with('|') || line.starts_with("| ---")) continue;
    const auto cells = cells_of(line);
    if (columns.empty()) {
      columns = cells;
      continue;
    }
    for (std::size_t i = 1; i < cells.size(); ++i) table[{cells[0], columns[i]}] = cells[i];
  }
  return table;
}

constexpr std::array<std::string_view, 5> roles{"viewer", "member", "model_admin", "org_admin", "platform_admin"};

Principal ann(std::string_view role) {
  Principal principal{.issuer = "i", .subject = "ann"};
  principal.platform_admin = role == platform_admin_name;
  if (const auto in_org = role_of(role)) principal.roles.emplace("acme", *in_org);
  return principal;
}

std::vector<Permission> all_permissions() {
  std::vector<Permission> all;
  for (std::size_t i = 0; i < permission_count; ++i) all.push_back(static_cast<Permission>(i));
  return all;
}

TEST(Decide, SharedRowsAreAsTheTableSays) {
  const auto table = table_below("## Roles and permissions");
  ASSERT_EQ(table.size(), permission_count * roles.size()) << "a row for each permission, a column for each role";
  for (const auto permission : all_permissions()) {
    for (const auto role : roles) {
      const auto cell = table.at({std::string(name_of(permission)), std::string(role)});
      ASSERT_TRUE(cell == "yes" || cell.empty()) << cell;
      const bool admin = role == platform_admin_name;
      const auto own = decide(ann(role), permission, "acme");
      EXPECT_EQ(own.allowed, cell == "yes") << role << " " << name_of(permission) << ": " << own.reason;
      EXPECT_EQ(own.status, cell == "yes" ? 0 : 403) << role << " " << name_of(permission);
      const auto other = decide(ann(role), permission, "beta");
      const int expected = admin ? 0 : is_platform(permission) ? 403 : 404;
      EXPECT_EQ(other.status, expected) << role << " " << name_of(permission) << ": " << other.reason;
      EXPECT_EQ(other.allowed, expected == 0);
      EXPECT_FALSE(own.reason.empty() || other.reason.empty());
    }
  }
}

TEST(Decide, PersonalRowsAreAsTheTableSays) {
  const auto table = table_below("## Personal rows");
  const auto shared = table_below("## Roles and permissions");
  for (const auto permission : all_permissions()) {
    if (is_platform(permission)) continue;
    for (const auto role : roles) {
      const std::string name(name_of(permission));
      const auto listed = table.find({name, std::string(role)});
      const auto& cell = listed == table.end() ? shared.at({name, std::string(role)}) : listed->second;
      const auto own = decide(ann(role), permission, "acme", "ann");
      EXPECT_EQ(own.status, cell == "yes" ? 0 : 403) << role << " " << name << ": " << own.reason;
      const auto others = decide(ann(role), permission, "acme", "bob");
      const bool sees_others = role == "org_admin" || role == platform_admin_name;
      const int expected = !sees_others ? 404 : shared.at({name, std::string(role)}) == "yes" ? 0 : 403;
      EXPECT_EQ(others.status, expected) << role << " " << name << ": " << others.reason;
      const auto elsewhere = decide(ann(role), permission, "beta", "ann");
      EXPECT_EQ(elsewhere.status, role == platform_admin_name ? 0 : 404) << role << " " << name;
    }
  }
}

TEST(Decide, PersonalTableHasOnlyKnownNames) {
  const auto table = table_below("## Personal rows");
  ASSERT_FALSE(table.empty());
  for (const auto& [key, cell] : table) {
    EXPECT_TRUE(permission_of(key.first)) << key.first;
    EXPECT_THAT(roles, ::testing::Contains(key.second));
  }
}

TEST(Decide, ServiceOwnsNoPersonalRows) {
  auto service = ann("member");
  service.kind = Principal::Kind::service;
  EXPECT_EQ(decide(service, Permission::models_read, "acme", "ann").status, 404)
      << "its subject may be a user's name by chance";
}

TEST(Decide, NoSubjectIsUnauthenticated) {
  Principal nobody{.platform_admin = true, .roles = {{"acme", Role::org_admin}}};
  EXPECT_EQ(decide(nobody, Permission::models_read, "acme").status, 401);
  EXPECT_EQ(decide(nobody, Permission::platform_audit_read, "").status, 401);
}

TEST(Decide, DenialBeatsEveryRoleInItsOrganisation) {
  for (const auto role : role_names) {
    auto principal = ann(role);
    principal.roles.emplace("beta", Role::org_admin);
    principal.denied["acme"] = {Permission::models_read};
    EXPECT_EQ(decide(principal, Permission::models_read, "acme").status, 403) << role;
    EXPECT_EQ(decide(principal, Permission::models_read, "acme", "ann").status, 403) << role;
    EXPECT_THAT(decide(principal, Permission::models_read, "acme").reason, HasSubstr("denied by name"));
    EXPECT_TRUE(decide(principal, Permission::connections_read, "acme")) << role;
    EXPECT_TRUE(decide(principal, Permission::models_read, "beta")) << role;
  }
}

TEST(Decide, OrganisationDeniesNothingToAPlatformAdmin) {
  auto admin = ann(platform_admin_name);
  for (const auto permission : all_permissions()) admin.denied["acme"].insert(permission);
  for (const auto permission : all_permissions()) {
    EXPECT_TRUE(decide(admin, permission, "acme")) << name_of(permission);
    EXPECT_TRUE(decide(admin, permission, "acme", "bob")) << name_of(permission);
  }
  // Also where the organisation made the admin a member.
  admin.roles.emplace("acme", Role::viewer);
  EXPECT_TRUE(decide(admin, Permission::members_write, "acme"));
}

TEST(Decide, DenialInAForeignOrganisationStaysHidden) {
  auto principal = ann("member");
  principal.denied["beta"] = {Permission::models_read};
  EXPECT_EQ(decide(principal, Permission::models_read, "beta").status, 404);
}

TEST(Decide, PlatformPermissionsCannotBeDeniedInAnOrganisation) {
  auto admin = ann(platform_admin_name);
  admin.denied["acme"] = {Permission::platform_models_write};
  EXPECT_TRUE(decide(admin, Permission::platform_models_write, "acme"));
}

TEST(Decide, ScopesRestrictEveryRole) {
  for (const auto role : roles) {
    auto principal = ann(role);
    principal.scopes = PermissionSet{Permission::models_read, Permission::platform_audit_read};
    for (const auto permission : all_permissions()) {
      const auto without = decide(ann(role), permission, "acme");
      const auto with = decide(principal, permission, "acme");
      EXPECT_EQ(with.allowed, without.allowed && principal.scopes->contains(permission)) << role << name_of(permission);
      if (!with.allowed) EXPECT_EQ(with.status, 403);
    }
    principal.scopes = PermissionSet{};
    EXPECT_FALSE(decide(principal, Permission::models_read, "acme")) << "no scope is no permission";
  }
}

TEST(Decide, ReasonNamesRoleOrganisationAndPermission) {
  EXPECT_EQ(decide(ann("viewer"), Permission::models_write, "acme").reason, "viewer of 'acme' has no org:models:write");
  EXPECT_EQ(decide(ann("viewer"), Permission::models_read, "beta").reason, "no membership in the organisation 'beta'");
  EXPECT_EQ(decide(ann("member"), Permission::models_use, "acme").reason, "member of 'acme' has org:models:use");
}

TEST(Decide, OrganisationsAreComparedExactly) {
  for (const auto* const org : {"", "Acme", "acme ", "acm", "acme2"})
    EXPECT_EQ(decide(ann("org_admin"), Permission::models_read, org).status, 404) << org;
}

TEST(Names, ComeBackAsTheirValues) {
  for (const auto permission : all_permissions()) EXPECT_EQ(permission_of(name_of(permission)), permission);
  for (const auto role : {Role::viewer, Role::member, Role::model_admin, Role::org_admin})
    EXPECT_EQ(role_of(name_of(role)), role);
  EXPECT_EQ(role_of("platform_admin"), std::nullopt);
  EXPECT_EQ(role_of("Viewer"), std::nullopt);
  EXPECT_EQ(permission_of("org:models:*"), std::nullopt);
  for (const auto permission : all_permissions())
    EXPECT_EQ(is_platform(permission), name_of(permission).starts_with("platform:")) << name_of(permission);
}

TEST(PermissionSet, HoldsWhatWasPutIn) {
  for (const auto in : all_permissions())
    for (const auto asked : all_permissions()) EXPECT_EQ(PermissionSet{in}.contains(asked), in == asked);
  EXPECT_TRUE(PermissionSet{}.empty());
}

}  // namespace
}  // namespace tokenrail::auth
