#include "common/providers/stored_credentials.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/credential_binding.hpp"
#include "common/crypto/credential_text.hpp"
#include "common/crypto/envelope.hpp"
#include "common/providers/environment.hpp"
#include "tests/unit/common/crypto/ring_fixture.hpp"

namespace tokenrail::providers {
namespace {

using Applied = StoredCredentials::Applied;
using crypto::canary;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Place {
  std::string org_id = "acme";
  std::string owner_user_id{};
  std::string provider = "openai";
  std::int64_t secret_version = 1;
};

/// The credential c-1, sealed with one_key().
events::SealedCredential sealed_at(const Place& place, std::string_view secret = canary) {
  crypto::CredentialText text{.secret = Secret(secret)};
  text.headers.emplace_back("X-Project", Secret("p-1"));
  const auto bytes = crypto::seal(crypto::one_key(), crypto::to_text(text).value(),
                                  crypto::binding_of({.id = "c-1",
                                                      .org_id = place.org_id,
                                                      .owner_user_id = place.owner_user_id,
                                                      .provider = place.provider,
                                                      .secret_version = place.secret_version}));
  return {.id = "c-1",
          .org_id = place.org_id,
          .owner_user_id = place.owner_user_id,
          .provider = place.provider,
          .secret_version = place.secret_version,
          .version = place.secret_version * 10,
          .key_id = "2026-11",
          .sealed = crypto::to_text(bytes.value())};
}
/// Of acme, for OpenAI.
events::SealedCredential sealed(std::string_view secret = canary, std::int64_t secret_version = 1) {
  return sealed_at({.secret_version = secret_version}, secret);
}

/// A deployment on a connection of acme that names it.
events::DeploymentState deployment() {
  return {.id = "d",
          .connection_id = "n",
          .connection_name = "own",
          .connection_org_id = "acme",
          .provider = "openai",
          .adapter = "openai",
          .base_url = "https://api.openai.com/v1",
          .auth_type = "bearer",
          .credential_id = "c-1",
          .credential_version = 1,
          .upstream_name = "gpt"};
}
constexpr ModelScope acme{.org_id = "acme"};
constexpr std::int64_t now_ms = 1'763'000'000'000;

class StoredCredentialsTest : public testing::Test {
 protected:
  Applied apply(const events::SealedCredential& credential) {
    return stored_.apply(events::credential_key(credential), events::to_json(credential));
  }
  std::string refusal(const events::DeploymentState& of = deployment(), const ModelScope& model = acme) {
    const auto opened = stored_.open(of, model, now_ms);
    if (opened) return "none";
    EXPECT_EQ(opened.error().kind, ErrorKind::not_found);
    EXPECT_THAT(opened.error().detail, Not(HasSubstr(canary)));
    return opened.error().detail;
  }

