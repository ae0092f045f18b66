#include <algorithm>

#include "tests/simulation/clients.hpp"
#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {

SimProducer::SimProducer(World& world, Process& process)
    : world_(world), process_(process), self_(std::make_shared<SimProducer*>(this)) {}

SimProducer::~SimProducer() = default;

kafka::TopicHandle SimProducer::topic(const std::string& name) {
  return static_cast<kafka::TopicHandle>(topic_named(name).value_or(Topic::count));
}

kafka::Produced SimProducer::produce(kafka::TopicHandle topic, std::int32_t partition,
                                     std::optional<std::string_view> key, std::optional<std::string_view> value,
                                     const kafka::Headers* headers, std::uint64_t token, std::uint64_t unit) {
  if (fatal_) return kafka::Produced::failed;
  const LineKey where(static_cast<Topic>(topic), partition);
  if (where.first >= Topic::count || partition < 0 || partition >= world_.broker.partitions(where.first)) {
    return kafka::Produced::unknown_topic;
  }
  auto& line = lines_[where];
  const auto max = world_.plan.queue_max;
  if (max > 0 && !world_.healing() && line.appended.size() + line.wire.size() >= max) {
    refused_ = true;
    return kafka::Produced::queue_full;
  }
  if (!process_.speaks()) return kafka::Produced::accepted;  // it died a moment ago, and does not know yet
  line.wire.push_back({.token = token,
                       .unit = unit,
                       .entry = {.key = key ? std::optional<std::string>(*key) : std::nullopt,
                                 .value = value ? std::optional<std::string>(*value) : std::nullopt,
                                 .headers = headers != nullptr ? *headers : kafka::Headers{}},
                       .since = world_.scheduler.now()});
  plan_append(where, line);
  return kafka::Produced::accepted;
}

void SimProducer::plan_append(const LineKey& key, Line& line) {
  if (line.append_due || line.wire.empty() || fatal_ || held(key)) return;
  line.append_due = true;
  // Not the process's own event: what is on the wire arrives also while the process stands still.
  world_.scheduler.after(process_.delay(Stage::append, line.wire.size() - 1), [self = std::weak_ptr(self_), key] {
    if (const auto alive = self.lock()) (*alive)->append_next(key);
  });
}

void SimProducer::append_next(const LineKey& key) {
  auto& line = lines_[key];
  line.append_due = false;
  if (line.wire.empty() || held(key)) return;
  auto next = std::move(line.wire.front());
  line.wire.pop_front();
  const bool again = next.unit != 0 && line.refused_units.contains(next.unit);
  if (again || (line.refuse > 0 && !world_.healing())) {
    if (!again) {
      --line.refuse;
      world_.oracle.refused(key.first, key.second);
    }
    if (next.unit != 0) line.refused_units.insert(next.unit);
    world_.trace.note(world_.scheduler.now(), 2, static_cast<std::uint64_t>(process_.id()), next.token);
    world_.trace.say(world_.scheduler.now(), "{}/{} refuses a record of p{}", name_of(key.first), key.second,
                     process_.id());
    next.refused = true;
    next.entry = {};
    line.offsets.push_back(-1);
    line.appended.push_back(std::move(next));
    plan_append(key, line);
    plan_ack(key, line);
    return;
  }
  line.offsets.push_back(world_.broker.log(key.first, key.second).end());
  next.stamp_ms = world_.calendar_ms();
  auto entry = std::move(next.entry);
  next.entry = {};
  line.appended.push_back(std::move(next));
  plan_append(key, line);
  plan_ack(key, line);
  world_.append(key.first, key.second, std::move(entry), process_.id());
}

void SimProducer::plan_ack(const LineKey& key, Line& line) {
  if (line.ack_due || line.appended.empty() || process_.closed(Gate::acks)) return;
  line.ack_due = true;
  process_.later(process_.delay(Stage::ack, line.appended.size() - 1), [self = std::weak_ptr(self_), key] {
    if (const auto alive = self.lock()) (*alive)->ack_next(key);
  });
}

