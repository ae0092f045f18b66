#include "cli/dev_token.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/context.hpp"
#include "common/auth/jwt.hpp"
#include "common/auth/settings.hpp"

namespace tokenrail::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;
using Flags = std::map<std::string, std::string, std::less<>>;

Result<auth::DevIssuer::Claims> claims_of(Flags flags) {
  return dev_token_claims(Call{.flags = std::move(flags)}, "tokenrail", "ann");
}

TEST(DevTokenClaims, FlagsBecomeClaims) {
  const auto claims = claims_of({{"org", "acme"}, {"role", "member"}});
  ASSERT_TRUE(claims) << claims.error().detail;
  EXPECT_EQ(claims->audience, "tokenrail");
  EXPECT_EQ(claims->subject, "ann");
  EXPECT_EQ(claims->org, "acme");
  EXPECT_EQ(claims->role, "member");
  EXPECT_EQ(claims->lifetime, 8h);
  const auto named = claims_of({{"org", "acme"}, {"role", "viewer"}, {"subject", "bob"}, {"expires", "10m"}});
  EXPECT_EQ(named->subject, "bob");
  EXPECT_EQ(named->lifetime, 10min);
  EXPECT_TRUE(claims_of({{"role", "platform_admin"}})) << "needs no organisation";
}

TEST(DevTokenClaims, WrongFlagNamesWhatToWrite) {
  struct Row {
    Flags flags;
    const char* message;
  };
  for (const auto& row : std::vector<Row>{{{}, "viewer, member, model_admin, org_admin or platform_admin"},
                                          {{{"org", "acme"}}, "add --role"},
                                          {{{"role", "admin"}, {"org", "acme"}}, "--role admin: there is no such role"},
                                          {{{"role", "member"}}, "add --org"},
                                          {{{"role", "member"}, {"org", ""}}, "add --org"},
                                          {{{"role", "platform_admin"}, {"expires", "8"}}, "write a unit"},
                                          {{{"role", "platform_admin"}, {"expires", "0"}}, "--expires"},
                                          {{{"role", "platform_admin"}, {"expires", "999ms"}}, "from 1s to 720h"},
                                          {{{"role", "platform_admin"}, {"expires", "721h"}}, "from 1s to 720h"}}) {
    const auto claims = claims_of(row.flags);
    ASSERT_FALSE(claims) << row.message;
    EXPECT_EQ(claims.error().kind, ErrorKind::invalid_input);
    EXPECT_THAT(claims.error().detail, HasSubstr(row.message));
  }
  EXPECT_TRUE(claims_of({{"role", "platform_admin"}, {"expires", "720h"}}));
  EXPECT_TRUE(claims_of({{"role", "platform_admin"}, {"expires", "1s"}}));
}

/// The command as a shell calls it, with a key file of its own.
class AuthToken : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "tokenrail-auth-token-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  int run(Flags flags, std::map<std::string, std::string> environment = {{"TOKENRAIL_AUTH_MODE", "dev"}}) {
    environment.emplace("TOKENRAIL_AUTH_DEV_KEY_FILE", key_file());
    const auto loaded = config::load({.settings = settings(),
                                      .arguments = {},
                                      .environment = std::move(environment),
                                      .file_text = {},
                                      .file_name = {}});
    EXPECT_TRUE(loaded) << loaded.error().detail;
    const Call call{.flags = std::move(flags)};
    Terminal terminal{{}};
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_auth_token(Context{.call = call, .values = loaded->values, .terminal = terminal});
    out_ = testing::internal::GetCapturedStdout();
    error_ = testing::internal::GetCapturedStderr();
    return code;
  }
  [[nodiscard]] std::string key_file() const { return (folder_ / "key.json").string(); }
  [[nodiscard]] auto verified(std::string_view token) const {
    const auto api = auth::DevIssuer::open(key_file());
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return auth::verify_jwt(token, api->keys(), {.issuer = "tokenrail-dev", .audience = "tokenrail"}, now);
  }

  std::filesystem::path folder_;
  std::string out_;
  std::string error_;
};

TEST_F(AuthToken, PrintsOneTokenThatTheApiAccepts) {
  ASSERT_EQ(run({{"org", "acme"}, {"role", "org_admin"}, {"subject", "bob"}}), exit_done) << error_;
  ASSERT_TRUE(out_.ends_with('\n'));
  const auto token = verified(std::string_view(out_).substr(0, out_.size() - 1));
  ASSERT_TRUE(token) << token.error().detail;
  EXPECT_EQ(token->principal.subject, "bob");
  EXPECT_EQ(token->principal.roles.at("acme"), auth::Role::org_admin);
  EXPECT_THAT(error_, IsEmpty());
}

TEST_F(AuthToken, JsonHasTheTokenAndItsEnd) {
  ASSERT_EQ(run({{"role", "platform_admin"}, {"subject", "bob"}, {"json", ""}}), exit_done) << error_;
  EXPECT_THAT(out_, HasSubstr(R"("subject":"bob","role":"platform_admin","expiresAt":"20)"));
  EXPECT_THAT(out_, testing::EndsWith("Z\"}\n"));
  const auto from = out_.find("\"token\":\"") + 9;
  EXPECT_TRUE(verified(out_.substr(from, out_.find('"', from) - from)));
}

TEST_F(AuthToken, JwtModeIsRefusedWithoutAToken) {
  EXPECT_EQ(run({{"org", "acme"}, {"role", "member"}}, {{"TOKENRAIL_AUTH_MODE", "jwt"}}), exit_usage);
  EXPECT_THAT(out_, IsEmpty());
  EXPECT_THAT(error_, HasSubstr("identity provider"));
  EXPECT_FALSE(std::filesystem::exists(key_file()));
}

TEST_F(AuthToken, UnsetModeIsNoted) {
  EXPECT_EQ(run({{"org", "acme"}, {"role", "member"}}, {}), exit_done);
  EXPECT_THAT(error_, HasSubstr("TOKENRAIL_AUTH_MODE=dev"));
}

TEST_F(AuthToken, WrongCallWritesNoToken) {
  EXPECT_EQ(run({{"role", "member"}}), exit_usage);
  EXPECT_EQ(run({{"org", "a\nb"}, {"role", "member"}}), exit_usage);
  EXPECT_EQ(run({{"org", "acme"}, {"role", "member"}},
                {{"TOKENRAIL_AUTH_MODE", "dev"}, {"TOKENRAIL_AUTH_DEV_KEY_FILE", folder_.string()}}),
            exit_usage);
  EXPECT_THAT(out_, IsEmpty());
}

}  // namespace
}  // namespace tokenrail::cli
