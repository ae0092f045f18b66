#include "tests/simulation/broker.hpp"

#include <array>

#include "common/kafka/consumer.hpp"

namespace tokenrail::simulation {

namespace {

constexpr std::array<std::string_view, topic_count> names{"chat.requests", "chat.chunks", "llm.audit",
                                                          "chat.requests.dlq", "chat.cancellations"};

}  // namespace

std::string_view name_of(Topic topic) {
  return names[static_cast<std::size_t>(topic)];
}

std::optional<Topic> topic_named(std::string_view name) {
  for (std::size_t i = 0; i < topic_count; ++i) {
    if (names[i] == name) return static_cast<Topic>(i);
  }
  return std::nullopt;
}

std::int64_t Log::clamped(std::int64_t offset) const {
  if (offset == kafka::offset_end) return end();
  if (offset < start || offset > end()) return start;
  return offset;
}

void Log::go_back(std::int64_t to, std::int64_t now_ms) {
  kept_to = std::min(kept_to.value_or(to), to);
  newest_from = to;
  replaced_ms = now_ms;
  ++version;
  end_max = std::max(end_max, end());
  if (to == 0) first = start = 0;
  while (!entries.empty() && end() > to) entries.pop_back();
}

void Log::keep(std::size_t count) {
  while (entries.size() > count) {
    entries.pop_front();
    start = ++first;
  }
}

kafka::Record Log::record(Topic topic, int partition, std::int64_t offset) const {
  const auto& entry = at(offset);
  return {.topic = std::string(name_of(topic)),
          .partition = partition,
          .offset = offset,
          .key = entry.key,
          .value = entry.value,
          .headers = entry.headers,
          .timestamp_ms = entry.timestamp_ms,
          .log_append_time = true};
}

Broker::Broker(int partitions, int cancellation_partitions)
    : committed(static_cast<std::size_t>(partitions)), logs_(topic_count) {
  for (const auto topic : {Topic::requests, Topic::chunks, Topic::audit}) {
    logs_[static_cast<std::size_t>(topic)].resize(static_cast<std::size_t>(partitions));
  }
  logs_[static_cast<std::size_t>(Topic::dlq)].resize(1);
  logs_[static_cast<std::size_t>(Topic::cancellations)].resize(static_cast<std::size_t>(cancellation_partitions));
}

}  // namespace tokenrail::simulation
