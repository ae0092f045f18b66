#pragma once

namespace tokenrail::registry_api {

/// What the event loop does here, in the metrics and warnings of long turns (common/telemetry/loop_turns.hpp).
inline constexpr const char* loop_step_name = "registry API";

}  // namespace tokenrail::registry_api
