#include "workers/router/core/leases.hpp"

namespace tokenrail::router {

std::vector<Leases::Attempt> Leases::expire(Millis now) {
  if (!expired_.empty()) return {};
  for (const auto& [attempt, until] : leases_) {
    if (now >= until && !closed_.contains(attempt)) expired_.insert(attempt);
  }
  return {expired_.begin(), expired_.end()};
}

std::vector<Leases::Attempt> Leases::take_expired(Millis now) {
  std::vector<Attempt> all;
  for (const auto& attempt : std::exchange(expired_, {})) {
    const auto lease = leases_.find(attempt);
    if (lease != leases_.end() && now >= lease->second) all.push_back(attempt);
  }
  return all;
}

void Leases::clear() {
  leases_.clear();
  expired_.clear();
  closed_.clear();
}

}  // namespace tokenrail::router
