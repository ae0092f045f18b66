#include "common/catalog/decimal.hpp"

#include <gtest/gtest.h>

namespace tokenrail::catalog {
namespace {

struct Case {
  const char* text;
  int power;
  std::int64_t value;
  bool rounded;
};

TEST(Decimal, TextIsScaledExactly) {
  for (const auto& [text, power, value, rounded] : {
           Case{"1.5e-07", 12, 150'000, false},
           Case{"0.00000015", 12, 150'000, false},
           Case{"1.3e-10", 12, 130, false},
           Case{"2.5", 6, 2'500'000, false},
           Case{"0", 12, 0, false},
           Case{"-0.0", 12, 0, false},
           Case{"128000.0", 0, 128'000, false},
           Case{"1E+2", 0, 100, false},
           Case{"0.1", 12, 100'000'000'000, false},
           Case{"1e-12", 12, 1, false},
           Case{"1.5000999999999998e-07", 12, 150'010, true},
           Case{"0.0000006000000000000001", 12, 600'000, true},
           Case{"1e-13", 12, 0, true},
           Case{"1e-300", 12, 0, true},
           Case{"9e-13", 12, 1, true},
       }) {
    const auto read = scaled(text, power);
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_EQ(*read, (Scaled{.value = value, .rounded = rounded})) << text;
  }
}

TEST(Decimal, HalvesRoundToEven) {
  EXPECT_EQ(scaled("0.5", 0)->value, 0);
  EXPECT_EQ(scaled("1.5", 0)->value, 2);
  EXPECT_EQ(scaled("2.5", 0)->value, 2);
  EXPECT_EQ(scaled("2.5000", 0)->value, 2);
  EXPECT_EQ(scaled("2.50001", 0)->value, 3);
  EXPECT_EQ(scaled("2.4999", 0)->value, 2);
  EXPECT_EQ(scaled("0.05", 0)->value, 0);
}

TEST(Decimal, RefusedPriceHasItsReason) {
  for (const char* text : {"", "-", ".", "NaN", "Infinity", "1.2.3", "1e", "1ex", "1 ", " 1", "0x10", "free", "1,5"}) {
    const auto read = scaled(text, 12);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error(), "not a number") << text;
  }
  EXPECT_EQ(scaled("-1", 12).error(), "negative");
  EXPECT_EQ(scaled("-1e-15", 12).error(), "negative");
  EXPECT_EQ(scaled("1e30", 12).error(), "too large");
  EXPECT_EQ(scaled("9999999999999999999", 0).error(), "too large");
  EXPECT_EQ(scaled("1e999999999999999999999", 0).error(), "not a number");
}

}  // namespace
}  // namespace tokenrail::catalog
