// The registry as routers hold it, read once from its topic.
#pragma once

#include <chrono>

#include "cli/context.hpp"
#include "common/registry/projection.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

/// Reads `model_registry` to its end. Blocks, at most for `patience`. The result may be incomplete: see
/// Projection::complete().
[[nodiscard]] Result<registry::Projection> read_published_registry(
    const Context& context, std::chrono::seconds patience = std::chrono::seconds(30));

}  // namespace tokenrail::cli
