// How one log line looks; apart from spdlog, so that it can be tested as a function. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace tokenrail::telemetry {

/// A message longer than this is cut: what a provider sent must not fill a disk through an error text.
inline constexpr std::size_t log_message_bytes_max = 8 * 1024;

struct LogLine {
  std::chrono::system_clock::time_point time;
  std::string_view level;
  std::string_view program;
  std::string_view message;
};

/// `2026-03-01T12:00:00.123Z warn  the message`, without a line end.
[[nodiscard]] std::string human_line(const LogLine& line);

/// `{"time":…,"level":…,"program":…,"message":…}`, without a line end.
[[nodiscard]] std::string json_line(const LogLine& line);

}  // namespace tokenrail::telemetry
