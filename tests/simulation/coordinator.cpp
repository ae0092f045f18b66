#include "tests/simulation/coordinator.hpp"

#include <algorithm>
#include <iterator>

#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {

void Coordinator::join(int process, std::uint64_t join) {
  auto& member = members_[process];
  member.join = join;
  member.partitions.clear();
  member.here = true;
  world_.trace.say(world_.scheduler.now(), "group: p{} joins", process);
  if (!rebalancing_) begin(process);
  member.here = true;
  complete_when_all_are_here();
}

void Coordinator::leave(int process) {
  if (members_.erase(process) == 0) return;
  world_.trace.say(world_.scheduler.now(), "group: p{} leaves", process);
  rebalance();
}

void Coordinator::put_out(int process, bool told) {
  const auto it = members_.find(process);
  if (it == members_.end()) return;
  const auto join = it->second.join;
  world_.oracle.gone(process);
  members_.erase(it);
  world_.trace.say(world_.scheduler.now(), "group: p{} is put out", process);
  if (auto* p = world_.process(process); p != nullptr && told) {
    p->later(p->delay(Stage::group), [p, join] {
      if (auto* group = p->group()) group->put_out(join);
    });
  }
  rebalance();
}

void Coordinator::put_out_unless_back(int process, std::uint64_t join) {
  if (is_member(process) && join_of(process) == join) put_out(process);
}

std::uint64_t Coordinator::join_of(int process) const {
  const auto it = members_.find(process);
  return it == members_.end() ? 0 : it->second.join;
}

void Coordinator::rebalance() {
  if (members_.empty()) {
    rebalancing_ = false;
    return;
  }
  if (!rebalancing_) begin(-1);
  complete_when_all_are_here();
}

void Coordinator::begin(int joining) {
  rebalancing_ = true;
  deal_due_ = false;
  const auto round = ++round_;
  for (auto& [id, member] : members_) {
    member.here = false;
    auto* p = world_.process(id);
    if (p == nullptr || id == joining) continue;
    p->later(p->delay(Stage::group), [p, join = member.join] {
      if (auto* group = p->group()) group->rebalance_begins(join);
    });
  }
  world_.scheduler.after(world_.plan.rebalance_timeout, [this, round] {
    if (round != round_ || !rebalancing_) return;
    std::vector<int> absent;
    for (const auto& [id, member] : members_) {
      if (!member.here) absent.push_back(id);
    }
    for (const auto id : absent) put_out(id);
  });
}

void Coordinator::complete_when_all_are_here() {
  if (deal_due_ || !std::ranges::all_of(members_, [](const auto& entry) { return entry.second.here; })) return;
  deal_due_ = true;
  world_.scheduler.after(Micros(luck_.below(20'000)), [this, round = round_] { deal(round); });
}

void Coordinator::deal(std::uint64_t round) {
  if (round != round_ || !rebalancing_) return;
  deal_due_ = false;
  if (members_.empty() || !std::ranges::all_of(members_, [](const auto& entry) { return entry.second.here; })) return;
  rebalancing_ = false;
  ++generation_;
  const auto count = static_cast<std::int64_t>(members_.size());
  const auto first = luck_.below(count);
  const bool scattered = luck_.chance(0.3);
  for (int partition = 0; partition < partitions_; ++partition) {
    const auto whose = scattered ? luck_.below(count) : (first + partition) % count;
    const auto favoured = members_.find(favoured_);
    const auto to = favoured == members_.end() ? std::next(members_.begin(), whose) : favoured;
    to->second.partitions.push_back(partition);
  }
  world_.trace.say(world_.scheduler.now(), "group: generation {}, {} members", generation_, count);
  for (auto& [id, member] : members_) {
    member.here = false;
    auto* p = world_.process(id);
    if (p == nullptr) continue;
    p->later(p->delay(Stage::group), [p, join = member.join, generation = generation_, dealt = member.partitions] {
      if (auto* group = p->group()) group->dealt(join, generation, dealt);
    });
  }
}

}  // namespace tokenrail::simulation
