// The faults of a plan, when their time or their moment has come.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {

void World::moment(Moment moment, int process) {
  const auto number = ++moments_[static_cast<std::size_t>(moment)];
  if (waiting_faults_.empty() || healing_) return;
  const auto it = waiting_faults_.find({moment, number});
  if (it == waiting_faults_.end()) return;
  for (const auto index : it->second) {
    scheduler.after(Micros(0), [this, index, process] { strike(plan.faults[index], process); });
  }
}

void World::strike(const Fault& fault, int involved) {
  if (healing_) return;
  trace.say(scheduler.now(), "fault: {} (slot {}, p{}, partition {}, amount {} ms)", name_of(fault.kind), fault.slot,
            involved, fault.partition, fault.amount / 1000);
  trace.note(scheduler.now(), 23, static_cast<std::uint64_t>(fault.kind), static_cast<std::uint64_t>(involved) + 1);
  switch (fault.kind) {
    case FaultKind::rebalance:
      coordinator.rebalance();
      return;
    case FaultKind::join:
      for (int slot = 0; slot < slots_max; ++slot) {
        if (in_slot(slot) == nullptr) {
          start_worker(slot);
          return;
        }
      }
      return;
    case FaultKind::provider_down:
      ++providers_down_;
      scheduler.after(Micros(fault.amount), [this] { providers_down_ = std::max(0, providers_down_ - 1); });
      return;
    case FaultKind::cut_audit:
    case FaultKind::cut_chunks:
      cut(fault);
      return;
    case FaultKind::cut_requests:
      cut_requests(fault);
      return;
    case FaultKind::tamper:
      tamper(fault);
      return;
    case FaultKind::block_topic:
    case FaultKind::stall_lane:
      close_lanes(fault);
      return;
    case FaultKind::new_topic:
      replace(Random(fault.seed)
                  .pick({Topic::requests, Topic::requests, Topic::audit, Topic::audit, Topic::chunks,
                         Topic::cancellations}));
      return;
    case FaultKind::log_back:
      take_back(fault);
      return;
    case FaultKind::no_such_host:
      if (lost_host_.empty()) lost_host_ = Random(fault.seed).pick({"c1", "c2"});
      trace.say(scheduler.now(), "the name {}.provider cannot be resolved", lost_host_);
      return;
    case FaultKind::unread_topic:
      leave_unread(fault);
      return;
    default:
      break;
  }
  auto* target =
      fault.slot == Fault::slot_involved && involved >= 0 ? process(involved) : in_slot(std::max(fault.slot, 0));
  if (target != nullptr) strike_process(fault, *target);
}

void World::strike_process(const Fault& fault, Process& target) {
  const auto id = target.id();
  const Micros amount(fault.amount);
  switch (fault.kind) {
    case FaultKind::crash:
      crash(id, fault.seed, amount);
      break;
    case FaultKind::crash_inside:
      target.crash_after_words(Random(fault.seed).below(8), amount);
      break;
    case FaultKind::pause:
      if (target.paused()) break;
      oracle.disturbed(id);
      oracle.all_disturbed();  // it reads the renewals of others late
      target.pause();
      if (amount > plan.session_timeout) {
        scheduler.after(plan.session_timeout, [this, id] {
          if (auto* still = process(id); still != nullptr && still->paused()) coordinator.put_out(id);
        });
      }
      scheduler.after(amount, [this, id] {
        if (auto* still = process(id)) still->resume();
      });
      break;
    case FaultKind::kick:
      coordinator.put_out(id);
      break;
    case FaultKind::drain:
      if (target.stopping()) oracle.disturbed(id);
      target.drain(amount);
      scheduler.after(amount, [this, id] { oracle.disturbed(id); });
      break;
    case FaultKind::fail_line:
      oracle.disturbed(id);
      target.later(Micros(0), [&target, fault] {
        Random random(fault.seed);
        const auto topic = random.chance(0.5) ? Topic::audit : Topic::chunks;
        if (target.producer() != nullptr) target.producer()->fail_line(topic, fault.partition, random);
      });
      break;
    case FaultKind::fail_producer:
      oracle.disturbed(id);
      target.later(Micros(0), [&target] {
        if (target.producer() != nullptr) target.producer()->become_fatal();
      });
      break;
    case FaultKind::fail_consumer:
      target.later(Micros(0), [this, &target, id] {
        scheduler.after(plan.session_timeout,
                        [this, id, join = coordinator.join_of(id)] { coordinator.put_out_unless_back(id, join); });
        target.fail_consumer();
      });
      break;
    case FaultKind::stall_appends:
      oracle.disturbed(id);
      gate_for(target, Gate::appends, amount);
      break;
    case FaultKind::stall_acks:
      oracle.disturbed(id);
      gate_for(target, Gate::acks, amount);
      break;
    case FaultKind::stall_reads:
      oracle.all_disturbed();
      gate_for(target, Gate::reads, amount);
      break;
    case FaultKind::stall_fetches:
      gate_for(target, Gate::fetches, amount);
      break;
    case FaultKind::clock_jump:
      oracle.disturbed(id);
      oracle.all_disturbed();
      target.clock_jump(amount);
      break;
    case FaultKind::calendar_jump:
      target.calendar_jump(amount);
      break;
    case FaultKind::refuse_record:
      refuse(fault, target);
      break;
    default:
      break;
  }
}

void World::gate_for(Process& target, Gate gate, Micros time) {
  target.close(gate);
  scheduler.after(time, [this, id = target.id(), gate] {
    if (auto* still = process(id)) still->open(gate);
  });
}

