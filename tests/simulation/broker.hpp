// The brokers' side: logs by topic and partition, and what the group has committed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka/record.hpp"

namespace tokenrail::simulation {

enum class Topic : std::uint8_t { requests, chunks, audit, dlq, cancellations, count };
inline constexpr std::size_t topic_count = static_cast<std::size_t>(Topic::count);
[[nodiscard]] std::string_view name_of(Topic topic);
[[nodiscard]] std::optional<Topic> topic_named(std::string_view name);

struct Entry {
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  kafka::Headers headers{};
  std::int64_t timestamp_ms = 0;
};

struct Log {
  std::deque<Entry> entries{};
  std::int64_t first = 0;                 ///< offset of the first entry that is kept
  std::int64_t start = 0;                 ///< what lies below has been deleted, as far as readers know
  std::optional<std::int64_t> kept_to{};  ///< what lies below has been there all the time; nothing: all of it has
  std::int64_t newest_from = 0;           ///< from here on everything is newer than replaced_ms
  std::int64_t replaced_ms = -1;          ///< Unix; when it was another log, or went back, last
  std::int64_t version = 0;               ///< how often it was
  std::int64_t end_max = 0;               ///< the highest end that it then had

  [[nodiscard]] std::int64_t end() const { return first + static_cast<std::int64_t>(entries.size()); }
  [[nodiscard]] const Entry& at(std::int64_t offset) const { return entries[static_cast<std::size_t>(offset - first)]; }
  /// Keeps no more than that many; for histories of a million records.
  void keep(std::size_t count);
  /// What lies from that offset on is gone, and what is appended takes its place; 0: it is a new log.
  void go_back(std::int64_t to, std::int64_t now_ms);
  /// Where a reader that asks for `offset` begins.
  [[nodiscard]] std::int64_t clamped(std::int64_t offset) const;
  [[nodiscard]] kafka::Record record(Topic topic, int partition, std::int64_t offset) const;
};

class Broker {
 public:
  Broker(int partitions, int cancellation_partitions);

  [[nodiscard]] const Log& log(Topic topic, int partition) const {
    return logs_[static_cast<std::size_t>(topic)][static_cast<std::size_t>(partition)];
  }
  Log& log(Topic topic, int partition) {
    return logs_[static_cast<std::size_t>(topic)][static_cast<std::size_t>(partition)];
  }
  [[nodiscard]] int partitions(Topic topic) const {
    return static_cast<int>(logs_[static_cast<std::size_t>(topic)].size());
  }

  struct Committed {
    std::optional<std::int64_t> offset{};
    std::string metadata{};
  };
  std::vector<Committed> committed;  ///< by partition of the requests

 private:
  std::vector<std::vector<Log>> logs_;
};

}  // namespace tokenrail::simulation
