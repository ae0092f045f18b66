// Reads a topic's partitions from a starting point on, on a loop of its own, until there is enough: what `topics tail`,
// `registry list --projection` and `doctor` share. Blocks; one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/kafka/record.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

struct LogWalk {
  std::string topic;
  std::optional<std::int32_t> partition{};  ///< nothing: all
  bool from_beginning = false;              ///< else from the end at the time of the call
  std::optional<std::int64_t> since_ms{};   ///< from the first record that is not older (Unix) instead
  bool until_end = false;                   ///< stop where the topic ended when reading got there
  std::optional<std::chrono::milliseconds> timeout{};
  bool stop_on_ctrl_c = true;
  /// Called once, when all that the topic contained at the time of the call has been handed on; false: no more.
  std::function<bool()> on_caught_up{};
};

enum class WalkEnd {
  reached_end,
  enough,  ///< `take` returned false
  timed_out,
  interrupted,  ///< Ctrl-C
};

/// `take` gets the records, of each partition in its order; false: no more. Errors: not_found (no such topic or
/// partition), unavailable, and what reading a partition failed with.
[[nodiscard]] Result<WalkEnd> walk_log(const kafka::Properties& properties, const LogWalk& walk,
                                       const std::function<bool(const kafka::Record&)>& take);

}  // namespace tokenrail::cli
