#include "common/rare.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tokenrail {
namespace {

TEST(Rare, CopiesAreTheirOwn) {
  Rare<std::string> first("a");
  auto second = first;
  *second = "b";
  EXPECT_EQ(*first, "a");
  first = second;
  EXPECT_EQ(first->size(), 1U);
  EXPECT_EQ(first, second);
  const auto& same = first;
  first = same;
  EXPECT_EQ(*first, "b");
}

TEST(Rare, EqualsByWhatItHolds) {
  Rare<std::string> none;
  EXPECT_EQ(none, std::nullopt);
  EXPECT_NE(none, Rare<std::string>("a"));
  EXPECT_EQ(Rare<std::string>("a"), std::string("a"));
  EXPECT_NE(Rare<std::string>("a"), std::string("b"));
  auto moved = Rare<std::string>("a");
  const auto taken = std::move(moved);
  EXPECT_TRUE(taken);
  Rare<std::string> gone("a");
  gone.reset();
  EXPECT_FALSE(gone.has_value());
  EXPECT_EQ(gone, none);
}

}  // namespace
}  // namespace tokenrail
