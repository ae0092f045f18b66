#include "common/registry/text.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace tokenrail::registry {
namespace {

TEST(StorableText, IsUtf8WithoutControlsCutBetweenCharacters) {
  struct Row {
    std::string given;
    std::string kept;
  };
  const std::vector<Row> table{
      {"", ""},
      {"plain", "plain"},
      {"a\nb\x7f"
       "c\xc2\x85"
       "d",
       "abcd"},
      {std::string("a\0b", 3), "ab"},
      {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"caf\xe9 \xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80!", "caf !"},
      {"cut off \xe2\x82", "cut off "},
      {"0123456789", "0123456789"},
      {"0123456789a", "0123456789"},
      {"012345678\xc3\xa9", "012345678"},
      {"01234567\xc3\xa9", "01234567\xc3\xa9"},
  };
  for (const auto& [given, kept] : table) {
    SCOPED_TRACE(testing::PrintToString(given));
    EXPECT_EQ(storable(given, 10), kept);
    EXPECT_EQ(is_storable(given, 10), given == kept);
  }
}

TEST(BrokenRule, NamesTheFieldAsJsonHasIt) {
  const auto of = [](std::string_view relation, std::string_view constraint) {
    const auto rule = broken_rule("new row for relation \"" + std::string(relation) +
                                  "\" violates check constraint \"" + std::string(constraint) + "\"");
    if (rule) EXPECT_EQ(rule->constraint, constraint);
    return rule ? rule->field : "";
  };
  EXPECT_EQ(of("model", "model_context_window_check"), "contextWindow");
  EXPECT_EQ(of("model_alias", "model_alias_alias_check1"), "alias");
  EXPECT_EQ(of("model", "model_check"), "");
  EXPECT_EQ(of("deployment", "deployment_params_top_k"), "");
  EXPECT_FALSE(broken_rule("duplicate key value").has_value());
}

TEST(BrokenRule, FieldIsReadBackFromTheRefusal) {
  const auto text = refusal_of({.field = "contextWindow", .constraint = "model_context_window_check"});
  EXPECT_EQ(refused_field(text), "contextWindow");
  EXPECT_EQ(refused_field("There is no model x (rule y)."), std::nullopt);
}

}  // namespace
}  // namespace tokenrail::registry
