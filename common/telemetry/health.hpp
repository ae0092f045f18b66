// The small HTTP server of every worker: /livez, /readyz, /metrics. Loopback by default; never anything that changes
// state. Beast stays behind the .cpp file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "common/result.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::telemetry {

/// One thing that has to be well for the worker to be ready: its name, and what is wrong (empty: well). A note is shown
/// and does not make the worker unready.
struct Condition {
  std::string name;
  std::string problem;
  std::string note{};
};

class HealthServer {
 public:
  /// Binds at once. `listen`: "127.0.0.1:9400", "[::1]:0" (0: any free port). `conditions` is called for each /readyz,
  /// on the loop's thread. Errors: invalid_input (not an address), unavailable (the port is taken).
  static Result<std::unique_ptr<HealthServer>> start(boost::asio::io_context& loop, const std::string& listen,
                                                     const Metrics& metrics,
                                                     std::function<std::vector<Condition>()> conditions);
  virtual ~HealthServer() = default;

  /// The port that is really bound.
  [[nodiscard]] virtual std::uint16_t port() const = 0;

  /// Stops accepting and closes what is open, so that the loop can run out of work.
  virtual void stop() = 0;
};

/// The body and status of /readyz: 200 {"ready":true,...} or 503 naming each condition that fails. Pure.
struct ReadyAnswer {
  int status = 200;
  std::string body;
};
[[nodiscard]] ReadyAnswer ready_answer(const std::vector<Condition>& conditions);

}  // namespace tokenrail::telemetry
