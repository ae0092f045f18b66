#include <algorithm>
#include <utility>

#include "tests/simulation/clients.hpp"
#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {

namespace {

std::vector<kafka::TopicPartition> named(const std::vector<int>& partitions) {
  std::vector<kafka::TopicPartition> all;
  for (const auto partition : partitions) {
    all.push_back({.topic = std::string(name_of(Topic::requests)), .partition = partition});
  }
  return all;
}

}  // namespace

SimGroup::SimGroup(World& world, Process& process)
    : world_(world), process_(process), self_(std::make_shared<SimGroup*>(this)) {}

SimGroup::~SimGroup() = default;

// --- membership -----------------------------------------------------------------------------------------------------

void SimGroup::join() {
  if (leaving_ || !self_) return;
  // As librdkafka does: what is to be committed is answered first. Where it does not, commits of the old generation go
  // out under the new one.
  join_wanted_ = commits_out_ > 0 && (world_.plan.late_commit == 0 || world_.healing());
  if (join_wanted_) return;
  const auto number = join_ = process_.next_join();
  process_.later(process_.delay(Stage::group), [self = std::weak_ptr(self_), number, this] {
    if (self.lock() && !leaving_ && join_ == number) world_.coordinator.join(process_.id(), number);
  });
}

void SimGroup::become_fatal() {
  join_ = 0;
  join_wanted_ = false;
  world_.oracle.gone(process_.id());
  give_up();
  self_.reset();
  world_.trace.say(world_.scheduler.now(), "p{}: the group member is fatal", process_.id());
  process_.core().consumer_listener().on_fatal({.kind = ErrorKind::unavailable, .detail = "told to be fatal"});
}

void SimGroup::give_up() {
  phase_ = Phase::idle;
  partitions_.clear();
  fetchers_.clear();
  ++assignment_;
}

void SimGroup::go_on_without_commits() {
  if (leaving_ && phase_ == Phase::idle && left_) {
    process_.later(process_.delay(Stage::group), [self = std::weak_ptr(self_), this] {
      if (!self.lock() || !left_) return;
      world_.coordinator.leave(process_.id());
      std::exchange(left_, nullptr)();
    });
  } else if (join_wanted_) {
    join();
  }
}

void SimGroup::rebalance_begins(std::uint64_t number) {
  if (number != join_ || leaving_) return;
  switch (phase_) {
    case Phase::assigned:
      if (partitions_.empty()) {
        give_up();
        join();
        return;
      }
      phase_ = Phase::release_awaited;
      revoked_at_ = world_.scheduler.now();
      world_.trace.say(world_.scheduler.now(), "p{}: revoked", process_.id());
      world_.trace.note(world_.scheduler.now(), 2, static_cast<std::uint64_t>(process_.id()), 0);
      process_.core().consumer_listener().on_revoked(named(partitions_));
      return;
    case Phase::assign_awaited:
      lose();
      join();
      return;
    case Phase::idle:
      join();
      return;
    case Phase::release_awaited:
      return;
  }
}

void SimGroup::dealt(std::uint64_t number, std::int64_t generation, const std::vector<int>& partitions) {
  if (number != join_ || leaving_) return;
  generation_ = generation;
  partitions_ = partitions;
  phase_ = partitions.empty() ? Phase::assigned : Phase::assign_awaited;
  world_.trace.say(world_.scheduler.now(), "p{}: assigned {} partitions in generation {}", process_.id(),
                   partitions.size(), generation);
  world_.trace.note(world_.scheduler.now(), 3, static_cast<std::uint64_t>(process_.id()), partitions.size());
  process_.core().consumer_listener().on_assigned(named(partitions));
  if (!partitions.empty()) world_.moment(Moment::assigned, process_.id());
}

void SimGroup::lose() {
  const auto lost = partitions_;
  world_.oracle.gone(process_.id());
  give_up();
  generation_ = -1;
  if (lost.empty()) return;
  world_.trace.say(world_.scheduler.now(), "p{}: lost its partitions", process_.id());
  world_.trace.note(world_.scheduler.now(), 4, static_cast<std::uint64_t>(process_.id()), 0);
  process_.core().consumer_listener().on_lost(named(lost));
}

void SimGroup::put_out(std::uint64_t number) {
  if (number != join_) return;
  lose();
  if (leaving_) {
    go_on_without_commits();
  } else {
    join();
  }
}

void SimGroup::release() {
  if (phase_ != Phase::release_awaited) return;
  if (!process_.speaks()) return;
  // Whoever has waited for too long gives up without its word in the log.
  if (world_.scheduler.now() - revoked_at_ < world_.options.release_wait - std::chrono::milliseconds(10)) {
    for (const auto partition : partitions_) world_.oracle.handed_over(process_.id(), partition, revoked_at_);
  }
  give_up();
  world_.trace.say(world_.scheduler.now(), "p{}: released", process_.id());
  if (leaving_) {
    if (commits_out_ == 0) go_on_without_commits();
  } else {
    join();
  }
}

