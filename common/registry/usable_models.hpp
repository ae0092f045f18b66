// What a caller may use without asking for it by name: the models of a picker. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "common/registry/effective_model.hpp"
#include "common/registry/projection.hpp"
#include "common/registry/route.hpp"

namespace tokenrail::registry {

/// Of every kind, hidden ones left out, by priority and then by slug, the nearest scope first. Each is the nearest row
/// of its model; valid until the projection's next apply(). Takes time in proportion to the registry.
[[nodiscard]] std::vector<const events::ModelState*> usable_models(const Projection& projection, const Caller& caller,
                                                                   const ResolutionRules& rules, std::int64_t now_ms);

}  // namespace tokenrail::registry
