#include "common/providers/call_ids.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tokenrail::providers {
namespace {

TEST(CallIds, AcceptedIdStaysAsItIs) {
  CallIds ids({.bytes_max = 40, .plain = true});
  EXPECT_EQ(ids.call("toolu_01-Ab"), "toolu_01-Ab");
  EXPECT_EQ(ids.result("toolu_01-Ab"), "toolu_01-Ab");
}

TEST(CallIds, RepeatedIdGetsANumber) {
  CallIds ids;
  EXPECT_EQ(ids.call("call_1"), "call_1");
  EXPECT_EQ(ids.result("call_1"), "call_1");
  EXPECT_EQ(ids.call("call_1"), "call_1_2");
  EXPECT_EQ(ids.result("call_1"), "call_1_2");
  EXPECT_EQ(ids.call("call_1_2"), "call_1_2_2");
}

TEST(CallIds, LongIdIsShortenedTheSameEverywhere) {
  const std::string one = "weather_forecast_for_one_city_dkn88p3xrd12";
  const std::string other = "weather_forecast_for_one_city_dkn88p3xrd13";
  CallIds ids({.bytes_max = 40});
  const auto sent = ids.call(one);
  EXPECT_EQ(sent.size(), 40U);
  EXPECT_EQ(sent.substr(0, 31), one.substr(0, 31));
  EXPECT_EQ(ids.result(one), sent);
  EXPECT_NE(ids.call(other), sent);
  EXPECT_EQ(CallIds({.bytes_max = 40}).call(one), sent);
  // A repeated one stays within the limit as well.
  const auto again = ids.call(one);
  EXPECT_NE(again, sent);
  EXPECT_EQ(again.size(), 40U);
  EXPECT_EQ(ids.result(one), again);
}

TEST(CallIds, LongIdIsCutBetweenCharacters) {
  std::string id;
  for (int i = 0; i < 30; ++i) id += "é";
  const auto sent = CallIds({.bytes_max = 40}).call(id);
  EXPECT_EQ(sent.size(), 39U);
  EXPECT_EQ(sent.substr(0, 30), id.substr(0, 30));
}

TEST(CallIds, PlainIdHasNoOtherCharacters) {
  CallIds ids({.plain = true});
  EXPECT_EQ(ids.call("functions.add:0"), "functions_add_0");
  EXPECT_EQ(ids.call("functions:add.0"), "functions_add_0_2") << "two ids must not become one";
  EXPECT_EQ(ids.result("functions.add:0"), "functions_add_0");
}

TEST(CallIds, CallWithoutAnIdGetsOne) {
  CallIds ids;
  EXPECT_EQ(ids.call(""), "call");
  EXPECT_EQ(ids.result(""), "call");
}

TEST(CallIds, NumbersThatOthersHaveArePassedOver) {
  CallIds ids;
  EXPECT_EQ(ids.call("a_2"), "a_2");
  EXPECT_EQ(ids.call("a"), "a");
  EXPECT_EQ(ids.call("a"), "a_3");
  EXPECT_EQ(ids.call("a_4"), "a_4");
  EXPECT_EQ(ids.call("a"), "a_5");
}

/// As many calls as this would not end if each looked at the numbers that those before it got.
TEST(CallIds, OneIdForManyCalls) {
  constexpr int calls = 100'000;
  CallIds ids({.bytes_max = 40, .plain = true});
  std::string last;
  for (int i = 0; i < calls; ++i) last = ids.call("a");
  EXPECT_EQ(last, "a_100000");
  EXPECT_EQ(ids.result("a"), last);
}

}  // namespace
}  // namespace tokenrail::providers
