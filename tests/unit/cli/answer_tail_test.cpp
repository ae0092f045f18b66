#include "cli/answer_tail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string delta(const std::string& request_id, std::int64_t attempt, std::int64_t seq, std::string_view text,
                  const std::string& org_id = "acme") {
  std::string out;
  events::ChunkWriter(request_id, org_id, attempt).write(out, seq, {.text = text});
  return out;
}
std::string terminal(const std::string& request_id, std::int64_t attempt, std::int64_t seq,
                     const std::string& org_id = "acme") {
  std::string out;
  events::TerminalChunk end;
  end.seq = seq;
  events::ChunkWriter(request_id, org_id, attempt).write(out, end);
  return out;
}

TEST(AnswerTail, OneRequestStreamsToItsEnd) {
  AnswerTail tail({.org_id = "acme", .request_id = "r"}, {});
  EXPECT_EQ(tail.take(delta("r", 5001, 0, "Hel")).shown.out, "Hel");
  EXPECT_TRUE(tail.in_the_middle());
  EXPECT_EQ(tail.take(delta("another", 5001, 0, "x")).shown.out, "");
  EXPECT_EQ(tail.take(delta("r", 5001, 0, "x", "others")).shown.out, "");
  EXPECT_EQ(tail.take("no JSON about r").shown.out, "");
  EXPECT_EQ(tail.take(delta("r", 5001, 1, "lo")).shown.out, "lo");
  const auto end = tail.take(terminal("r", 5001, 2));
  EXPECT_EQ(end.shown.out, "\n");
  ASSERT_TRUE(end.ended);
  EXPECT_EQ(end.ended->attempt, 5001);
  EXPECT_FALSE(tail.in_the_middle());
}

TEST(AnswerTail, NotesDisplacedAnswerAndBeginsAgain) {
  AnswerTail tail({.org_id = {}, .request_id = "r"}, {});
  (void)tail.take(delta("r", 5001, 0, "old"));
  const auto anew = tail.take(delta("r", 6001, 0, "new"));
  EXPECT_EQ(anew.shown.out, "\nnew");
  EXPECT_THAT(anew.shown.note, HasSubstr("begins again"));
  EXPECT_TRUE(tail.take(terminal("r", 6001, 1)).ended);

  const auto again = tail.take(delta("r", 7001, 0, "newer"));
  EXPECT_THAT(again.notes, ElementsAre("the answer to r of acme was displaced; it begins again as attempt 7001"));
  EXPECT_EQ(again.shown.out, "newer");
  EXPECT_EQ(tail.take(terminal("r", 6001, 1)).ended, std::nullopt) << "what is displaced stays so";
}

TEST(AnswerTail, AnswersOfAConversationDoNotMix) {
  AnswerTail tail({}, {});
  const auto first = tail.take(delta("r", 5001, 0, "one "));
  EXPECT_THAT(first.notes, ElementsAre("request r of acme"));
  EXPECT_EQ(first.shown.out, "one ");
  const auto second = tail.take(delta("s", 5001, 0, "two"));
  EXPECT_THAT(second.notes, ElementsAre("request s of acme"));
  EXPECT_EQ(second.shown.out, "") << "written when it is whole";
  EXPECT_EQ(tail.take(delta("r", 5001, 1, "more")).shown.out, "more");
  EXPECT_EQ(tail.take(terminal("s", 5001, 1)).shown.out, "two\n");
  EXPECT_EQ(tail.take(terminal("r", 5001, 2)).shown.out, "\n");
  EXPECT_EQ(tail.take(delta("t", 5001, 0, "three")).shown.out, "three") << "the next one streams";
}

TEST(AnswerTail, JsonIsEveryChunkOfTheAnswer) {
  AnswerTail tail({}, {.json = true});
  const auto chunk = delta("r", 5001, 0, "x");
  const auto told = tail.take(chunk);
  EXPECT_EQ(told.shown.out, chunk + "\n");
  EXPECT_THAT(told.notes, IsEmpty());
  EXPECT_EQ(tail.take(chunk).shown.out, "");
}

TEST(AnswerTail, HidesAnswerWithoutItsBeginning) {
  AnswerTail tail({.org_id = {}, .request_id = "r"}, {});
  const auto told = tail.take(delta("r", 5001, 3, "rest"));
  EXPECT_EQ(told.shown.out, "");
  EXPECT_EQ(told.missing, "chunks of the answer to r of acme are missing before seq 3 of attempt 5001");
  EXPECT_EQ(tail.take(terminal("r", 5001, 4)).ended, std::nullopt);
  EXPECT_EQ(tail.take(delta("r", 6001, 0, "new")).shown.out, "new");
}

}  // namespace
}  // namespace tokenrail::cli
