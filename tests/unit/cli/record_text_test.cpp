#include "cli/record_text.hpp"

#include <gtest/gtest.h>

namespace tokenrail::cli {
namespace {

kafka::Record record() {
  return {.topic = "t",
          .partition = 3,
          .offset = 42,
          .key = "k",
          .value = "{ \"a\": [1, 2]\n}",
          .headers = {{"h", "v"}},
          .timestamp_ms = 7};
}

TEST(RecordText, WritesJsonAsJsonAndBytesAsText) {
  EXPECT_EQ(
      record_json(record()),
      R"({"topic":"t","partition":3,"offset":42,"timestamp":7,"key":"k","headers":{"h":"v"},"value":{"a":[1,2]}})");
  auto broken = record();
  broken.value = "{ not json";
  EXPECT_NE(record_json(broken).find(R"("value":"{ not json")"), std::string::npos);
}

TEST(RecordText, TombstonesAndMissingKeys) {
  auto tombstone = record();
  tombstone.value.reset();
  tombstone.key.reset();
  tombstone.headers.clear();
  tombstone.timestamp_ms = -1;
  EXPECT_EQ(record_json(tombstone), R"({"topic":"t","partition":3,"offset":42,"key":null,"headers":{},"value":null})");
  EXPECT_EQ(record_line(tombstone), "3:42  (no key)  (tombstone)");
}

TEST(RecordText, ANullHeaderIsNull) {
  auto given = record();
  given.headers = {{"null", std::nullopt}, {"empty", ""}};
  EXPECT_NE(record_json(given).find(R"("headers":{"null":null,"empty":""})"), std::string::npos);
}

TEST(RecordText, ALineStaysOneLine) {
  EXPECT_EQ(record_line(record()), "3:42  k  { \"a\": [1, 2] }");
}

}  // namespace
}  // namespace tokenrail::cli
