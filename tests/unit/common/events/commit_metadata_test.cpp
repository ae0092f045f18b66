// What a commit says besides its offset (docs/explanation/protocol.md, R14; ADR 0006).
#include "common/events/commit_metadata.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::events {
namespace {

TEST(CommitMetadata, ReadsWhatItWrites) {
  const CommitMetadata metadata{
      .epoch = 1'700'000'001, .audit_offset = AuditOffset(42), .chunk_offset = ChunkOffset(9'000'000'000)};
  EXPECT_EQ(encode(metadata), "tr1 1700000001 42 9000000000");
  EXPECT_EQ(decode_commit_metadata(encode(metadata)), metadata);
}

TEST(CommitMetadata, ReadsThePrefixOfALaterVersion) {
  EXPECT_EQ(decode_commit_metadata("tr1 7 8 9 something=new"),
            (CommitMetadata{.epoch = 7, .audit_offset = AuditOffset(8), .chunk_offset = ChunkOffset(9)}));
}

TEST(CommitMetadata, ListsDeadLettersUpToBrokersBound) {
  CommitMetadata metadata{.epoch = 1, .audit_offset = AuditOffset(2), .chunk_offset = ChunkOffset(3)};
  metadata.dead_letters = {{.offset = 1'000_request, .digest = 0xff}, {.offset = 1'003_request, .digest = 0}};
  EXPECT_EQ(encode(metadata), "tr1 1 2 3 dlq=1000:ff,3:0");
  EXPECT_EQ(decode_commit_metadata("tr1 1 2 3 later=1 dlq=1000:ff,3:0 more"), metadata);

  constexpr std::int64_t far_apart = 100'000;
  const kafka::LogWitness witness{.position = INT64_MAX, .offset = 0, .time_ms = INT64_MAX};
  CommitMetadata many{.epoch = epoch_max,
                      .audit_offset = AuditOffset(INT64_MAX),
                      .chunk_offset = ChunkOffset(INT64_MAX),
                      .epoch_at_audit_offset = epoch_max,
                      .requests_log = witness,
                      .audit_log = witness,
                      .chunks_log = witness};
  for (std::int64_t i = 0; i < 500; ++i)
    many.dead_letters.push_back({.offset = RequestOffset(INT64_MAX - (500 - i) * far_apart), .digest = UINT32_MAX});
  EXPECT_LT(encode(many).size(), 4'096U);
  const auto read = decode_commit_metadata(encode(many));
  ASSERT_TRUE(read.has_value());
  many.dead_letters.resize(dead_letters_listed_max);
  EXPECT_EQ(read->dead_letters, many.dead_letters);
}

TEST(CommitMetadata, CarriesClaimAtStartOfAuditTail) {
  const CommitMetadata metadata{
      .epoch = 9, .audit_offset = AuditOffset(2), .chunk_offset = ChunkOffset(3), .epoch_at_audit_offset = 8};
  EXPECT_EQ(encode(metadata), "tr1 9 2 3 at=8");
  EXPECT_EQ(decode_commit_metadata(encode(metadata)), metadata);
  for (const char* text : {"tr1 9 2 3 at=10", "tr1 9 2 3 at=-1", "tr1 9 2 3 at=", "tr1 9 2 3 at=8x", "tr1 9 2 3 at=0"})
    EXPECT_EQ(decode_commit_metadata(text),
              (CommitMetadata{.epoch = 9, .audit_offset = AuditOffset(2), .chunk_offset = ChunkOffset(3)}))
        << text;
}

TEST(CommitMetadata, BearsWitnessOfTheLogs) {
  const CommitMetadata metadata{.epoch = 9,
                                .audit_offset = AuditOffset(2),
                                .chunk_offset = ChunkOffset(3),
                                .requests_log = {.position = 12, .offset = 9, .time_ms = 1'700'000'000'000},
                                .audit_log = {},
                                .chunks_log = {.position = 7}};
  EXPECT_EQ(encode(metadata), "tr1 9 2 3 log=12:3:1700000000000//7");
  EXPECT_EQ(decode_commit_metadata(encode(metadata)), metadata);
  const CommitMetadata without{.epoch = 9, .audit_offset = AuditOffset(2), .chunk_offset = ChunkOffset(3)};
  for (const char* text : {"log=", "log=1", "log=1/2", "log=1:0:5//", "log=1:2:5//", "log=1:1:-5//", "log=0//",
                           "log=1:1//", "log=1:1:5//x", "log=1:1:5///"})
    EXPECT_EQ(decode_commit_metadata(std::string("tr1 9 2 3 ") + text), without) << text;
}

TEST(CommitMetadata, MayLeaveTheTailsToTheReader) {
  const CommitMetadata metadata{.epoch = 9, .tails_by_time = true, .requests_log = {.position = 12}};
  EXPECT_EQ(encode(metadata), "tr1 9 0 0 tails=time log=12//");
  EXPECT_EQ(decode_commit_metadata(encode(metadata)), metadata);
  EXPECT_FALSE(decode_commit_metadata("tr1 9 0 0 tails=times")->tails_by_time);
}

TEST(CommitMetadata, NamesWorkersThatAreWell) {
  const CommitMetadata metadata{
      .epoch = 9,
      .audit_offset = AuditOffset(2),
      .chunk_offset = ChunkOffset(3),
      .well_workers = {{.epoch = 7, .worker = "00ab"}, {.epoch = 9, .worker = "00cd"}},
      .dead_letters = {{.offset = 4_request, .digest = 1}},
  };
  EXPECT_EQ(encode(metadata), "tr1 9 2 3 well=7:00ab,9:00cd dlq=4:1");
  EXPECT_EQ(decode_commit_metadata(encode(metadata)), metadata);
}

TEST(CommitMetadata, IgnoresDamagedWorkersAndReadsTheRest) {
  for (const std::string text :
       {"well=", "well=7", "well=7:", "well=x:a", "well=0:a", "well=-1:a", "well=7:a,", "well=7:a,8",
        "well=1:a,2:b,3:c,4:d,5:e", "well=7:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    const auto read = decode_commit_metadata("tr1 7 8 9 " + text);
    EXPECT_EQ(read, (CommitMetadata{.epoch = 7, .audit_offset = AuditOffset(8), .chunk_offset = ChunkOffset(9)}))
        << text;
  }
}

TEST(CommitMetadata, RefusesAnEpochThatLeavesNoneAbove) {
  EXPECT_EQ(decode_commit_metadata("tr1 9223372036854775807 0 0"), std::nullopt);
}

TEST(CommitMetadata, IgnoresDamagedDeadLettersAndReadsTheRest) {
  for (const char* text : {"dlq=", "dlq=x", "dlq=1", "dlq=1:", "dlq=1:g", "dlq=1:1,", "dlq=1:1;2:2", "dlq=-1:1",
                           "dlq=1:123456789", "dlq=9223372036854775807:1,1:1", "dlq=99999999999999999999:1"}) {
    const auto read = decode_commit_metadata(std::string("tr1 7 8 9 ") + text);
    EXPECT_EQ(read, (CommitMetadata{.epoch = 7, .audit_offset = AuditOffset(8), .chunk_offset = ChunkOffset(9)}))
        << text;
  }
}

TEST(CommitMetadata, IgnoresForeignOrDamagedText) {
  for (const char* text : {"", "tr1", "tr1 ", "tr1 1", "tr1 1 2", "tr1 1 2 ", "tr1 1 2 x", "tr1 -1 2 3", "tr1 1 2 3x",
                           "tr2 1 2 3", "TR1 1 2 3", "tr1  1 2 3", "tr1 1 2 99999999999999999999", "{\"a\":1}"}) {
    EXPECT_EQ(decode_commit_metadata(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tokenrail::events
