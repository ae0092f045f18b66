#include "workers/router/core/invariant.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace tokenrail::router {

void invariant_broken(std::string_view what) {
  spdlog::critical("this is a fault of the router, and it ends here: {}. Report it with the log above.", what);
  std::abort();
}

void require_phase(std::int32_t partition, PartitionPhase phase, std::initializer_list<PartitionPhase> allowed,
                   std::string_view step) {
  if (std::ranges::find(allowed, phase) != allowed.end()) return;
  invariant_broken(fmt::format("partition {}: {} in the phase {}", partition, step, name_of(phase)));
}

}  // namespace tokenrail::router
