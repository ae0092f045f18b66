// Values that pass between Kafka and the rest: records, partitions, starting points. No librdkafka type leaves this
// module; nothing here knows what the records mean.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokenrail::kafka {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

/// Name and raw bytes; nothing: null, which is not the same as empty.
using Headers = std::vector<std::pair<std::string, std::optional<std::string>>>;

/// The bytes of the first header of that name; nothing: there is none, or its value is null.
[[nodiscard]] inline std::optional<std::string_view> header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return std::nullopt;
}

/// A record with more headers than that is handed on with one more; the rest are dropped. Each costs some seventy bytes
/// of memory, and as little as two on the wire.
inline constexpr std::size_t record_headers_max = 1'000;

/// One consumed record. Owns its bytes: librdkafka's fetch buffer is given back before the record is handed on.
struct Record {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::optional<std::string> key{};
  std::optional<std::string> value{};  ///< nothing: a tombstone
  Headers headers{};                   ///< at most record_headers_max + 1
  std::int64_t timestamp_ms = -1;      ///< Unix; -1: none
  bool log_append_time = false;        ///< the broker's clock made the timestamp
};

/// What a partition's committed offset says. `metadata` is opaque here.
struct Committed {
  TopicPartition partition;
  std::optional<std::int64_t> offset{};  ///< nothing: never committed, or expired
  std::string metadata{};
};

/// librdkafka properties (CONFIGURATION.md), "bootstrap.servers" among them. A module overrides those that its
/// correctness depends on.
using Properties = std::vector<std::pair<std::string, std::string>>;

}  // namespace tokenrail::kafka
