// Stores for coroutines on the loop; see work_pool.hpp.
#pragma once

#include <cstddef>
#include <memory>

#include "common/registry/store.hpp"
#include "common/registry/work_pool.hpp"

namespace tokenrail::registry {

class StorePool : public WorkPool<Store> {
 public:
  StorePool(const DatabaseOptions& options, std::size_t threads, const std::shared_ptr<const Fence>& fence = nullptr)
      : WorkPool(threads, options, fence) {}
};

}  // namespace tokenrail::registry
