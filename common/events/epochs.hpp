// The numbers of claims and attempts. An attempt's number is epoch × 1000 + n; readers of chunks know it by that number
// and the request's ids alone, so no two partitions may give out the same number: an epoch leaves the remainder of its
// partition when it is divided by `partitions_told_apart`. Pure.
#pragma once

#include <cstdint>

namespace tokenrail::events {

/// Attempts of one epoch that have a number of their own, and one more.
inline constexpr std::int64_t attempts_per_epoch = 1'000;

/// Partitions of chat.requests whose attempts have different numbers. With more of them some share a remainder.
inline constexpr std::int64_t partitions_told_apart = 1'024;

/// No claim is ever near it. A higher epoch is not ours: its attempts' numbers would be no whole numbers in JSON
/// (2^53).
inline constexpr std::int64_t epoch_max = 9'000'000'000'000;

/// The lowest epoch of that partition above `epoch`, which may be one of a router that knew no remainders.
[[nodiscard]] constexpr std::int64_t epoch_above(std::int64_t epoch, std::int32_t partition) {
  const auto remainder = partition % partitions_told_apart;
  auto next = epoch - epoch % partitions_told_apart + remainder;
  if (next <= epoch) next += partitions_told_apart;
  return next;
}

/// The first epoch of a partition that has no known claim: above any epoch that a lost history could have used, as
/// long as there was less than one claim a second.
[[nodiscard]] constexpr std::int64_t first_epoch(std::int64_t unix_seconds, std::int32_t partition) {
  return epoch_above(unix_seconds * partitions_told_apart - 1, partition);
}

}  // namespace tokenrail::events
