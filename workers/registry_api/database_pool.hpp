// The governed database for coroutines on the loop; see common/registry/work_pool.hpp. The server's bound of
// connections bounds what waits.
#pragma once

#include <cstddef>

#include "common/registry/governed_database.hpp"
#include "common/registry/work_pool.hpp"

namespace tokenrail::registry_api {

class DatabasePool : public registry::WorkPool<registry::GovernedDatabase> {
 public:
  DatabasePool(const registry::DatabaseOptions& options, std::size_t threads) : WorkPool(threads, options) {}
};

}  // namespace tokenrail::registry_api
