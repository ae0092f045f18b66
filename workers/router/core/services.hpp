// What attempts and partitions share: the world, and the router they are part of.
#pragma once

#include <cstdint>

#include "common/http/client.hpp"
#include "common/registry/projection.hpp"
#include "workers/router/core/environment.hpp"
#include "workers/router/core/in_flight.hpp"
#include "workers/router/core/job.hpp"
#include "workers/router/core/options.hpp"
#include "workers/router/core/router_metrics.hpp"
#include "workers/router/core/window.hpp"

namespace tokenrail::router {

/// What a record that was produced was for; its delivery report is dealt with accordingly.
enum class Purpose : std::uint8_t {
  chunk,
  terminal,
  request_event,
  response_event,
  interrupted_event,  ///< closes an attempt of our own
  closing_event,      ///< closes an attempt of somebody who is gone
  claim,
  released,
  renewal,
  loss,
  dlq,
};

/// Which of the router's topics a record goes to.
enum class Output : std::uint8_t { chunks, audit, dlq };
/// What a partition reads beside the records that the group hands it: its own logs, and chat.requests once more.
enum class Log : std::uint8_t { chunks, audit, requests };

/// The router as its parts see it.
class Hub {
 public:
  virtual ~Hub() = default;
  /// Moves the one timer that a job has (Millis::max(): none); Partition::on_job_time() follows at or soon after it.
  virtual void set_timer(const JobRef& job, Millis from, Millis to) = 0;
  /// A job is first in its key's line. `at_front`: of its organisation's, because it has waited before.
  virtual void job_ready(const JobRef& job, const std::string& org_id, bool at_front) = 0;
  /// Something has left the window, or has come back.
  virtual void window_changed() = 0;
  /// Of a whole record on the dead-letter topic, before compression.
  [[nodiscard]] virtual std::size_t dead_letter_bytes_max() const = 0;
  /// Whatever of that partition waits for its turn or for a connection starts anew.
  virtual void forget_waiting(std::int32_t partition) = 0;
  /// Somebody asked, not long ago, for that request to be ended.
  [[nodiscard]] virtual bool is_cancelled(const std::string& org_id, const std::string& request_id) const = 0;
};

struct Services {
  const RouterOptions& options;
  Environment& environment;
  http::Client& http;
  const registry::Projection& projection;
  RouterMetrics& metrics;
  InFlight& in_flight;
  Window& window;
  Hub& hub;
};

}  // namespace tokenrail::router
