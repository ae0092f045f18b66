#include "workers/router/core/circuit.hpp"

#include <algorithm>

namespace tokenrail::router {

std::chrono::milliseconds Circuits::open_time(const State& state) const {
  const int doublings = std::min(state.openings - 1, 16);
  return std::min<std::chrono::milliseconds>(rules_.open_max, rules_.open_base * (1LL << doublings));
}

bool Circuits::admit(std::string_view key, std::chrono::milliseconds now) {
  const auto at = failing_.find(key);
  if (at == failing_.end() || at->second.openings == 0) return true;
  auto& state = at->second;
  if (now < state.probe_at) return false;
  // Half open: the next one is admitted only after as long again, or once this probe has succeeded.
  state.probing = true;
  state.probe_at = now + open_time(state);
  return true;
}

bool Circuits::succeeded(std::string_view key) {
  const auto at = failing_.find(key);
  if (at == failing_.end()) return false;
  const bool was_open = at->second.openings > 0;
  if (was_open) --open_;
  failing_.erase(at);
  return was_open;
}

bool Circuits::failed(std::string_view key, std::chrono::milliseconds now) {
  auto at = failing_.find(key);
  if (at == failing_.end()) {
    if (failing_.size() >= rules_.entries_max) return false;
    at = failing_.emplace(key, State{}).first;
  }
  auto& state = at->second;
  if (++state.failures < rules_.failures_to_open) return false;
  const bool opens = state.openings == 0;
  if (!opens && !state.probing) return false;
  if (opens) ++open_;
  ++state.openings;
  state.probing = false;
  state.probe_at = now + open_time(state);
  return opens;
}

}  // namespace tokenrail::router
