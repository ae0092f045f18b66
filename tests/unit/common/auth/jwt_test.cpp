// What a token may not do: every way to forge, replay or bend one that RFC 8725 lists, as rows of tables.
#include "common/auth/jwt.hpp"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/bytes.hpp"
#include "tests/unit/common/auth/signer.hpp"

namespace tokenrail::auth {
namespace {

using testing::hmac_sha256;
using testing::keyring;
using testing::Signer;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr std::chrono::sys_seconds now{std::chrono::seconds(now_s)};

const JwtRules& rules() {
  static const JwtRules rules{.issuer = "https://issuer.example", .audience = "tokenrail"};
  return rules;
}

const JwkSet& keys() {
  static const JwkSet set =
      *JwkSet::parse(testing::jwks({keyring().rsa.jwk("rsa"), keyring().p256.jwk("ec"),
                                    keyring().ed25519.jwk("ed", R"(,"alg":"EdDSA","use":"sig")")}));
  return set;
}

std::string claims(std::string_view more = "") {
  return fmt::format(
      R"({{"iss":"https://issuer.example","aud":"tokenrail","sub":"ann","exp":{},"org":"acme","role":"member"{}}})",
      now_s + 60, more);
}
std::string header(std::string_view algorithm, std::string_view kid, std::string_view more = "") {
  return fmt::format(R"({{"alg":"{}","kid":"{}"{}}})", algorithm, kid, more);
}

/// "" where it is accepted.
std::string refusal(std::string_view token, std::chrono::sys_seconds at = now) {
  const auto verified = verify_jwt(token, keys(), rules(), at);
  return verified ? "" : std::string(name_of(verified.error().why));
}

TEST(Jwt, TokenOfEachAlgorithmIsAccepted) {
  for (const auto& [signer, kid] :
       {std::pair(&keyring().rsa, "rsa"), std::pair(&keyring().p256, "ec"), std::pair(&keyring().ed25519, "ed")}) {
    for (const auto* const type : {"", R"(,"typ":"JWT")", R"(,"typ":"at+jwt")", R"(,"typ":"application/AT+JWT")"}) {
      const auto verified =
          verify_jwt(signer->token(header(signer->algorithm(), kid, type), claims()), keys(), rules(), now);
      ASSERT_TRUE(verified) << signer->algorithm() << type << ": " << verified.error().detail;
      EXPECT_EQ(verified->principal.issuer, "https://issuer.example");
      EXPECT_EQ(verified->principal.subject, "ann");
      EXPECT_EQ(verified->principal.roles, (std::map<std::string, Role, std::less<>>{{"acme", Role::member}}));
      EXPECT_FALSE(verified->principal.platform_admin);
      EXPECT_EQ(verified->expires_at, now + std::chrono::seconds(60));
    }
  }
}

TEST(Jwt, ForgedOrMalformedTokenIsRefused) {
  const auto& ec = keyring().p256;
  const auto valid = ec.token(header("ES256", "ec"), claims());
  const auto unsigned_part = [](std::string_view head) {
    return crypto::to_base64url(head) + "." + crypto::to_base64url(claims());
  };
  const auto with_hmac = [&](std::string_view kid, std::string_view key) {
    const auto input = unsigned_part(header("HS256", kid));
    return input + "." + crypto::to_base64url(hmac_sha256(key, input));
  };
  struct Row {
    const char* attack;
    std::string token;
    const char* refusal;
  };
  const std::vector<Row> rows{
      {"nothing", "", "not_a_jwt"},
      {"a word", "hello", "not_a_jwt"},
      {"two dots", "..", "invalid_header"},
      {"two parts", unsigned_part(header("ES256", "ec")), "not_a_jwt"},
      {"four parts", valid + ".AAAA", "not_a_jwt"},
      {"five parts, as a JWE has", "a.b.c.d.e", "not_a_jwt"},
      {"padding", valid + "==", "not_a_jwt"},
      {"white space", " " + valid, "not_a_jwt"},
      {"line feed at the end", valid + "\n", "not_a_jwt"},
      {"a NUL at the end", valid + std::string(1, '\0'), "not_a_jwt"},
      {"standard base64", "+/+/.e30.AAAA", "not_a_jwt"},
      {"JSON serialisation", R"({"payload":"e30","signatures":[]})", "not_a_jwt"},
      {"oversized",
       ec.token(header("ES256", "ec"), claims(fmt::format(R"(,"x":"{}")", std::string(token_bytes_max, 'x')))),
       "too_large"},
      {"alg none", unsigned_part(R"({"alg":"none"})") + ".", "algorithm_refused"},
      {"alg none with a kid", unsigned_part(header("none", "ec")) + ".", "algorithm_refused"},
      {"alg None", unsigned_part(header("None", "ec")) + ".", "algorithm_refused"},
      {"alg none with the signature of another", unsigned_part(header("none", "ec")) + valid.substr(valid.rfind('.')),
       "algorithm_refused"},
      {"no alg", unsigned_part(R"({"kid":"ec"})") + ".", "algorithm_refused"},
      {"alg empty", unsigned_part(header("", "ec")) + ".", "algorithm_refused"},
      {"alg a number", unsigned_part(R"({"alg":1,"kid":"ec"})") + ".", "algorithm_refused"},
      {"alg a list", unsigned_part(R"({"alg":["ES256"],"kid":"ec"})") + ".", "algorithm_refused"},
      {"alg in another case", ec.token(header("es256", "ec"), claims()), "algorithm_refused"},
      {"HS256 with the public key", with_hmac("ec", ec.public_members()), "algorithm_refused"},
      {"HS256 with the public JWK", with_hmac("rsa", keyring().rsa.jwk("rsa")), "algorithm_refused"},
      {"HS256 with no key", with_hmac("ec", ""), "algorithm_refused"},
      {"PS256", keyring().rsa.token(header("PS256", "rsa"), claims()), "algorithm_refused"},
      {"RS512", keyring().rsa.token(header("RS512", "rsa"), claims()), "algorithm_refused"},
      {"ES384", keyring().p384.token(header("ES384", "ec"), claims()), "algorithm_refused"},
      {"RS256 by name, key of ES256", keyring().rsa.token(header("RS256", "ec"), claims()), "wrong_algorithm_for_key"},
      {"ES256 by name, key of RS256", ec.token(header("ES256", "rsa"), claims()), "wrong_algorithm_for_key"},
      {"EdDSA by name, key of ES256", keyring().ed25519.token(header("EdDSA", "ec"), claims()),
       "wrong_algorithm_for_key"},
      {"signed by a stranger", keyring().other_p256.token(header("ES256", "ec"), claims()), "bad_signature"},
      {"no signature", unsigned_part(header("ES256", "ec")) + ".", "bad_signature"},
      {"signature of zeros", unsigned_part(header("ES256", "ec")) + "." + crypto::to_base64url(std::string(64, '\0')),
       "bad_signature"},
      {"RSA signature of zeros",
       unsigned_part(header("RS256", "rsa")) + "." + crypto::to_base64url(std::string(256, '\0')), "bad_signature"},
      {"EdDSA signature of zeros",
       unsigned_part(header("EdDSA", "ed")) + "." + crypto::to_base64url(std::string(64, '\0')), "bad_signature"},
      {"unknown kid", ec.token(header("ES256", "old"), claims()), "unknown_key"},
      {"kid in another case", ec.token(header("ES256", "EC"), claims()), "unknown_key"},
      {"kid of a path", ec.token(header("ES256", "../../dev/null"), claims()), "unknown_key"},
      {"no kid", ec.token(R"({"alg":"ES256"})", claims()), "no_key_id"},
      {"kid empty", ec.token(header("ES256", ""), claims()), "no_key_id"},
      {"kid a number", ec.token(R"({"alg":"ES256","kid":1})", claims()), "no_key_id"},
      {"kid oversized", ec.token(header("ES256", std::string(JwkSet::kid_bytes_max + 1, 'k')), claims()), "no_key_id"},
      {"kid with a NUL", ec.token(R"({"alg":"ES256","kid":"ec\u0000"})", claims()), "invalid_header"},
      {"the key in the header",
       keyring().other_p256.token(header("ES256", "x", fmt::format(R"(,"jwk":{})", keyring().other_p256.jwk("x"))),
                                  claims()),
       "unknown_key"},
      {"the key of a kid in the header",
       keyring().other_p256.token(header("ES256", "ec", fmt::format(R"(,"jwk":{})", keyring().other_p256.jwk("ec"))),
                                  claims()),
       "bad_signature"},
      {"keys elsewhere",
       keyring().other_p256.token(header("ES256", "ec", R"(,"jku":"https://evil.example/jwks")"), claims()),
       "bad_signature"},
      {"crit", ec.token(header("ES256", "ec", R"(,"crit":["exp"])"), claims()), "critical_header"},
      {"crit empty", ec.token(header("ES256", "ec", R"(,"crit":[])"), claims()), "critical_header"},
      {"crit null", ec.token(header("ES256", "ec", R"(,"crit":null)"), claims()), "critical_header"},
      {"payload not encoded", ec.token(header("ES256", "ec", R"(,"b64":false,"crit":["b64"])"), claims()),
       "critical_header"},
      {"typ of an ID of a refresh", ec.token(header("ES256", "ec", R"(,"typ":"refresh+jwt")"), claims()), "wrong_type"},
      {"typ of a logout token", ec.token(header("ES256", "ec", R"(,"typ":"logout+jwt")"), claims()), "wrong_type"},
      {"typ a number", ec.token(header("ES256", "ec", R"(,"typ":1)"), claims()), "wrong_type"},
      {"header no JSON", ec.token("ES256", claims()), "invalid_header"},
      {"header a list", ec.token(R"(["ES256"])", claims()), "invalid_header"},
      {"header of invalid UTF-8", ec.token("{\"alg\":\"ES256\",\"kid\":\"\xff\"}", claims()), "invalid_header"},
      {"header with more behind it", ec.token(header("ES256", "ec") + "{}", claims()), "invalid_header"},
      {"alg twice", ec.token(R"({"alg":"none","alg":"ES256","kid":"ec"})", claims()), "invalid_header"},
      {"kid twice", ec.token(R"({"alg":"ES256","kid":"rsa","kid":"ec"})", claims()), "invalid_header"},
      {"header nested deeply", ec.token(R"({"a":)" + std::string(3000, '['), claims()), "invalid_header"},
  };
  for (const auto& row : rows) EXPECT_EQ(refusal(row.token), row.refusal) << row.attack;
  ASSERT_EQ(refusal(valid), "") << "and the token that all this was made from is good";
}

TEST(Jwt, ChangingAnyCharacterIsRefused) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
  for (const auto& [signer, kid] :
       {std::pair(&keyring().rsa, "rsa"), std::pair(&keyring().p256, "ec"), std::pair(&keyring().ed25519, "ed")}) {
    const auto valid = signer->token(header(signer->algorithm(), kid), claims());
    ASSERT_EQ(refusal(valid), "");
    for (std::size_t i = 0; i < valid.size(); ++i) {
      // The neighbours too: in the last character of a part they may differ in unused bits only.
      const auto at = alphabet.find(valid[i]);
      for (const std::size_t step : {std::size_t{1}, std::size_t{2}, alphabet.size() - 1, alphabet.size() / 2}) {
        auto changed = valid;
        changed[i] = alphabet[(at + step) % alphabet.size()];
        ASSERT_NE(refusal(changed), "") << signer->algorithm() << " at " << i << ": " << changed;
      }
      auto shorter = valid;
      shorter.erase(i, 1);
      ASSERT_NE(refusal(shorter), "") << "without the character at " << i;
    }
  }
}

TEST(Jwt, RefusesOtherLastCharactersOfSignature) {
  const auto valid = keyring().p256.token(header("ES256", "ec"), claims());
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")) {
    auto changed = valid;
    changed.back() = c;
    EXPECT_EQ(refusal(changed).empty(), c == valid.back()) << c;
  }
}

// cjose splits a signature in half whatever its size, so that zeros could be put before each half.
TEST(Jwt, SignatureWithLeadingZerosIsRefused) {
  const auto input = crypto::to_base64url(header("ES256", "ec")) + "." + crypto::to_base64url(claims());
  const auto raw = keyring().p256.signature(input);
  EXPECT_EQ(refusal(input + "." + crypto::to_base64url(raw)), "");
  const std::string zero(1, '\0');
  EXPECT_EQ(refusal(input + "." + crypto::to_base64url(zero + raw.substr(0, 32) + zero + raw.substr(32))),
            "bad_signature");
}

TEST(Jwt, PartsOfTwoTokensDoNotMakeOne) {
  const auto member = keyring().p256.token(header("ES256", "ec"), claims());
  const auto admin = keyring().other_p256.token(header("ES256", "ec"), claims(R"(,"roles":{"acme":"org_admin"})"));
  const auto payload = [](std::string_view token) {
    return token.substr(token.find('.') + 1, token.rfind('.') - token.find('.') - 1);
  };
  const auto mixed =
      member.substr(0, member.find('.') + 1) + std::string(payload(admin)) + member.substr(member.rfind('.'));
  EXPECT_EQ(refusal(mixed), "bad_signature");
}

TEST(Jwt, ClaimsAreCheckedBehindTheSignature) {
  EXPECT_EQ(refusal(keyring().other_p256.token(header("ES256", "ec"), "{}")), "bad_signature");
  EXPECT_EQ(refusal(keyring().p256.token(header("ES256", "ec"), "{}")), "wrong_issuer");
  EXPECT_EQ(refusal(keyring().p256.token(header("ES256", "ec"), claims()), now + std::chrono::seconds(120)), "expired");
}

TEST(Jwt, NoPrefixOfATokenIsAccepted) {
  const auto valid = keyring().ed25519.token(header("EdDSA", "ed"), claims());
  for (std::size_t size = 0; size < valid.size(); ++size) ASSERT_NE(refusal(valid.substr(0, size)), "") << size;
}

}  // namespace
}  // namespace tokenrail::auth
