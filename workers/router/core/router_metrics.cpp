#include "workers/router/core/router_metrics.hpp"

#include "workers/router/core/metric_families.hpp"

namespace tokenrail::router {

RouterMetrics::RouterMetrics(telemetry::Metrics& metrics)
    : requests_read(metrics.counter(metric_family("tokenrail_router_requests_read_total"))),
      chunks(metrics.counter(metric_family("tokenrail_router_chunks_total"))),
      dead_letters(metrics.counter(metric_family("tokenrail_router_dead_letters_total"))),
      dead_letters_waiting(metrics.gauge(metric_family("tokenrail_router_dead_letters_waiting"))),
      refused_waiting(metrics.gauge(metric_family("tokenrail_router_refused_waiting"))),
      unknown_fields(metrics.counter(metric_family("tokenrail_router_unknown_fields_total"))),
      calls(metrics.counter(metric_family("tokenrail_router_calls_total"))),
      calls_failed(metrics.counter(metric_family("tokenrail_router_calls_failed_total"))),
      fields_left_out(metrics.counter(metric_family("tokenrail_router_fields_left_out_total"))),
      events_skipped(metrics.counter(metric_family("tokenrail_router_events_skipped_total"))),
      hedges(metrics.counter(metric_family("tokenrail_router_hedges_total"))),
      hedges_won(metrics.counter(metric_family("tokenrail_router_hedges_won_total"))),
      credentials_missing(metrics.counter(metric_family("tokenrail_router_credentials_missing_total"))),
      commits(metrics.counter(metric_family("tokenrail_router_commits_total"))),
      commits_refused(metrics.counter(metric_family("tokenrail_router_commits_refused_total"))),
      claims(metrics.counter(metric_family("tokenrail_router_claims_total"))),
      repairs(metrics.counter(metric_family("tokenrail_router_repairs_total"))),
      releases(metrics.counter(metric_family("tokenrail_router_releases_total"))),
      recovered(metrics.counter(metric_family("tokenrail_router_attempts_recovered_total"))),
      interrupted(metrics.counter(metric_family("tokenrail_router_attempts_interrupted_total"))),
      leases_expired(metrics.counter(metric_family("tokenrail_router_leases_expired_total"))),
      gaps_read(metrics.counter(metric_family("tokenrail_router_audit_gaps_read_total"))),
      void_events(metrics.counter(metric_family("tokenrail_router_void_events_total"))),
      tails_cut(metrics.counter(metric_family("tokenrail_router_tails_cut_total"))),
      requests_lost(metrics.counter(metric_family("tokenrail_router_requests_lost_total"))),
      topics_replaced(metrics.counter(metric_family("tokenrail_router_topics_replaced_total"))),
      dedupe_windows_cut(metrics.counter(metric_family("tokenrail_router_dedupe_windows_cut_total"))),
      duplicates(metrics.counter(metric_family("tokenrail_router_duplicates_total"))),
      put_back(metrics.counter(metric_family("tokenrail_router_put_back_total"))),
      cancellations(metrics.counter(metric_family("tokenrail_router_cancellations_total"))),
      backpressure_stops(metrics.counter(metric_family("tokenrail_router_backpressure_stops_total"))),
      answers_ended(metrics.counter(metric_family("tokenrail_router_answers_ended_total"))),
      in_flight(metrics.gauge(metric_family("tokenrail_router_in_flight"))),
      window_requests(metrics.gauge(metric_family("tokenrail_router_window_requests"))),
      window_bytes(metrics.gauge(metric_family("tokenrail_router_window_bytes"))),
      answers_bytes(metrics.gauge(metric_family("tokenrail_router_answers_bytes"))),
      partitions(metrics.gauge(metric_family("tokenrail_router_partitions"))),
      partitions_waiting(metrics.gauge(metric_family("tokenrail_router_partitions_waiting"))),
      continuing(metrics.gauge(metric_family("tokenrail_router_continuing"))),
      first_token_ms(
          metrics.histogram(metric_family("tokenrail_router_first_token_ms"), telemetry::Metrics::latency_bounds_ms())),
      queued_ms(
          metrics.histogram(metric_family("tokenrail_router_queued_ms"), telemetry::Metrics::latency_bounds_ms())),
      metrics_(metrics) {}

void RouterMetrics::record_refused(const std::string& topic) {
  metrics_.counter(metric_family("tokenrail_router_records_refused_total"), {topic}).add();
}

void RouterMetrics::circuit_changed(const events::DeploymentState& deployment, bool opened) {
  // Added, not set: connections beyond the bound of series share one.
  metrics_.gauge(metric_family("tokenrail_router_circuits_open"), {deployment.provider, deployment.connection_name})
      .add(opened ? 1 : -1);
}

void RouterMetrics::key_rested(const events::DeploymentState& deployment, std::string_view reason) {
  metrics_
      .counter(metric_family("tokenrail_router_keys_rested_total"),
               {deployment.provider, deployment.connection_name, reason})
      .add();
}

void RouterMetrics::rate_limits(const events::DeploymentState& deployment, const providers::RateLimits& limits) {
  const auto set = [&](std::string_view resource, const providers::RateLimit& limit) {
    const auto gauge = [&](const telemetry::MetricFamily& family) -> telemetry::Gauge& {
      return metrics_.gauge(family,
                            {deployment.provider, deployment.connection_name, deployment.upstream_name, resource});
    };
    if (limit.remaining) {
      gauge(metric_family("tokenrail_router_rate_limit_remaining")).set(static_cast<double>(*limit.remaining));
    }
    if (limit.limit) gauge(metric_family("tokenrail_router_rate_limit")).set(static_cast<double>(*limit.limit));
  };
  set("requests", limits.requests);
  set("tokens", limits.tokens);
  set("input_tokens", limits.input_tokens);
  set("output_tokens", limits.output_tokens);
}

void RouterMetrics::auto_selected(std::string_view org_id, std::string_view view) {
  metrics_.counter(metric_family("tokenrail_router_auto_selections_total"), {org_id, view}).add();
}

void RouterMetrics::attempt_ended(const events::AnsweringModel& model, std::string_view org_id,
                                  std::string_view outcome, const std::optional<events::Timing>& timing,
                                  const std::optional<events::Usage>& usage,
                                  const std::optional<std::int64_t>& cost_micros) {
  metrics_.counter(metric_family("llm_requests_total"), {model.provider, model.name, org_id, outcome}).add();
  if (usage) {
    metrics_.counter(metric_family("llm_tokens_input_total"), {model.provider, model.name, org_id})
        .add(static_cast<std::uint64_t>(usage->input_tokens));
    metrics_.counter(metric_family("llm_tokens_output_total"), {model.provider, model.name, org_id})
        .add(static_cast<std::uint64_t>(usage->output_tokens));
  }
  if (cost_micros && *cost_micros > 0) {
    metrics_.counter(metric_family("llm_cost_micros_total"), {model.provider, model.name, org_id})
        .add(static_cast<std::uint64_t>(*cost_micros));
  }
  if (!timing) return;
  metrics_
      .histogram(metric_family("llm_request_duration_ms"), telemetry::Metrics::latency_bounds_ms(),
                 {model.provider, model.name})
      .observe(static_cast<double>(timing->total_ms));
}

}  // namespace tokenrail::router
