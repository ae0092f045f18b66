#include "common/crypto/key_ring.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/bytes.hpp"
#include "tests/unit/common/crypto/ring_fixture.hpp"

namespace tokenrail::crypto {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string states_of(const KeyRing& ring) {
  std::string out;
  for (const auto& key : ring.keys()) out += fmt::format("{}={} ", key.id, to_text(key.state));
  return out;
}

TEST(KeyRing, HasItsKeysWithTheirStates) {
  const auto ring = ring_of(key_json("2025.12_old", "disabled", key_a) + "," + key_json("b", "primary", key_b) + "," +
                            key_json("c", "decrypt", key_c));
  EXPECT_EQ(states_of(ring), "2025.12_old=disabled b=primary c=decrypt ");
  EXPECT_EQ(ring.primary_id(), "b");
  EXPECT_EQ(to_base64(ring.primary_key().reveal()), key_b);
  EXPECT_EQ(to_base64(ring.opening_key("c").value()->reveal()), key_c);
  EXPECT_EQ(to_base64(ring.opening_key("b").value()->reveal()), key_b);
}

TEST(KeyRing, NamesAKeyThatIsUnknownOrDisabled) {
  const auto ring = ring_of(key_json("a", "disabled", key_a) + "," + key_json("b", "primary", key_b));
  const auto disabled = ring.opening_key("a");
  ASSERT_FALSE(disabled);
  EXPECT_EQ(disabled.error().kind, ErrorKind::not_found);
  EXPECT_THAT(disabled.error().detail, HasSubstr("key 'a' of the key ring is disabled"));
  const auto unknown = ring.opening_key("2024");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::not_found);
  EXPECT_THAT(unknown.error().detail, HasSubstr("no key '2024'"));
}

struct Refused {
  std::string text;
  std::string reason;
};

std::vector<Refused> refused_texts() {
  const std::string good = key_json("a", "primary", key_a);
  return {
      {"", "empty"},
      {" \n", "empty"},
      {"{", "not valid JSON at line 1"},
      {"[]", "no JSON object"},
      {"{}", "no JSON object with \"keys\""},
      {R"({"keys":{}})", "no JSON object with \"keys\""},
      {R"({"keys":[],"more":1})", "only field"},
      {R"({"keys":[]})", "no key"},
      {ring_json("1"), "key 1 of the key ring is no JSON object"},
      {ring_json(good + ",{}"), "key 2 of the key ring needs an \"id\""},
      {ring_json(key_json("", "primary", key_a)), "needs an \"id\""},
      {ring_json(key_json("a b", "primary", key_a)), "needs an \"id\""},
      {ring_json(key_json("\xc3\xa4", "primary", key_a)), "needs an \"id\""},
      {ring_json(key_json(std::string(65, 'a'), "primary", key_a)), "needs an \"id\""},
      {ring_json(key_json("a", "Primary", key_a)), "needs a \"state\""},
      {ring_json(R"({"id":"a","key":"x"})"), "needs a \"state\""},
      {ring_json(R"({"id":"a","state":"primary"})"), "has no \"key\""},
      {ring_json(R"({"id":"a","state":"primary","key":5})"), "has no \"key\""},
      {ring_json(fmt::format(R"({{"id":"a","state":"primary","key":"{}","note":""}})", key_a)), "field other than"},
      {ring_json(fmt::format(R"({{"id":"a","id":"b","state":"primary","key":"{}"}})", key_a)), "not valid JSON"},
      {ring_json(key_json("a", "primary", "not base64!")), "not base64"},
      {ring_json(key_json("a", "primary", "")), "has 0 bytes, and exactly 32"},
      {ring_json(key_json("a", "primary", to_base64(std::string(16, 'x')))), "has 16 bytes"},
      {ring_json(key_json("a", "primary", to_base64(random_public_bytes(31)))), "has 31 bytes"},
      {ring_json(key_json("a", "primary", to_base64(random_public_bytes(33)))), "has 33 bytes"},
      {ring_json(good + "," + key_json("a", "decrypt", key_b)), "two keys of the key ring have the id 'a'"},
      {ring_json(good + "," + key_json("b", "decrypt", key_a)), "the keys 'a' and 'b' of the key ring are the same"},
      {ring_json(key_json("a", "decrypt", key_a)), "0 keys of the key ring have the state primary"},
      {ring_json(good + "," + key_json("b", "primary", key_b)), "2 keys of the key ring have the state primary"},
      {ring_json(good) + "x", "not valid JSON"},
      {std::string(ring_text_bytes_max, ' ') + ring_json(good), "larger than 1 MiB"},
  };
}

TEST(KeyRing, RefusesWrongRingAndSaysWhatToDo) {
  for (const auto& [text, reason] : refused_texts()) {
    const auto ring = KeyRing::parse(text);
    ASSERT_FALSE(ring) << text.substr(0, 200);
    EXPECT_EQ(ring.error().kind, ErrorKind::invalid_input);
    EXPECT_THAT(ring.error().detail, HasSubstr(reason));
    EXPECT_THAT(ring.error().detail, HasSubstr("; ")) << "says what to do";
  }
}

