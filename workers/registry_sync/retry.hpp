#pragma once

#include <chrono>

namespace tokenrail::registry_sync {

/// How long a part of the work waits after a call that failed, of the database or of Kafka.
inline constexpr std::chrono::milliseconds retry_after{2'000};

}  // namespace tokenrail::registry_sync
