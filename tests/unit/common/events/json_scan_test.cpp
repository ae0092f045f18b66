#include "common/events/json_scan.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace tokenrail::events {
namespace {

bool fast_parser_takes(const std::string& text) {
  simdjson::dom::parser parser;
  return parser.parse(text).error() == simdjson::SUCCESS;
}

TEST(JsonScan, AcceptsJsonAndNothingElse) {
  const std::string valid[] = {
      "{}",
      "[]",
      "null",
      " true ",
      "0",
      "-0.5e+10",
      "\"\"",
      R"({"a":[1,{"b":[]},"c"],"d":null})",
      R"("\u00e9\n\/")",
      "[[],[[]]]",
      "{\"a\":{}}\n",
  };
  for (const auto& text : valid) {
    EXPECT_TRUE(scan_json(text).valid) << text;
    EXPECT_TRUE(fast_parser_takes(text)) << text;
  }
  const std::string invalid[] = {
      "",           " ",     "{",     "}",     "[1,]",    "[,1]",        "{\"a\"}", "{\"a\":}",
      "{\"a\":1,}", "{a:1}", "{1:2}", "[1 2]", "tru",     "nul",         "01",      "+1",
      "1.",         ".5",    "1e",    "--1",   "\"\\x\"", "\"\\u12g4\"", "\"\n\"",  "\"open",
      "[1]]",       "{} {}", "[}",    "{]",    "'a'",     "NaN",         "[1\0]",   "{\"a\":1 \"b\":2}",
      "\\",         "\"\\",
  };
  for (const auto& text : invalid) {
    EXPECT_FALSE(scan_json(text).valid) << text;
    EXPECT_FALSE(fast_parser_takes(text)) << text;
  }
}

TEST(JsonScan, AgreesWithTheFastParserOnMutatedDocuments) {
  const std::string seed = R"({"a":[1,-2.5e3,{"b":"x\n\u00e9"}],"c":null,"d":[true,false,{}],"e":""})";
  const std::string_view characters = "{}[]\",:0123456789.eE+-\\utfnlra \n";
  std::mt19937 random(77);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    const auto changes = 1 + random() % 3;
    for (unsigned change = 0; change < changes; ++change) {
      const auto at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = characters[random() % characters.size()];
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, characters[random() % characters.size()]);
      }
    }
    const auto scan = scan_json(text);
    accepted += scan.valid ? 1 : 0;
    // The scan knows no bound on numbers, and half a surrogate pair is grammatical.
    if (scan.valid && !scan.lone_surrogates) {
      simdjson::dom::parser parser;
      const auto error = parser.parse(text).error();
      EXPECT_TRUE(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR)
          << text << simdjson::error_message(error);
    }
    if (!scan.valid) {
      EXPECT_FALSE(fast_parser_takes(text)) << text;
    }
  }
  EXPECT_GT(accepted, 1000);
}

TEST(JsonScan, SaysWhereAndWhatWasExpected) {
  const auto scan = scan_json(R"({"a" 1})");
  EXPECT_EQ(scan.position, 5U);
  EXPECT_EQ(scan.problem, "':'");
}

TEST(JsonScan, FindsFieldsOfTheFirstLevelOnly) {
  const auto scan =
      scan_json(R"({"x":{"id":"inner"}, "id" : "one","y":[{"id":2}],"id":"two","z":1 })", {"id", "z", "no"});
  ASSERT_TRUE(scan.valid);
  EXPECT_EQ(scan.fields[0], R"("two")");
  EXPECT_EQ(scan.fields[1], "1");
  EXPECT_FALSE(scan.fields[2].has_value());
}

TEST(JsonScan, FindsFieldWithEscapedName) {
  const auto scan = scan_json(R"({"\u0069d":"x"})", {"id"});
  EXPECT_EQ(scan.fields[0], R"("x")");
}

TEST(JsonScan, ReturnsContainerFieldWhole) {
  const auto scan = scan_json(R"({"id": {"a":[1,{"b":2}]} })", {"id"});
  EXPECT_EQ(scan.fields[0], R"({"a":[1,{"b":2}]})");
}

