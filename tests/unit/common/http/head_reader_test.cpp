#include "common/http/head_reader.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tokenrail::http {
namespace {

using Step = HeadReader::Step;

constexpr std::size_t plenty = 10'000;

/// The head that these lines make; each but the last must ask for more.
ResponseHead head_of(std::initializer_list<std::string_view> lines) {
  HeadReader reader(plenty);
  for (const auto line : lines) {
    EXPECT_FALSE(reader.done());
    EXPECT_EQ(reader.line(line), Step::more) << line;
  }
  EXPECT_EQ(reader.line("\r\n"), Step::complete);
  EXPECT_TRUE(reader.done());
  return reader.head();
}

TEST(HeadReader, NamesAreLowerCaseAndValuesTrimmed) {
  const auto head = head_of({"HTTP/1.1 200 OK\r\n", "AZ@[`az{-9: \t Value A \t\r\n", "empty:\r\n", "b:c:d\r\n"});
  EXPECT_EQ(head.status, 200);
  ASSERT_EQ(head.headers.size(), 3U);
  EXPECT_EQ(head.headers[0].name, "az@[`az{-9");
  EXPECT_EQ(head.headers[0].value, "Value A");
  EXPECT_EQ(head.header("empty"), "");
  EXPECT_EQ(head.header("b"), "c:d");
  EXPECT_EQ(head.header("AZ"), std::nullopt);
}

TEST(HeadReader, StatusIsTheNumberBehindTheVersion) {
  EXPECT_EQ(head_of({"HTTP/2 429\r\n"}).status, 429);
  EXPECT_EQ(head_of({"HTTP/1.1\r\n"}).status, 0);
  EXPECT_EQ(head_of({"HTTP/1.1 none\r\n"}).status, 0);
  EXPECT_EQ(head_of({std::string_view("HTTP/1.1 2004").substr(0, 12)}).status, 200) << "no byte behind the line counts";
}

TEST(HeadReader, InterimResponsesArePassedOver) {
  for (const std::string status : {"100", "103", "199"}) {
    const auto head = head_of({"HTTP/1.1 " + status + " Early\r\n", "early: 1\r\n", "\r\n", "HTTP/1.1 200 OK\r\n"});
    EXPECT_EQ(head.status, 200);
    EXPECT_TRUE(head.headers.empty()) << status;
  }
  for (const std::string status : {"99", "200", "204"}) {
    EXPECT_EQ(std::to_string(head_of({"HTTP/1.1 " + status + " Final\r\n"}).status), status);
  }
}

TEST(HeadReader, FoldedLinesBelongToTheHeaderBefore) {
  const auto head = head_of({"HTTP/1.1 200 OK\r\n", " lost: 0\r\n", "a: 1\r\n", " 2\r\n", "\t3: 4\r\n", "b: 5\r\n"});
  EXPECT_EQ(head.header("a"), "1 2 3: 4");
  EXPECT_EQ(head.header("b"), "5");
  EXPECT_EQ(head.headers.size(), 2U);
}

TEST(HeadReader, LinesWithoutAColonAreIgnored) {
  const auto head = head_of({"HTTP/1.1 200 OK\r\n", "no header\r\n", "a: 1\r\n"});
  ASSERT_EQ(head.headers.size(), 1U);
  EXPECT_EQ(head.header("a"), "1");
}

TEST(HeadReader, BytesOfAllLinesAreBoundedTogether) {
  const std::string status = "HTTP/1.1 200 OK\r\n";
  const std::string header = "a: 1\r\n";
  HeadReader exact(status.size() + header.size());
  EXPECT_EQ(exact.line(status), Step::more);
  EXPECT_EQ(exact.line(header), Step::more);
  EXPECT_EQ(exact.line("x"), Step::too_large);
  HeadReader smaller(status.size() + header.size() - 1);
  EXPECT_EQ(smaller.line(status), Step::more);
  EXPECT_EQ(smaller.line(header), Step::too_large);
}

TEST(HeadReader, TrailersAreCountedAndNotKept) {
  HeadReader reader(40);
  EXPECT_EQ(reader.line("HTTP/1.1 200 OK\r\n"), Step::more);
  EXPECT_EQ(reader.line("\r\n"), Step::complete);
  EXPECT_EQ(reader.line("trailer: 1\r\n"), Step::more);
  EXPECT_EQ(reader.line("\r\n"), Step::more) << "complete is reported once";
  EXPECT_TRUE(reader.head().headers.empty());
  EXPECT_EQ(reader.line("another: 2\r\n"), Step::too_large);
}

}  // namespace
}  // namespace tokenrail::http
