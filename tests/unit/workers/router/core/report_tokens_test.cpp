#include "workers/router/core/report_tokens.hpp"

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

TEST(ReportTokens, ChunkNamesItsPartitionAndAttempt) {
  const Sent sent{.partition = 4'711, .generation = 0x5003, .purpose = Purpose::chunk, .unit = 0x1'2345'6789};
  const auto token = ReportTokens::of_chunk(sent);
  EXPECT_TRUE(ReportTokens::is_chunk(token));
  EXPECT_EQ(low_unit(token), low_unit(sent.unit));
  const auto owner = ReportTokens::owner_of_chunk(token);
  EXPECT_TRUE(owner.is(4'711, 0x5003));
  EXPECT_FALSE(owner.is(4'710, 0x5003));
  EXPECT_FALSE(owner.is(4'711, 0x5004));
}

TEST(ReportTokens, OtherRecordsAreTakenOnce) {
  ReportTokens tokens;
  const auto first = tokens.next(3);
  const auto second = tokens.next(3);
  EXPECT_NE(first, second);
  EXPECT_FALSE(ReportTokens::is_chunk(first));
  tokens.accepted(first, {.partition = 3, .purpose = Purpose::claim});
  const auto sent = tokens.take(first);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->purpose, Purpose::claim);
  EXPECT_FALSE(tokens.take(first));
  EXPECT_FALSE(tokens.take(second)) << "the producer did not take it";
}

TEST(ReportTokens, ReplacedProducerReportsNothing) {
  ReportTokens tokens;
  const auto token = tokens.next(3);
  tokens.accepted(token, {.partition = 3});
  tokens.clear();
  EXPECT_FALSE(tokens.take(token));
  EXPECT_NE(tokens.next(3), token) << "a late report of the old one is no report of the new one";
}

TEST(ReportTokens, NumbersOfABatchSentTwiceAreNoOffsets) {
  ReportTokens tokens;
  const Sent event{.partition = 3, .purpose = Purpose::request_event};
  const auto offset = [&](const Sent& sent, std::int64_t reported) {
    return tokens.placed(sent, {.ok = true, .offset = reported}).offset;
  };
  EXPECT_EQ(offset(event, -1), -1);
  EXPECT_EQ(offset(event, 0), -1);
  EXPECT_EQ(offset({.partition = 4, .purpose = Purpose::request_event}, 1), 1) << "each partition has its own log";
  EXPECT_EQ(offset(event, 1), -1);
  EXPECT_EQ(offset(event, 70), 70);
}

TEST(ReportTokens, OffsetsOfChunksAndLettersStay) {
  ReportTokens tokens;
  for (const auto purpose : {Purpose::terminal, Purpose::dlq}) {
    const Sent sent{.partition = 3, .purpose = purpose};
    EXPECT_EQ(tokens.placed(sent, {.ok = true, .offset = -1}).offset, -1);
    EXPECT_EQ(tokens.placed(sent, {.ok = true, .offset = 0}).offset, 0);
  }
}

TEST(ReportTokens, FailedReportsCountInNoBatch) {
  ReportTokens tokens;
  const Sent event{.partition = 3, .purpose = Purpose::request_event};
  EXPECT_EQ(tokens.placed(event, {.ok = false, .offset = -1}).offset, -1);
  EXPECT_EQ(tokens.placed(event, {.ok = true, .offset = 0}).offset, 0);
}

}  // namespace
}  // namespace tokenrail::router
