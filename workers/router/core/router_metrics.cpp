#include "workers/router/core/router_metrics.hpp"

namespace tokenrail::router {

RouterMetrics::RouterMetrics(telemetry::Metrics& metrics)
    : requests_read(metrics.counter("tokenrail_router_requests_read_total", "Records read from chat.requests.")),
      chunks(metrics.counter("tokenrail_router_chunks_total", "Chunks handed to the producer.")),
      dead_letters(metrics.counter("tokenrail_router_dead_letters_total", "Records written to chat.requests.dlq.")),
      dead_letters_waiting(
          metrics.gauge("tokenrail_router_dead_letters_waiting",
                        "Dead letters that chat.requests.dlq does not take; tried again until it does.")),
      refused_waiting(metrics.gauge("tokenrail_router_refused_waiting",
                                    "Requests of which a topic refuses even the error, or the smallest audit event.")),
      unknown_fields(metrics.counter("tokenrail_router_unknown_fields_total",
                                     "Fields of requests that this version does not know and ignored.")),
      calls(metrics.counter("tokenrail_router_calls_total", "Calls made to providers.")),
      calls_failed(metrics.counter("tokenrail_router_calls_failed_total", "Calls to providers that failed.")),
      commits(metrics.counter("tokenrail_router_commits_total", "Offset commits that the coordinator accepted.")),
      commits_refused(metrics.counter("tokenrail_router_commits_refused_total", "Offset commits that it did not.")),
      claims(metrics.counter("tokenrail_router_claims_total", "Partitions claimed under a new epoch.")),
      repairs(metrics.counter("tokenrail_router_repairs_total",
                              "Partitions claimed again after a delivery report that was not OK.")),
      releases(metrics.counter("tokenrail_router_releases_total", "Partitions given up in order.")),
      recovered(metrics.counter("tokenrail_router_attempts_recovered_total",
                                "Attempts of lost workers whose response was made from their terminal chunk.")),
      interrupted(metrics.counter("tokenrail_router_attempts_interrupted_total",
                                  "Attempts of lost workers that were closed as interrupted.")),
      leases_expired(metrics.counter("tokenrail_router_leases_expired_total",
                                     "Attempts that another worker went on with and stopped renewing.")),
      gaps_read(metrics.counter("tokenrail_router_audit_gaps_read_total",
                                "Times that llm.audit had to be read because somebody else wrote to it.")),
      void_events(metrics.counter("tokenrail_router_void_events_total", "Audit events read that do not count.")),
      tails_cut(metrics.counter("tokenrail_router_tails_cut_total",
                                "Tails that retention had cut before a new owner could read them.")),
      requests_lost(metrics.counter("tokenrail_router_requests_lost_total",
                                    "Offsets of chat.requests that were deleted before the group had completed them.")),
      topics_replaced(metrics.counter("tokenrail_router_topics_replaced_total",
                                      "Times that a topic was found to be another one than was read before.")),
      dedupe_windows_cut(metrics.counter("tokenrail_router_dedupe_windows_cut_total",
                                         "Times that the window for duplicates was cut short by its bytes.")),
      duplicates(metrics.counter("tokenrail_router_duplicates_total", "Requests that had been seen before.")),
      put_back(metrics.counter("tokenrail_router_put_back_total",
                               "Requests put back because too many wait for their provider; read again later.")),
      cancellations(metrics.counter("tokenrail_router_cancellations_total", "Cancellations read.")),
      backpressure_stops(metrics.counter("tokenrail_router_backpressure_stops_total",
                                         "Times that reading of chat.requests stopped because the window was full.")),
      answers_ended(metrics.counter("tokenrail_router_answers_ended_total",
                                    "Answers ended because all that were held together were over their bound.")),
      circuits_open(metrics.gauge("tokenrail_router_circuits_open",
                                  "Deployments that failed so often in a row that others are tried first.")),
      in_flight(metrics.gauge("tokenrail_router_in_flight", "Attempts that run now.")),
      window_requests(metrics.gauge("tokenrail_router_window_requests", "Requests read and not complete.")),
      window_bytes(metrics.gauge("tokenrail_router_window_bytes", "Their bytes.")),
      answers_bytes(metrics.gauge("tokenrail_router_answers_bytes", "Bytes held of answers of providers.")),
      partitions(metrics.gauge("tokenrail_router_partitions", "Partitions owned.")),
      continuing(metrics.gauge("tokenrail_router_continuing", "Partitions given up of which attempts still run here.")),
      first_token_ms(metrics.histogram("tokenrail_router_first_token_ms",
                                       "From the dispatch of an attempt to its first token, in milliseconds.",
                                       telemetry::Metrics::latency_bounds_ms())),
      queued_ms(metrics.histogram("tokenrail_router_queued_ms",
                                  "From a request's timestamp to its dispatch, in milliseconds.",
                                  telemetry::Metrics::latency_bounds_ms())),
      metrics_(metrics) {}

void RouterMetrics::record_refused(const std::string& topic) {
  metrics_
      .counter("tokenrail_router_records_refused_total", "Records that the brokers refused for good, by topic.",
               {{"topic", topic}})
      .add();
}

void RouterMetrics::attempt_ended(const events::AnsweringModel& model, std::string_view org_id,
                                  std::string_view outcome, const std::optional<events::Timing>& timing,
                                  const std::optional<events::Usage>& usage) {
  const telemetry::Labels labels{
      {"provider", model.provider}, {"modelName", model.name}, {"orgId", std::string(org_id)}};
  auto with_outcome = labels;
  with_outcome.emplace_back("outcome", std::string(outcome));
  metrics_.counter("llm_requests_total", "Attempts that ended, by model, organisation and outcome.", with_outcome)
      .add();
  if (usage) {
    metrics_.counter("llm_tokens_input_total", "Input tokens as the providers counted them.", labels)
        .add(static_cast<std::uint64_t>(usage->input_tokens));
    metrics_.counter("llm_tokens_output_total", "Output tokens as the providers counted them.", labels)
        .add(static_cast<std::uint64_t>(usage->output_tokens));
  }
  if (!timing) return;
  metrics_
      .histogram("llm_request_duration_ms", "From the dispatch of an attempt to its terminal chunk, in milliseconds.",
                 telemetry::Metrics::latency_bounds_ms(), {{"provider", model.provider}, {"modelName", model.name}})
      .observe(static_cast<double>(timing->total_ms));
}

}  // namespace tokenrail::router
