// The topics at the end of a history, judged as `tokenrail verify` judges those of a real cluster.
#pragma once

#include <optional>

#include "tests/simulation/broker.hpp"
#include "tests/simulation/oracle.hpp"

namespace tokenrail::simulation {

/// `calendars`: brokers' timestamps and those of workers may be far apart. `tampered`: a tool wrote committed offsets.
[[nodiscard]] std::optional<Violation> verified(const Broker& broker, const Oracle& oracle);

}  // namespace tokenrail::simulation
