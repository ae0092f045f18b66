#include <gtest/gtest.h>

#include "common/kafka/consumer.hpp"
#include "tests/support/offsets.hpp"
#include "workers/router/core/takeover.hpp"

namespace tokenrail::router {
namespace {

using events::AuditOffset;
using events::ChunkOffset;
using Kind = events::AuditFacts::Kind;

constexpr std::int64_t attempt = 5'001;

events::AuditFacts about(Kind kind, std::int64_t source_offset) {
  return {.kind = kind,
          .ids = {.source_offset = events::RequestOffset(source_offset),
                  .org_id = "o",
                  .request_id = "r",
                  .attempt = attempt},
          .epoch = 5,
          .instance = "a-1",
          .outcome = kind == Kind::response ? "completed" : ""};
}

/// A takeover that reads what a test says, beside the fold.
class TakeoverStateTest : public ::testing::Test {
 protected:
  TakeoverStateTest() { takeover.begin(); }
  void event(Kind kind, std::int64_t source_offset, std::int64_t at_ms = 1'000'000) {
    const kafka::Record record{.topic = "llm.audit",
                               .offset = next_event++,
                               .key = "k",
                               .headers = {{"traceparent", "00-1"}},
                               .timestamp_ms = at_ms};
    const auto facts = about(kind, source_offset);
    fold.apply(AuditOffset(record.offset), facts);
    takeover.note_event(facts, record, fold);
  }
  static kafka::Record chunk(std::int64_t offset, std::int64_t at_ms = 1'000'000) {
    std::string value;
    events::ChunkWriter("r", "o", attempt)
        .write(value, {.finish_reason = events::FinishReason::stop, .source_offset = 7});
    return {.topic = "chat.chunks", .offset = offset, .value = value, .timestamp_ms = at_ms};
  }
  /// The answer to the request at offset 7 is wanted.
  void expect_answer() { takeover.answers().expect(about(Kind::request, 7).ids); }