void World::refuse(const Fault& fault, Process& target) {
  Random random(fault.seed);
  const auto topic = random.pick({Topic::chunks, Topic::chunks, Topic::chunks, Topic::audit, Topic::audit, Topic::dlq});
  const auto count = static_cast<int>(random.pick({1L, 1L, 1L, 2L, 4L}));
  const bool for_size = random.chance(0.5);
  const auto partition = topic == Topic::dlq ? 0 : fault.partition;
  // Of events about ownership it may be `released`, without which nothing is handed over.
  if (topic == Topic::audit && !plan.alone) oracle.disturbed(target.id());
  trace.say(scheduler.now(), "{}/{} will refuse {} records of p{}", name_of(topic), partition, count, target.id());
  target.later(Micros(0), [&target, topic, partition, count, for_size] {
    if (target.producer() != nullptr) target.producer()->refuse(topic, partition, count, for_size);
  });
}

bool World::lane_closed(Topic topic, int partition) const {
  if (healing_ || closed_lanes_.empty()) return false;
  const auto is = [&](int number) {
    const auto it = closed_lanes_.find({topic, number});
    return it != closed_lanes_.end() && it->second > 0;
  };
  return is(partition) || is(-1);
}

void World::close_lanes(const Fault& fault) {
  constexpr Micros noticed{6'000'000};  // shorter than unreported_max, with what was on its way before
  Random random(fault.seed);
  const auto topic = random.pick({Topic::chunks, Topic::audit, Topic::dlq});
  const auto partition = fault.kind == FaultKind::block_topic ? -1 : topic == Topic::dlq ? 0 : fault.partition;
  trace.say(scheduler.now(), "{}/{} takes nothing", name_of(topic), partition);
  if (topic != Topic::dlq) {
    for (int struck = 0; struck < plan.partitions; ++struck) {
      const bool longer = Micros(fault.amount) > noticed || lane_closed(topic, struck);
      if ((partition < 0 || partition == struck) && longer) oracle.struck(struck);
    }
    // Renewals of leases may come too late.
    if (!plan.alone) {
      for (const auto& process : processes_) {
        if (process) oracle.disturbed(process->id());
      }
    }
  }
  close_lane(topic, partition);
  scheduler.after(Micros(fault.amount), [this, topic, partition] { open_lane(topic, partition); });
}

void World::open_lane(Topic topic, int partition) {
  --closed_lanes_[{topic, partition}];
  for (const auto& process : processes_) {
    if (process) process->go_on();
  }
}

void World::tamper(const Fault& fault) {
  auto& stored = broker.committed[static_cast<std::size_t>(fault.partition)];
  Random random(fault.seed);
  switch (random.below(5)) {
    case 0:
      stored.metadata = "";
      break;
    case 1:
      stored.metadata = "somebody else's";
      break;
    case 2:
      stored.metadata = stored.metadata.substr(0, static_cast<std::size_t>(random.between(0, 6)));
      break;
    case 3:
      stored = {.offset = stored.offset ? std::optional(random.between(0, *stored.offset)) : std::nullopt,
                .metadata = ""};
      break;
    default:
      stored = {};
      break;
  }
  trace.say(scheduler.now(), "a tool commits {} '{}'", stored.offset.value_or(-1), stored.metadata);
}

// Retention deletes old records only; a record that a worker is about to read is younger.
void World::cut(const Fault& fault) {
  constexpr std::int64_t old_ms = 4'000;
  const auto topic = fault.kind == FaultKind::cut_audit ? Topic::audit : Topic::chunks;
  auto& log = broker.log(topic, fault.partition);
  auto to = Random(fault.seed).between(0, log.end());
  while (to > 0 && log.at(to - 1).timestamp_ms > calendar_ms() - old_ms) --to;
  if (to <= log.start) return;
  log.start = to;
  trace.say(scheduler.now(), "{}/{} begins at {} from now on", name_of(topic), fault.partition, to);
  if (topic == Topic::chunks) {
    oracle.chunks_cut(fault.partition, to);
    return;
  }
  oracle.audit_cut(fault.partition);
  for (auto offset = log.start; offset < log.end(); ++offset) {
    oracle.audit_kept(fault.partition, offset, log.at(offset).value.value_or(""));
  }
}

// The newest request stays: a router notices the loss only when it reads the next record. A group that has not
// committed anything yet begins where the log does, and would notice nothing.
void World::cut_requests(const Fault& fault) {
  if (!broker.committed[static_cast<std::size_t>(fault.partition)].offset) return;
  auto& log = broker.log(Topic::requests, fault.partition);
  const auto most = log.end() - 1;
  if (most <= log.start) return;
  log.start = Random(fault.seed).between(log.start + 1, most);
  trace.say(scheduler.now(), "{}/{} begins at {} from now on", name_of(Topic::requests), fault.partition, log.start);
  trace.note(scheduler.now(), 24, static_cast<std::uint64_t>(fault.partition), static_cast<std::uint64_t>(log.start));
  oracle.requests_deleted(fault.partition, log.start);
}

void World::leave_unread(const Fault& fault) {
  if (Random(fault.seed).chance(0.6)) {
    trace.say(scheduler.now(), "workers that start do not read {} to its end", name_of(Topic::cancellations));
    cancellations_unread_ = true;
    return;
  }
  trace.say(scheduler.now(), "workers that start do not read the registry to its end");
  registry_read_at_ = std::max(registry_read_at_, scheduler.now() + Micros(fault.amount));
}

}  // namespace tokenrail::simulation
