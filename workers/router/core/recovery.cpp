#include "workers/router/core/recovery.hpp"

#include <array>
#include <string_view>

#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

using events::FinishReason;
using events::Outcome;

FinishReason finish_reason_from(std::string_view name) {
  constexpr std::array all{FinishReason::stop,           FinishReason::length,    FinishReason::tool_calls,
                           FinishReason::content_filter, FinishReason::cancelled, FinishReason::duplicate};
  for (const auto reason : all) {
    if (events::name_of(reason) == name) return reason;
  }
  return FinishReason::error;
}

Outcome outcome_from(FinishReason reason, bool called) {
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

}  // namespace

std::vector<Closing> plan_recovery(const events::AuditFold& fold, const AnswerTail& answers, const WellWorkers& well) {
  std::vector<Closing> plan;
  for (const auto* const attempt : fold.open()) {
    if (!attempt->continued) plan.push_back(plan_closing(*attempt, answers, well));
  }
  return plan;
}

Closing plan_closing(const events::AuditFold::Attempt& attempt, const AnswerTail& answers, const WellWorkers& well) {
  return {.ids = attempt.ids,
          .terminal = answers.terminal(attempt.ids.source_offset, attempt.ids.attempt),
          .worker_is_well = well.gave_up(attempt) && !planted(Bug::well_is_lost)};
}

events::LlmResponse response_of(const Closing& closing, std::int64_t epoch, const std::string& instance) {
  events::LlmResponse event{.ids = closing.ids};
  event.ids.epoch = epoch;
  event.ids.instance = instance;
  // Who made the calls is gone; whether a provider was called and what it charged is known to nobody here.
  event.calls = std::nullopt;
  if (closing.terminal == nullptr) {
    event.outcome = Outcome::interrupted;
    const bool own = events::worker_of(closing.ids.instance) == events::worker_of(instance);
    event.cause = own || closing.worker_is_well ? cause_repair : cause_lost;
    event.called = true;
    return event;
  }
  const auto& chunk = *closing.terminal;
  const auto reason = finish_reason_from(chunk.finish_reason);
  event.called = chunk.model.has_value();
  event.outcome = outcome_from(reason, event.called);
  event.recovered = true;
  event.finish_reason = reason;
  event.model = chunk.model;
  event.usage = chunk.usage;
  event.cost_micros = chunk.cost_micros;
  event.price_version = chunk.price_version;
  event.timing = chunk.timing;
  event.chunks = chunk.seq + 1;
  event.provider_request_id = chunk.provider_request_id;
  if (!chunk.error_code.empty()) {
    event.failure =
        events::Failure{.code = events::error_code_from(chunk.error_code).value_or(events::ErrorCode::internal),
                        .message = chunk.error_message,
                        .retryable = chunk.error_retryable,
                        .provider = chunk.error_provider,
                        .status = chunk.error_status};
  }
  return event;
}

}  // namespace tokenrail::router
