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

// --- logs -----------------------------------------------------------------------------------------------------------

void World::append(Topic topic, int partition, Entry entry, int writer) {
  if (refuses && refuses(topic, entry)) {
    trace.say(scheduler.now(), "{}/{} refuses a record of p{}", name_of(topic), partition, writer);
    if (topic == Topic::chunks) oracle.chunk_refused(partition, entry.value.value_or(""));
    return;
  }
  auto& log = broker.log(topic, partition);
  const auto offset = log.end();
  entry.timestamp_ms = calendar_ms();
  log.entries.push_back(std::move(entry));
  const auto& stored = log.entries.back();
  const std::string_view value = stored.value ? std::string_view(*stored.value) : std::string_view{};
  trace.note(scheduler.now(), 10 + static_cast<std::uint64_t>(topic), static_cast<std::uint64_t>(partition),
             static_cast<std::uint64_t>(offset), value);
  if (trace.spoken()) {
    trace.say(scheduler.now(), "{}/{} @{} by p{}: {}", name_of(topic), partition, offset, writer, brief(topic, value));
  }
  if (kept > 0) {
    log.keep(kept);
  } else {
    tell_oracle(topic, partition, offset, stored, writer);
  }
  judge_moment(topic, value, writer);
  for (const auto& process : processes_) {
    if (!process) continue;
    if (topic == Topic::requests && process->group() != nullptr) process->group()->go_on();
    process->reader().go_on();
  }
}

std::optional<std::int64_t> World::calendar_of(int writer) const {
  const auto* const alive = process(writer);
  return alive != nullptr && alive->calendar_is_right() ? std::optional(calendar_ms()) : std::nullopt;
}

void World::tell_oracle(Topic topic, int partition, std::int64_t offset, const Entry& entry, int writer) {
  const std::string_view value = entry.value ? std::string_view(*entry.value) : std::string_view{};
  switch (topic) {
    case Topic::chunks:
      oracle.chunk_appended(partition, offset, value, scheduler.now(), calendar_of(writer), entry.timestamp_ms);
      break;
    case Topic::audit:
      oracle.audit_appended(partition, offset, value, writer, scheduler.now(), entry.timestamp_ms);
      break;
    case Topic::dlq:
      oracle.dead_letter_appended(entry.headers);
      break;
    case Topic::requests:
    case Topic::cancellations:
    case Topic::count:
      break;
  }
}

std::string World::brief(Topic topic, std::string_view value) {
  if (topic == Topic::audit) {
    const auto event = events::parse_audit(value);
    if (!event) return std::string(value);
    std::string listed;
    for (const auto& [offset, attempt] : event->continuing) listed += fmt::format(" {}:{}", offset.value(), attempt);
    const auto type = value.substr(value.find("\"type\":\"") + 8, 20);
    return fmt::format("{} epoch {} offset {} {} attempt {}{}{}{}{}", type.substr(0, type.find('"')), event->epoch,
                       event->ids.source_offset.value(), event->ids.request_id, event->ids.attempt,
                       event->outcome.empty() ? "" : " " + event->outcome,
                       event->cause.empty() ? "" : "/" + event->cause, event->recovered ? " recovered" : "",
                       listed.empty() ? "" : " continuing" + listed);
  }
  if (topic == Topic::chunks) {
    const auto chunk = events::parse_chunk(value);
    if (!chunk) return std::string(value);
    return fmt::format("{} attempt {} seq {} {}{}", chunk->request_id, chunk->attempt, chunk->seq,
                       chunk->done ? "done " + chunk->finish_reason : chunk->delta.value_or(""),
                       chunk->error_code.empty() ? "" : " " + chunk->error_code);
  }
  return std::string(value.substr(0, 100));
}

void World::judge_moment(Topic topic, std::string_view value, int writer) {
  if (topic == Topic::chunks) {
    moment(value.find("\"done\":true") == std::string_view::npos ? Moment::chunk_append : Moment::terminal_append,
           writer);
  } else if (topic == Topic::audit) {
    for (const auto& [type, what] :
         {std::pair("\"llm.request\"", Moment::request_append), std::pair("\"llm.response\"", Moment::response_append),
          std::pair("\"router.claimed\"", Moment::claim_append),
          std::pair("\"router.released\"", Moment::release_append)}) {
      if (value.find(type) != std::string_view::npos) moment(what, writer);
    }
  }
}

void World::leave_residue(Topic topic, int partition, std::vector<Outgoing> records, int writer, std::uint64_t seed) {
  if (records.empty()) return;
  Residue residue{.topic = topic, .partition = partition, .records = {}, .writer = writer, .random = Random(seed)};
  for (auto& record : records) residue.records.push_back(std::move(record));
  residues_.push_back(std::move(residue));
  residue_step(residues_.size() - 1);
}

