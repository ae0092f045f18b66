#include "common/crypto/envelope.hpp"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/bytes.hpp"
#include "tests/unit/common/crypto/ring_fixture.hpp"

namespace tokenrail::crypto {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// The ring after a rotation: the new key seals, the old one still opens.
KeyRing rotated() {
  return ring_of(key_json("2026-11", "decrypt", key_a) + "," + key_json("2026-12", "primary", key_b));
}

KeyRing old_disabled() {
  return ring_of(key_json("2026-11", "disabled", key_a) + "," + key_json("2026-12", "primary", key_b));
}

std::string hex_of(std::string_view text) {
  return to_hex(text);
}

/// No form of secret or key in the text: as it is, as base64, as hexadecimal digits.
void expect_no_secret(const std::string& detail) {
  for (const auto& form : {std::string(canary), std::string("canary"), to_base64(canary), hex_of(canary),
                           std::string(key_a), hex_of(from_base64(key_a).value())})
    EXPECT_THAT(detail, Not(HasSubstr(form)));
}

TEST(Envelope, SecretComesBack) {
  const auto ring = one_key();
  for (const std::size_t size : {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{17}, secret_bytes_max}) {
    const Secret plain(random_public_bytes(size));
    const auto sealed = seal(ring, plain, a_binding());
    ASSERT_TRUE(sealed) << size;
    const auto opened = open(ring, *sealed, a_binding());
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_TRUE(opened->reveal() == plain.reveal()) << size;
    EXPECT_EQ(key_id(*sealed), "2026-11");
  }
}

TEST(Envelope, StoredBytesOfVersion1Open) {
  const auto opened = open(one_key(), stored_v1(), a_binding());
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->reveal(), canary);
  EXPECT_EQ(to_text(stored_v1()), sealed_v1);
}

TEST(Envelope, HasTheDocumentedLayout) {
  const auto sealed = seal(one_key(), Secret(canary), a_binding()).value();
  const std::string id = "2026-11";
  EXPECT_EQ(sealed.bytes.size(), 2 + 1 + id.size() + 12 + 32 + 16 + 12 + canary.size() + 16);
  EXPECT_EQ(sealed.bytes.substr(0, 10), "v1\x07" + id);
  EXPECT_THAT(sealed.bytes, Not(HasSubstr("canary")));
}

TEST(Envelope, NoPartRepeatsBetweenTwoSealings) {
  const auto ring = one_key();
  constexpr std::size_t head = 2 + 1 + 7;
  std::set<std::string> nonces;
  std::set<std::string> contents;
  for (int i = 0; i < 200; ++i) {
    const auto bytes = seal(ring, Secret(canary), a_binding()).value().bytes;
    nonces.insert(bytes.substr(head, 12));
    nonces.insert(bytes.substr(head + 60, 12));
    contents.insert(bytes.substr(head + 12, 32));
    contents.insert(bytes.substr(head + 72));
  }
  EXPECT_EQ(nonces.size(), 400U);
  EXPECT_EQ(contents.size(), 400U);
}

TEST(Envelope, EveryFlippedBitIsRefused) {
  const auto ring = one_key();
  const auto good = stored_v1();
  for (std::size_t i = 0; i < good.bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto bad = good;
      bad.bytes[i] = static_cast<char>(static_cast<unsigned char>(bad.bytes[i]) ^ (1U << bit));
      const auto opened = open(ring, bad, a_binding());
      ASSERT_FALSE(opened) << "byte " << i << ", bit " << bit;
      // In the id of the key a flipped bit may give another id.
      EXPECT_TRUE(opened.error().kind == ErrorKind::invalid_input ||
                  (i >= 2 && i < 10 && opened.error().kind == ErrorKind::not_found));
      expect_no_secret(opened.error().detail);
    }
  }
}

TEST(Envelope, EveryTruncationAndExtensionIsRefused) {
  const auto ring = one_key();
  const auto good = stored_v1().bytes;
  for (std::size_t size = 0; size < good.size(); ++size) {
    for (const auto& bytes : {good.substr(0, size), good.substr(good.size() - size)}) {
      const auto opened = open(ring, {.bytes = bytes}, a_binding());
      ASSERT_FALSE(opened) << size;
      EXPECT_EQ(opened.error().kind, ErrorKind::invalid_input);
      expect_no_secret(opened.error().detail);
    }
  }
  EXPECT_FALSE(open(ring, {.bytes = good + '\0'}, a_binding()));
  EXPECT_FALSE(open(ring, {.bytes = '\0' + good}, a_binding()));
  EXPECT_FALSE(open(ring, {.bytes = good + good}, a_binding()));
  EXPECT_FALSE(key_id({.bytes = "v1"}));
  EXPECT_FALSE(key_id({.bytes = good.substr(0, 60)}));
}

// The longest id: its length must count in every bound.
TEST(Envelope, EveryTruncationWithTheLongestIdIsRefused) {
  const auto ring = ring_of(key_json(std::string(key_id_bytes_max, 'k'), "primary", key_a));
  const auto good = seal(ring, Secret("s"), a_binding()).value().bytes;
  ASSERT_TRUE(open(ring, {.bytes = good}, a_binding()));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(open(ring, {.bytes = good.substr(0, size)}, a_binding())) << size;
    EXPECT_FALSE(key_id({.bytes = good.substr(0, size)})) << size;
  }
}

