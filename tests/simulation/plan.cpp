#include "tests/simulation/plan.hpp"

#include <algorithm>
#include <cstdlib>

namespace tokenrail::simulation {

namespace {

constexpr std::int64_t ms = 1'000;
constexpr std::int64_t second = 1'000'000;

/// Faults that a random plan may hold; the ones behind `cut_chunks` are rarer, because they excuse from promises.
const std::vector<FaultKind>& common_faults() {
  static const std::vector<FaultKind> all{
      FaultKind::crash,         FaultKind::crash,         FaultKind::crash_inside,  FaultKind::pause,
      FaultKind::pause,         FaultKind::kick,          FaultKind::rebalance,     FaultKind::rebalance,
      FaultKind::join,          FaultKind::drain,         FaultKind::fail_line,     FaultKind::fail_producer,
      FaultKind::stall_appends, FaultKind::stall_acks,    FaultKind::stall_reads,   FaultKind::stall_fetches,
      FaultKind::clock_jump,    FaultKind::calendar_jump, FaultKind::provider_down, FaultKind::fail_consumer,
  };
  return all;
}

std::int64_t amount_of(FaultKind kind, Random& random) {
  switch (kind) {
    case FaultKind::crash:
    case FaultKind::crash_inside:
      return random.pick({50 * ms, 500 * ms, 2 * second, 8 * second});
    case FaultKind::pause:
      return random.pick({200 * ms, 2 * second, 5 * second, 12 * second, 30 * second});
    case FaultKind::drain:
      return random.pick({0L, 300 * ms, 3 * second, 20 * second, 60 * second});
    case FaultKind::clock_jump:
      return random.pick({1 * second, 10 * second, 100 * second});
    case FaultKind::calendar_jump:
      return random.pick({-100'000 * second, -60 * second, -60 * second, 60 * second, 60 * second, 100'000 * second});
    case FaultKind::stall_acks:
    case FaultKind::stall_appends:
      return random.pick({300 * ms, 2 * second, 15 * second});
    case FaultKind::stall_lane:
      return random.pick({2 * second, 15 * second, 40 * second});
    case FaultKind::block_topic:
      return random.pick({300 * ms, 5 * second, 15 * second});
    default:
      return random.pick({300 * ms, 2 * second, 6 * second});
  }
}

Fault make_fault(FaultKind kind, const Plan& plan, Random& random) {
  Fault fault;
  fault.kind = kind;
  fault.seed = random.next();
  fault.partition = static_cast<int>(random.below(plan.partitions));
  fault.amount = amount_of(kind, random);
  if (random.chance(0.45)) {
    fault.moment = Moment::time;
    fault.at = random.between(0, plan.heal_at.count());
    fault.slot = static_cast<int>(random.below(slots_max));
  } else {
    fault.moment = static_cast<Moment>(random.between(1, static_cast<std::int64_t>(Moment::count) - 1));
    const auto requests = std::max<std::int64_t>(1, static_cast<std::int64_t>(plan.requests.size()));
    fault.at = random.between(1, random.pick({2L, 6L, requests * 3}));
    fault.slot = random.chance(0.8) ? Fault::slot_involved : static_cast<int>(random.below(slots_max));
  }
  return fault;
}

RequestPlan make_request(const Plan& plan, bool focused, Micros arrive_by, int keys, Random& random) {
  RequestPlan request;
  request.seed = random.next();
  request.at = Micros(random.below(arrive_by.count()));
  request.partition = static_cast<int>(random.below(plan.partitions));
  request.key = random.chance(0.1) ? -1 : static_cast<int>(random.below(keys));
  request.org = static_cast<int>(random.below(3));
  request.stream = !random.chance(0.1);
  request.tokens = static_cast<int>(random.pick({0, 1, 1, 2, 3, 8}));
  if (random.chance(0.3)) request.token_gap_us = random.pick({100 * ms, 400 * ms, 1'200 * ms});
  if (random.chance(focused ? 0.1 : 0.25)) {
    const auto count = random.between(1, 3);
    for (std::int64_t i = 0; i < count; ++i) {
      request.behaviours.push_back(static_cast<Behaviour>(random.below(6)));
    }
  }
  if (random.chance(focused ? 0.05 : 0.12)) request.timeout_ms = random.pick({1L, 150L, 1'000L, 4'000L});
  if (random.chance(focused ? 0.05 : 0.12)) {
    request.cancel_after = Micros(random.pick({-500 * ms, 0L, 5 * ms, 50 * ms, 500 * ms, 5 * second}));
  }
  const auto kind = random.below(100);
  if (kind < 3) {
    request.kind = RequestKind::garbage;
  } else if (kind < 7) {
    request.kind = RequestKind::refusable;
  } else if (kind < (focused ? 10 : 17) && !plan.requests.empty()) {
    request.kind = RequestKind::duplicate;
  }
  return request;
}

void add_requests(Plan& plan, bool focused, Random& random) {
  const auto count = focused ? random.pick({1, 1, 2, 2, 3}) : random.pick({3, 6, 10, 20, 40});
  const auto keys = static_cast<int>(random.pick({1, 1, 2, 4}));
  const auto arrive_by = Micros(focused ? random.pick({1L, 100 * ms, 1 * second}) : plan.heal_at.count());
  for (int i = 0; i < count; ++i) {
    auto request = make_request(plan, focused, arrive_by, keys, random);
    if (request.kind == RequestKind::duplicate) {
      const auto of = static_cast<int>(random.below(i));
      const auto& first = plan.requests[static_cast<std::size_t>(of)];
      request.duplicate_of = of;
      request.kind = RequestKind::duplicate;
      request.partition = first.partition;
      request.org = first.org;
      if (random.chance(0.8)) request.key = first.key;
      if (first.kind != RequestKind::ordinary) request.kind = RequestKind::ordinary;
      if (request.kind == RequestKind::ordinary) request.duplicate_of = -1;
    }
    plan.requests.push_back(std::move(request));
  }
}

Fault fault_at(Moment moment, std::int64_t number, FaultKind kind, std::int64_t amount, Random& random) {
  return {.moment = moment,
          .at = number,
          .kind = kind,
          .slot = Fault::slot_involved,
          .amount = amount,
          .seed = random.next()};
}

// What chance alone brings together rarely: a slow answer that is handed over, and a worker that goes right behind the
// terminal chunk.
void add_broken_hand_over(Plan& plan, Random& random) {
  for (auto& request : plan.requests) {
    if (random.chance(0.5)) request.token_gap_us = random.pick({100 * ms, 400 * ms, 1'200 * ms});
    if (random.chance(0.7)) request.key = static_cast<int>(random.below(3));
  }
  plan.faults.push_back(fault_at(random.chance(0.5) ? Moment::call_start : Moment::chunk_append, random.between(1, 3),
                                 FaultKind::rebalance, 0, random));
  const auto end = random.pick({FaultKind::crash, FaultKind::crash, FaultKind::stall_acks, FaultKind::pause});
  plan.faults.push_back(fault_at(Moment::terminal_append, random.between(1, 3), end, amount_of(end, random), random));
  if (random.chance(0.5)) {
    const auto kind = random.pick({FaultKind::crash, FaultKind::rebalance, FaultKind::kick});
    plan.faults.push_back(fault_at(random.pick({Moment::commit_land, Moment::terminal_append, Moment::response_append}),
                                   random.between(2, 8), kind, amount_of(kind, random), random));
  }
}

// A claim that comes into the log long after its worker has lost the partition, and is the higher one all the same.
void add_late_claim(Plan& plan, Random& random) {
  plan.late_commit = random.chance(0.7) ? 1.0 : 0.2;
  for (auto& skew : plan.calendar_skew_ms) skew = random.pick({0L, 3'000L, 50'000L});
  const auto held = random.pick({FaultKind::stall_appends, FaultKind::pause});
  plan.faults.push_back(
      fault_at(Moment::assigned, random.between(1, 3), held, random.pick({300 * ms, 2 * second, 5 * second}), random));
  plan.faults.push_back(fault_at(random.pick({Moment::assigned, Moment::call_start, Moment::claim_append}),
                                 random.between(1, 3), FaultKind::kick, 0, random));
  if (random.chance(0.5)) {
    plan.faults.push_back(fault_at(random.pick({Moment::terminal_append, Moment::commit_land, Moment::chunk_ack}),
                                   random.between(1, 4), FaultKind::crash, amount_of(FaultKind::crash, random),
                                   random));
  }
}

// Retention takes what is old, so there has to be something old when it strikes.
void make_effective(Plan& plan, Random& random) {
  constexpr std::int64_t old_enough = 5 * second;
  plan.heal_at = std::max(plan.heal_at, Micros(12 * second));
  for (auto& fault : plan.faults) {
    if (fault.kind != FaultKind::cut_audit && fault.kind != FaultKind::cut_chunks) continue;
    fault.moment = Moment::time;
    fault.at = random.between(old_enough, plan.heal_at.count());
  }
  if (random.chance(0.5)) return;
  // And nobody there to take over before.
  auto& first = *std::ranges::find_if(plan.faults, [](const Fault& fault) {
    return fault.kind == FaultKind::cut_audit || fault.kind == FaultKind::cut_chunks;
  });
  const auto gone_for = 9 * second;
  first.at = random.between(old_enough + second, plan.heal_at.count());
  const auto cut_at = first.at;  // the faults below may move the list that `first` refers into
  for (auto& request : plan.requests) request.at = Micros(request.at.count() % (cut_at - old_enough));
  for (int slot = 0; slot < slots_max; ++slot) {
    plan.faults.push_back({.at = cut_at - random.between(old_enough - second / 2, old_enough),
                           .kind = FaultKind::crash,
                           .slot = slot,
                           .amount = gone_for,
                           .seed = random.next()});
  }
}

void add_faults(Plan& plan, bool focused, Random& random) {
  if (random.chance(0.03)) return;  // an undisturbed history now and then
  if (focused && random.chance(0.25)) {
    if (random.chance(0.6)) {
      add_broken_hand_over(plan, random);
    } else {
      add_late_claim(plan, random);
    }
    return;
  }
  if (focused) {
    const auto kinds = random.between(1, 3);
    for (std::int64_t i = 0; i < kinds; ++i) {
      const auto kind = random.pick(common_faults());
      const auto count = random.between(1, 3);
      for (std::int64_t n = 0; n < count; ++n) plan.faults.push_back(make_fault(kind, plan, random));
    }
  } else {
    const auto count = random.pick({1, 3, 6, 12});
    for (int i = 0; i < count; ++i) {
      plan.faults.push_back(make_fault(random.pick(common_faults()), plan, random));
    }
  }
  if (random.chance(0.04)) {
    const auto kind = random.pick({FaultKind::cut_audit, FaultKind::cut_chunks, FaultKind::tamper});
    const auto count = random.between(1, 2);
    for (std::int64_t n = 0; n < count; ++n) plan.faults.push_back(make_fault(kind, plan, random));
    if (kind != FaultKind::tamper) make_effective(plan, random);
  }
}

// Requests that are deleted before anybody has read them: somebody stands still meanwhile.
void add_deletion(Plan& plan, Random& random) {
  const auto partition = static_cast<int>(random.below(plan.partitions));
  const auto count = random.between(1, 3);
  for (std::int64_t n = 0; n < count; ++n) {
    const auto at = random.between(0, plan.heal_at.count());
    const auto kind = random.pick({FaultKind::crash, FaultKind::pause, FaultKind::stall_fetches, FaultKind::kick});
    for (int slot = 0; slot < plan.workers; ++slot) {
      if (random.chance(0.25)) continue;
      plan.faults.push_back({.at = at,
                             .kind = kind,
                             .slot = slot,
                             .partition = partition,
                             .amount = amount_of(kind, random),
                             .seed = random.next()});
    }
    plan.faults.push_back({.at = at + random.pick({1 * ms, 300 * ms, 2 * second}),
                           .kind = FaultKind::cut_requests,
                           .partition = partition,
                           .seed = random.next()});
  }
}

// One worker and no faults but those that are added behind: the oracle holds every partition that they do not strike to
// a single run of each request.
void leave_alone(Plan& plan, Random& random) {
  plan.alone = true;
  plan.faults.clear();
  plan.workers = 1;
  plan.partitions = static_cast<int>(random.pick({2, 3, 4}));
  for (auto& request : plan.requests) {
    if (request.duplicate_of < 0) request.partition = static_cast<int>(random.below(plan.partitions));
  }
  for (auto& request : plan.requests) {
    if (request.duplicate_of >= 0)
      request.partition = plan.requests[static_cast<std::size_t>(request.duplicate_of)].partition;
  }
}

// Topics that are created again, and logs that go back. Requests come before, meanwhile, and when it has been noticed.
void add_replacements(Plan& plan, Random& random) {
  plan.offsets_unknown = 0;
  plan.duplicate_batch = 0;  // an event of which no place is known shows nothing about its log
  if (random.chance(0.6)) {
    leave_alone(plan, random);
  } else {
    std::erase_if(plan.faults, [](const Fault& fault) {
      return fault.kind == FaultKind::tamper || fault.kind == FaultKind::cut_audit ||
             fault.kind == FaultKind::cut_chunks || fault.kind == FaultKind::cut_requests;
    });
  }
  plan.heal_at = Micros(random.pick({20 * second, 40 * second}));
  // One that comes again follows its first.
  std::vector<std::int64_t> times;
  for (std::size_t i = 0; i < plan.requests.size(); ++i) times.push_back(random.below(plan.heal_at.count()));
  std::ranges::sort(times);
  for (std::size_t i = 0; i < plan.requests.size(); ++i) {
    plan.requests[i].at = Micros(times[i]);
    if (random.chance(0.3)) plan.requests[i].token_gap_us = random.pick({400 * ms, 1'200 * ms});
  }
  const auto count = random.between(1, 2);
  for (std::int64_t i = 0; i < count; ++i) {
    plan.faults.push_back({.at = random.between(2 * second, plan.heal_at.count()),
                           .kind = random.pick({FaultKind::new_topic, FaultKind::log_back}),
                           .partition = static_cast<int>(random.below(plan.partitions)),
                           .seed = random.next()});
  }
}

// Senders that want an answer which breaks off to be run again or continued. A call has to say something before it
// fails.
void add_wishes(Plan& plan, Random& random) {
  using events::OnInterrupt;
  for (auto& request : plan.requests) {
    request.on_interrupt = random.pick({OnInterrupt::error, OnInterrupt::restart, OnInterrupt::resume});
    if (random.chance(0.4)) continue;
    request.stream = true;
    request.tokens = static_cast<int>(random.pick({2, 3, 8}));
    const auto count = random.between(1, 4);
    for (std::int64_t i = 0; i < count; ++i) {
      request.behaviours.push_back(random.pick({Behaviour::breaks, Behaviour::breaks, Behaviour::talks_nonsense}));
    }
  }
}

// Calls that get a second one beside them: some at once, most because their provider is slow or silent.
void add_hedges(Plan& plan, Random& random) {
  plan.hedge_after_ms = random.pick({1L, 20L, 200L, 1'000L});
  for (auto& request : plan.requests) {
    if (random.chance(0.5)) request.token_gap_us = random.pick({100 * ms, 400 * ms});
    if (random.chance(0.3)) request.behaviours.insert(request.behaviours.begin(), Behaviour::falls_silent);
  }
}

// What the brokers refuse, and topics that take nothing.
void add_refusals(Plan& plan, Random& random) {
  if (random.chance(0.5)) leave_alone(plan, random);
  for (auto& request : plan.requests) {
    if (request.kind == RequestKind::ordinary && random.chance(0.1)) request.kind = RequestKind::garbage;
    if (random.chance(0.3)) request.token_gap_us = random.pick({400 * ms, 1'200 * ms});
  }
  // A duplicate needs a first that can be answered.
  for (auto& request : plan.requests) {
    if (request.duplicate_of < 0) continue;
    if (plan.requests[static_cast<std::size_t>(request.duplicate_of)].kind != RequestKind::garbage) continue;
    request.kind = RequestKind::ordinary;
    request.duplicate_of = -1;
  }
  const auto count = random.between(1, plan.alone ? 4 : 2);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto kind = random.pick(
        {FaultKind::refuse_record, FaultKind::refuse_record, FaultKind::block_topic, FaultKind::stall_lane});
    auto fault = make_fault(kind, plan, random);
    if (plan.alone && fault.slot > 0) fault.slot = 0;
    if (kind == FaultKind::stall_lane) plan.heal_at = std::max(plan.heal_at, Micros(30 * second));
    plan.faults.push_back(fault);
  }
}

}  // namespace

const char* name_of(Moment moment) {
  static constexpr std::array<const char*, static_cast<std::size_t>(Moment::count)> names{
      "time",         "chunk_append",   "terminal_append", "request_append", "response_append",
      "claim_append", "release_append", "audit_ack",       "chunk_ack",      "commit_land",
      "assigned",     "audit_read",     "chunk_read",      "call_start"};
  return names[static_cast<std::size_t>(moment)];
}

const char* name_of(FaultKind kind) {
  static constexpr std::array<const char*, static_cast<std::size_t>(FaultKind::count)> names{
      "crash",         "crash_inside",  "pause",         "kick",          "rebalance",  "join",         "drain",
      "fail_line",     "fail_producer", "fail_consumer", "stall_appends", "stall_acks", "stall_reads",  "stall_fetches",
      "provider_down", "clock_jump",    "calendar_jump", "cut_chunks",    "cut_audit",  "cut_requests", "tamper",
      "refuse_record", "block_topic",   "stall_lane",    "new_topic",     "log_back",   "no_such_host", "unread_topic"};
  return names[static_cast<std::size_t>(kind)];
}

bool Plan::tampers() const {
  return std::ranges::any_of(faults, [](const Fault& f) { return f.kind == FaultKind::tamper; });
}

bool Plan::replaces() const {
  return std::ranges::any_of(
      faults, [](const Fault& f) { return f.kind == FaultKind::new_topic || f.kind == FaultKind::log_back; });
}

bool Plan::jumps_far() const {
  return std::ranges::any_of(
      faults, [](const Fault& f) { return f.kind == FaultKind::calendar_jump && std::abs(f.amount) > 100 * second; });
}

bool Plan::jumps_clocks() const {
  return std::ranges::any_of(faults, [](const Fault& f) { return f.kind == FaultKind::clock_jump; });
}

bool Plan::reads_late() const {
  return std::ranges::any_of(
      faults, [](const Fault& f) { return f.kind == FaultKind::stall_reads || f.kind == FaultKind::pause; });
}

Plan Plan::with_only(const std::vector<std::size_t>& items) const {
  Plan smaller = *this;
  smaller.requests.clear();
  smaller.faults.clear();
  std::vector<int> moved(requests.size(), -1);
  for (const auto item : items) {
    if (item < requests.size()) {
      auto request = requests[item];
      moved[item] = static_cast<int>(smaller.requests.size());
      if (request.kind == RequestKind::duplicate) {
        request.duplicate_of = moved[static_cast<std::size_t>(request.duplicate_of)];
        if (request.duplicate_of < 0) request.kind = RequestKind::ordinary;
      }
      smaller.requests.push_back(std::move(request));
    } else if (item < this->items()) {
      smaller.faults.push_back(faults[item - requests.size()]);
    }
  }
  return smaller;
}

Plan make_plan(std::uint64_t seed) {
  Random random(mixed(seed, 1));
  Plan plan;
  plan.seed = seed;
  const bool focused = random.chance(0.6);
  plan.partitions = focused ? 1 : static_cast<int>(random.pick({1, 1, 2, 4}));
  plan.workers = static_cast<int>(random.pick({1, 2, 2, 2, 3}));
  plan.heal_at = Micros(random.pick({2 * second, 6 * second, 12 * second}));

  // Similar times make histories alike; who is slow at what is drawn for each.
  const auto pace = random.pick({1 * ms, 5 * ms, 20 * ms, 60 * ms});
  for (auto& worker : plan.means) {
    for (auto& mean : worker)
      mean = random.chance(0.4) ? pace : pace * random.pick({1L, 2L, 5L, 20L}) / random.pick({1L, 4L, 10L});
  }
  for (auto& skew : plan.calendar_skew_ms) skew = random.pick({-200'000L, 0L, 0L, 0L, 3'000L, 50'000L});
  plan.commit_interval_ms = random.pick({100L, 300L, 500L});
  if (random.chance(0.15)) plan.queue_max = static_cast<std::size_t>(random.pick({1, 2, 5}));
  if (random.chance(0.3)) plan.duplicate_batch = random.pick({0.05, 0.3});
  if (random.chance(0.3)) plan.commit_lost = random.pick({0.05, 0.3});
  if (random.chance(0.3)) plan.answer_lost = random.pick({0.05, 0.3});
  if (random.chance(0.3)) plan.late_commit = random.pick({0.2, 1.0});
  if (random.chance(0.2)) plan.offsets_unknown = 0.3;

  Random narrow(mixed(seed, 2));
  if (narrow.chance(0.2)) {
    plan.window_max = static_cast<std::size_t>(narrow.pick({1, 2, 3, 6}));
    if (narrow.chance(0.5)) plan.org_max = static_cast<std::size_t>(narrow.pick({1, 2}));
    if (narrow.chance(0.5)) plan.connection_max = static_cast<std::size_t>(narrow.pick({1, 2}));
    if (narrow.chance(0.3)) plan.span_max = narrow.pick({1L, 3L});
  }

  // Requests come again when the window is nearly over, or just has been.
  Random window(mixed(seed, 3));
  if (window.chance(0.1)) plan.dedupe_window_ms = window.pick({300L, 1'000L, 3'000L});

  add_requests(plan, focused, random);
  add_faults(plan, focused, random);
  // Where a tool takes the committed offset away nobody can know what was not read.
  if (random.chance(0.08) && !plan.tampers()) add_deletion(plan, random);
  Random refusals(mixed(seed, 4));
  if (refusals.chance(0.15)) add_refusals(plan, refusals);
  Random replacements(mixed(seed, 5));
  if (!plan.alone && replacements.chance(0.1)) add_replacements(plan, replacements);
  Random names(mixed(seed, 7));
  if (names.chance(0.05)) {
    plan.faults.push_back({.at = names.chance(0.5) ? 0 : names.between(0, plan.heal_at.count()),
                           .kind = FaultKind::no_such_host,
                           .seed = names.next()});
  }
  // Before anybody has read it, or later, for those that start then.
  Random unread(mixed(seed, 6));
  if (unread.chance(0.03)) {
    plan.faults.push_back({.at = unread.chance(0.5) ? 0 : unread.between(0, plan.heal_at.count()),
                           .kind = FaultKind::unread_topic,
                           .amount = unread.pick({2 * second, 20 * second}),
                           .seed = unread.next()});
  }
  Random wishes(mixed(seed, 8));
  if (wishes.chance(0.15)) add_wishes(plan, wishes);
  Random hedges(mixed(seed, 9));
  if (hedges.chance(0.15)) add_hedges(plan, hedges);
  Random places(mixed(seed, 10));
  if (places.chance(0.15)) plan.in_flight_max = static_cast<std::size_t>(places.pick({1, 2, 4, 8}));
  return plan;
}

}  // namespace tokenrail::simulation
