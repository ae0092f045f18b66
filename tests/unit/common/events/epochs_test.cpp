#include "common/events/epochs.hpp"

#include <set>

#include <gtest/gtest.h>

namespace tokenrail::events {
namespace {

constexpr std::int64_t json_integer_max = (std::int64_t{1} << 53) - 1;

TEST(Epochs, NeverCoincideBetweenPartitions) {
  std::set<std::int64_t> all;
  for (std::int32_t partition = 0; partition < partitions_told_apart; ++partition) {
    auto epoch = first_epoch(1'800'000'000, partition);
    for (int claim = 0; claim < 3; ++claim) {
      EXPECT_TRUE(all.insert(epoch).second) << partition;
      const auto next = epoch_above(epoch, partition);
      EXPECT_EQ(next, epoch + partitions_told_apart);
      epoch = next;
    }
  }
}

TEST(Epochs, AreLowestAboveOtherWithTheirRemainder) {
  for (const std::int64_t epoch : {0, 1, 1'022, 1'023, 1'024, 1'025}) {
    for (const std::int32_t partition : {0, 1, 1'023}) {
      const auto next = epoch_above(epoch, partition);
      EXPECT_GT(next, epoch) << epoch << " " << partition;
      EXPECT_LE(next, epoch + partitions_told_apart) << epoch << " " << partition;
      EXPECT_EQ(next % partitions_told_apart, partition) << epoch << " " << partition;
    }
  }
  EXPECT_EQ(epoch_above(0, 1'024), epoch_above(0, 0)) << "more partitions than have their own remainder";
}

TEST(Epochs, BeginAboveEpochsOfOlderRouters) {
  EXPECT_GT(first_epoch(1'800'000'000, 0), 1'800'000'000);
  EXPECT_GT(first_epoch(1'800'000'001, 0), first_epoch(1'800'000'000, 1'023)) << "a second later is higher";
}

TEST(Epochs, KeepAttemptsWholeNumbersInJson) {
  constexpr std::int64_t year_2200 = 7'258'118'400;
  EXPECT_LT(first_epoch(year_2200, 1'023), epoch_max);
  EXPECT_LE(epoch_max * attempts_per_epoch + attempts_per_epoch - 1, json_integer_max);
}

}  // namespace
}  // namespace tokenrail::events
