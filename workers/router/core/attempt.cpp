#include "workers/router/core/attempt.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/events/utf8.hpp"
#include "common/providers/call_defaults.hpp"
#include "common/registry/cost.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

namespace {

using events::ErrorCode;
using events::Failure;
using events::FinishReason;
using events::Outcome;

constexpr Millis congestion_look_again{1'000};
constexpr std::size_t conversation_id_bytes_max = 256;

Outcome outcome_of(FinishReason reason, bool called) {
  switch (reason) {
    case FinishReason::cancelled:
      return Outcome::cancelled;
    case FinishReason::duplicate:
      return Outcome::duplicate;
    case FinishReason::error:
      return called ? Outcome::failed : Outcome::rejected;
    default:
      return Outcome::completed;
  }
}

std::string_view message_of(CallClocks::Silence silence) {
  switch (silence) {
    case CallClocks::Silence::kept_alive:
      return "The provider kept the connection alive in the middle of its answer, but sent no token for longer than "
             "router.idle_timeout. Ask again; if it happens often, look at the provider's load.";
    case CallClocks::Silence::fell_silent:
      return "The provider fell silent in the middle of its answer. Ask again; if it happens often, look at the "
             "provider's load.";
    case CallClocks::Silence::no_token:
      break;
  }
  return "The provider sent no token in time. It may be loading the model: ask again, or have the operator raise "
         "router.first_token_timeout.";
}

}  // namespace

Attempt::Attempt(Services& services, Partition& partition, Job& job, std::int64_t number)
    : Holder(job.org_id()),
      services_(services),
      partition_(partition),
      job_(job),
      number_(number),
      unit_(services.hub.next_unit()),
      writer_(job.request_id(), job.org_id(), number),
      said_(services.options.content_policy, services.options.content_bytes_max),
      clocks_(services.environment.now().steady) {}

Attempt::~Attempt() {
  end_transfer();
  leave_hedge();
  services_.answers.hold(*this, 0);
}

const events::ChatRequest* Attempt::request() const {
  return std::get_if<events::ChatRequest>(&job_.request);
}

bool Attempt::stream_wanted() const {
  return request() == nullptr || request()->stream;
}

// --- announce -------------------------------------------------------------------------------------------------------

void Attempt::take_route(std::expected<registry::Route, Failure> route) {
  if (route) {
    route_ = std::move(*route);
    for (const auto& warning : route_.warnings) warn(warning);
    connection_id_ = target().deployment.connection_id;
    if (route_.choice.reason == "auto") services_.metrics.auto_selected(job_.org_id(), route_.choice.view);
  } else {
    refusal_ = std::move(route.error());
  }
}

void Attempt::announce_unread() {
  unread_ = true;
  announce(registry::Route{});
}

void Attempt::announce(std::expected<registry::Route, Failure> route) {
  if (!unread_) take_route(std::move(route));

  write_request(services_.hub.record_bytes_max(Output::audit));
}

void Attempt::announce_again(std::size_t bytes_max) {
  if (phase_ == Phase::announcing) write_request(bytes_max);
}

void Attempt::write_request(std::size_t bytes_max) {
  events::LlmRequest event{.ids = ids()};
  if (const auto* asked = request()) {
    event.model_asked = asked->model;
    const auto parameters = route_.targets.empty()
                                ? providers::call_parameters(*asked, {}, {})
                                : providers::call_parameters(*asked, target().model, target().deployment);
    event.temperature = parameters.temperature;
    event.top_p = parameters.top_p;
    event.top_k = parameters.top_k;
    event.tokens_max = parameters.tokens_max;
    event.seed = asked->seed;
    event.stream = asked->stream;
    for (const auto& tool : asked->tools) event.tool_names.push_back(tool.name);
    event.message_count = static_cast<std::int64_t>(asked->messages.size());
    if (const auto it = asked->metadata.find("conversationId"); it != asked->metadata.end()) {
      event.conversation_id = events::utf8_prefix(it->second, conversation_id_bytes_max);
    }
    events::fill_metadata(event, asked->metadata, services_.options.redaction);
    for (const auto& message : asked->messages) {
      std::string text;
      for (const auto& part : message.content) text += part.text;
      event.content_bytes += static_cast<std::int64_t>(text.size());
      event.messages.push_back({
          .role = std::string(events::name_of(message.role)),
          .content = events::audited(text, services_.options.content_policy, services_.options.content_bytes_max,
                                     services_.options.redaction),
          .parts = static_cast<std::int64_t>(message.content.size()),
          .tool_calls = static_cast<std::int64_t>(message.tool_calls.size()),
      });
    }
  }
  event.model_resolved = model();
  for (const auto& step : route_.targets) {
    event.route.push_back({.deployment_id = step.deployment.id,
                           .provider = step.deployment.provider,
                           .model_name = step.model.model_name});
  }
  const auto& choice = route_.choice;
  event.routing = {.asked = choice.asked,
                   .chosen = choice.chosen,
                   .alias = choice.alias,
                   .variant = choice.variant,
                   .view = choice.view,
                   .reason = choice.reason,
                   .detail = choice.detail};
  partition_.produce_event(Purpose::request_event, job_, events::to_json(event, bytes_max),
                           {.kind = events::AuditFacts::Kind::request,
                            .ids = event.ids,
                            .epoch = event.ids.epoch,
                            .instance = event.ids.instance});
}

void Attempt::answer_duplicate(events::RequestOffset first_offset, std::int64_t first_attempt) {
  services_.metrics.duplicates.add();
  duplicate_of_offset_ = first_offset;
  if (first_attempt > 0) duplicate_of_attempt_ = first_attempt;
  finish(FinishReason::duplicate, std::nullopt);
}

void Attempt::announced() {
  if (phase_ != Phase::announcing) return;
  if (std::exchange(unread_, false)) {
    take_route(partition_.prepare(job_));
    services_.in_flight.connection_changed("", connection_id_);
  }
  if (cancelled_) {
    finish_cancelled();
  } else if (refusal_) {
    const bool cancelled = refusal_->code == ErrorCode::cancelled;
    finish(cancelled ? FinishReason::cancelled : FinishReason::error, std::move(refusal_));
  } else if (services_.environment.now().steady >= job_.deadline && !planted(Bug::deadline_ignored)) {
    finish_late();
  } else {
    start_call();
  }
}

// --- end ------------------------------------------------------------------------------------------------------------

void Attempt::finish(FinishReason reason, std::optional<Failure> failure) {
  if (ended()) return;
  const bool early = reason == FinishReason::error || reason == FinishReason::cancelled;
  if (phase_ == Phase::calling && early) estimate_usage();
  phase_ = Phase::ending;
  keep_call_warnings();
  const auto now = services_.environment.now();
  events::TerminalChunk terminal{
      .seq = seq_,
      .finish_reason = reason,
      .usage = usage_,
      .model = calls_.empty() ? std::nullopt : model(),
      .timing = {.queued_ms = std::max<std::int64_t>(
                     0, (now.wall - clocks_.running_for(now.steady) - job_.queued_since).count()),
                 .first_token_ms = clocks_.first_token_after().transform([](Millis after) { return after.count(); }),
                 .total_ms = clocks_.running_for(now.steady).count()},
      .source_offset = job_.offset.value(),
      .cost_micros = cost_micros(),
      .provider_request_id = provider_request_id_,
      .warnings = warnings_,
      .continued = continuation_.count(),
      .duplicate_of_offset = duplicate_of_offset_.transform(&events::RequestOffset::value),
      .failure = std::move(failure)};
  // Said twice where a worker was lost over it, a duplicate's answer has to be the same to the byte. That is why it
  // names the first by its offset alone: which attempt answers that one may have changed in between.
  if (number_ == 0) terminal.timing = {};
  if (terminal.cost_micros) terminal.price_version = fmt::format("{}", prices().version);
  auto& buffer = partition_.scratch();
  writer_.write_within(buffer, terminal, chunk_bytes_max());
  largest_chunk_ = std::max(largest_chunk_, buffer.size());
  terminal_ = std::move(terminal);
  services_.metrics.queued_ms.observe(static_cast<double>(terminal_->timing.queued_ms));
  partition_.produce_terminal(job_, buffer, number_);
}

/// Of the deployment that was called last.
const events::ModelPrices& Attempt::prices() const {
  const auto& [model, deployment] = target();
  return deployment.prices ? *deployment.prices : model.prices;
}

/// Of what the call that ran last has used. Nothing: unknown.
std::optional<std::int64_t> Attempt::cost_micros() const {
  if (!usage_ || calls_.empty() || route_.targets.empty()) return std::nullopt;
  const auto& deployment = target().deployment;
  if (prices() == events::ModelPrices{}) return std::nullopt;
  const auto tier =
      request() == nullptr ? std::optional(ServiceTier::standard) : providers::service_tier(*request(), deployment);
  if (!tier) return std::nullopt;
  const auto now = services_.environment.now();
  const auto asked_at = now.wall - clocks_.running_for(now.steady);
  return registry::cost_of(prices(), *tier, *usage_, registry::minute_of_day(asked_at.count()));
}

void Attempt::cancel() {
  cancelled_ = true;
  // Before its llm.request is known to count nothing may be published; announced() ends it then.
  if (ended() || phase_ == Phase::announcing) return;
  if (phase_ == Phase::calling) note_calls("cancelled");
  end_transfer();
  finish_cancelled();
}

void Attempt::finish_cancelled() {
  finish(FinishReason::cancelled, Failure::of(ErrorCode::cancelled, "The request was cancelled."));
}

void Attempt::send_terminal_again() {
  auto& buffer = partition_.scratch();
  writer_.write(buffer, *terminal_);
  partition_.produce_terminal(job_, buffer, number_);
}

void Attempt::out_of_time() {
  end_transfer();
  if (phase_ == Phase::calling) note_calls("deadline");
  finish_late();
}

void Attempt::finish_late() {
  finish(FinishReason::error,
         Failure::of(ErrorCode::deadline_exceeded,
                     "The request's time ran out before its answer was whole. Raise timeoutMs, or ask for less."));
}

void Attempt::terminal_acknowledged() {
  if (phase_ != Phase::ending) return;
  phase_ = Phase::answering;
  const bool called = !calls_.empty();
  const auto outcome = outcome_of(terminal_->finish_reason, called);
  auto event = response(outcome);
  services_.metrics.attempt_ended(counted_model(), job_.org_id(), events::name_of(outcome), terminal_->timing, usage_,
                                  terminal_->cost_micros);
  produce_response(Purpose::response_event, std::move(event));
}

void Attempt::produce_response(Purpose purpose, events::LlmResponse event) {
  response_ = {purpose, std::move(event)};
  write_response(services_.hub.record_bytes_max(Output::audit));
  // Written once more it is to be smaller: the text goes first.
  if (auto& content = response_->second.content; content && content->text) {
    content->truncated = content->truncated || !content->text->empty();
    content->text.reset();
  }
}

void Attempt::write_response(std::size_t bytes_max) {
  const auto& [purpose, event] = *response_;
  const bool refused = event.cause == events::cause_refused;
  partition_.produce_event(
      purpose, job_, events::to_json(event, bytes_max),
      {.kind = events::AuditFacts::Kind::response,
       .ids = event.ids,
       .epoch = event.ids.epoch,
       .instance = event.ids.instance,
       .outcome = std::string(events::name_of(event.outcome)),
       .cause = event.cause,
       .error_code = refused && event.failure ? std::string(events::name_of(event.failure->code)) : "",
       .error_message = refused && event.failure ? event.failure->message : "",
       .recovered = event.recovered,
       .called = event.called});
}

void Attempt::respond_again(std::size_t bytes_max) {
  if (response_) write_response(bytes_max);
}

std::size_t Attempt::chunk_bytes_max() const {
  // Whatever a topic has refused, a chunk has to hold something.
  constexpr std::size_t least = 256;
  return std::max(services_.hub.record_bytes_max(Output::chunks), writer_.overhead_bytes() + least);
}

bool Attempt::refuse(Failure failure) {
  if (phase_ == Phase::answering) return false;
  end_transfer();
  terminal_.reset();  // it is not in the log
  close_interrupted("refused", events::cause_refused, std::move(failure));
  return true;
}

bool Attempt::interrupt(std::string_view cause) {
  end_transfer();
  if (ended()) return false;
  close_interrupted("interrupted", cause, std::nullopt);
  return true;
}

void Attempt::close_interrupted(std::string_view error_class, std::string_view cause, std::optional<Failure> failure) {
  if (phase_ == Phase::calling) {
    note_calls(std::string(error_class));
    estimate_usage();
  }
  phase_ = Phase::answering;
  auto event = response(Outcome::interrupted);
  event.cause = std::string(cause);
  event.failure = std::move(failure);
  services_.metrics.attempt_ended(counted_model(), job_.org_id(), events::name_of(Outcome::interrupted), std::nullopt,
                                  usage_, event.cost_micros);
  produce_response(Purpose::interrupted_event, std::move(event));
}

events::LlmResponse Attempt::response(Outcome outcome) {
  events::LlmResponse event{.ids = ids(), .outcome = outcome};
  event.called = !calls_.empty();
  event.calls = calls_;
  event.model = model();
  event.usage = usage_;
  event.cost_micros = terminal_ ? terminal_->cost_micros : cost_micros();
  if (event.cost_micros) event.price_version = fmt::format("{}", prices().version);
  event.chunks = seq_;
  event.tool_calls = tool_call_count_;
  if (!said_.empty()) event.content = said_.finish(services_.options.redaction);
  event.duplicate_of_offset = duplicate_of_offset_.transform(&events::RequestOffset::value);
  event.duplicate_of_attempt = duplicate_of_attempt_;
  if (terminal_) {
    event.finish_reason = terminal_->finish_reason;
    event.timing = terminal_->timing;
    event.chunks = terminal_->seq + 1;
    event.failure = terminal_->failure;
    event.provider_request_id = provider_request_id_;
  }
  return event;
}

events::AttemptIds Attempt::ids() const {
  return {.epoch = partition_.epoch(),
          .instance = partition_.instance(),
          .source_partition = partition_.number(),
          .source_offset = job_.offset,
          .org_id = job_.org_id(),
          .request_id = job_.request_id(),
          .user_id = job_.user_id(),
          .attempt = number_,
          .source_ms = job_.source_ms};
}

std::optional<events::AnsweringModel> Attempt::model() const {
  if (route_.targets.empty()) {
    if (const auto* asked = request(); asked != nullptr && asked->model) {
      return events::AnsweringModel{.provider = asked->model->provider, .name = asked->model->name};
    }
    return std::nullopt;
  }
  return events::AnsweringModel{.provider = target().model.provider, .name = target().model.model_name};
}

/// The labels of its metrics. A name that a sender made up would take the room of a model that exists.
events::AnsweringModel Attempt::counted_model() const {
  const auto named = model();
  if (!named) return RouterMetrics::unresolved();
  if (!route_.targets.empty()) return *named;
  const auto known = [&](std::string_view org_id, std::string_view user_id) {
    return services_.projection.find(org_id, user_id, named->provider, named->name) != nullptr;
  };
  if (known("", "") || known(job_.org_id(), "") || known(job_.org_id(), job_.user_id())) return *named;
  return RouterMetrics::unresolved();
}

// --- clocks ---------------------------------------------------------------------------------------------------------

Millis Attempt::due() const {
  switch (phase_) {
    case Phase::waiting:
      return clocks_.wait_ends(job_.deadline);
    case Phase::calling: {
      if (call_->refusing()) return std::min(clocks_.refusal_ends(), job_.deadline);
      // The first token of an answer that is not streamed is all of it: only the clock of the whole call counts.
      const auto first = stream_wanted() ? call_->started() + services_.options.first_token_timeout : Millis::max();
      return clocks_.call_due(first, services_.options.idle_timeout, job_.deadline);
    }
    default:
      return Millis::max();
  }
}

void Attempt::on_time() {
  const auto now = services_.environment.now().steady;
  if (now < due()) {
    if (due() != Millis::max()) partition_.schedule(job_, due());
    return;
  }
  if (phase_ == Phase::waiting && now < job_.deadline) {
    start_call();
    return;
  }
  if (phase_ != Phase::waiting && phase_ != Phase::calling) return;

  const bool late = now >= job_.deadline;
  if (!late && partition_.congested()) {
    // Silence of our own making: while the producer's queue is full, the provider is not being read.
    partition_.schedule(job_, now + congestion_look_again);
    return;
  }
  if (late) {
    out_of_time();
    return;
  }
  if (call_->refusing() && now >= clocks_.refusal_ends()) {
    call_->end_refusal();
    return;
  }
  if (clocks_.hedge_is_due(now)) {
    start_hedge(now);
    if (now < due()) {
      partition_.schedule(job_, due());
      return;
    }
  }
  call_->stop();
  auto failure = Failure::of(ErrorCode::provider_timeout, std::string(message_of(clocks_.silence())));
  failure.provider = target().deployment.provider;
  call_failed(*call_, {.failure = std::move(failure), .retry = false, .try_next = true, .error_class = "timeout"});
}

void Attempt::resume() {
  if (!call_ || !call_->running()) return;
  clocks_.resumed(services_.environment.now().steady);
  call_->resume();
  if (hedging_) hedge_->resume();
}

}  // namespace tokenrail::router
