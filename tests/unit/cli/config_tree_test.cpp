#include "cli/config_tree.hpp"

#include <gtest/gtest.h>

namespace tokenrail::cli {
namespace {

std::string yaml_of(const std::string& json) {
  return to_yaml(value_from_json(json).value());
}
std::string json_of(const std::string& yaml) {
  const auto value = value_from_yaml(yaml);
  EXPECT_TRUE(value.has_value()) << value.error().detail;
  return value ? to_json(*value) : std::string();
}

TEST(ConfigTree, IsWrittenInOneWay) {
  EXPECT_EQ(yaml_of(R"({"models":[{"provider":"ollama","modelName":"llama3.2:1b","enabled":true,"tags":["small","2"],)"
                    R"("settings":{"contextWindow":8192,"metadata":{}}}],"aliases":[],"none":null})"),
            "models:\n"
            "  - provider: ollama\n"
            "    modelName: \"llama3.2:1b\"\n"
            "    enabled: true\n"
            "    tags:\n"
            "      - small\n"
            "      - \"2\"\n"
            "    settings:\n"
            "      contextWindow: 8192\n"
            "      metadata: {}\n"
            "aliases: []\n"
            "none: null\n");
}

TEST(ConfigTree, ReadsBackWhatItWrites) {
  for (
      const char* json : {
          R"({"a":"true","b":true,"c":"null","d":null,"e":"12","f":12,"g":"1e3","h":-1.5,"i":"","j":"~","k":"no"})",
          R"({"a":": x","b":"- y","c":"# z","d":"a\nb","e":"\"quoted\" \\","f":"é","g":" blank ","h":"0x10","i":"007"})",
          R"({"a":[[1,[2]],{"b":[{}]},[],"text"],"true":1,"odd: name":{"x":"@y"}})",
          R"({})",
      }) {
    const auto value = value_from_json(json).value();
    EXPECT_EQ(json_of(to_yaml(value)), json == std::string("{}") ? "null" : to_json(value));
  }
}

TEST(ConfigTree, ReadsYamlAsPeopleWriteIt) {
  EXPECT_EQ(json_of("a: 'it''s'\nb: {c: 1, d: [x, 2]}\n# comment\ne: |\n  two\n  lines\nf: &one 1.50\ng: *one\n"),
            R"({"a":"it's","b":{"c":1,"d":["x",2]},"e":"two\nlines\n","f":1.50,"g":1.50})");
}

TEST(ConfigTree, UnusableYamlIsRefusedByLine) {
  for (const char* yaml : {"a: [1", "a: 1\na: 2\n", "? [1]\n: 2\n", "a: *nothing\n", "\ta: 1"}) {
    const auto value = value_from_yaml(yaml);
    ASSERT_FALSE(value.has_value()) << yaml;
    EXPECT_EQ(value.error().kind, ErrorKind::invalid_input);
    EXPECT_TRUE(value.error().detail.starts_with("line ")) << value.error().detail;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += '[';
  for (int i = 0; i < 100; ++i) deep += ']';
  EXPECT_FALSE(value_from_yaml(deep).has_value());
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 8; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_FALSE(value_from_yaml(bomb).has_value());
}

}  // namespace
}  // namespace tokenrail::cli
