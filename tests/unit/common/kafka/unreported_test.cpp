#include "common/kafka/detail/unreported.hpp"

#include <array>
#include <cstdint>
#include <list>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tokenrail::kafka::detail {
namespace {

TEST(Unreported, GivesBackEachToken) {
  Unreported unreported({.records_max = 10, .bytes_max = 1000});
  Unreported::Lane lane;
  const auto first = unreported.add(lane, 5, 0xffff'ffff'ffff'fffe, 0);
  const auto second = unreported.add(lane, 5, 0, 0);
  EXPECT_EQ(unreported.records(), 2U);
  EXPECT_EQ(unreported.bytes(), 10U);
  EXPECT_EQ(unreported.release(first).token, 0xffff'ffff'ffff'fffe);
  EXPECT_EQ(unreported.release(second).token, 0U);
  EXPECT_EQ(unreported.records(), 0U);
  EXPECT_EQ(unreported.bytes(), 0U);
}

TEST(Unreported, TheOldestIsTheOneProducedFirstWhateverTheOrderOfReports) {
  Unreported unreported({.records_max = 10, .bytes_max = 1000});
  Unreported::Lane one;
  Unreported::Lane other;
  const auto a = unreported.add(one, 1, 1, 100);
  const auto b = unreported.add(other, 1, 2, 200);
  const auto c = unreported.add(one, 1, 3, 300);
  static_cast<void>(unreported.release(b));
  EXPECT_EQ(unreported.oldest_ms(), 100);
  static_cast<void>(unreported.release(a));
  EXPECT_EQ(unreported.oldest_ms(), 300);
  const auto d = unreported.add(other, 1, 4, 400);
  static_cast<void>(unreported.release(c));
  EXPECT_EQ(unreported.oldest_ms(), 400);
  static_cast<void>(unreported.release(d));
}

TEST(Unreported, ALaneIsFullByRecordsOrByBytesAndOthersAreNot) {
  Unreported unreported({.records_max = 4, .bytes_max = 100});
  Unreported::Lane by_records;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(unreported.has_room(by_records, 1));
    unreported.add(by_records, 1, 0, 0);
  }
  EXPECT_FALSE(unreported.has_room(by_records, 1));
  Unreported::Lane by_bytes;
  unreported.add(by_bytes, 60, 0, 0);
  EXPECT_TRUE(unreported.has_room(by_bytes, 40));
  EXPECT_FALSE(unreported.has_room(by_bytes, 41));
  Unreported::Lane quiet;
  EXPECT_TRUE(unreported.has_room(quiet, 1));
}

TEST(Unreported, ARecordLargerThanTheBoundFitsIntoAnEmptyLane) {
  Unreported unreported({.records_max = 4, .bytes_max = 100});
  Unreported::Lane lane;
  EXPECT_TRUE(unreported.has_room(lane, 5000));
}

TEST(Unreported, SpaceIsToldOnceAndOnlyWithAQuarterFree) {
  Unreported unreported({.records_max = 8, .bytes_max = 1000});
  Unreported::Lane lane;
  std::list<Unreported::Slot> slots;
  for (int i = 0; i < 8; ++i) slots.push_back(unreported.add(lane, 1, 0, 0));
  const auto report = [&] {
    const auto slot = slots.front();
    slots.pop_front();
    return unreported.release(slot).space;
  };
  EXPECT_FALSE(report()) << "nothing was refused";
  slots.push_back(unreported.add(lane, 1, 0, 0));
  ASSERT_FALSE(unreported.has_room(lane, 1));
  EXPECT_FALSE(report());  // 7 of 8
  EXPECT_TRUE(report());   // 6 of 8
  EXPECT_FALSE(report());
}

TEST(Unreported, AgreesWithAPlainListWhateverHappens) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    Unreported unreported({.records_max = 1000, .bytes_max = 100'000});
    std::array<Unreported::Lane, 3> lanes{};
    struct Plain {
      Unreported::Slot slot;
      std::uint64_t token;
      std::int64_t at;
      std::size_t bytes;
      std::size_t lane;
    };
    std::list<Plain> plain;
    for (std::int64_t now = 1; now <= 500; ++now) {
      if (plain.empty() || random() % 2 == 0) {
        const std::size_t lane = random() % lanes.size();
        const std::size_t bytes = random() % 50;
        const std::uint64_t token = random();
        plain.push_back({unreported.add(lanes[lane], bytes, token, now), token, now, bytes, lane});
      } else {
        auto chosen = std::next(plain.begin(), static_cast<std::ptrdiff_t>(random() % plain.size()));
        ASSERT_EQ(unreported.release(chosen->slot).token, chosen->token);
        plain.erase(chosen);
      }
      ASSERT_EQ(unreported.records(), plain.size());
      if (!plain.empty()) ASSERT_EQ(unreported.oldest_ms(), plain.front().at);
      std::array<std::size_t, 3> records{};
      std::array<std::size_t, 3> bytes{};
      for (const auto& entry : plain) {
        ++records[entry.lane];
        bytes[entry.lane] += entry.bytes;
      }
      for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
        ASSERT_EQ(lanes[lane].records, records[lane]);
        ASSERT_EQ(lanes[lane].bytes, bytes[lane]);
      }
    }
  }
}

}  // namespace
}  // namespace tokenrail::kafka::detail
