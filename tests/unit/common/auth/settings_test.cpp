#include "common/auth/settings.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/auth/oidc_settings.hpp"

namespace tokenrail::auth {
namespace {

using ::testing::HasSubstr;
using Environment = std::map<std::string, std::string>;

Result<AuthSettings> read(Environment environment, std::string_view home = "/home/ann") {
  const auto settings = auth_settings();
  const auto loaded = config::load(
      {.settings = settings, .arguments = {}, .environment = std::move(environment), .file_text = {}, .file_name = {}});
  if (!loaded) return std::unexpected(loaded.error());
  return read_auth_settings(loaded->values, "", home);
}

Environment jwt(Environment more) {
  more.insert({{"TOKENRAIL_AUTH_MODE", "jwt"},
               {"TOKENRAIL_AUTH_ISSUER", "https://issuer.example"},
               {"TOKENRAIL_AUTH_JWKS_URL", "https://issuer.example/jwks"}});
  return more;
}

TEST(AuthSettings, ModeHasNoDefault) {
  const auto read_none = read({});
  ASSERT_FALSE(read_none);
  EXPECT_THAT(read_none.error().detail, HasSubstr("TOKENRAIL_AUTH_MODE=jwt"));
  EXPECT_THAT(read_none.error().detail, HasSubstr("TOKENRAIL_AUTH_MODE=dev"));
  EXPECT_FALSE(read({{"TOKENRAIL_AUTH_MODE", "none"}}));
}

TEST(AuthSettings, DevModeNeedsNothingMore) {
  const auto dev = read({{"TOKENRAIL_AUTH_MODE", "dev"}});
  ASSERT_TRUE(dev) << dev.error().detail;
  EXPECT_EQ(dev->mode, Mode::dev);
  EXPECT_EQ(dev->rules().issuer, "tokenrail-dev");
  EXPECT_EQ(dev->rules().audience, "tokenrail");
  EXPECT_EQ(dev->dev_key_file, "/home/ann/.local/state/tokenrail/dev-auth-key.json");
  EXPECT_EQ(read({{"TOKENRAIL_AUTH_MODE", "dev"}, {"TOKENRAIL_AUTH_DEV_KEY_FILE", "/run/key.json"}})->dev_key_file,
            "/run/key.json");
  EXPECT_THAT(read({{"TOKENRAIL_AUTH_MODE", "dev"}}, "").error().detail, HasSubstr("auth.dev_key_file"));
}

TEST(AuthSettings, DevModeKeepsNamesOfItsTokens) {
  const auto dev =
      read({{"TOKENRAIL_AUTH_MODE", "dev"}, {"TOKENRAIL_AUTH_ISSUER", "x"}, {"TOKENRAIL_AUTH_ROLE_CLAIM", "x"}});
  ASSERT_TRUE(dev);
  EXPECT_EQ(dev->rules().issuer, "tokenrail-dev");
  EXPECT_EQ(dev->rules().claims.role, "role");
}

TEST(AuthSettings, JwtModeIsReadWhole) {
  const auto all = read(jwt({{"TOKENRAIL_AUTH_AUDIENCE", "registry"},
                             {"TOKENRAIL_AUTH_ORG_CLAIM", "o"},
                             {"TOKENRAIL_AUTH_ROLE_CLAIM", "r"},
                             {"TOKENRAIL_AUTH_ROLES_CLAIM", "rs"}}));
  ASSERT_TRUE(all) << all.error().detail;
  EXPECT_EQ(all->mode, Mode::jwt);
  EXPECT_EQ(all->jwks_url, "https://issuer.example/jwks");
  const auto rules = all->rules();
  EXPECT_EQ(rules.issuer, "https://issuer.example");
  EXPECT_EQ(rules.audience, "registry");
  EXPECT_EQ(rules.claims.org, "o");
  EXPECT_EQ(rules.claims.role, "r");
  EXPECT_EQ(rules.claims.roles, "rs");
  EXPECT_EQ(rules.skew, std::chrono::seconds(60));
}

TEST(AuthSettings, JwtModeNamesWhatIsMissing) {
  EXPECT_THAT(read({{"TOKENRAIL_AUTH_MODE", "jwt"}}).error().detail, HasSubstr("TOKENRAIL_AUTH_ISSUER"));
  EXPECT_THAT(read({{"TOKENRAIL_AUTH_MODE", "jwt"}, {"TOKENRAIL_AUTH_ISSUER", "i"}}).error().detail,
              HasSubstr("TOKENRAIL_AUTH_JWKS_URL"));
}

TEST(AuthSettings, KeysOverHttpOnlyFromLoopback) {
  for (const auto* const url :
       {"http://localhost/jwks", "http://localhost:8080/jwks", "http://127.0.0.1:1/", "http://127.9.9.9/",
        "http://[::1]:8080/jwks", "https://10.0.0.1/jwks", "https://idp/jwks"})
    EXPECT_TRUE(read(jwt({{"TOKENRAIL_AUTH_JWKS_URL", url}}))) << url;
  for (const auto* const url :
       {"http://issuer.example/jwks", "http://10.0.0.1/jwks", "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/", "http://[::2]/", "http://0.0.0.0/", "http://2130706433/"}) {
    const auto refused = read(jwt({{"TOKENRAIL_AUTH_JWKS_URL", url}}));
    ASSERT_FALSE(refused) << url;
    EXPECT_THAT(refused.error().detail, HasSubstr("use https"));
  }
}

TEST(DevMode, ListensOnLoopbackOnly) {
  for (const auto* const listen :
       {"127.0.0.1:8080", "127.0.0.1:0", "127.1.2.3:80", "[::1]:8080", "[::ffff:127.0.0.1]:80"})
    EXPECT_EQ(dev_mode_refusal(listen), std::nullopt) << listen;
  for (const auto* const listen :
       {"0.0.0.0:8080", "[::]:8080", "10.0.0.1:80", "192.168.1.2:80", "[fe80::1]:80", "[::ffff:10.0.0.1]:80",
        "203.0.113.9:80", "128.0.0.1:80", "", ":80", "localhost", "example.com:80", "[::1", "127.0.0.1.example:80"}) {
    const auto refusal = dev_mode_refusal(listen);
    ASSERT_TRUE(refusal) << listen;
    EXPECT_THAT(*refusal, HasSubstr("TOKENRAIL_AUTH_MODE=jwt"));
  }
}

// ---- logins at a provider

Result<std::optional<OidcSettings>> read_oidc(Environment environment) {
  const auto settings = auth_settings();
  const auto loaded = config::load(
      {.settings = settings, .arguments = {}, .environment = std::move(environment), .file_text = {}, .file_name = {}});
  if (!loaded) return std::unexpected(loaded.error());
  return read_oidc_settings(loaded->values);
}

Environment oidc(Environment more) {
  more.insert({{"TOKENRAIL_AUTH_OIDC_CLIENT_ID", "web"}, {"TOKENRAIL_AUTH_OIDC_ISSUER", "https://login.example"}});
  return more;
}

TEST(OidcSettings, WithoutAClientThereIsNoLogin) {
  const auto none = read_oidc({{"TOKENRAIL_AUTH_OIDC_ISSUER", "https://login.example"}});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
}

TEST(OidcSettings, IssuerDefaultsToThatOfTokens) {
  EXPECT_THAT(read_oidc({{"TOKENRAIL_AUTH_OIDC_CLIENT_ID", "web"}}).error().detail,
              HasSubstr("TOKENRAIL_AUTH_OIDC_ISSUER"));
  const auto same = read_oidc(jwt({{"TOKENRAIL_AUTH_OIDC_CLIENT_ID", "web"}}));
  ASSERT_TRUE(same) << same.error().detail;
  EXPECT_EQ((*same)->issuer, "https://issuer.example");
  EXPECT_EQ((*read_oidc(jwt(oidc({}))))->issuer, "https://login.example");
  EXPECT_THAT(read_oidc({{"TOKENRAIL_AUTH_OIDC_CLIENT_ID", "web"}, {"TOKENRAIL_AUTH_ISSUER", "http://login.example"}})
                  .error()
                  .detail,
              HasSubstr("use https"));
}

TEST(OidcSettings, AreReadWhole) {
  const auto read = read_oidc(oidc({{"TOKENRAIL_AUTH_OIDC_CLIENT_SECRET", "s"},
                                    {"TOKENRAIL_AUTH_OIDC_SCOPES", "openid,groups"},
                                    {"TOKENRAIL_AUTH_OIDC_GROUPS_CLAIM", "g"},
                                    {"TOKENRAIL_AUTH_ROLES_CLAIM", "rs"},
                                    {"TOKENRAIL_AUTH_OIDC_GROUP_ROLES", "a=b=acme:member,ops=platform_admin"}}));
  ASSERT_TRUE(read) << read.error().detail;
  const auto& settings = **read;
  EXPECT_EQ(settings.client_id, "web");
  EXPECT_EQ(settings.client_secret.reveal(), "s");
  EXPECT_EQ(settings.scopes, (std::vector<std::string>{"openid", "groups"}));
  EXPECT_EQ(settings.groups_claim, "g");
  EXPECT_EQ(settings.claims.roles, "rs");
  EXPECT_EQ(settings.group_roles,
            (std::vector<GroupRole>{{.group = "a=b", .org = "acme", .role = Role::member}, {.group = "ops"}}));
  EXPECT_EQ((*read_oidc(oidc({})))->scopes, (std::vector<std::string>{"openid", "profile", "email"}));
}

TEST(OidcSettings, MistakesAreNamed) {
  for (const auto* const mapping : {"ops", "=platform_admin", "ops=acme", "ops=acme:boss", "ops=:member", "ops="}) {
    const auto read = read_oidc(oidc({{"TOKENRAIL_AUTH_OIDC_GROUP_ROLES", mapping}}));
    ASSERT_FALSE(read) << mapping;
    EXPECT_THAT(read.error().detail, HasSubstr("GROUP=ORGANISATION:ROLE")) << mapping;
  }
  EXPECT_THAT(read_oidc(oidc({{"TOKENRAIL_AUTH_OIDC_SCOPES", "profile"}})).error().detail, HasSubstr("openid"));
}

}  // namespace
}  // namespace tokenrail::auth
