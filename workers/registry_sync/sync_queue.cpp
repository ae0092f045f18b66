#include "workers/registry_sync/sync_queue.hpp"

#include <algorithm>
#include <utility>

namespace tokenrail::registry_sync {

bool SyncQueue::add(SyncOrder order) {
  if (!order.request.id.empty()) {
    asked_.push_back(std::move(order));
    return true;
  }
  const auto& id = order.connection.id;
  const auto same = [&](const SyncOrder& other) { return other.connection.id == id; };
  if (running_.contains(id) || std::ranges::any_of(scheduled_, same) || std::ranges::any_of(asked_, same)) return false;
  scheduled_.push_back(std::move(order));
  return true;
}

void SyncQueue::clear() {
  asked_.clear();
  scheduled_.clear();
}

std::optional<SyncOrder> SyncQueue::take(std::deque<SyncOrder>& from) {
  const auto ready =
      std::ranges::find_if(from, [this](const SyncOrder& order) { return !running_.contains(order.connection.id); });
  if (ready == from.end()) return std::nullopt;
  auto order = std::move(*ready);
  from.erase(ready);
  running_.insert(order.connection.id);
  return order;
}

std::optional<SyncOrder> SyncQueue::next() {
  if (running_.size() >= at_once_) return std::nullopt;
  auto order = take(asked_);
  return order ? std::move(order) : take(scheduled_);
}

void RequestBook::add(const std::string& request_id, std::set<std::string> connection_ids) {
  open_[request_id] = {.left = std::move(connection_ids)};
}

void RequestBook::synced(const std::string& request_id, const std::string& connection_id, std::int64_t pass) {
  const auto request = open_.find(request_id);
  if (request == open_.end()) return;
  request->second.left.erase(connection_id);
  request->second.pass = std::max(request->second.pass, pass);
}

std::vector<std::string> RequestBook::open() const {
  std::vector<std::string> ids;
  for (const auto& [id, request] : open_) ids.push_back(id);
  return ids;
}

std::vector<std::string> RequestBook::finished(std::int64_t passes_ended) const {
  std::vector<std::string> ids;
  for (const auto& [id, request] : open_)
    if (request.left.empty() && passes_ended >= request.pass) ids.push_back(id);
  return ids;
}

}  // namespace tokenrail::registry_sync
