#include "common/http/framing.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/allocations.hpp"

namespace tokenrail::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t plenty = 1 << 20;

/// Feeds the pieces and returns what came out, the end of the stream included.
std::vector<std::string> lines(const std::vector<std::string_view>& pieces) {
  std::vector<std::string> out;
  LineFramer framer(plenty);
  const auto sink = [&](std::string_view line) { out.emplace_back(line); };
  for (const auto piece : pieces) EXPECT_TRUE(framer.feed(piece, sink));
  framer.finish(sink);
  return out;
}

struct Event {
  std::string type;
  std::string data;
  std::string id;
  bool operator==(const Event&) const = default;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Event& event, std::ostream* out) {
  *out << "{" << event.type << ", '" << event.data << "', id '" << event.id << "'}";
}

std::vector<Event> events(const std::vector<std::string_view>& pieces) {
  std::vector<Event> out;
  SseFramer framer(plenty);
  const auto sink = [&](const ServerSentEvent& event) {
    out.push_back({std::string(event.type), std::string(event.data), std::string(event.id)});
  };
  for (const auto piece : pieces) EXPECT_TRUE(framer.feed(piece, sink));
  framer.finish(sink);
  return out;
}

/// The same stream whole, cut in two at every position, and byte by byte has to give the same.
template <class Frame>
void expect_same_however_cut(std::string_view stream, const Frame& frame) {
  const auto whole = frame({stream});
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    EXPECT_EQ(frame({stream.substr(0, cut), stream.substr(cut)}), whole) << "cut at " << cut << " of: " << stream;
  }
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < stream.size(); ++i) bytes.push_back(stream.substr(i, 1));
  EXPECT_EQ(frame(bytes), whole) << "byte by byte: " << stream;
}

TEST(LineFramer, TakesBothLineEndsAndSkipsEmptyLines) {
  EXPECT_THAT(lines({"{\"a\":1}\n\n{\"b\":2}\r\n\r\n{\"c\":3}"}), ElementsAre("{\"a\":1}", "{\"b\":2}", "{\"c\":3}"));
  EXPECT_THAT(lines({"\n\r\n"}), IsEmpty());
}

TEST(LineFramer, DoesNotMindTheCuts) {
  expect_same_however_cut("{\"t\":\"gr\xc3\xbc\xc3\x9f\"}\n{\"t\":\"\xf0\x9f\x9a\x86\"}\r\n\n{\"done\":true}", lines);
  expect_same_however_cut("one\rstill one\ntwo\n", lines);
}

TEST(LineFramer, HasABound) {
  for (const auto& pieces :
       std::vector<std::vector<std::string>>{{"12345\n"}, {"123", "45\n"}, {"123", "45"}, {"12345"}, {"ok\n12345"}}) {
    LineFramer framer(4);
    bool fine = true;
    for (const std::string& piece : pieces) fine = framer.feed(piece, [](std::string_view) {});
    EXPECT_FALSE(fine);
    EXPECT_TRUE(framer.failed());
    EXPECT_EQ(framer.buffered_bytes(), 0U);
    EXPECT_FALSE(framer.feed("x\n", [](std::string_view) { FAIL() << "nothing more comes out"; }));
    framer.finish([](std::string_view) { FAIL() << "nothing more comes out"; });
  }
  LineFramer framer(4);
  EXPECT_TRUE(framer.feed("1234\n1234\n12", [](std::string_view) {}));
}

TEST(LineFramer, LineMayReachItsBound) {
  for (const auto& pieces : std::vector<std::vector<std::string_view>>{
           {"1234\n"}, {"12", "34", "\n"}, {"1234", "\n"}, {"1234"}, {"12", "34"}}) {
    LineFramer framer(4);
    std::vector<std::string> out;
    const auto sink = [&](std::string_view line) { out.emplace_back(line); };
    for (const auto piece : pieces) EXPECT_TRUE(framer.feed(piece, sink));
    framer.finish(sink);
    EXPECT_THAT(out, ElementsAre("1234"));
    EXPECT_EQ(framer.buffered_bytes(), 0U);
    EXPECT_FALSE(framer.failed());
  }
}

TEST(LineFramer, AnUnfinishedLineEndsWithTheStream) {
  LineFramer framer(4);
  int count = 0;
  const auto sink = [&](std::string_view) { ++count; };
  EXPECT_TRUE(framer.feed("123", sink));
  EXPECT_EQ(framer.buffered_bytes(), 3U);
  framer.finish(sink);
  framer.finish(sink);
  EXPECT_EQ(count, 1);
}

