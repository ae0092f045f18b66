// For checks that stay on in release builds. What they find is a fault of this program: it ends, and the next owner
// recovers from the log, as after any other end.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "workers/router/core/partition_phase.hpp"

namespace tokenrail::router {

/// Writes the reason to the log and ends the process.
[[noreturn]] void invariant_broken(std::string_view what);

/// Ends the process unless the partition is in one of these phases. `step`: what is about to be done, for the log.
void require_phase(std::int32_t partition, PartitionPhase phase, std::initializer_list<PartitionPhase> allowed,
                   std::string_view step);

}  // namespace tokenrail::router
