#include "cli/verify/key_lines.hpp"

#include <gtest/gtest.h>

namespace tokenrail::verify {
namespace {

constexpr std::size_t key = 1;
constexpr std::int64_t skew = 100;

KeyLines::Answer answer(std::int64_t request_at, std::int64_t terminal_at, std::int64_t request_ms,
                        std::int64_t terminal_ms) {
  return {.request_at = request_at, .terminal_at = terminal_at, .request_ms = request_ms, .terminal_ms = terminal_ms};
}

TEST(KeyLines, AnswersTouchingInOneMillisecondAreInOrder) {
  KeyLines lines(skew);
  EXPECT_FALSE(lines.add(key, 1, answer(0, 0, 0, 1'000)));
  EXPECT_FALSE(lines.add(key, 2, answer(1, 1, 1'000 - skew, 2'000)));
  const auto conflict = lines.add(key, 3, answer(2, 2, 2'000 - skew - 1, 3'000));
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->disorder, KeyLines::Disorder::overlap);
  EXPECT_EQ(conflict->earlier, 2);
  EXPECT_EQ(conflict->later, 3);
}

TEST(KeyLines, TheEarlierRequestMayBeAddedLater) {
  KeyLines lines(skew);
  EXPECT_FALSE(lines.add(key, 5, answer(10, 20, 1'000, 2'000)));
  const auto conflict = lines.add(key, 3, answer(5, 15, 0, 1'500));
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->disorder, KeyLines::Disorder::overlap);
  EXPECT_EQ(conflict->earlier, 3);
  EXPECT_EQ(conflict->later, 5);
}

TEST(KeyLines, AnswerThatBeganOrEndedFirstIsOutOfOrder) {
  KeyLines lines(skew);
  EXPECT_FALSE(lines.add(key, 1, answer(10, 20, -1, -1)));
  const auto began = lines.add(key, 2, answer(9, 21, -1, -1));
  ASSERT_TRUE(began);
  EXPECT_EQ(began->disorder, KeyLines::Disorder::began);
  const auto ended = lines.add(key + 1, 1, answer(10, 20, -1, -1));
  EXPECT_FALSE(ended);
  const auto second = lines.add(key + 1, 2, answer(11, 19, -1, -1));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->disorder, KeyLines::Disorder::ended);
}

}  // namespace
}  // namespace tokenrail::verify
