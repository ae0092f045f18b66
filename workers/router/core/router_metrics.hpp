// The router's metrics; the names of the first group are fixed by the specification this system grew from.
#pragma once

#include <string>
#include <string_view>

#include "common/events/chunk.hpp"
#include "common/events/model_event.hpp"
#include "common/providers/rate_limits.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::router {

class RouterMetrics {
 public:
  explicit RouterMetrics(telemetry::Metrics& metrics);

  /// At the end of every attempt. `model`: what answered, or what was asked for.
  /// Stands for the model where no route was found, or where nobody knows which one it was.
  [[nodiscard]] static events::AnsweringModel unresolved() { return {.provider = "unresolved", .name = "unresolved"}; }
  /// `timing`: nothing of one that was interrupted; it has no end.
  void attempt_ended(const events::AnsweringModel& model, std::string_view org_id, std::string_view outcome,
                     const std::optional<events::Timing>& timing, const std::optional<events::Usage>& usage,
                     const std::optional<std::int64_t>& cost_micros);

  /// "auto" has selected a model. `view`: from which saved view; empty: from the whole registry.
  void auto_selected(std::string_view org_id, std::string_view view);

  /// What the provider says is left of its rate limits.
  void rate_limits(const events::DeploymentState& deployment, const providers::RateLimits& limits);

  /// The circuit of one of that connection's deployments was opened or closed.
  void circuit_changed(const events::DeploymentState& deployment, bool opened);

  /// A key of that connection rests. `reason`: "refused" or "limited".
  void key_rested(const events::DeploymentState& deployment, std::string_view reason);

  /// The brokers refused a record of that topic for good.
  void record_refused(const std::string& topic);

  telemetry::Counter& requests_read;
  telemetry::Counter& chunks;
  telemetry::Counter& dead_letters;
  telemetry::Gauge& dead_letters_waiting;
  telemetry::Gauge& refused_waiting;
  telemetry::Counter& unknown_fields;
  telemetry::Counter& calls;
  telemetry::Counter& calls_failed;
  telemetry::Counter& fields_left_out;
  telemetry::Counter& events_skipped;
  telemetry::Counter& hedges;
  telemetry::Counter& hedges_won;
  telemetry::Counter& credentials_missing;
  telemetry::Counter& commits;
  telemetry::Counter& commits_refused;
  telemetry::Counter& claims;
  telemetry::Counter& repairs;
  telemetry::Counter& releases;
  telemetry::Counter& recovered;
  telemetry::Counter& interrupted;
  telemetry::Counter& leases_expired;
  telemetry::Counter& gaps_read;
  telemetry::Counter& void_events;
  telemetry::Counter& tails_cut;
  telemetry::Counter& requests_lost;
  telemetry::Counter& topics_replaced;
  telemetry::Counter& dedupe_windows_cut;
  telemetry::Counter& duplicates;
  telemetry::Counter& put_back;
  telemetry::Counter& cancellations;
  telemetry::Counter& backpressure_stops;
  telemetry::Counter& answers_ended;
  telemetry::Gauge& in_flight;
  telemetry::Gauge& window_requests;
  telemetry::Gauge& window_bytes;
  telemetry::Gauge& answers_bytes;
  telemetry::Gauge& partitions;
  telemetry::Gauge& partitions_waiting;
  telemetry::Gauge& continuing;
  telemetry::Histogram& first_token_ms;
  telemetry::Histogram& queued_ms;

 private:
  telemetry::Metrics& metrics_;
};

}  // namespace tokenrail::router