  StoredCredentials stored_{crypto::one_key()};
};

TEST_F(StoredCredentialsTest, OpensForTheConnectionThatNamesIt) {
  EXPECT_EQ(apply(sealed()), Applied::changed);
  const auto opened = stored_.open(deployment(), acme, now_ms);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->type, AuthType::bearer);
  EXPECT_EQ(opened->secret.reveal(), canary);
  ASSERT_EQ(opened->extra_headers.size(), 1U);
  EXPECT_EQ(opened->extra_headers[0].first, "X-Project");
  EXPECT_EQ(opened->extra_headers[0].second.reveal(), "p-1");
  EXPECT_EQ(stored_.trouble(), "");
}

TEST_F(StoredCredentialsTest, APlatformsCredentialServesEveryOrganisation) {
  apply(sealed_at({.org_id = {}}));
  auto platforms = deployment();
  platforms.connection_org_id.clear();
  EXPECT_EQ(refusal(platforms, {}), "none");
  EXPECT_EQ(refusal(platforms, acme), "none");
  // The other way round it is a credential of another scope.
  EXPECT_THAT(refusal(deployment(), acme), HasSubstr("is not published for its scope"));
}

TEST_F(StoredCredentialsTest, AnotherOrganisationsCredentialIsNotUsed) {
  apply(sealed());
  auto theirs = deployment();
  theirs.connection_org_id = "evil";
  EXPECT_THAT(refusal(theirs, {.org_id = "evil"}), HasSubstr("is not published for its scope"));
  theirs.connection_org_id.clear();
  EXPECT_THAT(refusal(theirs, {.org_id = "evil"}), HasSubstr("is not published for its scope"));
}

TEST_F(StoredCredentialsTest, ModelOfAnotherScopeCannotUseConnection) {
  apply(sealed());
  EXPECT_THAT(refusal(deployment(), {.org_id = "evil"}), HasSubstr("of another scope than the model"));
  EXPECT_THAT(refusal(deployment(), {}), HasSubstr("of another scope than the model"));
  EXPECT_EQ(refusal(deployment(), {.org_id = "acme", .user_id = "anna"}), "none");
}

TEST_F(StoredCredentialsTest, APersonalCredentialIsItsOwnersOnly) {
  apply(sealed_at({.owner_user_id = "anna"}));
  auto annas = deployment();
  annas.connection_owner_user_id = "anna";
  EXPECT_EQ(refusal(annas, {.org_id = "acme", .user_id = "anna"}), "none");
  EXPECT_THAT(refusal(annas, {.org_id = "acme", .user_id = "bob"}), HasSubstr("of another scope"));
  EXPECT_THAT(refusal(annas, acme), HasSubstr("of another scope"));
  EXPECT_THAT(refusal(deployment(), acme), HasSubstr("is not published for its scope"));
}

TEST_F(StoredCredentialsTest, AnotherProvidersConnectionDoesNotUseIt) {
  apply(sealed());
  auto other = deployment();
  other.provider = "anthropic";
  EXPECT_THAT(refusal(other), HasSubstr("is for the provider openai, the connection own is for anthropic"));
}

TEST_F(StoredCredentialsTest, DeploymentWithAnotherIdCannotUseIt) {
  apply(sealed());
  auto other = deployment();
  other.credential_id = "c-2";
  EXPECT_THAT(refusal(other), HasSubstr("The credential c-2 of the connection own was revoked"));
}

TEST_F(StoredCredentialsTest, AnExpiredCredentialIsNotUsed) {
  auto credential = sealed();
  credential.expires_ms = now_ms + 1;
  EXPECT_EQ(apply(credential), Applied::changed);
  EXPECT_EQ(refusal(), "none") << "not yet";
  EXPECT_TRUE(stored_.open(deployment(), acme, now_ms));
  const auto expired = stored_.open(deployment(), acme, now_ms + 1);
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().kind, ErrorKind::not_found);
  EXPECT_THAT(expired.error().detail, AllOf(HasSubstr("c-1"), HasSubstr("has expired")));
}

TEST_F(StoredCredentialsTest, ATombstoneRemovesIt) {
  apply(sealed());
  EXPECT_EQ(stored_.apply("acme/_/c-1", std::nullopt), Applied::removed);
  EXPECT_EQ(stored_.apply("acme/_/c-1", std::nullopt), Applied::unchanged);
  EXPECT_THAT(refusal(), HasSubstr("was revoked"));
  EXPECT_EQ(stored_.size(), 0U);
}

TEST_F(StoredCredentialsTest, KeepsOnlyCredentialsThatAreNamed) {
  apply(sealed());
  EXPECT_EQ(stored_.keep_only({"acme/_/c-1", "acme/_/c-2"}), 0U);
  EXPECT_EQ(refusal(), "none");
  EXPECT_EQ(stored_.keep_only({"acme/_/c-2"}), 1U);
  EXPECT_THAT(refusal(), HasSubstr("was revoked"));
  EXPECT_EQ(stored_.size(), 0U);
}

TEST_F(StoredCredentialsTest, TheMarkIsNoCredential) {
  apply(sealed());
  const auto mark = events::to_json(events::RegistryMark{.version = 3, .models = 0});
  EXPECT_EQ(stored_.apply(events::registry_mark_key, mark), Applied::mark);
  EXPECT_EQ(stored_.apply(events::registry_mark_key, std::nullopt), Applied::mark);
  EXPECT_EQ(stored_.size(), 1U);
}

TEST_F(StoredCredentialsTest, OnlyNewerVersionReplaces) {
  apply(sealed("first", 1));
  EXPECT_EQ(apply(sealed("second", 2)), Applied::changed);
  EXPECT_EQ(apply(sealed("first", 1)), Applied::unchanged);
  EXPECT_EQ(stored_.open(deployment(), acme, now_ms)->secret.reveal(), "second");
}

TEST_F(StoredCredentialsTest, OlderSealDoesNotOpenAsNewVersion) {
  auto replayed = sealed("second", 2);
  replayed.sealed = sealed("first", 1).sealed;
  apply(replayed);
  EXPECT_THAT(refusal(), HasSubstr("does not open"));
}

TEST_F(StoredCredentialsTest, AnAlteredSealDoesNotOpen) {
  auto altered = sealed();
  auto bytes = crypto::sealed_from_text(altered.sealed)->bytes;
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  altered.sealed = crypto::to_text(crypto::SealedSecret{bytes});
  apply(altered);
  EXPECT_THAT(refusal(), HasSubstr("does not open"));
  altered.version = 11;
  altered.sealed = "no base64";
  apply(altered);
  EXPECT_THAT(refusal(), HasSubstr("cannot be opened"));
}

