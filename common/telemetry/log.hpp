// Logging by spdlog, to standard error: for people, or one JSON object a line. Call once, before the first log line.
// Log with spdlog's own functions (spdlog::info and kin).
#pragma once

#include <string_view>

namespace tokenrail::telemetry {

/// `level`: trace | debug | info | warn | error. `format`: human | json. Every JSON line contains `program`.
/// Control characters and newlines in a message are escaped, so that no input can forge a line.
void start_logging(std::string_view program, std::string_view level, std::string_view format);

}  // namespace tokenrail::telemetry