void World::residue_step(std::size_t index) {
  auto& residue = residues_[index];
  if (residue.records.empty()) return;
  const auto delay = residue.random.pick({0L, 1'000L, 50'000L, 400'000L, 3'000'000L, 10'000'000L});
  scheduler.after(Micros(residue.random.between(0, delay)), [this, index] {
    auto& late = residues_[index];
    if (late.random.chance(0.1)) {  // it never arrives, nor does what stands behind it
      late.records.clear();
      return;
    }
    auto record = std::move(late.records.front());
    late.records.pop_front();
    trace.say(scheduler.now(), "late:");
    append(late.topic, late.partition, std::move(record.entry), late.writer);
    residue_step(index);
  });
}

std::int64_t World::deadline_of(std::size_t request) {
  const auto asked = plan.requests[request].timeout_ms;
  return sent_at_ms_[request] + (asked > 0 ? asked : options.request_timeout_default.count());
}

void World::judge_deadline(std::size_t request) {
  constexpr std::int64_t rounding_ms = 2;
  if (calendar_ms() > deadline_of(request) + rounding_ms) {
    oracle.report("DEADLINE", fmt::format("the provider is called for {}, whose time is over", id_of(request)));
  }
}

void World::commit_lands(int partition, std::int64_t offset, const std::string& metadata, int process,
                         std::int64_t version) {
  auto& stored = broker.committed[static_cast<std::size_t>(partition)];
  trace.note(scheduler.now(), 20, static_cast<std::uint64_t>(partition), static_cast<std::uint64_t>(offset), metadata);
  trace.say(scheduler.now(), "committed {}: {} '{}' by p{}", partition, offset, metadata, process);
  // Two commits that are under way may overtake each other. What the newer one said is gone then.
  const auto before = events::decode_commit_metadata(stored.metadata);
  const auto now = events::decode_commit_metadata(metadata);
  if (newest_committer(partition) == process && before && now && before->epoch == now->epoch &&
      !before->well_workers.empty() && now->well_workers.empty())
    oracle.gone(process);
  stored = {.offset = offset, .metadata = metadata};
  committers_[partition] = process;
  if (kept == 0)
    oracle.committed(partition, offset, metadata, scheduler.now(),
                     version == broker.log(Topic::requests, partition).version);
  moment(Moment::commit_land, process);
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

// --- faults ---------------------------------------------------------------------------------------------------------

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
      target.crash_after_words(draw(fault.seed, 8), amount);
      break;
    case FaultKind::pause:
      if (target.paused()) break;
      oracle.disturbed(id);
      oracle.all_disturbed();  // what it follows it follows late
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
    // What goes on elsewhere may not be heard of in time.
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

// Retention takes what is old; what a worker is about to read is not.
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

// The newest request stays: only with the next one that is read anybody learns of the loss. And a group that has not
// committed anything yet begins where the log does.
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
    trace.say(scheduler.now(), "whoever starts does not read {} to its end", name_of(Topic::cancellations));
    cancellations_unread_ = true;
    return;
  }
  trace.say(scheduler.now(), "whoever starts does not read the registry to its end");
  registry_read_at_ = std::max(registry_read_at_, scheduler.now() + Micros(fault.amount));
}

// --- logs that are replaced -----------------------------------------------------------------------------------------

void World::replace(Topic topic) {
  trace.say(scheduler.now(), "{} is created again", name_of(topic));
  for (int partition = 0; partition < broker.partitions(topic); ++partition) {
    log_is_another(topic, partition, 0);
    // The brokers drop what groups have committed for a topic together with it.
    if (topic == Topic::requests) broker.committed[static_cast<std::size_t>(partition)] = {};
  }
}

void World::take_back(const Fault& fault) {
  Random random(fault.seed);
  const auto topic = random.pick({Topic::requests, Topic::requests, Topic::audit, Topic::audit, Topic::chunks});
  const auto& log = broker.log(topic, fault.partition);
  const auto most = std::min<std::int64_t>(log.end() - log.start, random.pick({1L, 3L, 10L}));
  if (most > 0) take_back(topic, fault.partition, log.end() - random.between(1, most));
}

void World::take_back(Topic topic, int partition, std::int64_t to) {
  trace.say(scheduler.now(), "{}/{} goes back to {}", name_of(topic), partition, to);
  log_is_another(topic, partition, to);
}

void World::log_is_another(Topic topic, int partition, std::int64_t to) {
  constexpr Micros noticed_within{20'000'000};
  trace.note(scheduler.now(), 25, static_cast<std::uint64_t>(topic), static_cast<std::uint64_t>(to));
  noticed_at_ = scheduler.now() + noticed_within;
  const auto version = broker.log(topic, partition).version;
  broker.log(topic, partition).go_back(to, calendar_ms());
  if (topic == Topic::requests) {
    oracle.requests_went_back(partition, to, scheduler.now());
    for (const auto& process : processes_) {
      if (process && process->group() != nullptr) process->group()->log_went_back(partition, to, version);
    }
  } else if (topic == Topic::chunks) {
    oracle.chunks_went_back(partition, to, scheduler.now());
  } else if (topic == Topic::audit) {
    oracle.audit_went_back(partition, to, scheduler.now());
    const auto& log = broker.log(topic, partition);
    for (auto offset = log.start; offset < log.end(); ++offset)
      oracle.audit_kept(partition, offset, log.at(offset).value.value_or(""));
  }
  if (!plan.alone) {
    // Whoever continues something may have lost what says so.
    for (const auto& process : processes_) {
      if (process) oracle.disturbed(process->id());
    }
  }
  for (const auto& process : processes_) {
    if (process) process->go_on();
  }
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
    // Whoever asks whether a partition is still its own commits once more what it knows to be committed, and comes back
    // to where it was behind the claim that follows. One of an earlier epoch that landed late may stay.
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