TEST_F(StoredCredentialsTest, UnreadableRecordsKeepHeldCredentials) {
  apply(sealed());
  EXPECT_EQ(stored_.apply("acme/_/c-1", "no json"), Applied::malformed);
  EXPECT_EQ(stored_.apply("evil/_/c-1", events::to_json(sealed())), Applied::malformed);
  EXPECT_EQ(refusal(), "none");
  EXPECT_EQ(stored_.size(), 1U);
}

TEST_F(StoredCredentialsTest, MissingKeyRingErrorNamesSetting) {
  stored_ = StoredCredentials();
  EXPECT_EQ(stored_.trouble(), "") << "there is nothing to open";
  apply(sealed());
  EXPECT_THAT(refusal(), AllOf(HasSubstr("no key ring"), HasSubstr("TOKENRAIL_KEYRING_FILE")));
  EXPECT_THAT(stored_.trouble(), AllOf(HasSubstr("1 stored credentials"), HasSubstr("TOKENRAIL_KEYRING_FILE")));
}

TEST_F(StoredCredentialsTest, AKeyThatTheRingLacksIsNamed) {
  stored_ = StoredCredentials(crypto::ring_of(crypto::key_json("2027-01", "primary", crypto::key_b)));
  apply(sealed());
  EXPECT_THAT(refusal(), HasSubstr("the key ring has no key '2026-11'"));
  EXPECT_THAT(stored_.trouble(), HasSubstr("does not have the key 2026-11"));
}

TEST_F(StoredCredentialsTest, TheDeploymentSaysHowItIsSent) {
  apply(sealed());
  auto how = deployment();
  how.auth_type = "header";
  how.auth_name = "X-Api-Key";
  EXPECT_EQ(stored_.open(how, acme, now_ms)->name, "X-Api-Key");
  how.auth_type = "query";
  how.auth_name = "key";
  EXPECT_EQ(stored_.open(how, acme, now_ms)->type, AuthType::query);
  how.auth_type = "basic";
  how.auth_name = "anna";
  EXPECT_EQ(stored_.open(how, acme, now_ms)->name, "anna");
  how.auth_type = "oauth";
  EXPECT_THAT(refusal(how), HasSubstr("'oauth', which this router does not know"));
  const std::vector<std::pair<std::string, std::string>> unfit{
      {"header", ""}, {"header", "a b"}, {"header", "X\r\nY"}, {"header", "Host"},
      {"query", ""},  {"query", "a&b"},  {"basic", "a:b"}};
  for (const auto& [type, name] : unfit) {
    how.auth_type = type;
    how.auth_name = name;
    EXPECT_THAT(refusal(how), HasSubstr("a name that cannot be used")) << type << " " << name;
  }
}

TEST_F(StoredCredentialsTest, AProvidersOwnHeaderNeedsNoName) {
  apply(sealed_at({.provider = "anthropic"}));
  auto how = deployment();
  how.provider = "anthropic";
  how.auth_type = "header";
  const auto opened = stored_.open(how, acme, now_ms);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->name, find_profile("anthropic")->auth_name);
}

TEST_F(StoredCredentialsTest, NeverUsesEnvironmentKeyInstead) {
  std::vector<EnvironmentConnection> connections;
  connections
      .emplace_back(EnvironmentConnection{
          .profile = find_profile("openai"), .name = "own", .base_url = "https://api.openai.com/v1"})
      .keys.push_back({.variable = "OPENAI_API_KEY", .secret = Secret("environment")});
  const Credentials credentials(std::move(connections), &stored_);
  auto of_environment = deployment();
  of_environment.credential_id.reset();
  EXPECT_FALSE(credentials.open(of_environment, 0, {}, now_ms)) << "an organisation's connection of the same name";
  of_environment.connection_org_id.clear();
  const auto opened = credentials.open(of_environment, 0, {}, now_ms);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->secret.reveal(), "environment");
  EXPECT_FALSE(credentials.open(deployment(), 0, acme, now_ms)) << "it is not stored";
  apply(sealed());
  EXPECT_EQ(credentials.open(deployment(), 0, acme, now_ms)->secret.reveal(), canary);
  EXPECT_EQ(credentials.key_count(deployment()), 1U);
  EXPECT_EQ(credentials.key_variable(deployment(), 0), "");
  EXPECT_FALSE(Credentials().open(deployment(), 0, acme, now_ms)) << "this process reads none";
}

}  // namespace
}  // namespace tokenrail::providers
