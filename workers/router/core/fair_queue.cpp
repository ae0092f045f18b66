#include "workers/router/core/fair_queue.hpp"

#include <algorithm>
#include <iterator>

namespace tokenrail::router {

FairQueue::Turn FairQueue::turn_of(const std::string& org_id) const {
  const auto it = weights_.find(org_id);
  return {.org_id = org_id, .left = it == weights_.end() ? 1 : it->second};
}

void FairQueue::push(const JobRef& job, const std::string& org_id, bool at_front) {
  auto& queue = ready_[org_id];
  if (queue.empty()) turns_.push_back(turn_of(org_id));
  if (!at_front) {
    queue.push_back(job);
    return;
  }
  queue.push_front(job);
  const auto turn = std::ranges::find(turns_, org_id, &Turn::org_id);
  auto moved = std::move(*turn);
  turns_.erase(turn);
  ++moved.left;
  turns_.push_front(std::move(moved));
}

void FairQueue::park(const std::string& connection_id, const JobRef& job, const std::string& org_id) {
  parked_[connection_id].by_org[org_id].push_back(job);
}

bool FairQueue::unpark(const InFlight& in_flight) {
  bool any = false;
  for (auto it = parked_.begin(); it != parked_.end();) {
    auto& [connection_id, parked] = *it;
    if (in_flight.connection_has_room(connection_id)) {
      auto& by_org = parked.by_org;
      auto next = by_org.upper_bound(parked.served);
      for (std::size_t i = 0; i < by_org.size(); ++i, ++next) {
        if (next == by_org.end()) next = by_org.begin();
        if (!in_flight.org_has_room(next->first)) continue;
        push(next->second.front(), next->first, false);
        next->second.pop_front();
        parked.served = next->first;
        if (next->second.empty()) by_org.erase(next);
        any = true;
        break;
      }
    }
    it = parked.by_org.empty() ? parked_.erase(it) : std::next(it);
  }
  return any;
}

std::optional<FairQueue::Next> FairQueue::take(const InFlight& in_flight) {
  for (std::size_t passed_over = 0; passed_over < turns_.size(); ++passed_over) {
    auto turn = std::move(turns_.front());
    turns_.pop_front();
    if (!in_flight.org_has_room(turn.org_id)) {
      turns_.push_back(turn_of(turn.org_id));
      continue;
    }
    const auto queue = ready_.find(turn.org_id);
    Next next{.job = queue->second.front(), .org_id = turn.org_id};
    queue->second.pop_front();
    if (queue->second.empty()) {
      ready_.erase(queue);
    } else if (--turn.left > 0) {
      turns_.push_front(std::move(turn));
    } else {
      turns_.push_back(turn_of(turn.org_id));
    }
    return next;
  }
  return std::nullopt;
}

void FairQueue::forget(std::int32_t partition) {
  const auto of_it = [&](const JobRef& job) { return job.partition == partition; };
  for (auto it = ready_.begin(); it != ready_.end();) {
    std::erase_if(it->second, of_it);
    it = it->second.empty() ? ready_.erase(it) : std::next(it);
  }
  std::erase_if(turns_, [&](const Turn& turn) { return !ready_.contains(turn.org_id); });
  for (auto it = parked_.begin(); it != parked_.end();) {
    auto& by_org = it->second.by_org;
    for (auto& [org_id, queue] : by_org) std::erase_if(queue, of_it);
    std::erase_if(by_org, [](const auto& entry) { return entry.second.empty(); });
    it = by_org.empty() ? parked_.erase(it) : std::next(it);
  }
}

void FairQueue::clear() {
  ready_.clear();
  turns_.clear();
  parked_.clear();
}

}  // namespace tokenrail::router
