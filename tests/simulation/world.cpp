#include "tests/simulation/world.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/events/commit_metadata.hpp"
#include "common/events/json_writer.hpp"
#include "tests/simulation/verified.hpp"

namespace tokenrail::simulation {

namespace {

constexpr int cancellation_partitions = 2;
constexpr std::int64_t calendar_start_ms = 1'700'000'000'000;
constexpr Micros healed_within{900'000'000};
constexpr std::uint64_t healed_steps_max = 600'000;
constexpr std::string_view marker = "#tokenrail-";

std::int64_t draw(std::uint64_t seed, std::int64_t n) {
  return Random(seed).below(n);
}

/// The field of a request that says what its sender wants where an answer breaks off.
std::string_view wish_of(const RequestPlan& request) {
  switch (request.on_interrupt) {
    case events::OnInterrupt::restart:
      return R"("onInterrupt":"restart",)";
    case events::OnInterrupt::resume:
      return R"("onInterrupt":"continue",)";
    default:
      return "";
  }
}

}  // namespace

World::World(const Plan& planned, bool spoken, const std::function<void(router::RouterOptions&)>& adjust)
    : plan(planned),
      trace(spoken),
      broker(planned.partitions, cancellation_partitions),
      oracle(planned.partitions, {.tampers = planned.tampers(),
                                  .calendars = planned.jumps_far() || planned.dedupe_window_ms > 0,
                                  .leases = planned.jumps_clocks(),
                                  .alone = planned.alone,
                                  .commits = planned.commit_lost > 0 || planned.late_commit > 0,
                                  .reads = planned.reads_late()}),
      coordinator(*this, planned.partitions, mixed(planned.seed, 300)) {
  options.commit_interval = router::Millis(plan.commit_interval_ms);
  options.first_token_timeout = router::Millis(4'000);
  options.idle_timeout = router::Millis(3'000);
  options.total_timeout = router::Millis(20'000);
  options.request_timeout_default = router::Millis(600'000);
  options.unreported_max = router::Millis(8'000);
  options.lease = router::Millis(6'000);
  options.release_wait = router::Millis(1'500);
  options.session_timeout = std::chrono::duration_cast<router::Millis>(plan.session_timeout);
  if (plan.dedupe_window_ms > 0) options.dedupe_window = router::Millis(plan.dedupe_window_ms);
  if (plan.window_max > 0) options.window_requests_max = plan.window_max;
  if (plan.in_flight_max > 0) options.in_flight_max = plan.in_flight_max;
  if (plan.org_max > 0) options.org_in_flight_max = plan.org_max;
  if (plan.connection_max > 0) options.connection_in_flight_max = plan.connection_max;
  options.hedge.after = router::Millis(plan.hedge_after_ms);
  if (plan.span_max > 0) options.partition_span_max = plan.span_max;
  if (adjust) adjust(options);
}

World::~World() = default;

// --- the parts ------------------------------------------------------------------------------------------------------

Process* World::process(int id) const {
  return id < 0 || id >= static_cast<int>(processes_.size()) ? nullptr : processes_[static_cast<std::size_t>(id)].get();
}

Process* World::in_slot(int slot) const {
  for (auto it = processes_.rbegin(); it != processes_.rend(); ++it) {
    if (*it && (*it)->slot() == slot) return it->get();
  }
  return nullptr;
}

std::int64_t World::calendar_ms() const {
  return calendar_start_ms + scheduler.now().count() / 1'000;
}

int World::newest_committer(int partition) const {
  const auto it = committers_.find(partition);
  return it == committers_.end() ? -1 : it->second;
}

int& World::calls_of(std::size_t request) {
  return calls_[request];
}

bool World::no_such_host(const std::string& url) const {
  return !lost_host_.empty() && url.starts_with(fmt::format("http://{}.provider", lost_host_));
}

std::size_t World::request_with_marker(const std::string& body) const {
  const auto at = body.find(marker);
  if (at == std::string::npos) return 0;
  return static_cast<std::size_t>(std::stoul(body.substr(at + marker.size(), 12)));
}

std::string World::org_of(std::size_t request) const {
  return fmt::format("o{}", plan.requests[request].org);
}

std::string World::id_of(std::size_t request) const {
  const auto& planned = plan.requests[request];
  return fmt::format("r{}", planned.duplicate_of >= 0 ? planned.duplicate_of : static_cast<int>(request));
}

// --- requests -------------------------------------------------------------------------------------------------------

std::int64_t World::send_request(std::size_t index) {
  const auto& planned = plan.requests[index];
  ++requests_sent_;
  sent_at_ms_[index] = calendar_ms();
  Entry entry;
  if (planned.key >= 0) entry.key = fmt::format("k{}", planned.key);
  if (planned.kind == RequestKind::garbage) {
    entry.value = "this is no JSON";
  } else {
    entry.value =
        fmt::format(R"({{"requestId":"{}","orgId":"{}","modelProvider":"ollama","modelName":"{}",{}{})"
                    R"("messages":[{{"role":"user","content":"{}{}"}}]}})",
                    id_of(index), org_of(index), planned.kind == RequestKind::refusable ? "no-such-model" : "llama3",
                    planned.timeout_ms > 0 ? fmt::format(R"("timeoutMs":{},)", planned.timeout_ms) : "",
                    fmt::format("{}{}", planned.stream ? "" : R"("stream":false,)", wish_of(planned)), marker, index);
  }
  const auto offset = broker.log(Topic::requests, planned.partition).end();
  oracle.request_arrived(planned.partition, offset,
                         {.org_id = org_of(index),
                          .request_id = id_of(index),
                          .key = entry.key,
                          .garbage = planned.kind == RequestKind::garbage,
                          .refusable = planned.kind == RequestKind::refusable,
                          .on_interrupt = planned.on_interrupt,
                          .deadline_ms = deadline_of(index),
                          .at_ms = calendar_ms()},
                         scheduler.now());
  append(Topic::requests, planned.partition, std::move(entry), -1);
  return offset;
}

void World::send_another(int partition, const std::string& request_id, std::size_t like) {
  append(Topic::requests, partition,
         {.value = fmt::format(R"({{"requestId":"{}","orgId":"{}","modelProvider":"ollama","modelName":"llama3",)"
                               R"("messages":[{{"role":"user","content":"{}{}"}}]}})",
                               request_id, org_of(like), marker, like)},
         -1);
}

void World::cancel_request(std::size_t index) {
  const auto id = id_of(index);
  oracle.cancelled(org_of(index), id);
  append(Topic::cancellations, static_cast<int>(index) % cancellation_partitions,
         {.key = id,
          .value = fmt::format(R"({{"orgId":"{}","requestId":"{}","reason":"changed my mind"}})", org_of(index), id)},
         -1);
}

void World::schedule_plan() {
  for (int slot = 0; slot < plan.workers; ++slot) {
    scheduler.after(Micros(draw(mixed(plan.seed, 400, static_cast<std::uint64_t>(slot)), 200'000)),
                    [this, slot] { start_worker(slot); });
  }
  for (std::size_t i = 0; i < plan.requests.size(); ++i) {
    const auto& request = plan.requests[i];
    scheduler.after(request.at, [this, i] { send_request(i); });
    if (request.cancel_after != RequestPlan::no_cancel) {
      ++cancellations_due_;
      scheduler.after(request.at + request.cancel_after, [this, i] {
        --cancellations_due_;
        cancel_request(i);
      });
    }
  }
  for (std::size_t i = 0; i < plan.faults.size(); ++i) {
    const auto& fault = plan.faults[i];
    if (fault.moment == Moment::time) {
      scheduler.after(Micros(fault.at), [this, i] { strike(plan.faults[i], Fault::slot_involved); });
    } else {
      waiting_faults_[{fault.moment, fault.at}].push_back(i);
    }
  }
  scheduler.after(plan.heal_at, [this] { heal(); });
}

// --- processes ------------------------------------------------------------------------------------------------------

Process& World::start_worker(int slot) {
  const auto id = static_cast<int>(processes_.size());
  trace.say(scheduler.now(), "p{} starts in slot {}", id, slot);
  processes_.push_back(std::make_unique<Process>(*this, id, slot));
  auto& process = *processes_.back();
  if (std::ranges::any_of(closed_lanes_, [](const auto& lane) { return lane.second > 0; })) oracle.disturbed(id);
  process.start();
  return process;
}

void World::restart(int slot, Micros delay) {
  ++restarts_due_;
  scheduler.after(delay, [this, slot] {
    --restarts_due_;
    if (in_slot(slot) == nullptr) start_worker(slot);
  });
}

void World::crash(int id, std::uint64_t seed, std::optional<Micros> again) {
  auto* dead = process(id);
  if (dead == nullptr) return;
  trace.say(scheduler.now(), "p{} dies", id);
  trace.note(scheduler.now(), 21, static_cast<std::uint64_t>(id), 0);
  oracle.disturbed(id);
  oracle.gone(id);
  const auto slot = dead->slot();
  dead->die();
  Random random(seed);
  if (dead->producer() != nullptr) dead->producer()->abandon(random);
  processes_[static_cast<std::size_t>(id)].reset();
  // The group learns of it when the session runs out.
  scheduler.after(plan.session_timeout, [this, id] { coordinator.put_out(id); });
  if (again) restart(slot, *again);
}

void World::bury(int id) {
  crash(id, mixed(plan.seed, 500, static_cast<std::uint64_t>(id)), process(id)->restart());
}

void World::exited(int id) {
  trace.say(scheduler.now(), "p{} has ended", id);
  trace.note(scheduler.now(), 22, static_cast<std::uint64_t>(id), 0);
  oracle.disturbed(id);
  oracle.gone(id);
  const auto slot = process(id)->slot();
  const auto again = process(id)->restart();
  Random random(mixed(plan.seed, 600, static_cast<std::uint64_t>(id)));
  process(id)->die();
  if (process(id)->producer() != nullptr) process(id)->producer()->abandon(random);
  processes_[static_cast<std::size_t>(id)].reset();
  coordinator.leave(id);
  restart(slot, again);
}

// --- the end --------------------------------------------------------------------------------------------------------

void World::heal() {
  healing_ = true;
  trace.say(scheduler.now(), "all is well from here on");
  providers_down_ = 0;
  bool any = restarts_due_ > 0;
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    auto* p = processes_[i].get();
    if (p == nullptr) continue;
    any = any || !p->stopping();
    p->resume();
    p->go_on();
  }
  if (!any) start_worker(0);
}

bool World::at_rest() const {
  if (restarts_due_ > 0 || cancellations_due_ > 0 || requests_sent_ < plan.requests.size()) return false;
  if (scheduler.now() < noticed_at_) return false;
  if (!coordinator.stable() || !oracle.all_complete() || oracle.any_open()) return false;
  std::size_t alive = 0;
  for (const auto& p : processes_) {
    if (!p) continue;
    ++alive;
    if (p->stopping() || p->producer() == nullptr || !p->producer()->idle() || p->http().transfers() > 0) return false;
  }
  if (alive != coordinator.members()) return false;
  for (const auto& residue : residues_) {
    if (!residue.records.empty()) return false;
  }
  for (int partition = 0; partition < plan.partitions; ++partition) {
    if (oracle.committed_up_to(partition) != oracle.requests(partition)) return false;
    // A router that asks whether it still owns a partition commits once more what it knows to be committed. It commits
    // its present position after the claim that follows. A late commit of an earlier epoch may stay.
    const auto& stored = broker.committed[static_cast<std::size_t>(partition)];
    const auto metadata = events::decode_commit_metadata(stored.metadata);
    if (!plan.tampers() && metadata && metadata->epoch >= oracle.epoch(partition) &&
        stored.offset != oracle.requests(partition))
      return false;
  }
  return true;
}

std::optional<Violation> World::finish() {
  const auto until = scheduler.now() + healed_within;
  const auto steps = scheduler.steps() + healed_steps_max;
  bool livelock = true;
  while (!oracle.violation() && scheduler.now() < until && scheduler.steps() < steps) {
    if (at_rest() || !scheduler.step()) {
      livelock = false;
      break;
    }
  }
  if (oracle.violation()) return oracle.violation();
  oracle.at_rest();
  if (livelock) oracle.report("P1", "nothing fails any more, and yet the history does not come to rest");
  if (!oracle.violation()) {
    if (const auto found = verified(broker, oracle)) oracle.report(found->promise, found->text);
  }
  return oracle.violation();
}

std::optional<Violation> World::run() {
  schedule_plan();
  while (!healing_ && !oracle.violation() && scheduler.step()) {
  }
  return finish();
}

bool World::run_until(const std::function<bool()>& condition, Micros within) {
  const auto until = scheduler.now() + within;
  while (!condition()) {
    if (oracle.violation() || scheduler.now() >= until || !scheduler.step()) return condition();
  }
  return true;
}

std::optional<Violation> World::heal_and_finish() {
  requests_sent_ = plan.requests.size();
  heal();
  return finish();
}

}  // namespace tokenrail::simulation
