#include "common/registry/merge_patch.hpp"

#include <gtest/gtest.h>

namespace tokenrail::registry {
namespace {

// The examples of RFC 7396, appendix A, and some more.
TEST(MergePatch, FollowsTheExamplesOfTheStandard) {
  struct Row {
    const char* target;
    const char* patch;
    const char* result;
  };
  for (const auto& row :
       {Row{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        Row{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"}, Row{R"({"a":"b"})", R"({"a":null})", R"({})"},
        Row{R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
        Row{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"}, Row{R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
        Row{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        Row{R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        Row{R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"}, Row{R"({"a":"b"})", R"(["c"])", R"(["c"])"},
        Row{R"({"a":"foo"})", R"(null)", R"(null)"}, Row{R"({"a":"foo"})", R"("bar")", R"("bar")"},
        Row{R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
        Row{R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
        Row{R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
        Row{R"({"a":{"b":{"c":1,"d":2}}})", R"({"a":{"b":{"d":null,"é\n":[]}}})", R"({"a":{"b":{"c":1,"é\n":[]}}})"}})
    EXPECT_EQ(merge_patch(row.target, row.patch), row.result) << row.target << " " << row.patch;
}

TEST(MergePatch, InvalidTextsChangeNothing) {
  EXPECT_EQ(merge_patch("{", R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(merge_patch(R"({"a":1})", "{"), R"({"a":1})");
}

}  // namespace
}  // namespace tokenrail::registry
