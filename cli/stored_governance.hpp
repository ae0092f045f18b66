// The registry's database, as the commands that govern work on it.
#pragma once

#include <memory>

#include "cli/governance.hpp"

namespace tokenrail::cli {

/// `context` outlives it.
[[nodiscard]] std::unique_ptr<Governance> stored_governance(const Context& context);

}  // namespace tokenrail::cli
