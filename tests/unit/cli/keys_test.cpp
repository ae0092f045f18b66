#include "cli/keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::cli {
namespace {

using crypto::KeyState;
using ::testing::IsEmpty;

const std::vector<crypto::KeyRing::KeyInfo>& ring_keys() {
  static const std::vector<crypto::KeyRing::KeyInfo> keys{
      {"2025", KeyState::disabled}, {"2026", KeyState::decrypt}, {"2026-11-29", KeyState::primary}};
  return keys;
}

TEST(Keys, NewIdIsTheDayAndANumberIfTaken) {
  EXPECT_EQ(new_key_id({}, "2026-11-29"), "2026-11-29");
  EXPECT_EQ(new_key_id({{"2026-11-28", KeyState::primary}}, "2026-11-29"), "2026-11-29");
  EXPECT_EQ(new_key_id({{"2026-11-29", KeyState::primary}}, "2026-11-29"), "2026-11-29-2");
  EXPECT_EQ(new_key_id({{"2026-11-29", KeyState::disabled},
                        {"2026-11-29-2", KeyState::decrypt},
                        {"2026-11-29-3", KeyState::primary}},
                       "2026-11-29"),
            "2026-11-29-4");
}

TEST(Keys, AreShownByIdAndState) {
  const auto keys = key_statuses(ring_keys(), std::nullopt);
  EXPECT_EQ(key_table(keys), "KEY         STATE\n2025        disabled\n2026        decrypt\n2026-11-29  primary\n");
  EXPECT_EQ(key_json(keys[0]), R"({"key":"2025","state":"disabled"})");
  EXPECT_THAT(unusable_keys(keys), IsEmpty());
}

TEST(Keys, AreShownWithTheCredentialsThatTheySeal) {
  const auto keys = key_statuses(ring_keys(), SealedCounts{{"2026", 3}, {"2026-11-29", 12}});
  EXPECT_EQ(key_table(keys),
            "KEY         STATE     CREDENTIALS\n2025        disabled  0\n2026        decrypt   3\n"
            "2026-11-29  primary   12\n");
  EXPECT_EQ(key_json(keys[1]), R"({"key":"2026","state":"decrypt","credentials":3})");
  EXPECT_EQ(key_json(keys[0]), R"({"key":"2025","state":"disabled","credentials":0})");
  EXPECT_THAT(unusable_keys(keys), IsEmpty());
}

TEST(Keys, DisabledOrMissingKeysOfCredentialsAreUnusable) {
  const auto keys = key_statuses(ring_keys(), SealedCounts{{"2024", 1}, {"2025", 2}, {"2026", 3}});
  ASSERT_EQ(keys.size(), 4U);
  EXPECT_EQ(keys[3].id, "2024");
  EXPECT_EQ(keys[3].state, "missing");
  const auto unusable = unusable_keys(keys);
  ASSERT_EQ(unusable.size(), 2U);
  EXPECT_EQ(unusable[0].id, "2025");
  EXPECT_EQ(unusable[1].id, "2024");
}

}  // namespace
}  // namespace tokenrail::cli