TEST(JsonScan, FieldsOfAnArrayAreNone) {
  const auto scan = scan_json(R"([{"id":"x"}])", {"id"});
  EXPECT_TRUE(scan.valid);
  EXPECT_FALSE(scan.object);
  EXPECT_FALSE(scan.fields[0].has_value());
}

TEST(JsonScan, MeasuresDepthWithoutRecursion) {
  EXPECT_EQ(scan_json("1").depth, 0U);
  EXPECT_EQ(scan_json("{\"a\":[[]]}").depth, 3U);
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_EQ(scan_json(deep).depth, 1'000'000U);
  EXPECT_TRUE(scan_json(deep).valid);
}

TEST(RepairSurrogates, KeepsPairsAndReplacesHalves) {
  struct Row {
    std::string_view json;
    std::string_view repaired;
  };
  const Row rows[] = {
      {R"("\ud83d\ude00")", R"("\ud83d\ude00")"}, {R"("\ud83d")", R"("\ufffd")"},
      {R"("\ude00x")", R"("\ufffdx")"},           {R"("\ud83d\ud83d\ude00")", R"("\ufffd\ud83d\ude00")"},
      {R"("\\ud83d")", R"("\\ud83d")"},           {R"("\ud83dA")", R"("\ufffdA")"},
      {R"("\ud83d\n")", R"("\ufffd\n")"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(repair_surrogates(row.json), row.repaired);
    EXPECT_EQ(scan_json(row.json).lone_surrogates, row.json != row.repaired) << row.json;
    EXPECT_TRUE(fast_parser_takes(std::string(row.repaired)));
  }
}

TEST(RepairStrings, MakeEveryStringReadable) {
  struct Row {
    std::string json;
    std::string_view repaired;
  };
  const Row rows[] = {
      {R"("a\n\u00e4 ä \ud83d\ude00")", R"("a\n\u00e4 ä \ud83d\ude00")"},
      {R"("\ud83d")", R"("\ufffd")"},
      {R"("\ude00\ud83d\ud83d\ude00")", R"("\ufffd\ufffd\ud83d\ude00")"},
      {R"("\\ud83d \\\ud83d")", R"("\\ud83d \\\ufffd")"},
      {R"("\u0000\u0001")", R"("\ufffd\u0001")"},
      {R"("\\u0000")", R"("\\u0000")"},
      {std::string("\"a\0b\"", 5),
       "\"a\xEF\xBF\xBD"
       "b\""},
      {"\"\xFF\"", "\"\xEF\xBF\xBD\""},
      {"\"\xF0\x9F\x98\"", "\"\xEF\xBF\xBD\""},
      {"\"\xED\xA0\xBD\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (const auto& row : rows) {
    const auto repaired = repair_strings(row.json);
    EXPECT_EQ(repaired, row.repaired);
    EXPECT_TRUE(fast_parser_takes(repaired)) << repaired;
    EXPECT_EQ(repair_strings(repaired), repaired);
  }
}

TEST(RepairStrings, LeaveOtherTextUnchanged) {
  for (const std::string_view text :
       {"", "\\", "\\u", "\\u12", "\\ud83", "{\"a\":", "<html>", "\"\\x\"", "\"\\ud83d"}) {
    EXPECT_FALSE(scan_json(repair_strings(text)).valid) << text;
  }
  EXPECT_EQ(repair_strings("\\\xFF"), "\\\xEF\xBF\xBD");
}

TEST(DecodeJsonString, GivesTheTextOrNothing) {
  EXPECT_EQ(decode_json_string(R"("a\u00e9\n")"), "aé\n");
  EXPECT_EQ(decode_json_string(R"("")"), "");
  EXPECT_FALSE(decode_json_string("12").has_value());
  EXPECT_FALSE(decode_json_string("").has_value());
  EXPECT_FALSE(decode_json_string("\"").has_value());
}

}  // namespace
}  // namespace tokenrail::events
