// Which settings of topics and programs work together. One rule set for the router's start, `tokenrail topics apply`,
// `topics check` and `doctor`, so that each refuses the same in the same words. Pure: descriptions in, findings out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/settings.hpp"
#include "common/kafka/admin.hpp"
#include "common/topics/names.hpp"
#include "common/topics/record_size.hpp"

namespace tokenrail::topics {

/// Bytes. Key, headers and the frames of a record and its batch, beside the value of a chunk or an audit event.
inline constexpr std::int64_t record_frame_bytes = 16 * 1024;
/// Bytes. The headers of a dead letter that say why, on top of the request as it was received.
inline constexpr std::int64_t dead_letter_frame_bytes = 64 * 1024;
/// Bytes. Largest record that the router's producer takes (message.max.bytes), dead letters included.
inline constexpr std::int64_t produced_bytes_max = 72LL * 1024 * 1024;
/// Bytes. librdkafka's default of receive.message.max.bytes: a longer answer of a broker is never read.
inline constexpr std::int64_t receive_bytes_default = 100'000'000;

/// Partitions of chat.requests. The attempts of more would share numbers (common/events/epochs.hpp), and readers of
/// chunks could mix two answers.
inline constexpr std::int32_t request_partitions_max = 1'024;

/// The router's setting that the topics' limits are held against; other programs borrow it.
inline constexpr config::Setting record_bytes_setting{
    .name = "router.record_bytes_max",
    .env = {},
    .kind = config::Kind::bytes,
    .default_value = "900KiB",  // record_bytes_default; a test compares them
    .help = "Largest chunk or audit event written; below max.message.bytes of chat.chunks and llm.audit.",
    .min = 16 * 1024,
    .max = 64LL * 1024 * 1024};

/// What the programs are set to.
struct Limits {
  std::int64_t record_bytes_max = record_bytes_default;    ///< router.record_bytes_max
  std::int64_t receive_bytes_max = receive_bytes_default;  ///< receive.message.max.bytes
};
[[nodiscard]] Limits limits_of(const config::Values& values);

/// A numeric setting of a topic. Nothing: the broker does not report it, or it is no number.
[[nodiscard]] std::optional<std::int64_t> number_of(const kafka::TopicDescription& topic, const std::string& name);

struct Finding {
  enum class Severity {
    problem,  ///< requests would fail or be lost; the router does not start
    warning,  ///< a risk, or something that is under way
  };
  Severity severity = Severity::problem;
  std::vector<std::string> topics{};
  std::string text{};    ///< topic, setting, value, and why that does not work
  std::string remedy{};  ///< what to do
  [[nodiscard]] bool is_about(const std::string& topic) const {
    return std::ranges::find(topics, topic) != topics.end();
  }
};
/// The text and what to do, as one line.
[[nodiscard]] std::string line_of(const Finding& finding);

/// `there`: those that exist. Problems first, then warnings.
[[nodiscard]] std::vector<Finding> judge(const Limits& limits, const Names& names,
                                         const std::vector<kafka::TopicDescription>& there);

}  // namespace tokenrail::topics
