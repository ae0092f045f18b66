#include "cli/keys.hpp"

#include <gtest/gtest.h>

namespace tokenrail::cli {
namespace {

using crypto::KeyState;

TEST(Keys, NewIdIsTheDayWithANumberWhereItIsTaken) {
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
  const std::vector<crypto::KeyRing::KeyInfo> keys{{"2025", KeyState::disabled}, {"2026-11-29", KeyState::primary}};
  EXPECT_EQ(key_table(keys), "KEY         STATE\n2025        disabled\n2026-11-29  primary\n");
  EXPECT_EQ(key_json(keys[0]), R"({"key":"2025","state":"disabled"})");
}

}  // namespace
}  // namespace tokenrail::cli