void SimGroup::leave(std::function<void()> done) {
  if (leaving_ || !process_.speaks()) return;
  leaving_ = true;
  reading_ = false;
  left_ = std::move(done);
  if (phase_ == Phase::assign_awaited) give_up();
  if (phase_ == Phase::assigned && !partitions_.empty()) {
    process_.later(process_.delay(Stage::group), [self = std::weak_ptr(self_), this] {
      if (!self.lock() || phase_ != Phase::assigned) return;
      phase_ = Phase::release_awaited;
      revoked_at_ = world_.scheduler.now();
      world_.trace.say(world_.scheduler.now(), "p{}: revoked, because it leaves", process_.id());
      process_.core().consumer_listener().on_revoked(named(partitions_));
    });
  } else if (phase_ != Phase::release_awaited) {
    give_up();
    if (commits_out_ == 0) go_on_without_commits();
  }
}

// --- records --------------------------------------------------------------------------------------------------------

void SimGroup::assign(const std::vector<kafka::StartingPoint>& points) {
  if (phase_ != Phase::assign_awaited) return;
  phase_ = Phase::assigned;
  ++assignment_;
  fetchers_.clear();
  passed_.clear();
  for (const auto& point : points) {
    const auto& log = world_.broker.log(Topic::requests, point.partition.partition);
    // Whoever committed that may not have known.
    if (log.kept_to && point.offset > std::max(*log.kept_to, world_.oracle.committed_up_to(point.partition.partition)))
      passed_[point.partition.partition] = {.to = point.offset, .from = *log.kept_to, .version = -1};
    const auto partition = point.partition.partition;
    auto& fetcher = fetchers_[partition];
    fetcher = {.partition = partition, .next = world_.broker.log(Topic::requests, partition).clamped(point.offset)};
    plan_fetch(fetcher);
  }
}

void SimGroup::seek(const kafka::StartingPoint& point) {
  const auto it = fetchers_.find(point.partition.partition);
  if (it == fetchers_.end()) return;
  const auto passed = passed_.find(it->first);
  const bool begins_below = passed != passed_.end() && point.offset <= passed->second.from;
  // It has dropped what lay behind, and asks for it once more. Of a log that it knows to be another it remembers that.
  if (!begins_below || !passed->second.told) world_.oracle.request_dropped(it->first, point.offset);
  if (begins_below) {
    passed_.erase(passed);
  } else if (passed != passed_.end()) {
    passed->second.to = std::min(passed->second.to, point.offset);
  }
  it->second.next = world_.broker.log(Topic::requests, it->first).clamped(point.offset);
  plan_fetch(it->second);
}

void SimGroup::log_went_back(int partition, std::int64_t to, std::int64_t version) {
  const auto it = fetchers_.find(partition);
  if (it == fetchers_.end() || it->second.next <= to) return;
  auto& passed = passed_.try_emplace(partition, Passed{.version = version}).first->second;
  if (passed.to == 0) passed.version = version;
  passed.to = std::max(passed.to, it->second.next);
  passed.from = std::min(passed.from, to);
  passed.told = false;
}

void SimGroup::log_is_another(int partition) {
  const auto passed = passed_.find(partition);
  if (passed != passed_.end()) passed->second.told = true;
}

std::int64_t SimGroup::version_of(int partition) const {
  const auto passed = passed_.find(partition);
  const bool knows = passed == passed_.end() || passed->second.to == 0;
  return knows ? world_.broker.log(Topic::requests, partition).version : passed->second.version;
}

void SimGroup::log_is_same(int partition) {
  // It goes on to take what follows for more of the log that is gone.
  const auto passed = passed_.find(partition);
  if (passed != passed_.end()) world_.oracle.unnoticed(partition, std::exchange(passed->second.to, 0));
}

void SimGroup::set_reading(bool reading) {
  reading_ = reading && !leaving_;
  go_on();
}

void SimGroup::go_on() {
  for (auto& [partition, fetcher] : fetchers_) plan_fetch(fetcher);
}

void SimGroup::plan_fetch(Fetcher& fetcher) {
  if (fetcher.due || !reading_ || phase_ != Phase::assigned || process_.closed(Gate::fetches)) return;
  const auto& log = world_.broker.log(Topic::requests, fetcher.partition);
  const auto end = log.end();
  // Beyond the end: the log is another one, and auto.offset.reset says where to go on.
  if (fetcher.next > end) fetcher.next = log.clamped(fetcher.next);
  if (fetcher.next >= end) return;
  fetcher.due = true;
  process_.later(process_.delay(Stage::fetch, static_cast<std::size_t>(end - fetcher.next - 1)),
                 [self = std::weak_ptr(self_), assignment = assignment_, partition = fetcher.partition] {
                   if (const auto alive = self.lock()) (*alive)->fetch_next(assignment, partition);
                 });
}

