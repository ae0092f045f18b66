#include "workers/router/core/key_rotation.hpp"

#include <algorithm>

namespace tokenrail::router {

std::size_t KeyRotation::choose(std::string_view connection_id, std::size_t count, std::chrono::milliseconds now) {
  const auto at = connections_.find(connection_id);
  if (at == connections_.end()) return 0;
  auto& state = at->second;
  auto best = state.current % count;
  for (std::size_t step = 0; step < count; ++step) {
    const auto key = (state.current + step) % count;
    if (state.until(key) <= now) {
      best = key;
      break;
    }
    if (state.until(key) < state.until(best)) best = key;
  }
  state.current = best;
  return best;
}

std::chrono::milliseconds KeyRotation::ready_in(std::string_view connection_id, std::size_t count,
                                                std::chrono::milliseconds now) const {
  const auto at = connections_.find(connection_id);
  if (at == connections_.end()) return std::chrono::milliseconds(0);
  auto first = at->second.until(0);
  for (std::size_t key = 1; key < count; ++key) first = std::min(first, at->second.until(key));
  return first <= now ? std::chrono::milliseconds(0) : first - now;
}

void KeyRotation::works(std::string_view connection_id, std::size_t key) {
  const auto at = connections_.find(connection_id);
  if (at == connections_.end() || key >= at->second.rests_until.size()) return;
  at->second.rests_until[key] = std::chrono::milliseconds::min();
}

void KeyRotation::rest(std::string_view connection_id, std::size_t key, std::chrono::milliseconds now,
                       std::chrono::milliseconds until) {
  auto at = connections_.find(connection_id);
  if (at == connections_.end() && connections_.size() >= entries_max_) {
    std::erase_if(connections_, [&](const auto& entry) {
      return std::ranges::all_of(entry.second.rests_until, [&](auto end) { return end <= now; });
    });
    if (connections_.size() >= entries_max_) return;
  }
  if (at == connections_.end()) at = connections_.emplace(connection_id, State{}).first;
  auto& rests = at->second.rests_until;
  if (rests.size() <= key) rests.resize(key + 1, std::chrono::milliseconds::min());
  // Calls with one key run side by side: the longest rest counts.
  rests[key] = std::max(rests[key], until);
}

}  // namespace tokenrail::router