TEST(Envelope, EveryFieldOfTheBindingCounts) {
  const auto ring = one_key();
  const std::vector<std::function<void(Binding&)>> changes{
      [](Binding& b) { b.table = "connection"; },
      [](Binding& b) { b.table.clear(); },
      [](Binding& b) { b.row_id.back() = '1'; },
      [](Binding& b) { b.org_id = "acme2"; },
      [](Binding& b) { b.org_id.clear(); },
      [](Binding& b) { b.owner_user_id = "user-8"; },
      [](Binding& b) { b.owner_user_id = ""; },
      [](Binding& b) { b.owner_user_id.reset(); },
      [](Binding& b) { b.provider = "azure"; },
      [](Binding& b) { b.field = "header"; },
      [](Binding& b) { b.version = 2; },
      [](Binding& b) { b.version = -3; },
      [](Binding& b) { b.version += std::int64_t{1} << 32; },
      // The same characters, with another end of a field.
      [](Binding& b) { b.table += "0", b.row_id.erase(0, 1); },
      [](Binding& b) { b.provider += "a", b.field.erase(0, 1); },
      [](Binding& b) { std::swap(b.provider, b.field); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto other = a_binding();
    changes[i](other);
    const auto opened = open(ring, stored_v1(), other);
    ASSERT_FALSE(opened) << "change " << i;
    EXPECT_EQ(opened.error().kind, ErrorKind::invalid_input);
    expect_no_secret(opened.error().detail);
    EXPECT_FALSE(rewrap(ring, stored_v1(), other)) << "change " << i;
  }
}

TEST(Envelope, AnAbsentOwnerIsNoEmptyOwner) {
  const auto ring = one_key();
  auto absent = a_binding();
  absent.owner_user_id.reset();
  auto empty = a_binding();
  empty.owner_user_id = "";
  const auto sealed = seal(ring, Secret(canary), absent).value();
  EXPECT_TRUE(open(ring, sealed, absent));
  EXPECT_FALSE(open(ring, sealed, empty));
}

// The content of one sealed secret behind the data key of another one.
TEST(Envelope, PartsOfTwoSealedSecretsDoNotFit) {
  const auto ring = one_key();
  const auto first = seal(ring, Secret(canary), a_binding()).value().bytes;
  const auto second = seal(ring, Secret(canary), a_binding()).value().bytes;
  constexpr std::size_t head = 2 + 1 + 7 + 60;
  EXPECT_FALSE(open(ring, {.bytes = first.substr(0, head) + second.substr(head)}, a_binding()));
  EXPECT_FALSE(open(ring, {.bytes = first.substr(0, head + 12) + second.substr(head + 12)}, a_binding()));
}

TEST(Envelope, OtherKeyWithSameIdDoesNotOpen) {
  const auto other = ring_of(key_json("2026-11", "primary", key_b));
  const auto opened = open(other, stored_v1(), a_binding());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::invalid_input);
  EXPECT_THAT(opened.error().detail, HasSubstr("another key has its key's id"));
}

TEST(Envelope, SameKeyWithOtherIdDoesNotOpen) {
  auto bytes = stored_v1().bytes;
  bytes.replace(3, 7, "2026-xx");
  EXPECT_FALSE(open(ring_of(key_json("2026-xx", "primary", key_a)), {.bytes = bytes}, a_binding()));
}

TEST(Envelope, UnknownOrDisabledKeyIsNamed) {
  for (const auto& ring : {ring_of(key_json("other", "primary", key_b)), old_disabled()}) {
    for (const auto& error :
         {open(ring, stored_v1(), a_binding()).error(), rewrap(ring, stored_v1(), a_binding()).error()}) {
      EXPECT_EQ(error.kind, ErrorKind::not_found);
      EXPECT_THAT(error.detail, HasSubstr("'2026-11'"));
      expect_no_secret(error.detail);
    }
  }
}

TEST(Envelope, RewrapKeepsCiphertextAndFreesOldKey) {
  const auto before = stored_v1();
  const auto after = rewrap(rotated(), before, a_binding());
  ASSERT_TRUE(after) << after.error().detail;
  EXPECT_EQ(key_id(*after), "2026-12");
  const auto content = before.bytes.substr(2 + 1 + 7 + 60);
  EXPECT_TRUE(after->bytes.ends_with(content));
  EXPECT_FALSE(after->bytes.contains(before.bytes.substr(2 + 1 + 7 + 12, 32))) << "the wrapped data key is another one";
  EXPECT_FALSE(open(old_disabled(), before, a_binding()));
  const auto opened = open(old_disabled(), *after, a_binding());
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->reveal(), canary);
}

// What rewrap() cannot see, open() still refuses afterwards.
TEST(Envelope, RewrapDoesNotHideAnAlteredCiphertext) {
  auto bad = stored_v1();
  bad.bytes.back() = static_cast<char>(bad.bytes.back() ^ 1);
  const auto after = rewrap(rotated(), bad, a_binding());
  ASSERT_TRUE(after);
  EXPECT_FALSE(open(rotated(), *after, a_binding()));
}

TEST(Envelope, RefusesSecretsThatAreEmptyOrTooLong) {
  const auto empty = seal(one_key(), Secret(""), a_binding());
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().kind, ErrorKind::invalid_input);
  const auto longer = seal(one_key(), Secret(std::string(secret_bytes_max + 1, 'c')), a_binding());
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error().detail, HasSubstr("32769 bytes"));
}

TEST(Envelope, TextFormIsStrict) {
  const auto sealed = seal(one_key(), Secret(canary), a_binding()).value();
  EXPECT_EQ(sealed_from_text(to_text(sealed)).value().bytes, sealed.bytes);
  for (const auto& text :
       {std::string(), std::string("djE="), to_text(sealed) + "=", " " + to_text(sealed), to_text(sealed).substr(4),
        to_base64url(sealed.bytes), to_base64("v2" + sealed.bytes.substr(2))}) {
    const auto read = sealed_from_text(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::invalid_input);
  }
}

}  // namespace
}  // namespace tokenrail::crypto
