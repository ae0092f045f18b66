#include "common/auth/oidc.hpp"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/bytes.hpp"

namespace tokenrail::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::chrono::sys_seconds now{1'800'000'000s};
constexpr std::string_view issuer = "https://login.example/realms/a";

std::string discovery(std::string_view more = "", std::string_view named = issuer) {
  return fmt::format(R"({{"issuer":"{}","authorization_endpoint":"https://login.example/auth",)"
                     R"("token_endpoint":"https://login.example/token","jwks_uri":"https://login.example/jwks"{}}})",
                     named, more);
}

OidcSettings settings(std::string_view secret = "") {
  return {.issuer = std::string(issuer),
          .client_id = "tokenrail web",
          .client_secret = Secret(secret),
          .scopes = {"openid", "profile"}};
}

LoginAttempt attempt() {
  return new_login_attempt("https://models.example/v1/session/callback", "/ui/", now);
}

TEST(Discovery, AddressIsBelowTheIssuer) {
  EXPECT_EQ(discovery_url("https://login.example"), "https://login.example/.well-known/openid-configuration");
  EXPECT_EQ(discovery_url("https://login.example/a/"), "https://login.example/a/.well-known/openid-configuration");
}

TEST(Discovery, DocumentIsReadWhole) {
  const auto read = read_discovery(discovery(R"(,"end_session_endpoint":"https://login.example/out")"), issuer);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->authorization_endpoint, "https://login.example/auth");
  EXPECT_EQ(read->token_endpoint, "https://login.example/token");
  EXPECT_EQ(read->jwks_url, "https://login.example/jwks");
  EXPECT_EQ(read->end_session_endpoint, "https://login.example/out");
  EXPECT_EQ(read_discovery(discovery(), issuer)->end_session_endpoint, "");
}

TEST(Discovery, OtherIssuersAndOpenAddressesAreRefused) {
  EXPECT_THAT(read_discovery(discovery("", "https://evil.example"), issuer).error().detail,
              HasSubstr("https://evil.example"));
  EXPECT_FALSE(read_discovery(discovery("", "https://login.example/realms/a/"), issuer));
  EXPECT_FALSE(read_discovery("[]", issuer));
  EXPECT_FALSE(read_discovery(fmt::format(R"({{"issuer":"{}"}})", issuer), issuer));
  EXPECT_THAT(read_discovery(discovery(R"(,"end_session_endpoint":"http://login.example/out")"), issuer).error().detail,
              HasSubstr("end_session_endpoint"));
}

TEST(Discovery, SecretGoesIntoBodyOnlyWithoutBasic) {
  const auto in_body = [](std::string_view methods) {
    return read_discovery(discovery(fmt::format(R"(,"token_endpoint_auth_methods_supported":{})", methods)), issuer)
        ->secret_in_body;
  };
  EXPECT_FALSE(read_discovery(discovery(), issuer)->secret_in_body);
  EXPECT_TRUE(in_body(R"(["private_key_jwt","client_secret_post"])"));
  EXPECT_FALSE(in_body(R"(["client_secret_post","client_secret_basic"])"));
  EXPECT_FALSE(in_body(R"(["none"])"));
}

TEST(AuthorizationUrl, CarriesTheChallengeAndNotTheVerifier) {
  const auto provider = *read_discovery(discovery(), issuer);
  const auto begun = attempt();
  const auto url = authorization_url(provider, settings(), begun);
  EXPECT_THAT(url, StartsWith("https://login.example/auth?response_type=code&client_id=tokenrail%20web&"));
  EXPECT_THAT(url, HasSubstr("redirect_uri=https%3A%2F%2Fmodels.example%2Fv1%2Fsession%2Fcallback&"));
  EXPECT_THAT(url, HasSubstr("scope=openid%20profile&state=" + begun.state + "&nonce=" + begun.nonce + "&"));
  const auto challenge = crypto::to_base64url(crypto::sha256(begun.verifier));
  EXPECT_THAT(url, HasSubstr("code_challenge=" + challenge + "&code_challenge_method=S256"));
  EXPECT_THAT(url, Not(HasSubstr(begun.verifier)));
  EXPECT_GE(begun.verifier.size(), 43U) << "RFC 7636 asks for as many";

  auto with_query = provider;
  with_query.authorization_endpoint += "?tenant=a";
  EXPECT_THAT(authorization_url(with_query, settings(), begun), StartsWith("https://login.example/auth?tenant=a&resp"));
}

TEST(TokenRequest, AuthenticatesAsTheProviderTakesIt) {
  auto provider = *read_discovery(discovery(), issuer);
  const auto begun = attempt();
  const auto open = token_request(provider, settings(), begun, "c&d");
  EXPECT_EQ(open.method, "POST");
  EXPECT_THAT(open.body, HasSubstr("grant_type=authorization_code&code=c%26d&"));
  EXPECT_THAT(open.body, HasSubstr("code_verifier=" + begun.verifier + "&client_id=tokenrail%20web"));
  EXPECT_EQ(open.headers.size(), 2U);

  const auto basic = token_request(provider, settings("s:1"), begun, "c");
  EXPECT_THAT(basic.body, Not(HasSubstr("client_id")));
  ASSERT_EQ(basic.headers.size(), 3U);
  EXPECT_EQ(basic.headers[2].value, "Basic " + crypto::to_base64("tokenrail%20web:s%3A1"));
  EXPECT_TRUE(basic.headers[2].secret);

  provider.secret_in_body = true;
  const auto in_body = token_request(provider, settings("s:1"), begun, "c");
  EXPECT_THAT(in_body.body, HasSubstr("client_id=tokenrail%20web&client_secret=s%3A1"));
  EXPECT_EQ(in_body.headers.size(), 2U);
}

TEST(TokenAnswer, DistinguishesFailures) {
  EXPECT_EQ(read_token_answer(200, R"({"id_token":"a.b.c","access_token":"x"})")->reveal(), "a.b.c");
  const auto refused = read_token_answer(400, R"({"error":"invalid_grant","error_description":"used already"})");
  EXPECT_EQ(refused.error().kind, ErrorKind::rejected);
  EXPECT_THAT(refused.error().detail, HasSubstr("invalid_grant used already"));
  EXPECT_EQ(read_token_answer(400, "<html>").error().kind, ErrorKind::rejected);
  EXPECT_EQ(read_token_answer(503, "").error().kind, ErrorKind::unavailable);
  EXPECT_EQ(read_token_answer(429, "").error().kind, ErrorKind::unavailable);
  EXPECT_EQ(read_token_answer(200, R"({"access_token":"x"})").error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(read_token_answer(200, "x").error().kind, ErrorKind::invalid_input);
}

TEST(EndSessionUrl, IsEmptyWithoutAnEndpoint) {
  OidcProvider provider;
  EXPECT_EQ(end_session_url(provider, settings(), "https://models.example/ui/"), "");
  provider.end_session_endpoint = "https://login.example/out";
  EXPECT_EQ(end_session_url(provider, settings(), "https://models.example/ui/"),
            "https://login.example/out?client_id=tokenrail%20web&post_logout_redirect_uri="
            "https%3A%2F%2Fmodels.example%2Fui%2F");
}

TEST(LoginSealer, OpensItsAttemptUntilItsTimeIsUp) {
  const LoginSealer sealer(nullptr);
  const auto begun = attempt();
  const auto sealed = *sealer.seal(begun);
  EXPECT_THAT(sealed, Not(HasSubstr(begun.state)));
  const auto opened = sealer.open(sealed, now + login_attempt_lifetime - 1s);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->state, begun.state);
  EXPECT_EQ(opened->nonce, begun.nonce);
  EXPECT_EQ(opened->verifier, begun.verifier);
  EXPECT_EQ(opened->redirect_uri, begun.redirect_uri);
  EXPECT_EQ(opened->return_to, "/ui/");
  EXPECT_FALSE(sealer.open(sealed, now + login_attempt_lifetime));
  EXPECT_FALSE(LoginSealer(nullptr).open(sealed, now));
  EXPECT_FALSE(sealer.open("", now));
  EXPECT_FALSE(sealer.open(std::string(10'000, 'v'), now));
}

TEST(LoginSealer, TakesNoTextOfAnotherPurpose) {
  const auto ring = *crypto::KeyRing::create("k");
  const auto sealed = *TextSealer(&ring, "another").seal(R"({"state":"s","exp":9999999999})");
  EXPECT_FALSE(LoginSealer(&ring).open(sealed, now));
  const auto ours = *TextSealer(&ring, "tokenrail login cookie, version 1").seal(R"({"state":"s","exp":9999999999})");
  EXPECT_TRUE(LoginSealer(&ring).open(ours, now));
}

}  // namespace
}  // namespace tokenrail::auth
