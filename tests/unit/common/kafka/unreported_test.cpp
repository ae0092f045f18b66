#include "common/kafka/detail/unreported.hpp"

#include <array>
#include <cstdint>
#include <list>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tokenrail::kafka::detail {
namespace {

constexpr Unreported::Limits roomy = {.records_max = 1'000'000, .bytes_max = 1'000'000'000};

TEST(Unreported, GivesBackEachToken) {
  Unreported unreported({.records_max = 10, .bytes_max = 1000});
  Unreported::Pool pool{.limits = roomy};
  Unreported::Lane lane(pool);
  const auto first = unreported.add(lane, 5, 0xffff'ffff'ffff'fffe, 7, 0);
  const auto second = unreported.add(lane, 5, 0, 0, 0);
  EXPECT_EQ(unreported.records(), 2U);
  EXPECT_EQ(pool.bytes, 10U);
  EXPECT_EQ(unreported.unit(first), 7U);
  EXPECT_EQ(unreported.next(first), second);
  EXPECT_EQ(unreported.next(second), Unreported::none);
  EXPECT_EQ(unreported.release(first).token, 0xffff'ffff'ffff'fffe);
  EXPECT_EQ(unreported.release(second).token, 0U);
  EXPECT_EQ(unreported.records(), 0U);
  EXPECT_EQ(pool.bytes, 0U);
  EXPECT_EQ(pool.records, 0U);
}

TEST(Unreported, OldestIsFirstProducedInAnyReportOrder) {
  Unreported unreported({.records_max = 10, .bytes_max = 1000});
  Unreported::Pool pool{.limits = roomy};
  Unreported::Lane one(pool);
  Unreported::Lane other(pool);
  const auto a = unreported.add(one, 1, 1, 0, 100);
  const auto b = unreported.add(other, 1, 2, 0, 200);
  const auto c = unreported.add(one, 1, 3, 0, 300);
  EXPECT_EQ(unreported.oldest_ms(one), 100);
  EXPECT_EQ(unreported.oldest_ms(other), 200);
  static_cast<void>(unreported.release(b));
  static_cast<void>(unreported.release(a));
  EXPECT_EQ(unreported.oldest_ms(one), 300);
  EXPECT_EQ(other.oldest, Unreported::none);
  const auto d = unreported.add(other, 1, 4, 0, 400);
  EXPECT_EQ(unreported.oldest_ms(other), 400);
  static_cast<void>(unreported.release(c));
  static_cast<void>(unreported.release(d));
}

TEST(Unreported, AnyNumberOfStuckLanesLeavesRoom) {
  for (const std::size_t stuck : {1U, 4U, 40U}) {
    SCOPED_TRACE(stuck);
    Unreported unreported({.records_max = 1'000'000, .bytes_max = 1'000'000'000});
    Unreported::Pool pool{.limits = {.records_max = 44'000, .bytes_max = 1'000'000'000}};
    std::list<Unreported::Lane> lanes;
    for (std::size_t i = 0; i < stuck; ++i) lanes.emplace_back(pool);
    for (bool some = true; some;) {
      some = false;
      for (auto& lane : lanes) {
        if (!unreported.has_room(lane, 1)) continue;
        unreported.add(lane, 1, 0, 0, 0);
        some = true;
      }
    }
    EXPECT_NEAR(static_cast<double>(pool.records),
                44'000.0 * static_cast<double>(stuck) / static_cast<double>(stuck + 4), static_cast<double>(stuck));
    Unreported::Lane well(pool);
    for (std::size_t i = 0; i < 44'000 * 4 / (stuck + 4) / 5 - 20; ++i) {
      ASSERT_TRUE(unreported.has_room(well, 1)) << i;
      unreported.add(well, 1, 0, 0, 0);
    }
  }
}

TEST(Unreported, ALaneRegainsRoomWhenOthersDrain) {
  Unreported unreported({.records_max = 100, .bytes_max = 1'000'000});
  Unreported::Pool pool{.limits = {.records_max = 40, .bytes_max = 1'000'000}};
  Unreported::Lane one(pool);
  Unreported::Lane other(pool);
  std::list<Unreported::Slot> slots;
  while (unreported.has_room(other, 1)) slots.push_back(unreported.add(other, 1, 0, 0, 0));
  while (unreported.has_room(one, 1)) unreported.add(one, 1, 0, 0, 0);
  EXPECT_TRUE(pool.full);
  EXPECT_FALSE(unreported.regained(one));
  for (const auto slot : slots) static_cast<void>(unreported.release(slot));
  EXPECT_TRUE(unreported.regained(one));
  EXPECT_FALSE(unreported.regained(one)) << "reported once";
}

TEST(Unreported, LaneIsFullByRecordsOrByBytes) {
  Unreported unreported({.records_max = 4, .bytes_max = 100});
  Unreported::Pool pool{.limits = roomy};
  Unreported::Lane by_records(pool);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(unreported.has_room(by_records, 1));
    unreported.add(by_records, 1, 0, 0, 0);
  }
  EXPECT_FALSE(unreported.has_room(by_records, 1));
  Unreported::Lane by_bytes(pool);
  unreported.add(by_bytes, 60, 0, 0, 0);
  EXPECT_TRUE(unreported.has_room(by_bytes, 40));
  EXPECT_FALSE(unreported.has_room(by_bytes, 41));
  Unreported::Lane quiet(pool);
  EXPECT_TRUE(unreported.has_room(quiet, 1));
}

TEST(Unreported, OversizeRecordFitsIntoEmptyLane) {
  Unreported unreported({.records_max = 4, .bytes_max = 100});
  Unreported::Pool pool{.limits = roomy};
  Unreported::Lane lane(pool);
  EXPECT_TRUE(unreported.has_room(lane, 5000));
}

TEST(Unreported, ReportsSpaceOnceWithAQuarterFree) {
  Unreported unreported({.records_max = 8, .bytes_max = 1000});
  Unreported::Pool pool{.limits = roomy};
  Unreported::Lane lane(pool);
  std::list<Unreported::Slot> slots;
  for (int i = 0; i < 8; ++i) slots.push_back(unreported.add(lane, 1, 0, 0, 0));
  const auto report = [&] {
    const auto slot = slots.front();
    slots.pop_front();
    return unreported.release(slot).space;
  };
  EXPECT_FALSE(report()) << "nothing was refused";
  slots.push_back(unreported.add(lane, 1, 0, 0, 0));
  ASSERT_FALSE(unreported.has_room(lane, 1));
  EXPECT_FALSE(report());  // 7 of 8
  EXPECT_TRUE(report());   // 6 of 8
  EXPECT_FALSE(report());
}

TEST(Unreported, ReportsSpaceWithAQuarterOfBytesFree) {
  Unreported unreported({.records_max = 1000, .bytes_max = 100});
  Unreported::Pool pool{.limits = roomy};
  Unreported::Lane lane(pool);
  const auto first = unreported.add(lane, 24, 0, 0, 0);
  const auto second = unreported.add(lane, 1, 0, 0, 0);
  unreported.add(lane, 75, 0, 0, 0);
  ASSERT_FALSE(unreported.has_room(lane, 1));
  EXPECT_FALSE(unreported.release(first).space) << "76 of 100";
  EXPECT_TRUE(unreported.release(second).space) << "75 of 100";
}

TEST(Unreported, EmptyLaneHasSpaceInAFullPool) {
  Unreported unreported({.records_max = 4, .bytes_max = 1000});
  Unreported::Pool pool{.limits = {.records_max = 8, .bytes_max = 1000}};
  Unreported::Lane lane(pool);
  Unreported::Lane other(pool);
  for (int i = 0; i < 8; ++i) unreported.add(other, 1, 0, 0, 0);
  const auto only = unreported.add(lane, 1, 0, 0, 0);
  ASSERT_FALSE(unreported.has_room(lane, 1));
  EXPECT_TRUE(unreported.release(only).space);
}

TEST(Unreported, AgreesWithAPlainListWhateverHappens) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    Unreported unreported({.records_max = 1000, .bytes_max = 100'000});
    Unreported::Pool pool{.limits = roomy};
    std::array<Unreported::Lane, 3> lanes{Unreported::Lane(pool), Unreported::Lane(pool), Unreported::Lane(pool)};
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
        plain.push_back({unreported.add(lanes[lane], bytes, token, 0, now), token, now, bytes, lane});
      } else {
        auto chosen = std::next(plain.begin(), static_cast<std::ptrdiff_t>(random() % plain.size()));
        ASSERT_EQ(unreported.release(chosen->slot).token, chosen->token);
        plain.erase(chosen);
      }
      ASSERT_EQ(unreported.records(), plain.size());
      std::array<std::size_t, 3> records{};
      std::array<std::size_t, 3> bytes{};
      std::array<std::vector<Unreported::Slot>, 3> order{};
      for (const auto& entry : plain) {
        if (records[entry.lane] == 0) ASSERT_EQ(unreported.oldest_ms(lanes[entry.lane]), entry.at);
        order[entry.lane].push_back(entry.slot);
        ++records[entry.lane];
        bytes[entry.lane] += entry.bytes;
      }
      for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
        ASSERT_EQ(lanes[lane].records, records[lane]);
        ASSERT_EQ(lanes[lane].bytes, bytes[lane]);
        std::vector<Unreported::Slot> listed;
        for (auto slot = lanes[lane].oldest; slot != Unreported::none; slot = unreported.next(slot))
          listed.push_back(slot);
        ASSERT_EQ(listed, order[lane]);
      }
    }
  }
}

}  // namespace
}  // namespace tokenrail::kafka::detail
