#include <algorithm>

#include "tests/simulation/clients.hpp"
#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {

SimLogReader::SimLogReader(World& world, Process& process)
    : world_(world), process_(process), self_(std::make_shared<SimLogReader*>(this)) {}

SimLogReader::~SimLogReader() = default;

void SimLogReader::start(const std::vector<kafka::StartingPoint>& points) {
  for (const auto& point : points) {
    const auto topic = topic_named(point.partition.topic);
    if (!topic || point.partition.partition >= world_.broker.partitions(*topic)) continue;
    const Key key(*topic, point.partition.partition);
    auto& cursor = cursors_[key];
    cursor = {.version = ++versions_, .next = point.offset};
    plan(key, cursor);
  }
}

void SimLogReader::stop(const std::vector<kafka::TopicPartition>& partitions) {
  for (const auto& partition : partitions) {
    if (const auto topic = topic_named(partition.topic)) cursors_.erase({*topic, partition.partition});
  }
}

void SimLogReader::set_reading(bool reading) {
  reading_ = reading;
  go_on();
}

void SimLogReader::go_on() {
  for (auto& [key, cursor] : cursors_) plan(key, cursor);
}

void SimLogReader::plan(const Key& key, Cursor& cursor) {
  if (cursor.due || !reading_ || process_.closed(Gate::reads)) return;
  if (key.first == Topic::cancellations && !process_.reads_cancellations()) return;
  const auto end = world_.broker.log(key.first, key.second).end();
  if (cursor.told && end == cursor.next) return;
  cursor.due = true;
  const auto behind = static_cast<std::size_t>(std::max<std::int64_t>(0, end - std::max<std::int64_t>(cursor.next, 0)));
  process_.later(process_.delay(Stage::read, cursor.end ? behind : 0),
                 [self = std::weak_ptr(self_), key, version = cursor.version] {
                   if (const auto alive = self.lock()) (*alive)->step(key, version);
                 });
}

void SimLogReader::step(const Key& key, std::uint64_t version) {
  const auto it = cursors_.find(key);
  if (it == cursors_.end() || it->second.version != version) return;
  auto& cursor = it->second;
  cursor.due = false;
  if (!reading_ || process_.closed(Gate::reads)) return;
  const auto& log = world_.broker.log(key.first, key.second);
  if (!cursor.end || cursor.told || *cursor.end > log.end()) {
    cursor.next = log.clamped(cursor.next);
    cursor.end = log.end();
    cursor.told = false;
  }
  cursor.next = std::max(cursor.next, log.start);
  auto& listener = process_.core().log_listener();
  const auto at = cursor.next;
  world_.trace.note(world_.scheduler.now(), 7, static_cast<std::uint64_t>(process_.id()),
                    static_cast<std::uint64_t>(at));
  world_.trace.say(world_.scheduler.now(), "  p{} reads {}/{}: {} {}", process_.id(), name_of(key.first), key.second,
                   at < *cursor.end ? "record" : "end", at);
  if (at < *cursor.end) {
    ++cursor.next;
    ++handed_on_[static_cast<std::size_t>(key.first)];
    plan(key, cursor);
    if (key.first == Topic::requests) world_.oracle.request_read_again();
    listener.on_record(log.record(key.first, key.second, at));
    world_.moment(key.first == Topic::chunks ? Moment::chunk_read : Moment::audit_read, process_.id());
  } else {
    cursor.told = true;
    plan(key, cursor);
    listener.on_end({.topic = std::string(name_of(key.first)), .partition = key.second}, at);
  }
}

}  // namespace tokenrail::simulation
