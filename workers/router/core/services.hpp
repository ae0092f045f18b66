// What attempts and partitions share: the world, and the router they are part of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/http/client.hpp"
#include "common/http/egress.hpp"
#include "common/providers/environment.hpp"
#include "common/registry/projection.hpp"
#include "workers/router/core/answer_budget.hpp"
#include "workers/router/core/circuit.hpp"
#include "workers/router/core/environment.hpp"
#include "workers/router/core/exhausted.hpp"
#include "workers/router/core/in_flight.hpp"
#include "workers/router/core/job.hpp"
#include "workers/router/core/key_rotation.hpp"
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
[[nodiscard]] constexpr Output output_of(Purpose purpose) {
  return purpose == Purpose::chunk || purpose == Purpose::terminal ? Output::chunks
         : purpose == Purpose::dlq                                 ? Output::dlq
                                                                   : Output::audit;
}
/// What a partition reads beside the records that the group hands it: its own logs, and chat.requests once more.
enum class Log : std::uint8_t { chunks, audit, requests };

/// The router as its parts see it.
class Hub {
 public:
  virtual ~Hub() = default;
  /// Moves the one timer that a job has (Millis::max(): none); Partition::on_job_time() follows at or soon after it.
  virtual void set_timer(const JobRef& job, Millis from, Millis to) = 0;
  /// RouterCore::on_wake() follows as soon as what happens now is over, whatever other time is waited for.
  virtual void wake_soon() = 0;
  /// A job is first in its key's line. `at_front`: of its organisation's, because it has waited before.
  virtual void job_ready(const JobRef& job, const std::string& org_id, bool at_front) = 0;
  /// Something has left the window, or has come back.
  virtual void window_changed() = 0;
  [[nodiscard]] virtual const std::string& topic(Output output) const = 0;
  /// Below which size records of that topic are to be kept: of a value on the chunk and audit topics; of a whole record
  /// on the dead-letter topic, before compression. Less than configured where the topic has refused less lately.
  [[nodiscard]] virtual std::size_t record_bytes_max(Output output) const = 0;
  /// The same for a value on the chunk topic that cannot be split: less than configured only where that size was
  /// refused.
  [[nodiscard]] virtual std::size_t whole_chunk_bytes_max() const = 0;
  /// The brokers refused a record of that size for good, or the producer does not take it.
  virtual void record_refused(Output output, std::size_t bytes, std::string_view detail) = 0;
  /// For one attempt: names its chunks to the producer, so that none is written behind one that was refused. Never 0.
  virtual std::uint64_t next_unit() = 0;
  /// For one claim: WORKER-N, where WORKER is the same for all claims of this process.
  virtual std::string next_instance() = 0;
  /// Whatever of that partition waits for its turn or for a connection starts anew.
  virtual void forget_waiting(std::int32_t partition) = 0;
  /// Something looks as if a log were another one: the brokers are asked soon.
  virtual void look_soon() = 0;
  /// A partition found by itself that a log of it is another one. The router reports it, once for each topic, and asks
  /// the brokers about the others soon.
  virtual void log_replaced(Log log, std::int32_t partition) = 0;
  /// Somebody asked, not long ago, for that request to be ended.
  [[nodiscard]] virtual bool is_cancelled(const std::string& org_id, const std::string& request_id) const = 0;
};

struct Services {
  const RouterOptions& options;
  Environment& environment;
  http::Client& http;
  const http::Egress& egress;
  const registry::Projection& projection;
  const providers::Credentials& credentials;
  RouterMetrics& metrics;
  InFlight& in_flight;
  Window& window;
  AnswerBudget& answers;
  Circuits& circuits;
  Exhausted& exhausted;
  KeyRotation& keys;
  RetryBudgets& retries;
  Hub& hub;
};

}  // namespace tokenrail::router
