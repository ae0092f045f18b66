// What a successor takes for an answer: chunks that it has read from the first to the last.
#include <gmock/gmock.h>

#include "common/events/commit_metadata.hpp"
#include "tests/unit/workers/router/core/two_routers.hpp"

namespace tokenrail::router {
namespace {

class WholeAnswersTest : public RecoveryTest {
 protected:
  std::vector<testing::LogEntry>& chunk_log() { return logs[{"chat.chunks", 0}]; }
  [[nodiscard]] events::CommitMetadata committed_metadata() const {
    return events::decode_commit_metadata(committed.begin()->second.second).value();
  }
  /// Everything of the call's answer is in the chunk log, and its worker dies before it hears of that.
  void answer_and_die(Router& router, std::uint64_t call, std::size_t chunks) {
    router.answer(call);
    acknowledge_until(router, chunks);
  }
  void acknowledge_until(Router& router, std::size_t chunks) {
    while (chunk_log().size() < chunks) ASSERT_TRUE(router.producer.acknowledge_one());
  }
  /// It has begun an answer, with one chunk in the log, and gives the partition up.
  void begin_and_hand_over(Router& router) {
    router.take();
    router.http.head(1);
    router.speak(1, "he");
    router.revoke();
  }
};

TEST_F(WholeAnswersTest, ATerminalChunkBehindARefusedOneIsNoAnswer) {
  request("r1");
  auto first = make();
  first.take();
  answer_and_die(first, 1, 2);
  chunk_log().erase(chunk_log().begin());  // the broker had refused it

  auto second = make();
  second.take();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_EQ(audit(Kind::response)[0].cause, "lost");
  EXPECT_FALSE(audit(Kind::response)[0].recovered);
  EXPECT_EQ(second.http.started, 1U);
  second.answer(1);
  second.settle();
  EXPECT_EQ(audit(Kind::response)[1].outcome, "completed");
}

TEST_F(WholeAnswersTest, TheCommitLeavesTheFirstChunkOfAnOpenAttemptToBeRead) {
  request("short", "a");
  request("long", "b");
  auto first = make();
  first.take();
  ASSERT_EQ(first.http.calls.size(), 2U);
  first.answer(1);
  first.settle();
  first.http.head(2);
  first.speak(2, "he");
  first.settle();
  request("later", "c");
  first.deliver();
  first.settle();
  first.answer(3);
  first.settle();
  environment.advance(1s);
  first.wake();
  EXPECT_EQ(committed.begin()->second.first, 1);
  EXPECT_LE(committed_metadata().chunk_offset.value(), 2) << "the first chunk of the long one";

  first.speak(2, "llo");
  first.finish(2);
  const auto chunks = chunk_log().size() + 2;
  while (chunk_log().size() < chunks) ASSERT_TRUE(first.producer.acknowledge_one());
  auto second = make();
  second.take();
  EXPECT_EQ(second.http.started, 0U);
  EXPECT_TRUE(audit(Kind::response).back().recovered);
  EXPECT_EQ(audit(Kind::response).back().ids.request_id, "long");
}

TEST_F(WholeAnswersTest, ACommitThatHidesTheFirstChunkMakesItNoAnswer) {
  request("r1");
  auto first = make();
  first.take();
  environment.advance(1s);
  first.wake();
  answer_and_die(first, 1, 2);
  // Routers of older versions committed so.
  auto& [offset, metadata] = committed.begin()->second;
  auto positions = events::decode_commit_metadata(metadata).value();
  positions.chunk_offset = events::ChunkOffset(1);
  metadata = events::encode(positions);

  auto second = make();
  second.take();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_EQ(second.http.started, 1U);
}

TEST_F(WholeAnswersTest, AContinuedAnswerIsCountedFromItsFirstChunk) {
  request("r1");
  auto first = make();
  begin_and_hand_over(first);
  auto second = make();
  second.take();
  EXPECT_LE(committed_metadata().chunk_offset.value(), 0);
  first.speak(1, "llo");
  first.finish(1);
  acknowledge_until(first, 3);
  environment.advance(options.lease + 1s);
  second.wake();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_TRUE(audit(Kind::response)[0].recovered);
  EXPECT_EQ(second.http.started, 0U);
}

TEST_F(WholeAnswersTest, AContinuedAnswerWithARefusedChunkRunsAgain) {
  request("r1");
  auto first = make();
  begin_and_hand_over(first);
  auto second = make();
  second.take();
  first.speak(1, "llo");
  first.finish(1);
  acknowledge_until(first, 3);
  chunk_log().erase(chunk_log().begin() + 1);
  environment.advance(options.lease + 1s);
  second.wake();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_EQ(second.http.started, 1U);
}

TEST_F(WholeAnswersTest, AnAnswerWhoseFirstChunksWereDeletedIsNotRunAgain) {
  request("r1");
  auto first = make();
  first.take();
  answer_and_die(first, 1, 2);
  chunk_log()[0].deleted = true;

  auto second = make();
  second.take();
  ASSERT_GE(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_EQ(audit(Kind::response)[0].cause, "cut");
  EXPECT_EQ(second.http.started, 0U);
  ASSERT_EQ(terminals().size(), 2U);
  EXPECT_EQ(terminals().back().error_code, "INTERRUPTED");
}

TEST_F(WholeAnswersTest, ALeaseRenewedWhileTheChunkTailIsReadHolds) {
  request("r1");
  auto first = make();
  begin_and_hand_over(first);
  auto second = make();
  second.take();
  environment.advance(options.lease + 1s);
  second.core.on_wake();  // it has run out, and the chunk log is asked for
  ASSERT_TRUE(second.reader.reads("chat.chunks"));
  // The renewal comes before the answer.
  logs[{"llm.audit", 0}].push_back(
      {.value = events::to_json(events::RouterContinuing{
           .epoch = audit(Kind::claimed)[0].epoch,
           .instance = audit(Kind::claimed)[0].instance,
           .partition = 0,
           .continuing = {{.offset = events::RequestOffset(0), .attempt = audit(Kind::request)[0].ids.attempt}},
           .lease_ms = options.lease.count()}),
       .timestamp_ms = environment.wall.count()});
  second.reader.deliver("llm.audit");
  second.settle();
  EXPECT_TRUE(audit(Kind::response).empty());
  // In steps, or the loop would be taken to have stood still.
  for (int i = 0; i < 2; ++i) {
    environment.advance((options.lease + 1s) / 2);
    second.wake();
  }
  EXPECT_EQ(audit(Kind::response).size(), 1U);
}

}  // namespace
}  // namespace tokenrail::router
