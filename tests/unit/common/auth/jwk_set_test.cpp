#include "common/auth/jwk_set.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/bytes.hpp"
#include "tests/unit/common/auth/signer.hpp"

namespace tokenrail::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::jwks;
using testing::keyring;

TEST(JwkSet, KeyThatMustNotVerifyIsLeftOut) {
  const auto& ec = keyring().p256;
  const auto& rsa = keyring().rsa;
  const auto coordinates = [](std::size_t x, std::size_t y) {
    return fmt::format(R"({{"kid":"k","kty":"EC","crv":"P-256","x":"{}","y":"{}"}})",
                       crypto::to_base64url(std::string(x, 'a')), crypto::to_base64url(std::string(y, 'b')));
  };
  const auto rsa_of = [](const std::string& n, const std::string& e) {
    return fmt::format(R"({{"kid":"k","kty":"RSA","n":"{}","e":"{}"}})", crypto::to_base64url(n),
                       crypto::to_base64url(e));
  };
  const std::string modulus(256, '\xff');
  struct Row {
    std::string key;
    const char* why;
  };
  const std::vector<Row> rows{
      {ec.jwk("k", "," + ec.private_member()), "private or symmetric"},
      {rsa.jwk("k", "," + rsa.private_member()), "private or symmetric"},
      {rsa.jwk("k", R"(,"p":"AQ")"), "private or symmetric"},
      {rsa.jwk("k", R"(,"oth":[])"), "private or symmetric"},
      {R"({"kid":"k","kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"})", "private or symmetric"},
      {R"({"kid":"k","kty":"oct"})", "another type"},
      {keyring().short_rsa.jwk("k"), "1024 bits"},
      {rsa_of(std::string(255, '\xff'), "\x01\x01\x01"), "2040 bits"},
      {rsa_of(std::string(1025, '\xff'), "\x03"), "8200 bits"},
      {rsa_of(std::string(1, '\0') + std::string(255, '\xff'), "\x03"), "2040 bits"},
      {rsa_of(modulus, "\x01"), "no RSA key"},
      {rsa_of(modulus, "\x02"), "no RSA key"},
      {rsa_of(modulus, std::string(1, '\0')), "no RSA key"},
      {rsa_of(modulus, std::string(9, '\x03')), "no RSA key"},
      {rsa_of(std::string(255, '\xff') + "\xfe", "\x03"), "no RSA key"},
      {R"({"kid":"k","kty":"RSA","n":"AQ=="})", "cannot be read"},
      {R"({"kid":"k","kty":"RSA","n":5,"e":5})", "cannot be read"},
      {keyring().p384.jwk("k"), "another curve"},
      {coordinates(32, 32), "no point"},
      {coordinates(31, 32), "cannot be read"},
      {coordinates(32, 33), "cannot be read"},
      {R"({"kid":"k","kty":"EC","crv":"P-256"})", "cannot be read"},
      {R"({"kid":"k","kty":"OKP","crv":"Ed448","x":"AA"})", "another curve"},
      {R"({"kid":"k","kty":"OKP","crv":"Ed25519","x":"AA"})", "cannot be read"},
      {R"({"kid":"k"})", "another type"},
      {ec.jwk("k", R"(,"use":"enc")"), "no key for signatures"},
      {ec.jwk("k", R"(,"key_ops":["sign"])"), "no key for signatures"},
      {ec.jwk("k", R"(,"key_ops":"verify")"), "no key for signatures"},
      {ec.jwk("k", R"(,"alg":"HS256")"), "another algorithm"},
      {ec.jwk("k", R"(,"alg":7)"), "another algorithm"},
      {rsa.jwk("k", R"(,"alg":"PS256")"), "another algorithm"},
      {ec.jwk(""), "kid is missing"},
      {ec.jwk(std::string(JwkSet::kid_bytes_max + 1, 'k')), "kid is missing or longer"},
      {fmt::format("{{{}}}", ec.public_members()), "kid is missing"},
      {"7", "kid is missing"},
      {"null", "kid is missing"},
  };
  for (const auto& row : rows) {
    const auto set = JwkSet::parse(jwks({row.key, ec.jwk("good")}));
    ASSERT_TRUE(set) << row.key;
    EXPECT_EQ(set->size(), 1U) << row.key;
    EXPECT_EQ(set->find("k"), nullptr) << row.key;
    EXPECT_NE(set->find("good"), nullptr) << "one bad key must not take the others out: " << row.key;
    EXPECT_THAT(set->ignored(), ElementsAre(HasSubstr(row.why))) << row.key;
  }
}

TEST(JwkSet, EachKindOfKeyIsRead) {
  const auto set =
      JwkSet::parse(jwks({keyring().rsa.jwk("a", R"(,"use":"sig","alg":"RS256")"),
                          keyring().p256.jwk("b", R"(,"key_ops":["sign","verify"])"), keyring().ed25519.jwk("c"),
                          keyring().p256.jwk(std::string(JwkSet::kid_bytes_max, 'k'))}));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->size(), 4U);
  EXPECT_EQ(set->find("a")->algorithm(), Algorithm::rs256);
  EXPECT_EQ(set->find("b")->algorithm(), Algorithm::es256);
  EXPECT_EQ(set->find("c")->algorithm(), Algorithm::eddsa);
  EXPECT_TRUE(set->ignored().empty());
}

TEST(JwkSet, FirstKeyOfAKidCounts) {
  const auto set = JwkSet::parse(jwks({keyring().p256.jwk("k"), keyring().ed25519.jwk("k")}));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->find("k")->algorithm(), Algorithm::es256);
  EXPECT_THAT(set->ignored(), ElementsAre(HasSubstr("second key")));
}

TEST(JwkSet, SetBeyondTheBoundsIsRefused) {
  const auto of = [](std::size_t count) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < count; ++i) keys.push_back(keyring().ed25519.jwk(std::to_string(i)));
    return jwks(keys);
  };
  EXPECT_EQ(JwkSet::parse(of(JwkSet::keys_max))->size(), JwkSet::keys_max);
  EXPECT_THAT(JwkSet::parse(of(JwkSet::keys_max + 1)).error().detail, HasSubstr("101 keys"));
  const auto padded = [](std::size_t size) { return R"({"keys":[]})" + std::string(size - 11, ' '); };
  EXPECT_TRUE(JwkSet::parse(padded(JwkSet::bytes_max)));
  EXPECT_THAT(JwkSet::parse(padded(JwkSet::bytes_max + 1)).error().detail, HasSubstr("256 KiB"));
}

TEST(JwkSet, TextThatIsNoSetIsAnError) {
  for (const auto* const text :
       {"", "<html>", "[]", "{}", R"({"keys":{}})", R"({"keys":[]}x)", R"({"keys":[],"keys":[]})"})
    EXPECT_FALSE(JwkSet::parse(text)) << text;
  EXPECT_EQ(JwkSet::parse(R"({"keys":[]})")->size(), 0U) << "an issuer without keys verifies nothing";
}

}  // namespace
}  // namespace tokenrail::auth
