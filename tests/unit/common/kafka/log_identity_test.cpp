#include "common/kafka/log_identity.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace tokenrail::kafka {
namespace {

TEST(LogIdentity, TheEndAndTheFirstNewerRecordDecide) {
  struct Row {
    const char* name;
    LogWitness witness;
    WitnessedLog log;
    LogVerdict verdict;
  };
  const LogWitness read{.position = 4, .offset = 3, .time_ms = 1'000};
  for (const auto& row : {
           Row{"nothing came since", read, {.first = 0, .next = 4, .newer = {}}, LogVerdict::same},
           Row{"it grew", read, {.first = 0, .next = 14, .newer = 4}, LogVerdict::same},
           Row{"retention has taken what was read", read, {.first = 9, .next = 14, .newer = 9}, LogVerdict::same},
           Row{"retention has taken everything", read, {.first = 14, .next = 14, .newer = {}}, LogVerdict::same},
           Row{"empty again", read, {.first = 0, .next = 0, .newer = {}}, LogVerdict::another},
           Row{"shorter than what was read", read, {.first = 0, .next = 3, .newer = 0}, LogVerdict::another},
           Row{"cut, and nothing new", read, {.first = 0, .next = 3, .newer = {}}, LogVerdict::another},
           Row{"longer, and all of it newer", read, {.first = 0, .next = 10, .newer = 0}, LogVerdict::doubtful},
           Row{"cut and written again", read, {.first = 0, .next = 10, .newer = 3}, LogVerdict::doubtful},
           Row{"exactly as long", read, {.first = 0, .next = 4, .newer = 0}, LogVerdict::doubtful},
           Row{"no time is known, shorter", {.position = 4}, {.first = 0, .next = 3, .newer = {}}, LogVerdict::another},
           Row{"no time is known, longer", {.position = 4}, {.first = 0, .next = 9, .newer = 0}, LogVerdict::same},
           Row{"nothing is known", {}, {.first = 0, .next = 9, .newer = 0}, LogVerdict::same},
       }) {
    EXPECT_EQ(judge(row.witness, row.log), row.verdict) << row.name;
  }
}

TEST(LogIdentity, TheRecordAtTheWitnessSettlesADoubt) {
  const LogWitness read{.position = 4, .offset = 3, .time_ms = 1'000};
  EXPECT_EQ(judge(read, WitnessRecord{.offset = 3, .time_ms = 1'000}), LogVerdict::same);
  EXPECT_EQ(judge(read, WitnessRecord{.offset = 3, .time_ms = 1'001}), LogVerdict::another);
  EXPECT_EQ(judge(read, WitnessRecord{.offset = 4, .time_ms = 1'000}), LogVerdict::another);
  EXPECT_EQ(judge(read, std::nullopt), LogVerdict::another);
}

TEST(WitnessTrail, KeepsTheHighestTimestamps) {
  WitnessTrail trail;
  EXPECT_FALSE(trail.knows());
  trail.note(0, 100);
  trail.note(1, 300);
  trail.note(2, 200);  // another broker's clock
  EXPECT_EQ(trail.ask(), (LogWitness{.position = 3, .offset = 0, .time_ms = 100})) << "the oldest, before any answer";
  trail.same(3);
  EXPECT_EQ(trail.ask(), (LogWitness{.position = 3, .offset = 1, .time_ms = 300}));
  trail.note(3, 300);
  trail.note(4, -1);
  trail.note(2, 900);  // read before
  trail.note(4, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(trail.ask(), (LogWitness{.position = 5, .offset = 1, .time_ms = 300}));
  trail.same(9);
  EXPECT_EQ(trail.ask(), (LogWitness{.position = 9, .offset = 3, .time_ms = 300}));
  EXPECT_EQ(trail.end(), 9);
  trail.clear();
  EXPECT_EQ(trail.ask(), LogWitness{});
}

// A reader at offset 4 of a topic that was created again reads the new log from 4 on.
TEST(WitnessTrail, RecordsSinceLastAnswerBearNoWitness) {
  WitnessTrail trail;
  for (std::int64_t i = 0; i < 4; ++i) trail.note(i, 100 + i);
  static_cast<void>(trail.ask());
  trail.same(4);
  for (std::int64_t i = 4; i < 10; ++i) trail.note(i, 1'000 + i);
  const auto witness = trail.ask();
  EXPECT_EQ(witness, (LogWitness{.position = 10, .offset = 3, .time_ms = 103}));
  EXPECT_EQ(judge(witness, WitnessedLog{.first = 0, .next = 10, .newer = 0}), LogVerdict::doubtful);
  EXPECT_EQ(trail.below(10), witness) << "nor is it committed";
}

TEST(WitnessTrail, ReturnsNewestGoodWitnessBelowAnOffset) {
  WitnessTrail trail;
  trail.inherit({.position = 3, .offset = 2, .time_ms = 50});
  for (std::int64_t i = 3; i < 10; ++i) trail.note(i, 100 * i);
  EXPECT_EQ(trail.below(2).offset, -1);
  EXPECT_EQ(trail.below(5).offset, 2) << "no answer yet";
  static_cast<void>(trail.ask());
  trail.same(10);
  EXPECT_EQ(trail.below(3).offset, 2);
  EXPECT_EQ(trail.below(5), (LogWitness{.position = 10, .offset = 4, .time_ms = 400}));
  EXPECT_EQ(trail.below(5).offset, 4) << "asked again";
  EXPECT_EQ(trail.below(100).offset, 9);
}

TEST(WitnessTrail, IsBounded) {
  WitnessTrail trail;
  for (std::int64_t i = 0; i < 100'000; ++i) trail.note(i, i);
  static_cast<void>(trail.ask());
  trail.same(100'000);
  EXPECT_EQ(trail.ask().offset, 99'999);
  const auto older = trail.below(50'000);
  EXPECT_LT(older.offset, 50'000);
  EXPECT_GT(older.offset, 40'000);
  EXPECT_EQ(older.time_ms, older.offset);
}

}  // namespace
}  // namespace tokenrail::kafka
