#include "common/events/json_writer.hpp"

#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/events/utf8.hpp"

namespace tokenrail::events {
namespace {

std::string written(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string read_back(const std::string& json) {
  simdjson::dom::parser parser;
  std::string_view text;
  const auto error = parser.parse(json).get(text);
  EXPECT_EQ(error, simdjson::SUCCESS) << json;
  return std::string(text);
}

TEST(JsonString, SizeIsKnownBeforeItIsWritten) {
  std::mt19937 random(5);
  constexpr std::string_view pieces[] = {"a",    "\"",       "\\", "\n", "\x01", "ä", "\xF0\x9F\x98\x80",
                                         "\xFF", "\xE2\x82", "\t"};
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (auto count = random() % 40; count > 0; --count) {
      text += pieces[random() % std::size(pieces)];
    }
    ASSERT_EQ(json_string_bytes(text), written(text).size()) << written(text);
  }
}

TEST(JsonString, EscapesWhatTheStandardDemands) {
  struct Row {
    std::string_view text;
    std::string_view json;
  };
  const Row rows[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"quote\" back\\", R"("quote\" back\\")"},
      {"\n\r\t\b\f", R"("\n\r\t\b\f")"},
      {std::string_view("\0\x01\x1f", 3), R"("\u0000\u0001\u001f")"},
      {"\x7f/", "\"\x7f/\""},
      {"é€😀", R"("é€😀")"},
      // Far enough to pass the eight-byte step, the special byte at each end of it.
      {"1234567\"89012345\\", R"("1234567\"89012345\\")"},
      {"\"2345678", R"("\"2345678")"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(written(row.text), row.json);
  }
}

TEST(JsonString, ReplacesBytesThatAreNotUtf8) {
  struct Row {
    std::string_view text;
    std::string_view result;
  };
  const Row rows[] = {
      {"\xff", "\xEF\xBF\xBD"},
      {"a\x80z", "a\xEF\xBF\xBDz"},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // overlong
      {"\xE2\x82", "\xEF\xBF\xBD"},                                              // cut off: one mark for what was begun
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                  // a surrogate
      {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // beyond U+10FFFF
      {"\xF0\x9F\x98 ok", "\xEF\xBF\xBD ok"},
      {"\xE2\x82\xAC\xE2", "€\xEF\xBF\xBD"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(read_back(written(row.text)), row.result);
    // Long enough for the other way of validating, with the bad bytes at the end.
    const std::string filler(200, 'x');
    EXPECT_EQ(read_back(written(filler + std::string(row.text))), filler + std::string(row.result));
  }
}

TEST(JsonString, AnyBytesMakeValidJson) {
  std::mt19937 random(20240611);
  const std::string_view alphabet[] = {"a",  "\"",   "\\",   "\n",   "é",    "€",
                                       "😀", "\x80", "\xff", "\xE2", "\x1b", "zzzzzzzz"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const auto pieces = random() % 40;
    for (unsigned piece = 0; piece < pieces; ++piece) {
      text += alphabet[random() % std::size(alphabet)];
    }
    const auto back = read_back(written(text));
    if (simdjson::validate_utf8(text)) {
      EXPECT_EQ(back, text);
    } else {
      EXPECT_NE(back.find("\xEF\xBF\xBD"), std::string::npos);
    }
  }
}

TEST(JsonString, ReadsBackEachByteInEachPlaceOfAWord) {
  for (int value = 0; value < 0x80; ++value) {
    for (std::size_t place = 0; place < 9; ++place) {
      std::string text = "abcdefghi";
      text[place] = static_cast<char>(value);
      EXPECT_EQ(read_back(written(text)), text);
    }
  }
}

TEST(JsonWriter, PutsCommasBetweenAndNowhereElse) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("text", "a");
  writer.field("whole", std::int64_t{-3});
  writer.field("yes", true);
  writer.null_field("nothing");
  writer.field("fraction", 0.25);
  writer.begin_array("list");
  writer.element("x");
  writer.element(std::int64_t{1});
  writer.begin_object();
  writer.end_object();
  writer.raw_element("[1,2]");
  writer.end_array();
  writer.begin_object("empty");
  writer.end_object();
  writer.raw_field("raw", R"({"a":1})");
  writer.end_object();
  EXPECT_EQ(out,
            R"({"text":"a","whole":-3,"yes":true,"nothing":null,"fraction":0.25,"list":["x",1,{},[1,2]],"empty":{},)"
            R"("raw":{"a":1}})");
}

TEST(JsonWriter, WritesNumbersThatJsonCanHold) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("low", std::numeric_limits<std::int64_t>::min());
  writer.field("huge", 1e300);
  writer.field("nan", std::numeric_limits<double>::quiet_NaN());
  writer.field("infinite", std::numeric_limits<double>::infinity());
  writer.end_object();
  EXPECT_EQ(out, R"({"low":-9223372036854775808,"huge":1e+300,"nan":null,"infinite":null})");
}

TEST(Utf8Prefix, NeverSplitsASequence) {
  const std::string_view text = "aé€😀";
  const std::size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (std::size_t bytes_max = 0; bytes_max < std::size(expected); ++bytes_max) {
    EXPECT_EQ(utf8_prefix(text, bytes_max).size(), expected[bytes_max]) << bytes_max;
  }
}

TEST(Utf8Prefix, CutsInvalidUtf8Anywhere) {
  const std::string text(20, '\x80');
  EXPECT_EQ(utf8_prefix(text, 7).size(), 7U);
}

}  // namespace
}  // namespace tokenrail::events
