// What attempts and partitions share: the world, and the router they are part of.
#pragma once

#include <cstdint>

#include "common/http/client.hpp"
#include "common/registry/projection.hpp"
#include "workers/router/core/environment.hpp"
#include "workers/router/core/job.hpp"
#include "workers/router/core/options.hpp"
#include "workers/router/core/router_metrics.hpp"

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
  /// An attempt runs; it counts against the bounds of its organisation and connection until attempt_over().
  virtual void attempt_started(const std::string& org_id, const std::string& connection_id) = 0;
  /// An attempt no longer runs: its terminal chunk is acknowledged, or it was dropped.
  virtual void attempt_over(const std::string& org_id, const std::string& connection_id) = 0;
  /// An attempt moved from one connection to another.
  virtual void connection_changed(const std::string& from, const std::string& to) = 0;
  /// Those that wait, for whatever it is, fill half of what the running ones leave of the window; the rest is kept for
  /// those that can start at once.
  [[nodiscard]] virtual bool crowded() const = 0;
  [[nodiscard]] virtual bool org_has_room(const std::string& org_id) const = 0;
  /// A record that was put back is being read again, or no longer is: a place of the process, one of the organisation
  /// and one at the connection (empty: not known yet) are kept for it.
  virtual void fetch_started(const std::string& org_id, const std::string& connection_id) = 0;
  virtual void fetch_over(const std::string& org_id, const std::string& connection_id) = 0;
  /// Of a whole record on the dead-letter topic, before compression.
  [[nodiscard]] virtual std::size_t dead_letter_bytes_max() const = 0;
  /// Whatever of that partition waits for its turn or for a connection starts anew.
  virtual void forget_waiting(std::int32_t partition) = 0;
  /// A job is put back, and counts against the window no more; `kept` bytes remain of it.
  virtual void job_put_back(std::size_t bytes, std::size_t kept) = 0;
  /// A job that was put back counts against the window again.
  virtual void job_back(std::size_t bytes, std::size_t kept) = 0;
  /// A job that was put back is complete, or its partition is gone.
  virtual void put_back_gone(std::size_t kept) = 0;
  /// A job is complete, or its partition is gone.
  virtual void job_gone(std::size_t bytes) = 0;
  /// Somebody asked, not long ago, for that request to be ended.
  [[nodiscard]] virtual bool is_cancelled(const std::string& org_id, const std::string& request_id) const = 0;
};

struct Services {
  const RouterOptions& options;
  Environment& environment;
  http::Client& http;
  const registry::Projection& projection;
  RouterMetrics& metrics;
  Hub& hub;
};

}  // namespace tokenrail::router
