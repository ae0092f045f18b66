#include "cli/verify/letters.hpp"

#include <gtest/gtest.h>

namespace tokenrail::verify {
namespace {

DeadLetter letter_at(std::int64_t offset, std::int64_t ms) {
  DeadLetter letter;
  letter.offset = offset;
  letter.ms = ms;
  return letter;
}

TEST(Letters, LetterBeforeItsRequestIsTakenOnce) {
  Letters letters;
  letters.keep(letter_at(3, 100));
  EXPECT_FALSE(letters.take(4, 100));
  EXPECT_TRUE(letters.take(3, 100));
  EXPECT_FALSE(letters.take(3, 100));
}

TEST(Letters, LetterOfAnotherLogIsNotThatOfTheRequest) {
  Letters letters;
  letters.keep(letter_at(3, 99));
  EXPECT_FALSE(letters.take(3, 100));
  letters.keep(letter_at(5, 99));
  letters.keep(letter_at(5, 100));
  EXPECT_TRUE(letters.take(5, 100)) << "one of two";
}

TEST(Letters, RequestIsOpenUntilItsOwnLetterCame) {
  Letters letters;
  letters.unanswerable(7, {.ms = 100, .broker_ms = 100});
  EXPECT_TRUE(letters.is_open(7));
  EXPECT_FALSE(letters.settle(letter_at(7, 99))) << "another log's";
  EXPECT_FALSE(letters.settle(letter_at(8, 100)));
  EXPECT_TRUE(letters.is_open(7));
  EXPECT_TRUE(letters.settle(letter_at(7, 100)));
  EXPECT_FALSE(letters.is_open(7));
  EXPECT_TRUE(letters.open().empty());
}

}  // namespace
}  // namespace tokenrail::verify
