#include "common/auth/id_token.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/common/auth/signer.hpp"

namespace tokenrail::auth {
namespace {

constexpr std::int64_t now_s = 1'800'000'000;
constexpr std::chrono::sys_seconds now{std::chrono::seconds(now_s)};

OidcSettings settings(std::vector<GroupRole> group_roles = {}) {
  return {.issuer = "https://login.example",
          .client_id = "web",
          .groups_claim = "groups",
          .group_roles = std::move(group_roles)};
}

struct Claims {
  std::string iss = R"("https://login.example")";
  std::string aud = R"("web")";
  std::string nonce = R"(,"nonce":"n")";
  std::int64_t exp = now_s + 60;
  std::string more{};  ///< begins with a comma
};

std::expected<Login, Refused> verify(const Claims& claims, const OidcSettings& by, std::string_view kid = "a") {
  static const auto keys = *JwkSet::parse(testing::jwks({testing::keyring().p256.jwk("a")}));
  const auto payload = fmt::format(R"({{"iss":{},"aud":{},"sub":"u1","exp":{}{}{}}})", claims.iss, claims.aud,
                                   claims.exp, claims.nonce, claims.more);
  const auto header = fmt::format(R"({{"alg":"ES256","kid":"{}"}})", kid);
  return verify_id_token(testing::keyring().p256.token(header, payload), keys, by, "n", now);
}

std::string refusal(const Claims& claims) {
  const auto login = verify(claims, settings());
  return login ? "" : std::string(name_of(login.error().why));
}

TEST(IdToken, RefusesEachWrongClaimByName) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({.iss = R"("https://other.example")"}), "wrong_issuer");
  EXPECT_EQ(refusal({.aud = R"("tokenrail")"}), "wrong_audience");
  EXPECT_EQ(refusal({.nonce = ""}), "wrong_nonce");
  EXPECT_EQ(refusal({.nonce = R"(,"nonce":"m")"}), "wrong_nonce");
  EXPECT_EQ(refusal({.nonce = R"(,"nonce":["n"])"}), "wrong_nonce");
  EXPECT_EQ(refusal({.exp = now_s - 61}), "expired");
  EXPECT_EQ(refusal({.more = R"(,"azp":"web")"}), "");
  EXPECT_EQ(refusal({.more = R"(,"azp":"other")"}), "wrong_party");
  EXPECT_EQ(refusal({.aud = R"(["web"])"}), "");
  EXPECT_EQ(refusal({.aud = R"(["web","other"])"}), "wrong_party");
  EXPECT_EQ(refusal({.aud = R"(["web","other"])", .more = R"(,"azp":"web")"}), "");
}

TEST(IdToken, SignatureIsVerifiedFirst) {
  const auto login = verify({.iss = R"("x")"}, settings(), "b");
  ASSERT_FALSE(login);
  EXPECT_EQ(login.error().why, Refusal::unknown_key);
  EXPECT_FALSE(verify_id_token("", JwkSet(), settings(), "n", now));
}

TEST(IdToken, EmptyNonceNeverMatches) {
  const auto keys = *JwkSet::parse(testing::jwks({testing::keyring().p256.jwk("a")}));
  const auto token = testing::keyring().p256.token(
      R"({"alg":"ES256","kid":"a"})",
      fmt::format(R"({{"iss":"https://login.example","aud":"web","sub":"u","exp":{},"nonce":""}})", now_s + 60));
  EXPECT_FALSE(verify_id_token(token, keys, settings(), "", now));
}

TEST(IdToken, GroupsGiveTheHighestRoleOfEachOrganisation) {
  const auto by = settings({{.group = "all", .org = "acme", .role = Role::viewer},
                            {.group = "ml", .org = "acme", .role = Role::model_admin},
                            {.group = "ml", .org = "beta", .role = Role::member},
                            {.group = "ops"}});
  const auto login = verify({.more = R"(,"groups":["ml","all",7,"unknown"],"role":"platform_admin")"}, by);
  ASSERT_TRUE(login) << login.error().detail;
  const std::map<std::string, Role, std::less<>> wanted{{"acme", Role::model_admin}, {"beta", Role::member}};
  EXPECT_EQ(login->principal.roles, wanted);
  EXPECT_FALSE(login->principal.platform_admin) << "claims give no role where groups do";
  EXPECT_TRUE(verify({.more = R"(,"groups":"ops")"}, by)->principal.platform_admin);
  const auto none = verify({}, by);
  EXPECT_TRUE(none->principal.roles.empty());
  EXPECT_FALSE(none->principal.platform_admin);
}

TEST(IdToken, WithoutMappedGroupsRolesComeFromTheClaims) {
  const auto login = verify({.more = R"(,"org":"acme","role":"org_admin","groups":["ops"])"}, settings());
  ASSERT_TRUE(login) << login.error().detail;
  EXPECT_EQ(login->principal.roles.at("acme"), Role::org_admin);
}

TEST(IdToken, NameIsOneForPeople) {
  EXPECT_EQ(verify({}, settings())->name, "u1");
  EXPECT_EQ(verify({.more = R"(,"email":"a@b.example")"}, settings())->name, "a@b.example");
  EXPECT_EQ(verify({.more = R"(,"email":"a@b.example","name":"Änna")"}, settings())->name, "Änna");
  EXPECT_EQ(verify({.more = fmt::format(R"(,"name":"{}")", std::string(300, 'x'))}, settings())->name, "u1");
  EXPECT_EQ(verify({.more = R"(,"client_id":"u1")"}, settings())->principal.kind, Principal::Kind::user);
}

}  // namespace
}  // namespace tokenrail::auth
