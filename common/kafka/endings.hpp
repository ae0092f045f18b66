// What ends beside the loop: ending a librdkafka client waits for its threads, and a thread of ours may be inside a
// call that waits for a broker. The caller that gives such a thing up goes on at once. The process waits for all of
// them when it ends, at most `end_wait_max` together.
#pragma once

#include <chrono>
#include <cstddef>

namespace tokenrail::kafka {

/// librdkafka 2.0.2 has several ways to hang while a client ends. One that takes longer is left behind.
inline constexpr std::chrono::seconds end_wait_max{3};

/// Clients of this process that were given up and have not ended yet, without those that are left behind. Zero: nothing
/// more is sent by any of them. Any thread.
[[nodiscard]] std::size_t clients_ending();

}  // namespace tokenrail::kafka
