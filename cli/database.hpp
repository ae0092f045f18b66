// How this program reaches the registry's database.
#pragma once

#include "cli/context.hpp"
#include "common/registry/database.hpp"

namespace tokenrail::cli {

[[nodiscard]] registry::DatabaseOptions database_options(const Context& context);

}  // namespace tokenrail::cli
