#include "common/crypto/gcm.hpp"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "common/crypto/bytes.hpp"

namespace tokenrail::crypto {
namespace {

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return bytes;
}

struct Vector {
  const char* key;
  const char* nonce;
  const char* aad;
  const char* plain;
  const char* out;
};

// The test cases 13 to 16 of the specification of GCM that was submitted to NIST: AES-256, nonces of 96 bits.
constexpr Vector vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
     "ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
     "bcc9f662898015adb094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
     "ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
     "bcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST(Gcm, EncryptsAndDecryptsThePublishedVectors) {
  for (const auto& vector : vectors) {
    const auto key = from_hex(vector.key);
    const auto nonce = from_hex(vector.nonce);
    const auto aad = from_hex(vector.aad);
    const GcmContext context{.key = key, .nonce = nonce, .aad = aad};
    const auto out = gcm_encrypt(context, from_hex(vector.plain));
    EXPECT_EQ(to_hex(out), vector.out);
    const auto plain = gcm_decrypt(context, out);
    ASSERT_TRUE(plain);
    EXPECT_EQ(to_hex(plain->reveal()), vector.plain);
  }
}

TEST(Gcm, AnyOtherInputDoesNotDecrypt) {
  const std::string key(32, 'k');
  const std::string nonce(12, 'n');
  const auto out = gcm_encrypt({.key = key, .nonce = nonce, .aad = "aad"}, "plain");
  ASSERT_TRUE(gcm_decrypt({.key = key, .nonce = nonce, .aad = "aad"}, out));
  EXPECT_FALSE(gcm_decrypt({.key = std::string(32, 'l'), .nonce = nonce, .aad = "aad"}, out));
  EXPECT_FALSE(gcm_decrypt({.key = key, .nonce = std::string(12, 'm'), .aad = "aad"}, out));
  EXPECT_FALSE(gcm_decrypt({.key = key, .nonce = nonce, .aad = "aae"}, out));
  EXPECT_FALSE(gcm_decrypt({.key = key, .nonce = nonce, .aad = ""}, out));
  for (std::size_t size = 0; size < out.size(); ++size)
    EXPECT_FALSE(gcm_decrypt({.key = key, .nonce = nonce, .aad = "aad"}, out.substr(0, size)));
}

TEST(Gcm, RefusesKeysAndNoncesOfAnotherSize) {
  const std::string key(32, 'k');
  const std::string nonce(12, 'n');
  EXPECT_THROW(static_cast<void>(gcm_encrypt({.key = "short", .nonce = nonce, .aad = ""}, "p")), std::runtime_error);
  EXPECT_THROW(static_cast<void>(gcm_encrypt({.key = key, .nonce = "short", .aad = ""}, "p")), std::runtime_error);
}

}  // namespace
}  // namespace tokenrail::crypto
