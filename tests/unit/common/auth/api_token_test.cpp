#include "common/auth/api_token.hpp"

#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::auth {
namespace {

std::string hex(const Digest& digest) {
  std::string text;
  for (const auto byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

TEST(ApiToken, HasFormAndHashOfItsText) {
  std::array<std::uint8_t, api_token_id_bytes> id{};
  std::array<std::uint8_t, api_token_secret_bytes> secret{};
  id.fill(0x0a);
  secret.fill(0xf1);
  const auto made = api_token_from(id, secret);
  EXPECT_EQ(made.id, "0a0a0a0a0a0a0a0a0a0a0a0a");
  EXPECT_EQ(made.token.reveal(),
            "trk_0a0a0a0a0a0a0a0a0a0a0a0a_f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1");
  // Of coreutils' sha256sum.
  EXPECT_EQ(hex(made.sha256), "f500d632ec774d36134550b1b516535b9a9aef3a09ccf710bb7d1e664c4d1076");
}

TEST(ApiToken, IsReadBack) {
  const auto made = make_api_token();
  ASSERT_TRUE(made);
  const auto read = read_api_token(made->token.reveal());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, made->id);
  EXPECT_TRUE(same_digest(read->sha256, made->sha256));
}

TEST(ApiToken, TwoAreNeverTheSame) {
  std::set<std::string> ids;
  std::set<std::string, std::less<>> tokens;
  for (int i = 0; i < 200; ++i) {
    const auto made = make_api_token();
    ASSERT_TRUE(made);
    EXPECT_TRUE(ids.insert(made->id).second);
    EXPECT_TRUE(tokens.emplace(made->token.reveal()).second);
  }
}

TEST(ApiToken, TextOfAnotherFormIsRefused) {
  const std::string id(24, 'a');
  const std::string secret(64, 'b');
  const auto good = "trk_" + id + "_" + secret;
  ASSERT_TRUE(read_api_token(good));
  for (const auto& text : std::vector<std::string>{"",
                                                   "trk_",
                                                   "trk__",
                                                   "trk_" + id,
                                                   "trk_" + id + "_",
                                                   "trk_" + id + secret,
                                                   "trk-" + id + "_" + secret,
                                                   "TRK_" + id + "_" + secret,
                                                   " " + good,
                                                   good + " ",
                                                   good + "\n",
                                                   good + std::string(1, '\0'),
                                                   good + "b",
                                                   good.substr(0, good.size() - 1),
                                                   "trk_a" + id + "_" + secret,
                                                   "trk_" + id.substr(1) + "_" + secret,
                                                   "trk_" + std::string(24, 'A') + "_" + secret,
                                                   "trk_" + id + "_" + std::string(64, 'g'),
                                                   "trk_" + id + "_" + std::string(63, 'b') + "_",
                                                   "trk_" + id + "__" + secret.substr(1)})
    EXPECT_FALSE(read_api_token(text)) << text;
}

TEST(ApiToken, DigestsDifferWhereAnyBitDoes) {
  Digest a{};
  EXPECT_TRUE(same_digest(a, a));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto b = a;
      b.at(i) = static_cast<std::uint8_t>(1U << bit);
      EXPECT_FALSE(same_digest(a, b));
    }
  }
}

}  // namespace
}  // namespace tokenrail::auth
