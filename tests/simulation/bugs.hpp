// The bugs that can be planted in the simulation's copy of the router's core, by name
// (workers/router/core/planted.hpp).
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "workers/router/core/planted.hpp"

namespace tokenrail::simulation {

struct NamedBug {
  std::string_view name;
  router::Bug bug;
};

/// All but `none`.
[[nodiscard]] std::span<const NamedBug> planted_bugs();
[[nodiscard]] std::optional<router::Bug> bug_named(std::string_view name);

}  // namespace tokenrail::simulation
