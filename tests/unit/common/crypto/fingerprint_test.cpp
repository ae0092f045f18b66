#include "common/crypto/fingerprint.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/crypto/ring_fixture.hpp"

namespace tokenrail::crypto {
namespace {

TEST(Fingerprint, IsEqualForEqualSecretAndKey) {
  EXPECT_EQ(fingerprint(one_key(), Secret(canary)), "0dd09ed5c9aee7f1");
  EXPECT_EQ(fingerprint(one_key(), Secret(canary)), fingerprint(one_key(), Secret(canary)));
}

TEST(Fingerprint, DependsOnSecretAndPrimaryKey) {
  EXPECT_NE(fingerprint(one_key(), Secret("sk-canary-4711-Zq8w")), fingerprint(one_key(), Secret(canary)));
  const auto other = ring_of(key_json("2026-11", "primary", key_b));
  EXPECT_NE(fingerprint(other, Secret(canary)), fingerprint(one_key(), Secret(canary)));
  auto extended = one_key();
  ASSERT_TRUE(extended.add("next"));
  EXPECT_EQ(fingerprint(extended, Secret(canary)), fingerprint(one_key(), Secret(canary)));
  ASSERT_TRUE(extended.promote("next"));
  EXPECT_NE(fingerprint(extended, Secret(canary)), fingerprint(one_key(), Secret(canary)));
}

TEST(Last4, ShowsNothingOfAShortSecret) {
  EXPECT_EQ(last4(Secret("")), "");
  EXPECT_EQ(last4(Secret("abcdefghijk")), "");
  EXPECT_EQ(last4(Secret("abcdefghijkl")), "ijkl");
  EXPECT_EQ(last4(Secret(canary)), "Zq8v");
}

TEST(Last4, ShowsPrintableAsciiOnly) {
  EXPECT_EQ(last4(Secret("abcdefghijklmn\nop")), "");
  EXPECT_EQ(last4(Secret("abcdefghijklm op")), "");
  EXPECT_EQ(last4(Secret("abcdefghijkl!~!~")), "!~!~");
  EXPECT_EQ(last4(Secret("abcdefghijklmno\xc3\xa9")), "");
  EXPECT_EQ(last4(Secret("abcdefghijklmno\x1b[1")), "");
  // Eleven characters in 13 bytes.
  EXPECT_EQ(last4(Secret("\xc3\xa9\xc3\xa9"
                         "abcdefghi")),
            "");
}

}  // namespace
}  // namespace tokenrail::crypto
