// Whether a worker is ready, and what it answers to a probe that asks (common/http/health_server.hpp serves it). Pure.
#pragma once

#include <string>
#include <vector>

namespace tokenrail::telemetry {

/// One thing that has to be well for the worker to be ready: its name, and what is wrong (empty: well). A note is shown
/// and does not make the worker unready.
struct Condition {
  std::string name;
  std::string problem;
  std::string note{};
};

/// The body and status of /readyz: 200 {"ready":true,...} or 503 naming each condition that fails. Pure.
struct ReadyAnswer {
  int status = 200;
  std::string body;
};
[[nodiscard]] ReadyAnswer ready_answer(const std::vector<Condition>& conditions);

}  // namespace tokenrail::telemetry
