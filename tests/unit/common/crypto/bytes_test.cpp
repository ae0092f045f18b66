#include "common/crypto/bytes.hpp"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::crypto {
namespace {

std::string all_bytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(static_cast<unsigned char>(i));
  return bytes;
}

// RFC 4648, section 10.
TEST(Base64, HasTheTextsOfTheStandard) {
  const std::vector<std::pair<std::string, std::string>> table{{"", ""},
                                                               {"f", "Zg=="},
                                                               {"fo", "Zm8="},
                                                               {"foo", "Zm9v"},
                                                               {"foob", "Zm9vYg=="},
                                                               {"fooba", "Zm9vYmE="},
                                                               {"foobar", "Zm9vYmFy"},
                                                               {"\xfb\xff\xfe", "+//+"}};
  for (const auto& [bytes, text] : table) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, UrlFormHasOwnAlphabetWithoutPadding) {
  EXPECT_EQ(to_base64url("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(to_base64url("fo"), "Zm8");
  EXPECT_EQ(from_base64url("-__-"), "\xfb\xff\xfe");
  EXPECT_EQ(from_base64url("Zg"), "f");
  EXPECT_EQ(from_base64url(""), "");
}

TEST(Base64, EveryByteSurvivesAtEveryLength) {
  const auto bytes = all_bytes();
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto part = bytes.substr(bytes.size() - size);
    EXPECT_EQ(from_base64(to_base64(part)), part);
    EXPECT_EQ(from_base64url(to_base64url(part)), part);
  }
}

TEST(Base64, DecodingIsStrict) {
  for (const char* text : {"Zg", "Zg=", "Z===", "====", "=", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm 9v", "Zm9v=", "Zm9-",
                           "Zm9_", "Zh==", "Zm9=", "Zm9\x80", "Z=g="})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  for (const char* text : {"Zg==", "Z", "Zm9vY", "Zh", "Zm9", "Zm9+", "Zm9/", "Zm 9", "Zm9v\n"})
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;
}

TEST(Digests, HaveTheValuesOfTheStandards) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // RFC 4231, test cases 1, 2 and 6: a key longer than a block.
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Comparison, IsTrueForEqualBytesOnly) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("token", "token"));
  EXPECT_FALSE(equal_in_constant_time("token", "tokem"));
  EXPECT_FALSE(equal_in_constant_time("token", "Token"));
  EXPECT_FALSE(equal_in_constant_time("token", "toke"));
  EXPECT_FALSE(equal_in_constant_time("", "t"));
}

TEST(RandomBytes, HaveTheirSizeAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto secret = random_bytes(16);
    EXPECT_EQ(secret.size(), 16U);
    seen.emplace(secret.reveal());
    seen.insert(random_public_bytes(12));
  }
  EXPECT_EQ(seen.size(), 2000U);
  EXPECT_TRUE(random_bytes(0).empty());
}

TEST(RandomToken, IsUrlSafeTextOfItsBytes) {
  const auto token = random_token();
  EXPECT_EQ(token.size(), 43U);
  const auto bytes = from_base64url(token.reveal());
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->size(), 32U);
  EXPECT_NE(random_token().reveal(), token.reveal());
  EXPECT_EQ(random_token(16).size(), 22U);
}

TEST(Cleanse, LeavesNothingInTheBuffer) {
  std::string bytes = "a secret that is longer than a short string";
  const std::string_view buffer(bytes.data(), bytes.size());
  bytes.resize(20);
  cleanse(bytes);
  EXPECT_TRUE(bytes.empty());
  ASSERT_EQ(bytes.data(), buffer.data());
  EXPECT_EQ(buffer.find_first_not_of('\0'), std::string_view::npos);
}

}  // namespace
}  // namespace tokenrail::crypto
