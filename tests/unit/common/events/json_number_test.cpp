#include "common/events/json_number.hpp"

#include <gtest/gtest.h>

namespace tokenrail::events {
namespace {

TEST(WholeNumber, IsReadByItsValue) {
  struct Case {
    const char* token;
    std::optional<std::int64_t> number;
  };
  for (const auto& row : {
           Case{"12", 12},
           Case{" 12 \n", 12},
           Case{"12.0", 12},
           Case{"1.2e1", 12},
           Case{"\"12\"", 12},
           Case{"\"12.0\"", 12},
           Case{"0", 0},
           Case{"-0", 0},
           Case{"-3", -3},
           Case{"9223372036854775807", 9223372036854775807},
           Case{"-9223372036854775808", INT64_MIN},
           Case{"9007199254740992.0", 9007199254740992},
           Case{"9223372036854775808", std::nullopt},
           Case{"9007199254740994.0", std::nullopt},
           Case{"18446744073709551616", std::nullopt},
           Case{"1e400", std::nullopt},
           Case{"12.5", std::nullopt},
           Case{"null", std::nullopt},
           Case{"true", std::nullopt},
           Case{"{", std::nullopt},
           Case{"\"\"", std::nullopt},
           Case{"\"", std::nullopt},
           Case{"\"nan\"", std::nullopt},
           Case{"\"inf\"", std::nullopt},
           Case{"\"12 tokens\"", std::nullopt},
           Case{"", std::nullopt},
           Case{"  ", std::nullopt},
       }) {
    EXPECT_EQ(whole_number(row.token), row.number) << row.token;
  }
}

}  // namespace
}  // namespace tokenrail::events