void SimGroup::fetch_next(std::uint64_t assignment, int partition) {
  if (assignment != assignment_) return;
  auto& fetcher = fetchers_[partition];
  fetcher.due = false;
  if (!reading_ || phase_ != Phase::assigned || process_.closed(Gate::fetches)) return;
  const auto& log = world_.broker.log(Topic::requests, partition);
  fetcher.next = std::max(fetcher.next, log.start);
  if (fetcher.next >= log.end()) return;
  const auto offset = fetcher.next++;
  plan_fetch(fetcher);
  world_.trace.note(world_.scheduler.now(), 5, static_cast<std::uint64_t>(process_.id()),
                    static_cast<std::uint64_t>(offset));
  // What lies below it takes for read already, and puts aside; what follows, for more of the log that is gone.
  const auto passed = passed_.find(partition);
  const bool mistaken = passed != passed_.end();
  if (!mistaken || offset >= passed->second.to) world_.oracle.request_read(partition, offset, mistaken);
  process_.core().consumer_listener().on_record(log.record(Topic::requests, partition, offset));
}

// --- offsets --------------------------------------------------------------------------------------------------------

void SimGroup::commit(std::uint64_t token, const kafka::TopicPartition& partition, std::int64_t offset,
                      const std::string& metadata) {
  if (!process_.speaks()) return;
  ++commits_out_;
  auto& luck = process_.luck(Stage::commit);
  if (!world_.healing() && luck.chance(world_.plan.commit_lost)) {
    process_.later(Micros(luck.between(1'000, 2'000'000)), [self = std::weak_ptr(self_), token, partition] {
      if (const auto alive = self.lock()) (*alive)->answer_commit(token, partition, kafka::CommitOutcome::failed);
    });
    return;
  }
  process_.later(process_.delay(Stage::commit), [self = std::weak_ptr(self_), token, partition, offset, metadata,
                                                 version = version_of(partition.partition)] {
    if (const auto alive = self.lock()) (*alive)->send_commit(token, partition, offset, metadata, version);
  });
}

// Stamped with the generation of the moment in which it is sent, as librdkafka does; from here on the process may die.
void SimGroup::send_commit(std::uint64_t token, const kafka::TopicPartition& partition, std::int64_t offset,
                           const std::string& metadata, std::int64_t version) {
  auto& luck = process_.luck(Stage::commit);
  const auto now = world_.scheduler.now();
  commits_arrive_ = std::max(commits_arrive_, now + process_.delay(Stage::commit));
  const bool late = !world_.healing() && luck.chance(world_.plan.late_commit);
  const bool unheard = !world_.healing() && luck.chance(world_.plan.answer_lost);
  const auto back = process_.delay(Stage::commit);
  world_.scheduler.after(commits_arrive_ - now,
                         [&world = world_, id = process_.id(), self = std::weak_ptr(self_), late, unheard, back,
                          generation = generation_, token, partition, offset, metadata, version] {
                           const bool member = world.coordinator.is_member(id);
                           const bool taken = member && (late || generation == world.coordinator.generation());
                           if (taken) world.commit_lands(partition.partition, offset, metadata, id, version);
                           auto* process = world.process(id);
                           if (process == nullptr || self.expired()) return;
                           const auto outcome = unheard ? kafka::CommitOutcome::failed
                                                : taken ? kafka::CommitOutcome::ok
                                                        : kafka::CommitOutcome::not_owner;
                           process->later(back, [self, token, partition, outcome] {
                             if (const auto alive = self.lock()) (*alive)->answer_commit(token, partition, outcome);
                           });
                         });
}

void SimGroup::answer_commit(std::uint64_t token, const kafka::TopicPartition& partition,
                             kafka::CommitOutcome outcome) {
  --commits_out_;
  world_.trace.note(world_.scheduler.now(), 6, static_cast<std::uint64_t>(process_.id()),
                    static_cast<std::uint64_t>(outcome));
  process_.core().consumer_listener().on_committed(token, partition, outcome, "");
  if (process_.dying() || commits_out_ > 0) return;
  go_on_without_commits();
}

void SimGroup::committed(const std::vector<kafka::TopicPartition>& partitions, CommittedCallback done) {
  const auto delay = process_.delay(Stage::commit) + process_.delay(Stage::commit);
  process_.later(delay, [self = std::weak_ptr(self_), this, partitions, done = std::move(done)] {
    if (!self.lock()) return;
    if (!world_.healing() && process_.luck(Stage::commit).chance(world_.plan.offsets_unknown)) {
      done(std::unexpected(Error{.kind = ErrorKind::unavailable, .detail = "told to be unknown"}));
      return;
    }
    std::vector<kafka::Committed> answer;
    for (const auto& partition : partitions) {
      const auto& stored = world_.broker.committed[static_cast<std::size_t>(partition.partition)];
      answer.push_back({.partition = partition, .offset = stored.offset, .metadata = stored.metadata});
    }
    done(std::move(answer));
  });
}

}  // namespace tokenrail::simulation
