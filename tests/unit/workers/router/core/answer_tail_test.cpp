#include "workers/router/core/answer_tail.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"
#include "workers/router/core/recovery.hpp"

namespace tokenrail::router {
namespace {

constexpr std::int64_t attempt = 7'001;
constexpr events::RequestOffset source(5);

class AnswerTailTest : public ::testing::Test {
 protected:
  AnswerTailTest() { expect("r", source); }
  void expect(const std::string& id, events::RequestOffset offset) {
    tail.expect({.source_offset = offset, .org_id = "o", .request_id = id, .attempt = attempt});
  }
  void delta(std::int64_t seq, std::string_view text = "x", const std::string& id = "r") {
    events::ChunkWriter(id, "o", attempt).write(value, seq, {.text = text});
    tail.read(events::ChunkOffset(next++), value);
  }
  void end(std::int64_t seq, events::FinishReason reason = events::FinishReason::stop,
           events::RequestOffset offset = source, const std::string& id = "r") {
    events::ChunkWriter(id, "o", attempt)
        .write(value, {.seq = seq, .finish_reason = reason, .source_offset = offset.value()});
    tail.read(events::ChunkOffset(next++), value);
  }
  [[nodiscard]] bool whole(events::RequestOffset offset = source) const {
    return tail.terminal(offset, attempt) != nullptr;
  }

  AnswerTail tail;
  std::int64_t next = 100;
  std::string value;
};

TEST_F(AnswerTailTest, AllChunksBeforeTheTerminalOneMakeItWhole) {
  EXPECT_FALSE(tail.first_chunk(source, attempt));
  delta(0);
  delta(1);
  EXPECT_FALSE(whole());
  end(2);
  ASSERT_TRUE(whole());
  EXPECT_EQ(tail.terminal(source, attempt)->seq, 2);
  EXPECT_EQ(tail.first_chunk(source, attempt), events::ChunkOffset(100));
}

TEST_F(AnswerTailTest, ATerminalChunkAloneIsWholeOnlyWithSeqZero) {
  end(1);
  EXPECT_FALSE(whole());
  end(0);
  EXPECT_TRUE(whole());
}

TEST_F(AnswerTailTest, AGapIsNotWhole) {
  delta(0);
  delta(2);
  end(3);
  EXPECT_FALSE(whole());
}

TEST_F(AnswerTailTest, ATailThatBeginsInTheMiddleIsNotWhole) {
  delta(4);
  delta(5);
  end(6);
  EXPECT_FALSE(whole());
  EXPECT_TRUE(tail.first_chunk(source, attempt)) << "of those that were read";
}

TEST_F(AnswerTailTest, RepetitionsAreIgnored) {
  delta(0);
  delta(0);
  delta(1);
  delta(0);
  delta(1);
  end(2);
  ASSERT_TRUE(whole());
  EXPECT_EQ(tail.first_chunk(source, attempt), events::ChunkOffset(100));
}

TEST_F(AnswerTailTest, OfTwoTerminalsTheFirstIsUsed) {
  end(0, events::FinishReason::stop);
  end(0, events::FinishReason::cancelled);
  end(1, events::FinishReason::length);
  ASSERT_TRUE(whole());
  EXPECT_EQ(tail.terminal(source, attempt)->finish_reason, "stop");
}

TEST_F(AnswerTailTest, ATerminalChunkBehindAGapIsNotUsedLater) {
  end(1, events::FinishReason::length);
  delta(0);
  EXPECT_FALSE(whole());
  end(1, events::FinishReason::stop);
  ASSERT_TRUE(whole());
  EXPECT_EQ(tail.terminal(source, attempt)->finish_reason, "stop");
}

TEST_F(AnswerTailTest, TextThatLooksLikeAnEndIsText) {
  delta(0, R"("done":true)");
  EXPECT_FALSE(whole());
  tail.read(events::ChunkOffset(next++),
            R"({"requestId":"r","orgId":"o","attempt":7001,"seq":1,"delta":null,"x":{"done":true},"done":false})");
  EXPECT_FALSE(whole());
  end(2);
  EXPECT_TRUE(whole());
}

TEST_F(AnswerTailTest, AnotherRequestOrSourceOffsetIsNotItsOwn) {
  expect("q", source + 1);
  delta(0, "x", "q");
  end(0, events::FinishReason::stop, source + 1);
  EXPECT_FALSE(whole());
  end(1, events::FinishReason::stop, source + 1, "q");
  EXPECT_FALSE(whole());
  EXPECT_TRUE(whole(source + 1));
}

TEST_F(AnswerTailTest, IdsWithEscapesAreFound) {
  expect("a\"\n\\b", 9_request);
  delta(0, "x", "a\"\n\\b");
  end(1, events::FinishReason::stop, 9_request, "a\"\n\\b");
  EXPECT_TRUE(whole(9_request));
}

TEST_F(AnswerTailTest, WhatCannotBeReadIsPassedOver) {
  delta(0);
  for (const auto* bad : {"", "{", "no JSON", R"({"requestId":"r","orgId":"o","attempt":7001,"seq":1,"done":true)"})
    tail.read(events::ChunkOffset(next++), bad);
  end(1);
  EXPECT_TRUE(whole());
}

TEST_F(AnswerTailTest, WhatIsForgottenIsNotCounted) {
  delta(0);
  tail.forget(source, attempt);
  end(1);
  EXPECT_FALSE(whole());
  EXPECT_FALSE(tail.first_chunk(source, attempt));
}

TEST(PlanClosing, IsMadeFromWhatIsWhole) {
  AnswerTail tail;
  events::AuditFold::Attempt open{
      .ids = {.source_offset = source, .org_id = "o", .request_id = "r", .attempt = attempt}};
  tail.expect(open.ids);
  std::string value;
  const events::ChunkWriter writer("r", "o", attempt);
  writer.write(value, {.seq = 1, .finish_reason = events::FinishReason::stop, .source_offset = source.value()});
  tail.read(events::ChunkOffset(0), value);
  EXPECT_EQ(response_of(plan_closing(open, tail, {}), 9, "i").outcome, events::Outcome::interrupted);
  writer.write(value, 0, {.text = "x"});
  tail.read(events::ChunkOffset(1), value);
  writer.write(value, {.seq = 1, .finish_reason = events::FinishReason::stop, .source_offset = source.value()});
  tail.read(events::ChunkOffset(2), value);
  const auto response = response_of(plan_closing(open, tail, {}), 9, "i");
  EXPECT_EQ(response.outcome, events::Outcome::completed);
  EXPECT_TRUE(response.recovered);
  EXPECT_EQ(response.chunks, 2);
  EXPECT_EQ(response.ids.epoch, 9);
}

}  // namespace
}  // namespace tokenrail::router