void SimProducer::ack_next(const LineKey& key) {
  auto& line = lines_[key];
  line.ack_due = false;
  if (line.appended.empty() || process_.closed(Gate::acks)) return;
  auto& luck = process_.luck(Stage::ack);
  // A batch that was sent twice is numbered -1, 0, 1, … by librdkafka.
  const bool doubled = !world_.healing() && luck.chance(world_.plan.duplicate_batch);
  const auto size = doubled
                        ? luck.between(1, std::min<std::int64_t>(3, static_cast<std::int64_t>(line.appended.size())))
                        : std::int64_t{1};
  for (std::int64_t i = 0; i < size && !line.appended.empty(); ++i) {
    const auto token = line.appended.front().token;
    const auto offset = line.offsets.front();
    const bool refused = line.appended.front().refused;
    const auto stamp_ms = line.appended.front().stamp_ms;
    line.appended.pop_front();
    line.offsets.pop_front();
    if (refused) {
      world_.trace.say(world_.scheduler.now(), "  p{} hears that {}/{} refuses", process_.id(), name_of(key.first),
                       key.second);
      process_.core().producer_listener().on_report(
          {.token = token,
           .refused = kafka::Refusal::record,
           .detail = line.refuse_for_size ? "Broker: Message size too large" : "Broker: Invalid record"});
      if (process_.dying()) return;
      break;
    }
    world_.trace.note(world_.scheduler.now(), 1, static_cast<std::uint64_t>(process_.id()), token);
    world_.trace.say(world_.scheduler.now(), "  p{} hears of {}/{}: {}{}", process_.id(), name_of(key.first),
                     key.second, doubled ? i - 1 : offset, doubled ? " (a doubled batch)" : "");
    process_.core().producer_listener().on_report(
        {.token = token, .ok = true, .offset = doubled ? i - 1 : offset, .timestamp_ms = stamp_ms});
    if (process_.dying()) return;
    world_.moment(key.first == Topic::audit ? Moment::audit_ack : Moment::chunk_ack, process_.id());
  }
  plan_ack(key, line);
  if (std::exchange(refused_, false)) {
    process_.later(Micros(0), [self = std::weak_ptr(self_), this] {
      if (self.lock()) process_.core().producer_listener().on_space();
    });
  }
}

bool SimProducer::held(const LineKey& key) const {
  return process_.closed(Gate::appends) || world_.lane_closed(key.first, key.second);
}

void SimProducer::refuse(Topic topic, int partition, int count, bool for_size) {
  auto& line = lines_[{topic, partition}];
  line.refuse += count;
  line.refuse_for_size = for_size;
}

std::size_t SimProducer::unreported() const {
  std::size_t count = purged_;
  for (const auto& [key, line] : lines_) count += line.appended.size() + line.wire.size();
  return count;
}

std::chrono::milliseconds SimProducer::oldest_unreported_age(kafka::TopicHandle topic, std::int32_t partition) const {
  const auto line = lines_.find({static_cast<Topic>(topic), partition});
  if (line == lines_.end()) return std::chrono::milliseconds(0);
  const auto& records = line->second.appended.empty() ? line->second.wire : line->second.appended;
  if (records.empty()) return std::chrono::milliseconds(0);
  return std::chrono::duration_cast<std::chrono::milliseconds>(world_.scheduler.now() - records.front().since);
}

std::vector<Outgoing> SimProducer::take(const LineKey& key, Line& line, Random& random) {
  std::vector<Outgoing> all;
  for (auto& record : line.appended) all.push_back(std::move(record));
  const auto arrive = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(line.wire.size()) + 1));
  std::vector<Outgoing> late;
  for (std::size_t i = 0; i < line.wire.size(); ++i) {
    all.push_back({.token = line.wire[i].token});
    const bool behind_a_refused_one = line.wire[i].unit != 0 && line.refused_units.contains(line.wire[i].unit);
    if (i < arrive && !behind_a_refused_one) late.push_back(std::move(line.wire[i]));
  }
  line.appended.clear();
  line.offsets.clear();
  line.wire.clear();
  world_.leave_residue(key.first, key.second, std::move(late), process_.id(), random.next());
  return all;
}

void SimProducer::report_failed(const std::vector<Outgoing>& records) {
  for (const auto& record : records) {
    if (process_.dying()) return;
    process_.core().producer_listener().on_report(
        {.token = record.token, .ok = false, .fate_unknown = true, .detail = "told to fail"});
  }
}

void SimProducer::fail_line(Topic topic, int partition, Random& random) {
  const LineKey key(topic, partition);
  const auto failed = take(key, lines_[key], random);
  world_.trace.say(world_.scheduler.now(), "p{}: {} records to {}/{} fail", process_.id(), failed.size(),
                   name_of(topic), partition);
  report_failed(failed);
}

void SimProducer::become_fatal() {
  if (std::exchange(fatal_, true)) return;
  world_.trace.say(world_.scheduler.now(), "p{}: the producer is fatal", process_.id());
  process_.core().producer_listener().on_fatal({.kind = ErrorKind::unavailable, .detail = "told to be fatal"});
}

void SimProducer::purge() {
  fatal_ = true;
  std::vector<Outgoing> failed;
  for (auto& [key, line] : lines_) {
    for (auto& record : take(key, line, process_.luck(Stage::append))) failed.push_back(std::move(record));
  }
  purged_ += failed.size();
  process_.later(process_.delay(Stage::ack), [self = std::weak_ptr(self_), failed = std::move(failed)] {
    const auto alive = self.lock();
    if (!alive) return;
    (*alive)->purged_ -= failed.size();
    (*alive)->report_failed(failed);
  });
}

void SimProducer::abandon(Random& random) {
  for (auto& [key, line] : lines_) take(key, line, random);
}

void SimProducer::go_on() {
  for (auto& [key, line] : lines_) {
    plan_append(key, line);
    plan_ack(key, line);
  }
  if (world_.healing() && std::exchange(refused_, false)) {
    process_.later(Micros(0), [self = std::weak_ptr(self_), this] {
      if (self.lock()) process_.core().producer_listener().on_space();
    });
  }
}

}  // namespace tokenrail::simulation
