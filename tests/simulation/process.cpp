#include "tests/simulation/process.hpp"

#include <utility>

#include <fmt/format.h>

#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {

namespace {

constexpr Micros producer_settling{5'000};
constexpr Micros member_again{50'000};

telemetry::Metrics& metrics() {
  static telemetry::Metrics all;
  return all;
}

router::RouterMetrics& router_metrics() {
  static router::RouterMetrics all(metrics());
  return all;
}

/// Two deployments of one model; the same for every history.
const std::pair<std::string, std::string>& model_event() {
  static const auto all = [] {
    events::ModelUpserted event;
    event.version = 1;
    event.cause = "seed";
    event.actor = "simulation";
    event.model = {.id = "m",
                   .provider = "ollama",
                   .model_name = "llama3",
                   .slug = "ollama/llama3",
                   .is_default = true,
                   .version = 1};
    for (const auto* connection : {"c1", "c2"}) {
      event.model.deployments.push_back({.id = std::string("d-") + connection,
                                         .connection_id = connection,
                                         .connection_name = connection,
                                         .provider = "ollama",
                                         .adapter = "ollama",
                                         .base_url = fmt::format("http://{}.provider", connection),
                                         .auth_type = "none",
                                         .upstream_name = "llama3"});
    }
    event.key = events::model_key(event.model);
    return std::pair(event.key, events::to_json(event));
  }();
  return all;
}

std::array<Random, stage_count> luck_of(std::uint64_t seed) {
  return [&]<std::size_t... Stages>(std::index_sequence<Stages...>) {
    return std::array<Random, stage_count>{Random(mixed(seed, Stages))...};
  }(std::make_index_sequence<stage_count>());
}

}  // namespace

Process::Process(World& world, int id, int slot)
    : world_(world),
      id_(id),
      slot_(slot),
      luck_(luck_of(mixed(world.plan.seed, 100, static_cast<std::uint64_t>(id)))),
      core_random_(mixed(world.plan.seed, 200, static_cast<std::uint64_t>(id))),
      steady_offset_(Micros(core_random_.below(1'000'000'000))),
      wall_offset_(std::chrono::milliseconds(world.plan.calendar_skew_ms[static_cast<std::size_t>(slot)])),
      reads_cancellations_(!world.cancellations_unread()) {}

Process::~Process() {
  dying_ = true;
  // As in the worker: the clients call back into the core, so they go first, and the transfers end with the core.
  if (core_) {
    core_->connect(static_cast<kafka::GroupConsumer*>(nullptr));
    core_->connect(static_cast<kafka::LogReader*>(nullptr));
    core_->connect(static_cast<kafka::Producer*>(nullptr));
  }
  group_.reset();
  reader_.reset();
  producer_.reset();
  core_.reset();
  http_.reset();
}

void Process::start() {
  http_ = std::make_unique<SimHttp>(world_, *this);
  core_ = std::make_unique<router::RouterCore>(
      world_.options,
      router::RouterCore::World{.environment = *this, .http = *http_, .projection = projection_, .questions = *this},
      router_metrics());
  core_->on_producer_lost = [this] { renew_producer(); };
  core_->on_consumer_lost = [this] {
    later(member_again, [this] {
      group_.reset();
      if (stopping_) {
        finished_ = true;
      } else {
        join();
      }
    });
  };
  core_->set_cancellation_partitions(world_.broker.partitions(Topic::cancellations));
  reader_ = std::make_unique<SimLogReader>(world_, *this);
  core_->connect(reader_.get());
  make_producer();
  const auto wait = world_.registry_read_at() - world_.scheduler.now();
  if (wait > Micros(0)) {
    later(wait, [this] { read_registry(); });
  } else {
    read_registry();
  }
  join();
}

void Process::read_registry() {
  const auto& [key, value] = model_event();
  projection_.apply(key, value);
  projection_.apply(events::registry_mark_key, events::to_json(events::RegistryMark{.version = 1, .models = 1}));
  core_->on_registry_changed();
}

router::Now Process::now() const {
  const auto now = world_.scheduler.now();
  return {.steady = std::chrono::duration_cast<router::Millis>(now + steady_offset_ + Micros(1'000'000'000)),
          .wall = router::Millis(world_.calendar_ms()) + std::chrono::duration_cast<router::Millis>(wall_offset_)};
}

void Process::wake_at(router::Millis at) {
  const auto number = ++wake_;
  const auto delay =
      std::chrono::duration_cast<Micros>(at) - (world_.scheduler.now() + steady_offset_ + Micros(1'000'000'000));
  later(std::max(delay, Micros(0)), [this, number] {
    if (number == wake_) core_->on_wake();
  });
}

void Process::ask(std::uint64_t token, const router::LogQuestion& question) {
  const auto topic = topic_named(question.partition.topic);
  later(delay(Stage::commit), [this, token, topic, question] {
    Result<router::LogPlaces> answer = std::unexpected(Error{.kind = ErrorKind::unavailable, .detail = "told to fail"});
    if (world_.healing() || !luck(Stage::commit).chance(world_.plan.offsets_unknown)) {
      const auto& log = world_.broker.log(*topic, question.partition.partition);
      answer = router::LogPlaces{.first = log.start, .next = log.end()};
      for (auto at = log.start; question.at && !answer->at && at < log.end(); ++at) {
        if (log.at(at).timestamp_ms >= question.at->count()) answer->at = at;
      }
    }
    world_.trace.note(world_.scheduler.now(), 8, static_cast<std::uint64_t>(id_),
                      answer ? static_cast<std::uint64_t>(answer->first) : 0);
    world_.trace.say(world_.scheduler.now(), "  p{} asked about {}/{}: {}", id_, question.partition.topic,
                     question.partition.partition,
                     answer ? fmt::format("begins at {}, ends at {}{}", answer->first, answer->next,
                                          answer->at ? fmt::format(", the time is at {}", *answer->at) : "")
                            : "no answer");
    later(delay(Stage::commit), [this, token, answer] { core_->on_answer(token, answer); });
  });
}

void Process::look(std::uint64_t token, std::vector<kafka::WitnessQuestion> questions) {
  later(delay(Stage::commit), [this, token, questions = std::move(questions)] {
    Result<kafka::LogSurvey> answer = std::unexpected(Error{.kind = ErrorKind::unavailable, .detail = "told to fail"});
    if (world_.healing() || !luck(Stage::commit).chance(world_.plan.offsets_unknown)) answer = survey(questions);
    later(delay(Stage::commit), [this, token, answer] { core_->on_survey(token, answer); });
  });
}

// As the brokers and kafka::LogWatch answer it.
kafka::LogSurvey Process::survey(const std::vector<kafka::WitnessQuestion>& questions) {
  kafka::LogSurvey survey;
  for (std::size_t i = 0; i < topic_count; ++i) {
    const auto topic = static_cast<Topic>(i);
    survey.partitions.emplace(name_of(topic), world_.broker.partitions(topic));
  }
  for (const auto& [partition, witness] : questions) {
    const auto& log = world_.broker.log(*topic_named(partition.topic), partition.partition);
    const auto newer_than = [&](std::int64_t time_ms) -> std::optional<std::int64_t> {
      for (auto at = log.start; at < log.end(); ++at) {
        if (log.at(at).timestamp_ms > time_ms) return at;
      }
      return std::nullopt;
    };
    kafka::WitnessAnswer answer{
        .verdict = judge(
            witness, kafka::WitnessedLog{.first = log.start,
                                         .next = log.end(),
                                         .newer = witness.offset >= 0 ? newer_than(witness.time_ms) : std::nullopt}),
        .first = log.start,
        .next = log.end(),
        .newer_from = log.end()};
    if (answer.verdict == kafka::LogVerdict::doubtful) {
      const auto at = std::max(witness.offset, log.start);
      answer.verdict = judge(witness, kafka::WitnessRecord{.offset = at, .time_ms = log.at(at).timestamp_ms});
    }
    if (answer.verdict == kafka::LogVerdict::another) {
      answer.newer_from = newer_than(witness.time_ms - kafka::broker_clocks_apart_ms - 1).value_or(log.end());
      if (answer.newer_from < log.end()) answer.newer_from_ms = log.at(answer.newer_from).timestamp_ms;
      if (partition.topic == name_of(Topic::requests) && group_) group_->log_is_another(partition.partition);
    }
    if (answer.verdict == kafka::LogVerdict::same && partition.topic == name_of(Topic::requests) && group_)
      group_->log_is_same(partition.partition);
    survey.answers.emplace_back(answer);
  }
  return survey;
}

void Process::later(Micros delay, Action action) {
  world_.scheduler.after(delay, [&world = world_, id = id_, action = std::move(action)]() mutable {
    if (auto* self = world.process(id)) self->run(action);
  });
}

void Process::run(Action& action) {
  if (paused_) {
    waiting_.push_back(std::move(action));
    return;
  }
  action();
  if (dying_) {
    world_.bury(id_);
  } else if (finished_) {
    world_.exited(id_);
  }
}

Micros Process::delay(Stage stage, std::size_t behind) {
  constexpr std::int64_t well = 1'000;
  constexpr std::int64_t longest = 400'000;
  constexpr std::size_t many = 8;
  const auto mean =
      world_.healing() ? well : world_.plan.means[static_cast<std::size_t>(slot_)][static_cast<std::size_t>(stage)];
  auto& random = luck_[static_cast<std::size_t>(stage)];
  if (behind > many || (behind > 0 && random.chance(0.5))) return Micros(random.below(100));
  // Mostly about the mean, sometimes at once, sometimes far behind.
  const auto kind = random.below(20);
  if (kind == 0) return Micros(random.below(2));
  const auto most = kind == 1 ? mean * 12 : mean * 2;
  return Micros(std::min(longest, random.below(std::max<std::int64_t>(1, most))));
}

bool Process::speaks() {
  if (dying_) return false;
  if (words_left_ < 0 || world_.healing()) return true;
  if (words_left_-- > 0) return true;
  dying_ = true;
  return false;
}

void Process::pause() {
  paused_ = true;
  // What it has handed to the network may go on without it, or not.
  if (luck_[0].chance(0.5)) {
    close(Gate::appends);
    gate_by_pause_ = true;
  }
}

void Process::resume() {
  if (!std::exchange(paused_, false)) return;
  if (std::exchange(gate_by_pause_, false)) open(Gate::appends);
  auto waiting = std::exchange(waiting_, {});
  for (auto& action : waiting) later(Micros(0), std::move(action));
}

void Process::open(Gate gate) {
  auto& count = closed_[static_cast<std::size_t>(gate)];
  if (count > 0) --count;
  go_on();
}

bool Process::closed(Gate gate) const {
  return closed_[static_cast<std::size_t>(gate)] > 0 && !world_.healing();
}

void Process::go_on() {
  if (producer_) producer_->go_on();
  if (group_) group_->go_on();
  reader_->go_on();
}

void Process::drain(Micros limit) {
  stopping_ = true;
  core_->drain(std::chrono::duration_cast<router::Millis>(limit),
               [this] { later(Micros(0), [this] { finished_ = true; }); });
}

void Process::fail_consumer() {
  if (group_ && !group_->leaving()) group_->become_fatal();
}

void Process::join() {
  if (group_ || stopping_) return;
  group_ = std::make_unique<SimGroup>(world_, *this);
  core_->connect(group_.get());
  group_->join();
}

void Process::make_producer() {
  producer_ = std::make_unique<SimProducer>(world_, *this);
  core_->connect(producer_.get());
}

// As the worker does it: purge the old one, serve its reports, then make another.
void Process::renew_producer() {
  later(Micros(0), [this] {
    producer_->purge();
    wait_for_old_producer();
  });
}

void Process::wait_for_old_producer() {
  if (producer_->unreported() > 0) {
    later(producer_settling, [this] { wait_for_old_producer(); });
    return;
  }
  producer_.reset();
  make_producer();
}

}  // namespace tokenrail::simulation
