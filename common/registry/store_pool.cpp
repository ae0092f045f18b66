#include "common/registry/store_pool.hpp"

namespace tokenrail::registry {

StorePool::StorePool(const DatabaseOptions& options, std::size_t threads, std::shared_ptr<const Fence> fence)
    : threads_(threads) {
  stores_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) free_.push_back(&stores_.emplace_back(options, fence));
}

StorePool::~StorePool() {
  threads_.join();
}

Store* StorePool::take() {
  std::unique_lock lock(mutex_);
  given_back_.wait(lock, [this] { return !free_.empty(); });
  auto* store = free_.back();
  free_.pop_back();
  return store;
}

void StorePool::give_back(Store* store) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(store);
  }
  given_back_.notify_one();
}

}  // namespace tokenrail::registry
