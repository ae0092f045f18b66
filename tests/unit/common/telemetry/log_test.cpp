#include "common/telemetry/log.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "common/telemetry/log_format.hpp"
#include "common/telemetry/text_escape.hpp"

namespace tokenrail::telemetry {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

LogLine line(std::string_view message) {
  return {.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'772'366'400'007)),
          .level = "warn",
          .program = "tokenrail-test",
          .message = message};
}

TEST(LogFormat, HumanLine) {
  EXPECT_EQ(human_line(line("all is well")), "2026-03-01T12:00:00.007Z warn  all is well");
}

TEST(LogFormat, JsonLine) {
  EXPECT_EQ(json_line(line("a \"quoted\" \\ word")),
            R"({"time":"2026-03-01T12:00:00.007Z","level":"warn","program":"tokenrail-test",)"
            R"("message":"a \"quoted\" \\ word"})");
}

TEST(LogFormat, NoInputForgesALine) {
  const std::string evil = "x\n2026-03-01T12:00:00.000Z error forged\r\x1b[2J\t\x7f";
  EXPECT_THAT(human_line(line(evil)), EndsWith(R"(x\n2026-03-01T12:00:00.000Z error forged\r\x1b[2J\t\x7f)"));
  EXPECT_THAT(json_line(line(evil)), HasSubstr(R"(x\n2026-03-01T12:00:00.000Z error forged\u000d\u001b[2J\u0009)"));
}

TEST(LogFormat, OddUnicodeLineEndsAreEscapedToo) {
  EXPECT_EQ(one_line("a\xc2\x85"
                     "b\xe2\x80\xa8"
                     "c"),
            R"(a\u0085b\u2028c)");
  EXPECT_EQ(one_line("häuser 你好 🚆"), "häuser 你好 🚆");
}

TEST(LogFormat, BytesThatAreNotUtf8) {
  struct Row {
    std::string in;
    std::string human;
    std::string json;
  };
  const Row rows[] = {
      {"\xff", R"(\xff)", R"(\ufffd)"},
      {"a\xc3", R"(a\xc3)", R"(a\ufffd)"},                                         // cut in the middle
      {"\xc0\xaf", R"(\xc0\xaf)", R"(\ufffd\ufffd)"},                              // overlong
      {"\xe0\x80\xaf", R"(\xe0\x80\xaf)", R"(\ufffd\ufffd\ufffd)"},                // overlong
      {"\xed\xa0\x80", R"(\xed\xa0\x80)", R"(\ufffd\ufffd\ufffd)"},                // surrogate
      {"\xf4\x90\x80\x80", R"(\xf4\x90\x80\x80)", R"(\ufffd\ufffd\ufffd\ufffd)"},  // beyond Unicode
  };
  for (const Row& row : rows) {
    EXPECT_EQ(one_line(row.in), row.human);
    EXPECT_EQ(json_string(row.in), row.json);
  }
}

TEST(LogFormat, FirstAndLastCodePointOfEachLengthIsValid) {
  for (const std::string text : {" ", "~", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                 "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(one_line(text), text);
    EXPECT_EQ(json_string(text), text);
    EXPECT_EQ(valid_utf8(text), text);
  }
  for (const std::string text : {"\x80", "\xbf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
                                 "\xf5\x80\x80\x80", "\xe2\x80", "\xe2\x80\xc0", "\xf8\x88\x80\x80\x80"}) {
    std::string marks;
    for (std::size_t i = 0; i < text.size(); ++i) marks += "\xef\xbf\xbd";
    // A byte that begins no sequence is one; so is each that follows.
    EXPECT_EQ(valid_utf8(text), marks) << testing::PrintToString(text);
  }
}

TEST(LogFormat, EveryControlCharacterIsEscaped) {
  EXPECT_EQ(one_line(std::string_view("\0\x1f", 2)), R"(\x00\x1f)");
  EXPECT_EQ(one_line("\xc2\x80"), R"(\u0080)");
  EXPECT_EQ(one_line("\xc2\x9f"), R"(\u009f)");
  EXPECT_EQ(one_line("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"), "\\u2028\\u2029\xe2\x80\xaa");
}

TEST(LogFormat, LongMessagesAreCutAndSaySo) {
  const std::string text(log_message_bytes_max + 5, 'x');
  EXPECT_THAT(human_line(line(text)), EndsWith("xxx [5 more bytes cut]"));
  EXPECT_THAT(json_line(line(text)), EndsWith("xxx [5 more bytes cut]\"}"));
}

TEST(Log, WritesToStandardErrorAtTheGivenLevel) {
  const auto before = spdlog::default_logger();
  ::testing::internal::CaptureStderr();
  start_logging("tokenrail-test", "warn", "json");
  spdlog::info("not this");
  spdlog::warn("but this {}", 1);
  const std::string out = ::testing::internal::GetCapturedStderr();
  spdlog::set_default_logger(before);
  EXPECT_THAT(out, StartsWith("{\"time\":\""));
  EXPECT_THAT(out, EndsWith("\"level\":\"warn\",\"program\":\"tokenrail-test\",\"message\":\"but this 1\"}\n"));
}

}  // namespace
}  // namespace tokenrail::telemetry
