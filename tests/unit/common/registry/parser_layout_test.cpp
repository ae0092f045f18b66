// This program does not link simdjson by itself. Its parsers have the layout of those in the modules all the same, or
// the sanitizers would stop it: the linker keeps one copy of each of the parser's functions.
#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/registry/merge_patch.hpp"

namespace tokenrail::registry {
namespace {

TEST(ParserLayout, ParsersOfTestAndModuleAreOne) {
  const auto own = std::make_unique<simdjson::dom::parser>();
  const simdjson::padded_string text(std::string(R"({"a":[1,2,{"b":true}]})"));
  EXPECT_EQ(simdjson::minify(own->parse(text).value()), R"({"a":[1,2,{"b":true}]})");

  simdjson::ondemand::parser on_demand;
  auto document = on_demand.iterate(text).value();
  EXPECT_EQ(document["a"].at(0).get_int64().value(), 1);

  EXPECT_EQ(merge_patch(R"({"a":1,"b":{"c":2}})", R"({"b":{"c":null,"d":3}})"), R"({"a":1,"b":{"d":3}})");
  const events::JsonDocument large("[" + std::string(200'000, ' ') + "1]");
  EXPECT_EQ(simdjson::minify(large.root()), "[1]");
}

}  // namespace
}  // namespace tokenrail::registry
