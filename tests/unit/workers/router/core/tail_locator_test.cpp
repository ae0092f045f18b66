#include "workers/router/core/tail_locator.hpp"

#include <gtest/gtest.h>

#include "common/kafka/consumer.hpp"

namespace tokenrail::router {
namespace {

using namespace std::chrono_literals;
using Step = TailLocator::Step;
using Logs = std::vector<Log>;

const Result<LogPlaces> no_answer = std::unexpected(Error{.kind = ErrorKind::unavailable, .detail = "told to fail"});

/// Both logs have been asked about, under 1 and 2.
TailLocator asked() {
  TailLocator locator;
  locator.begin();
  locator.look_from(100ms);
  EXPECT_EQ(locator.to_ask(), (Logs{Log::audit, Log::chunks}));
  locator.asked(Log::audit, 1);
  locator.asked(Log::chunks, 2);
  return locator;
}

TEST(TailLocator, FindsTheOffsetsOfATime) {
  auto locator = asked();
  EXPECT_EQ(locator.from(), 100ms);
  EXPECT_EQ(locator.answered(2, LogPlaces{.first = 3, .next = 9, .at = 5}, 0ms), Step::waits);
  EXPECT_FALSE(locator.found());
  EXPECT_EQ(locator.answered(1, LogPlaces{.first = 0, .next = 20, .at = 7}, 0ms), Step::found);
  ASSERT_TRUE(locator.found());
  EXPECT_EQ(locator.found()->audit, events::AuditOffset(7));
  EXPECT_EQ(locator.found()->chunk, events::ChunkOffset(5));
  EXPECT_FALSE(locator.found()->chunk_may_be_cut);
}

TEST(TailLocator, ChunksThatBeginBehindTheTimeMayBeCut) {
  auto locator = asked();
  locator.answered(1, LogPlaces{.first = 0, .next = 20}, 0ms);
  locator.answered(2, LogPlaces{.first = 3, .next = 9, .at = 3}, 0ms);
  EXPECT_EQ(locator.found()->audit, events::AuditOffset(kafka::offset_beginning)) << "no event is that new";
  EXPECT_TRUE(locator.found()->chunk_may_be_cut);
}

TEST(TailLocator, NoChunkIsThatNew) {
  auto locator = asked();
  locator.answered(1, LogPlaces{.at = 7}, 0ms);
  locator.answered(2, LogPlaces{.first = 3, .next = 9}, 0ms);
  EXPECT_EQ(locator.found()->chunk, events::ChunkOffset(9));
  EXPECT_FALSE(locator.found()->chunk_may_be_cut);
}

TEST(TailLocator, AsksAgainWhatWasNotAnswered) {
  auto locator = asked();
  EXPECT_FALSE(locator.is_due(1'000'000ms));
  EXPECT_EQ(locator.answered(1, no_answer, 50ms), Step::waits);
  EXPECT_EQ(locator.answered(2, LogPlaces{.next = 9}, 50ms), Step::waits);
  EXPECT_FALSE(locator.is_due(1'049ms));
  EXPECT_TRUE(locator.is_due(1'050ms));
  EXPECT_EQ(locator.to_ask(), (Logs{Log::audit}));
  EXPECT_FALSE(locator.is_due(1'050ms));
  locator.asked(Log::audit, 3);
  EXPECT_EQ(locator.answered(1, LogPlaces{}, 60ms), Step::waits) << "an old answer";
  EXPECT_EQ(locator.answered(3, LogPlaces{.at = 4}, 60ms), Step::found);
}

TEST(TailLocator, GivesUpAfterThreeRefusals) {
  auto locator = asked();
  EXPECT_EQ(locator.answered(1, no_answer, 0ms), Step::waits);
  EXPECT_EQ(locator.answered(2, no_answer, 0ms), Step::waits);
  locator.asked(Log::audit, 3);
  locator.asked(Log::chunks, 4);
  EXPECT_EQ(locator.answered(3, no_answer, 0ms), Step::given_up);
  locator.find(
      {.audit = events::AuditOffset(kafka::offset_beginning), .chunk = events::ChunkOffset(kafka::offset_beginning)});
  EXPECT_TRUE(locator.found());
  EXPECT_EQ(locator.answered(4, LogPlaces{}, 0ms), Step::waits);
  locator.begin();
  EXPECT_TRUE(locator.found()) << "until the next result";
  locator.clear();
  EXPECT_FALSE(locator.found());
}

}  // namespace
}  // namespace tokenrail::router