TEST(KeyRing, TakesLargestRingAndRefusesLarger) {
  std::string keys = key_json("k0", "primary", to_base64(random_public_bytes(32)));
  const auto add = [&](std::size_t i) {
    keys += "," + key_json(fmt::format("k{}", i), "decrypt", to_base64(random_public_bytes(32)));
  };
  for (std::size_t i = 1; i < ring_keys_max; ++i) add(i);
  auto ring = KeyRing::parse(ring_json(keys));
  ASSERT_TRUE(ring) << ring.error().detail;
  EXPECT_THAT(ring->add("more").error().detail, HasSubstr("which is the limit"));
  add(ring_keys_max);
  EXPECT_THAT(KeyRing::parse(ring_json(keys)).error().detail, HasSubstr("more than 256 keys"));
}

TEST(KeyRing, IdHasLettersDigitsDotUnderscoreAndDash) {
  const std::string allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  for (int c = 0; c < 256; ++c) {
    const std::string id(1, static_cast<char>(static_cast<unsigned char>(c)));
    EXPECT_EQ(is_key_id(id), allowed.contains(id)) << c;
    EXPECT_EQ(is_key_id("a" + id + "b"), allowed.contains(id)) << c;
  }
  EXPECT_FALSE(is_key_id(""));
  EXPECT_FALSE(is_key_id(std::string(65, 'x')));
  const std::string longest(64, 'x');
  EXPECT_EQ(ring_of(key_json(longest, "primary", key_a)).primary_id(), longest);
}

// A JSON library quotes the text near an error, and the text is keys.
TEST(KeyRing, ErrorsNeverShowWhatWasRead) {
  const std::string secret = "AAECAwQFBgcICQoLDA0OD-canary";
  const std::vector<std::string> texts{
      ring_json(key_json("a", "primary", secret)),
      ring_json(key_json(secret + "=", "primary", key_a)),
      ring_json(key_json("a", secret, key_a)),
      ring_json(key_json("a", "primary", secret) + secret),
      ring_json(fmt::format(R"({{"id":"a","state":"primary","key":"{}","{}":1}})", key_a, secret)),
      secret,
      "{" + secret,
      "{\"" + secret + "\":1}",
      "\"" + secret,
      secret + ring_json(key_json("a", "primary", key_a)),
      ring_json(key_json("a", "primary", to_base64("canary-canary-canary"))),
  };
  for (const auto& text : texts) {
    const auto ring = KeyRing::parse(text);
    ASSERT_FALSE(ring) << text;
    EXPECT_THAT(ring.error().detail,
                AllOf(Not(HasSubstr("canary")), Not(HasSubstr("AAECAw")), Not(HasSubstr("Y2FuYXJ5"))));
  }
  // Each good key beside each kind of error.
  for (const auto& [text, reason] : refused_texts())
    EXPECT_THAT(KeyRing::parse(text).error().detail, AllOf(Not(HasSubstr("jx1M")), Not(HasSubstr("+ubk"))));
}

TEST(KeyRing, SurvivesItsOwnTextForm) {
  const auto ring = ring_of(key_json("a", "disabled", key_a) + "," + key_json("b", "primary", key_b) + "," +
                            key_json("c", "decrypt", key_c));
  const auto text = ring.to_text();
  const auto again = KeyRing::parse(text.reveal());
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(states_of(*again), states_of(ring));
  EXPECT_EQ(again->to_text().reveal(), text.reveal());
  EXPECT_EQ(text.reveal(), "{\"keys\":[\n  " + key_json("a", "disabled", key_a) + ",\n  " +
                               key_json("b", "primary", key_b) + ",\n  " + key_json("c", "decrypt", key_c) + "\n]}\n");
}

TEST(KeyRing, IsCreatedWithOneRandomPrimaryKey) {
  const auto ring = KeyRing::create("2026-11");
  ASSERT_TRUE(ring);
  EXPECT_EQ(states_of(*ring), "2026-11=primary ");
  EXPECT_EQ(ring->primary_key().size(), 32U);
  EXPECT_NE(ring->primary_key().reveal(), KeyRing::create("2026-11")->primary_key().reveal());
  EXPECT_TRUE(KeyRing::parse(ring->to_text().reveal()));
  EXPECT_EQ(KeyRing::create("a b").error().kind, ErrorKind::invalid_input);
}

TEST(KeyRing, KeysAreAddedPromotedAndDisabled) {
  auto ring = one_key();
  ASSERT_TRUE(ring.add("next"));
  EXPECT_EQ(states_of(ring), "2026-11=primary next=decrypt ");
  EXPECT_THAT(ring.add("next").error().detail, HasSubstr("has a key 'next' already"));
  EXPECT_EQ(ring.add("a/b").error().kind, ErrorKind::invalid_input);

  ASSERT_TRUE(ring.promote("next"));
  EXPECT_EQ(states_of(ring), "2026-11=decrypt next=primary ");
  ASSERT_TRUE(ring.promote("next"));
  EXPECT_EQ(states_of(ring), "2026-11=decrypt next=primary ");
  EXPECT_EQ(ring.promote("none").error().kind, ErrorKind::not_found);

  EXPECT_THAT(ring.disable("next").error().detail, HasSubstr("primary"));
  EXPECT_EQ(ring.disable("none").error().kind, ErrorKind::not_found);
  ASSERT_TRUE(ring.disable("2026-11"));
  EXPECT_EQ(states_of(ring), "2026-11=disabled next=primary ");
  EXPECT_EQ(ring.promote("2026-11").error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(states_of(ring), "2026-11=disabled next=primary ");
}

}  // namespace
}  // namespace tokenrail::crypto