TEST(LineFramer, LongLineFreesItsMemory) {
  LineFramer framer(plenty);
  const auto sink = [](std::string_view) {};
  EXPECT_TRUE(framer.feed(std::string(1'000, 'x'), sink));
  EXPECT_TRUE(framer.feed("\n", sink));
  EXPECT_GE(framer.held_bytes(), 1'000U) << "a short one's is used again";
  EXPECT_TRUE(framer.feed(std::string(100'000, 'x'), sink));
  EXPECT_TRUE(framer.feed("\n", sink));
  EXPECT_LT(framer.held_bytes(), 1'000U);
}

TEST(LineFramer, TooLongLineFreesItsMemory) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  const std::string most(plenty, 'x');
  const std::size_t before = tests::allocated_bytes();
  LineFramer framer(plenty);
  EXPECT_TRUE(framer.feed(most, [](std::string_view) {}));
  EXPECT_GE(tests::allocated_bytes(), before + plenty);
  EXPECT_FALSE(framer.feed("x", [](std::string_view) {}));
  EXPECT_LT(tests::allocated_bytes(), before + 1024);
}

TEST(SseFramer, TheStandardsOwnExamples) {
  EXPECT_THAT(events({"data: YHOO\ndata: +2\ndata: 10\n\n"}), ElementsAre(Event{"message", "YHOO\n+2\n10", ""}));
  EXPECT_THAT(events({": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"}),
              ElementsAre(Event{"message", "first event", "1"}, Event{"message", "second event", ""},
                          Event{"message", " third event", ""}));
  EXPECT_THAT(events({"data\n\ndata\ndata\n\ndata:\n\n"}),
              ElementsAre(Event{"message", "", ""}, Event{"message", "\n", ""}, Event{"message", "", ""}));
  EXPECT_THAT(events({"data:test\n\ndata: test\n\n"}),
              ElementsAre(Event{"message", "test", ""}, Event{"message", "test", ""}));
}

TEST(SseFramer, ThreeLineEnds) {
  for (const std::string end : {"\n", "\r", "\r\n"}) {
    std::string stream;
    for (const char* line : {"event: a", "data: 1", "", "data: 2", ""}) stream += line + end;
    EXPECT_THAT(events({stream}), ElementsAre(Event{"a", "1", ""}, Event{"message", "2", ""}));
  }
}

TEST(SseFramer, ACarriageReturnEndsItsLineAtOnce) {
  SseFramer framer(plenty);
  int count = 0;
  framer.feed("data: x\r\r", [&](const ServerSentEvent&) { ++count; });
  EXPECT_EQ(count, 1) << "no waiting for a line feed that may never come";
  framer.feed("\ndata: y\r\n\r", [&](const ServerSentEvent&) { ++count; });
  EXPECT_EQ(count, 2);
}

TEST(SseFramer, ALastEventWithoutItsBlankLineCounts) {
  EXPECT_THAT(events({"data: 1\n\ndata: 2\n"}), ElementsAre(Event{"message", "1", ""}, Event{"message", "2", ""}));
  EXPECT_THAT(events({"data: 1\n\nevent: end\ndata: 2"}),
              ElementsAre(Event{"message", "1", ""}, Event{"end", "2", ""}));
  EXPECT_THAT(events({"data: 1\n\nevent: end\n"}), ElementsAre(Event{"message", "1", ""}));
}

TEST(SseFramer, PassesOverWhatIsNoEvent) {
  EXPECT_THAT(events({": OPENROUTER PROCESSING\n\n:\n\nevent: ping\n\nfoo: bar\nDATA: x\n\ndata: 1\n\n"}),
              ElementsAre(Event{"message", "1", ""}))
      << "a type without data is forgotten as well";
  EXPECT_THAT(events({"\n\n\n"}), IsEmpty());
  EXPECT_THAT(events({""}), IsEmpty());
}

TEST(SseFramer, SkipsByteOrderMarkOnlyAtTheStart) {
  EXPECT_THAT(events({"\xef\xbb\xbf"
                      "data: 1\n\n"
                      "\xef\xbb\xbf"
                      "data: 2\n\n"}),
              ElementsAre(Event{"message", "1", ""}));
}

TEST(SseFramer, IdsStayAndMayNotHoldNul) {
  using namespace std::string_view_literals;
  EXPECT_THAT(events({"id: 7\ndata: 1\n\nid: a\0b\ndata: 2\n\n"sv}),
              ElementsAre(Event{"message", "1", "7"}, Event{"message", "2", "7"}));
}

TEST(SseFramer, RetryTakesDigitsOnly) {
  SseFramer framer(plenty);
  const auto ignore = [](const ServerSentEvent&) {};
  framer.feed("retry: 1s\nretry:\nretry: -1\nretry: 99999999999999999999\n", ignore);
  EXPECT_FALSE(framer.retry_ms());
  framer.feed("retry: 1500\n", ignore);
  EXPECT_EQ(framer.retry_ms(), 1500U);
}

TEST(SseFramer, DoesNotMindTheCuts) {
  const std::vector<std::string> streams{
      // chat completions, ended by a word
      "data: {\"choices\":[{\"delta\":{\"content\":\"H\xc3\xa4\"}}]}\n\ndata: {\"choices\":[]}\n\ndata: [DONE]\n\n",
      // typed events and a ping between them
      ("event: message_start\ndata: {\"type\":\"message_start\"}\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n"
       "event: message_stop\ndata: {\"type\":\"message_stop\"         }\n\n"),
      // carriage returns, no word at the end
      "data: {\"candidates\": [{\"content\": \"\xf0\x9f\x9a\x86\"}]}\r\n\r\ndata: {\"finishReason\": \"STOP\"}\r\n\r\n",
      // comments first, no space, several lines, nothing after the last
      ": PROCESSING\n\n:\n\ndata:{\"a\":\ndata: 1}\n\nevent: error\nid: 3\nretry: 10\ndata: {\"error\":{}}",
      // all line ends at once
      ("\xef\xbb\xbf"
       "data: 1\r\r\ndata: 2\n\ndata: 3\r\n\r\n\rdata: 4\r\n\n\rdata\r\r"),
  };
  for (const std::string& stream : streams) expect_same_however_cut(stream, events);
}

TEST(SseFramer, HasABoundOnLinesAndOnEvents) {
  const std::vector<std::vector<std::string>> too_much{
      {"data: 0123456789012"},                      // an endless line
      {"data: 01234", "56789012\n"},                // in pieces
      {"data: 01234567890123456\n"},                // a whole line
      {"data: 012345\n", "data: 0123456789\n"},     // an event of many lines
      {"event: 0123456789\n", "data: 01234567\n"},  // type and data together
      {"data: 0123456789\n", "event: 01234567\n"},  //
      {": 01234567890123456789"},                   // a comment, too
      {"id: 01234567890123456789\n"},
  };
  for (const auto& pieces : too_much) {
    SseFramer framer(16);
    bool fine = true;
    const auto none = [](const ServerSentEvent&) { FAIL() << "nothing comes out"; };
    for (const std::string& piece : pieces) fine = framer.feed(piece, none);
    EXPECT_FALSE(fine) << pieces.front();
    EXPECT_EQ(framer.buffered_bytes(), 0U);
    EXPECT_FALSE(framer.feed("data: x\n\n", none));
    framer.finish(none);
  }
  SseFramer framer(16);
  int count = 0;
  for (int i = 0; i < 100; ++i) framer.feed("data: 0123456789\n\n", [&](const ServerSentEvent&) { ++count; });
  EXPECT_EQ(count, 100) << "the bound is one event's, not the stream's";
}

TEST(SseFramer, BoundDoesNotDependOnCuts) {
  for (const std::string line :
       {"data: 0123456789", ": a comment that is long", "unknown: 0123456789", "data:0123456789"}) {
    const std::string text = line + "\n\n";
    for (std::size_t max = line.size() - 8; max <= line.size() + 1; ++max) {
      SseFramer whole(max);
      const bool fits = whole.feed(text, [](const ServerSentEvent&) {});
      EXPECT_EQ(fits, max >= line.size()) << line << " " << max;
      for (std::size_t cut = 1; cut < text.size(); ++cut) {
        SseFramer pieces(max);
        const bool first = pieces.feed(text.substr(0, cut), [](const ServerSentEvent&) {});
        const bool second = pieces.feed(text.substr(cut), [](const ServerSentEvent&) {});
        EXPECT_EQ(first && second, fits) << line << " " << max << " cut at " << cut;
      }
    }
  }
}

TEST(SseFramer, TooLargeEventFreesItsMemory) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  const std::string third(plenty / 3, 'x');
  const auto none = [](const ServerSentEvent&) { FAIL() << "nothing comes out"; };
  const std::size_t before = tests::allocated_bytes();
  SseFramer framer(plenty);
  for (const auto* name : {"event: ", "data: "}) {
    EXPECT_TRUE(framer.feed(name, none));
    EXPECT_TRUE(framer.feed(third, none));
    EXPECT_TRUE(framer.feed("\n", none));
  }
  EXPECT_TRUE(framer.feed(third, none));
  EXPECT_GE(tests::allocated_bytes(), before + 3 * third.size());
  EXPECT_FALSE(framer.feed(third, none));
  EXPECT_LT(tests::allocated_bytes(), before + 1024);
}

}  // namespace
}  // namespace tokenrail::http
