#include "workers/registry_api/database_pool.hpp"

namespace tokenrail::registry_api {

DatabasePool::DatabasePool(const registry::DatabaseOptions& options, std::size_t connections) : threads_(connections) {
  databases_.reserve(connections);
  for (std::size_t i = 0; i < connections; ++i) free_.push_back(&databases_.emplace_back(options));
}

DatabasePool::~DatabasePool() {
  threads_.join();
}

registry::GovernedDatabase* DatabasePool::take() {
  std::unique_lock lock(mutex_);
  given_back_.wait(lock, [this] { return !free_.empty(); });
  auto* database = free_.back();
  free_.pop_back();
  return database;
}

void DatabasePool::give_back(registry::GovernedDatabase* database) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(database);
  }
  given_back_.notify_one();
}

}  // namespace tokenrail::registry_api
