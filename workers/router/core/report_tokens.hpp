// What a delivery report brings back: the token that a record was produced with names its partition, and a chunk's
// token its attempt, so that nothing has to be kept for a chunk that is on its way. Pure.
#pragma once

#include <cstdint>

namespace tokenrail::router {

inline constexpr std::uint64_t chunk_flag = 1ULL << 63U;
inline constexpr unsigned partition_shift = 40;
inline constexpr std::uint64_t low_mask = (1ULL << partition_shift) - 1;
// Of a chunk's report: the unit of its attempt, and enough of the generation to tell the few that are alive apart.
inline constexpr unsigned generation_shift = 28;
inline constexpr std::uint64_t generation_mask = (1ULL << (partition_shift - generation_shift)) - 1;

}  // namespace tokenrail::router