  Takeover takeover;
  events::AuditFold fold;
  std::int64_t next_event = 0;
};

TEST_F(TakeoverStateTest, FirstEventTellsWhetherTheLogIsCut) {
  EXPECT_TRUE(takeover.audit_begins_late(AuditOffset(11), AuditOffset(10)));
  EXPECT_FALSE(takeover.audit_begins_late(AuditOffset(12), AuditOffset(10))) << "once";
  takeover.begin();
  EXPECT_FALSE(takeover.audit_begins_late(AuditOffset(10), AuditOffset(10)));
  takeover.begin();
  EXPECT_FALSE(takeover.audit_begins_late(AuditOffset(10), AuditOffset(kafka::offset_beginning)))
      << "from the beginning, wherever that is";
}

TEST_F(TakeoverStateTest, OriginIsKeptWhileAnAttemptIsOpen) {
  event(Kind::request, 7, 500);
  ASSERT_NE(takeover.origin(7_request), nullptr);
  EXPECT_EQ(takeover.origin(7_request)->key, "k");
  EXPECT_EQ(takeover.origin(7_request)->traceparent, "00-1");
  EXPECT_EQ(takeover.origin(7_request)->at, Millis(500));
  event(Kind::request, 8);
  event(Kind::response, 7);
  EXPECT_EQ(takeover.origin(7_request), nullptr);
  EXPECT_TRUE(takeover.take_origin(8_request).has_value());
  EXPECT_FALSE(takeover.take_origin(8_request).has_value());
}

TEST_F(TakeoverStateTest, TimeToForgetComesEverySoManyEvents) {
  const kafka::Record record{.topic = "llm.audit"};
  const auto facts = about(Kind::lost, 0);
  for (std::int64_t i = 1; i < Takeover::forget_every; ++i) ASSERT_FALSE(takeover.note_event(facts, record, fold)) << i;
  EXPECT_TRUE(takeover.note_event(facts, record, fold));
}

TEST_F(TakeoverStateTest, HighestEpochOfOthersIsKept) {
  takeover.note_epoch(5);
  takeover.note_epoch(3);
  EXPECT_EQ(takeover.epoch_seen(), 5);
  takeover.begin();
  EXPECT_EQ(takeover.epoch_seen(), 0);
}

TEST_F(TakeoverStateTest, EndIsAskedForBeforeTheTailIsRead) {
  takeover.read_chunks_from(ChunkOffset(3));
  EXPECT_FALSE(takeover.end_is_known());
  EXPECT_FALSE(takeover.is_whole(ChunkOffset(100)));
  EXPECT_EQ(takeover.ends_at(ChunkOffset(6)), ChunkOffset(3));
  EXPECT_TRUE(takeover.end_is_known());
  EXPECT_FALSE(takeover.is_whole(ChunkOffset(5)));
  EXPECT_TRUE(takeover.is_whole(ChunkOffset(6)));
}

TEST_F(TakeoverStateTest, NothingIsReadWhereNothingLiesBeforeTheEnd) {
  takeover.read_chunks_from(ChunkOffset(6));
  EXPECT_EQ(takeover.ends_at(ChunkOffset(6)), std::nullopt);
  EXPECT_TRUE(takeover.is_whole(ChunkOffset(6)));
  takeover.read_chunks_from(ChunkOffset(kafka::offset_end));
  EXPECT_EQ(takeover.ends_at(ChunkOffset(9)), std::nullopt);
}

TEST_F(TakeoverStateTest, TailGivesAnswers) {
  expect_answer();
  EXPECT_TRUE(takeover.tail_chunk(chunk(4), false));
  EXPECT_EQ(takeover.tail_read(ChunkOffset(6), false), ChunkOffset(6));
  EXPECT_NE(takeover.answers().terminal(7_request, attempt), nullptr);
  EXPECT_EQ(takeover.chunks_read_to(), ChunkOffset(6));
  EXPECT_EQ(takeover.first_chunk_or_end(), ChunkOffset(4));
}

TEST_F(TakeoverStateTest, ChunkBehindTheTailIsReadForALease) {
  expect_answer();
  EXPECT_EQ(takeover.tail_read(ChunkOffset(4), false), ChunkOffset(4));
  EXPECT_EQ(takeover.first_chunk_or_end(), ChunkOffset(4));
  takeover.later_chunk(chunk(5));
  EXPECT_NE(takeover.answers().terminal(7_request, attempt), nullptr);
  EXPECT_EQ(takeover.chunks_read_to(), ChunkOffset(6));
  takeover.read_to(ChunkOffset(5));
  EXPECT_EQ(takeover.chunks_read_to(), ChunkOffset(6)) << "never back";
}

TEST_F(TakeoverStateTest, WholeTailHidesNoAnswer) {
  event(Kind::request, 7);
  takeover.tail_chunk(chunk(4), false);
  takeover.tail_read(ChunkOffset(6), false);
  EXPECT_FALSE(takeover.may_have_ended_in_the_cut(7_request));
}

TEST_F(TakeoverStateTest, CutTailMayHideAnAnswerThatIsOlderThanWhatIsLeft) {
  constexpr std::int64_t first_ms = 1'000'000;
  constexpr std::int64_t skew_ms = 60'000;
  event(Kind::request, 7, first_ms + skew_ms - 1);
  event(Kind::request, 8, first_ms + skew_ms);
  takeover.tail_chunk(chunk(4, first_ms), true);
  takeover.tail_chunk(chunk(5, first_ms + 500'000), true);
  takeover.tail_read(ChunkOffset(6), true);
  EXPECT_TRUE(takeover.may_have_ended_in_the_cut(7_request));
  EXPECT_FALSE(takeover.may_have_ended_in_the_cut(8_request)) << "begun behind the oldest chunk";
  EXPECT_TRUE(takeover.may_have_ended_in_the_cut(9_request)) << "nobody knows when it was begun";
}

TEST_F(TakeoverStateTest, TailThatIsGoneMayHideEveryAnswer) {
  event(Kind::request, 7);
  takeover.tail_read(ChunkOffset(6), true);
  EXPECT_TRUE(takeover.may_have_ended_in_the_cut(7_request));
  takeover.begin();
  EXPECT_FALSE(takeover.may_have_ended_in_the_cut(7_request));
}

}  // namespace
}  // namespace tokenrail::router
