#include "workers/registry_api/json_changes.hpp"

#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

/// "pointer: before -> after", a line a change.
std::string changes(std::string_view before, std::string_view after) {
  const auto left = parse_json(before).value();
  const auto right = parse_json(after).value();
  std::string lines;
  for (const auto& change : changes_between(left, right))
    lines += change.pointer + ": " + (change.before == nullptr ? "nothing" : change.before->write()) + " -> " +
             (change.after == nullptr ? "nothing" : change.after->write()) + "\n";
  return lines;
}

TEST(JsonChangesTest, MembersAreComparedOneByOne) {
  EXPECT_EQ(changes(R"({"a":1,"b":{"c":true,"d":"x"},"e":[1]})", R"({"a":1,"b":{"c":false,"d":"x"},"e":[1,2]})"),
            "/b/c: true -> false\n/e: [1] -> [1,2]\n");
}

TEST(JsonChangesTest, WhatComesAndGoes) {
  EXPECT_EQ(changes(R"({"a":null,"b":1})", R"({"b":1,"c/d":2})"), "/a: null -> nothing\n/c~1d: nothing -> 2\n");
}

TEST(JsonChangesTest, TheOrderOfMembersDoesNotCount) {
  EXPECT_EQ(changes(R"({"a":1,"b":2})", R"({"b":2,"a":1})"), "");
  EXPECT_EQ(changes("1", "2"), ": 1 -> 2\n");
}

}  // namespace
}  // namespace tokenrail::registry_api
