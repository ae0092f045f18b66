#include "workers/registry_api/json_value.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using testing::HasSubstr;

Json parsed(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value) << text;
  return value ? std::move(*value) : Json();
}

TEST(JsonValue, KeepsWhatWasParsed) {
  const auto value = parsed(R"({"a":"x","b":[1,2.5,true,null],"c":{"d":"é"}})");
  EXPECT_EQ(value.write(), R"({"a":"x","b":[1,2.5,true,null],"c":{"d":"é"}})");
  EXPECT_EQ(value.text_of("a"), "x");
  EXPECT_EQ(value.text_of("b"), std::nullopt);
  EXPECT_EQ(value.find("c")->text_of("d"), "é");
}

TEST(JsonValue, CanonicalTextIgnoresOrderAndBlanks) {
  EXPECT_EQ(parsed(R"({"b":1, "a":{"z":1,"y":2}})").write_canonical(),
            parsed(R"({"a":{"y":2,"z":1.0},"b":1})").write_canonical());
  EXPECT_NE(parsed("[1,2]").write_canonical(), parsed("[2,1]").write_canonical());
}

TEST(JsonValue, RefusesMemberNamedTwice) {
  const auto value = parse_json(R"({"a":{"b/c":{"x":1,"x":2}}})");
  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().detail, HasSubstr("\"/a/b~1c\" names a member twice"));
}

TEST(JsonValue, RefusesWhatIsTooDeep) {
  const JsonLimits limits{.depth_max = 4};
  EXPECT_TRUE(parse_json("[[[[1]]]]", limits));
  const auto value = parse_json("[[[[[1]]]]]", limits);
  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().detail, HasSubstr("nests too deeply"));
}

TEST(JsonValue, RefusesTooManyValues) {
  EXPECT_TRUE(parse_json("[1,2,3]", {.values_max = 4}));
  EXPECT_FALSE(parse_json("[1,2,3,4]", {.values_max = 4}));
}

TEST(JsonValue, RefusesWhatIsNoJson) {
  for (const auto* text : {"", "{", "{'a':1}", "[1,]", "\"\xff\"", "1 2", "99999999999999999999999999"})
    EXPECT_FALSE(parse_json(text)) << text;
}

// The examples of RFC 7396, appendix A.
TEST(MergePatch, DoesWhatTheStandardShows) {
  struct Case {
    std::string_view target, patch, result;
  };
  for (const auto& [target, patch, result] : {
           Case{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
           Case{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
           Case{R"({"a":"b"})", R"({"a":null})", "{}"},
           Case{R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
           Case{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
           Case{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
           Case{R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
           Case{R"({"a":"foo"})", "null", "null"},
           Case{R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
           Case{"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
           Case{"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
       }) {
    EXPECT_EQ(merge_patch(parsed(target), parsed(patch)).write(), result) << target << " " << patch;
  }
}

}  // namespace
}  // namespace tokenrail::registry_api
