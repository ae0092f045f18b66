#include "common/auth/session.hpp"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/bytes.hpp"
#include "common/crypto/gcm.hpp"

namespace tokenrail::auth {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::chrono::sys_seconds now{1'800'000'000s};

crypto::KeyRing ring(std::string_view id) {
  return std::move(*crypto::KeyRing::create(id));
}

Principal anna() {
  return {.issuer = "https://issuer.example",
          .subject = "anna",
          .platform_admin = true,
          .roles = {{"acme", Role::org_admin}, {"b\"eta", Role::viewer}}};
}

Session session() {
  return {
      .name = "Änna", .csrf_token = new_csrf_token(), .expires_at = now + 1h, .id = new_session_id(), .generation = 3};
}

void expect_refused(const SessionSealer& sealer, std::string_view sealed, Refusal why) {
  const auto opened = sealer.open(sealed, now);
  ASSERT_FALSE(opened) << sealed;
  EXPECT_EQ(opened.error().why, why) << sealed;
}

TEST(SessionSealer, OpensWhatItSealed) {
  const auto keys = ring("2026.11");
  const SessionSealer sealer(&keys);
  const auto wanted = session();
  const auto sealed = sealer.seal(anna(), wanted);
  ASSERT_TRUE(sealed) << sealed.error().detail;
  EXPECT_EQ(sealed->find_first_of(" ;,\"\\"), std::string::npos) << "a cookie cannot hold it";
  EXPECT_THAT(*sealed, Not(HasSubstr("anna")));
  const auto opened = sealer.open(*sealed, now);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->principal.issuer, "https://issuer.example");
  EXPECT_EQ(opened->principal.subject, "anna");
  EXPECT_TRUE(opened->principal.platform_admin);
  EXPECT_EQ(opened->principal.roles, anna().roles);
  EXPECT_EQ(opened->session->name, "Änna");
  EXPECT_EQ(opened->session->csrf_token, wanted.csrf_token);
  EXPECT_EQ(opened->session->expires_at, now + 1h);
  EXPECT_EQ(opened->session->id, wanted.id);
  EXPECT_EQ(opened->session->generation, 3);
}

TEST(SessionSealer, EndsWhenItsTimeIsUp) {
  const SessionSealer sealer(nullptr);
  const auto sealed = sealer.seal(anna(), session());
  EXPECT_TRUE(sealer.open(*sealed, now + 1h - 1s));
  const auto late = sealer.open(*sealed, now + 1h);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().why, Refusal::expired);
}

TEST(SessionSealer, EveryAlteredByteIsRefused) {
  const auto keys = ring("k");
  const SessionSealer sealer(&keys);
  const auto sealed = *sealer.seal(anna(), session());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto altered = sealed;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    expect_refused(sealer, altered, Refusal::invalid_session);
    expect_refused(sealer, sealed.substr(0, i), Refusal::invalid_session);
  }
  expect_refused(sealer, sealed + "A", Refusal::invalid_session);
  expect_refused(sealer, std::string(10'000, 'v'), Refusal::invalid_session);
}

TEST(SessionSealer, OtherProcessesNeedTheSameKeyRing) {
  const auto keys = ring("k");
  const auto others = ring("k");
  const auto sealed = *SessionSealer(&keys).seal(anna(), session());
  EXPECT_TRUE(SessionSealer(&keys).open(sealed, now));
  expect_refused(SessionSealer(&others), sealed, Refusal::invalid_session);
  const SessionSealer alone(nullptr);
  expect_refused(SessionSealer(nullptr), *alone.seal(anna(), session()), Refusal::invalid_session);
  expect_refused(alone, sealed, Refusal::invalid_session);
  expect_refused(SessionSealer(&keys), *alone.seal(anna(), session()), Refusal::invalid_session);
}

TEST(SessionSealer, RotationEndsNoSession) {
  auto keys = ring("old");
  const auto sealed = *SessionSealer(&keys).seal(anna(), session());
  ASSERT_TRUE(keys.add("new"));
  ASSERT_TRUE(keys.promote("new"));
  EXPECT_TRUE(SessionSealer(&keys).open(sealed, now));
  ASSERT_TRUE(keys.disable("old"));
  expect_refused(SessionSealer(&keys), sealed, Refusal::invalid_session);
}

TEST(SessionSealer, SessionKeyDiffersFromCredentialKey) {
  const auto keys = ring("k");
  const auto sealed = *SessionSealer(&keys).seal(anna(), session());
  // Were they the same, this would be a session sealed by hand with the ring's key.
  const auto bytes = *crypto::from_base64url(sealed.substr(sealed.rfind('.') + 1));
  const std::string_view all(bytes);
  EXPECT_FALSE(crypto::gcm_decrypt({.key = keys.primary_key().reveal(),
                                    .nonce = all.substr(0, crypto::gcm_nonce_bytes),
                                    .aad = "tokenrail session cookie, version 1\nk"},
                                   all.substr(crypto::gcm_nonce_bytes)));
}

TEST(SessionSealer, TooManyOrganisationsAreRefused) {
  const SessionSealer sealer(nullptr);
  auto principal = anna();
  for (int i = 0; i < 200; ++i) principal.roles.emplace(fmt::format("organisation-{:03}", i), Role::member);
  const auto sealed = sealer.seal(principal, session());
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().kind, ErrorKind::invalid_input);
}

TEST(CookieValue, NameIsMatchedWhole) {
  EXPECT_EQ(cookie_value("a=1; session=x.y; b=2", "session"), "x.y");
  EXPECT_EQ(cookie_value("session=x", "session"), "x");
  EXPECT_EQ(cookie_value("mysession=x; session2=y;", "session"), "");
  EXPECT_EQ(cookie_value("session", "session"), "");
  EXPECT_EQ(cookie_value("", "session"), "");
  EXPECT_EQ(cookie_value(";;  session=a=b", "session"), "a=b");
}

}  // namespace
}  // namespace tokenrail::auth
