// A second call beside one whose first token is slow. The first of them that says something goes on as the attempt's
// call; the other one is ended. Nothing is published before that.
#include <algorithm>
#include <utility>
#include <variant>

#include "common/providers/token_counts.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

namespace {

/// Of an event that makes its call the one that answers.
struct SaysSomething {
  bool operator()(const providers::TextDelta& delta) const { return !delta.text.empty(); }
  bool operator()(const providers::ReasoningDelta& delta) const { return !delta.text.empty(); }
  bool operator()(const providers::ToolCallDone& /*done*/) const { return true; }
  bool operator()(const providers::OpaqueBlock& /*block*/) const { return true; }
  bool operator()(const providers::AnswerFinished& /*finished*/) const { return true; }
  bool operator()(const providers::UsageReport& /*report*/) const { return false; }
  bool operator()(const providers::ProviderRequestId& /*id*/) const { return false; }
  bool operator()(const providers::AnswerWarning& /*warning*/) const { return false; }
  bool operator()(const providers::AnswerFailed& /*failed*/) const { return false; }
};

}  // namespace

void Attempt::plan_hedge() {
  const auto at = hedge_due(services_.options.hedge, {.streamed = stream_wanted(),
                                                      .continues = !continuation_.prefix().empty(),
                                                      .hedged = hedge_ != nullptr,
                                                      .more_targets = target_ + 1 < route_.targets.size(),
                                                      .calls_made = static_cast<int>(calls_.size()) + 1,
                                                      .calls_max = services_.options.retry.calls_max,
                                                      .started = call_->started(),
                                                      .deadline = job_.deadline});
  clocks_.hedge_at(at.value_or(Millis::max()));
}

/// Whether a hedge may be made at that deployment now. Asking may take the probe of its circuit.
bool Attempt::can_hedge(const registry::RouteTarget& other, Millis now) const {
  const auto key = circuit_key(other);
  return key != circuit_key(target()) && can_take(other) && has_key(other, now) &&
         !services_.exhausted.over(key, allowed(other), now) &&
         services_.retries.has_one(other.deployment.connection_id) &&
         services_.in_flight.connection_has_room(other.deployment.connection_id) && !services_.exhausted.is(key, now) &&
         services_.circuits.admit(key, now);
}

/// Calls the first deployment behind the present one that is well. Where there is none, or no retry is left in the
/// budget, the call goes on alone.
void Attempt::start_hedge(Millis now) {
  clocks_.hedge_at(Millis::max());
  const auto next = route_.targets.begin() + static_cast<std::ptrdiff_t>(target_ + 1);
  for (auto it = next; it != route_.targets.end(); ++it) {
    if (!can_hedge(*it, now)) continue;
    std::rotate(next, it, it + 1);  // the call that runs refers to the target before
    hedge_ = make_call(*next, now);
    if (!start(*hedge_)) {
      hedge_.reset();
      continue;
    }
    hedging_ = true;
    note_use(*next, 1, 0);
    early_ = {.warnings = first_warnings(*hedge_)};
    services_.in_flight.connection_changed("", next->deployment.connection_id);
    services_.retries.take(next->deployment.connection_id);
    services_.metrics.hedges.add();
    return;
  }
}

/// That call of the two has begun its answer: the other one is ended.
void Attempt::decide_between_two(const ProviderCall& first) {
  const bool hedge_won = &first == hedge_.get();
  auto& loser = hedge_won ? *call_ : *hedge_;
  if (!planted(Bug::slower_call_goes_on)) loser.stop();
  note_call(loser, "hedge_lost");
  if (hedge_won) {
    services_.metrics.hedges_won.add();
    go_on_with_hedge();
  } else {
    leave_hedge();
  }
}

/// What `call` says while two run. False: it was noted for the case that the hedge is the one that answers.
bool Attempt::take_of_two(const ProviderCall& call, providers::AnswerEvent& event) {
  if (std::visit(SaysSomething{}, event)) {
    decide_between_two(call);
    return true;
  }
  if (&call != hedge_.get()) return true;
  if (auto* const report = std::get_if<providers::UsageReport>(&event)) {
    if (providers::believable(report->usage)) {
      early_.usage = report->usage;
      early_.usage_is_last = report->last;
    } else {
      add_warning(early_.warnings, usage_not_believed);
    }
  } else if (const auto* const id = std::get_if<providers::ProviderRequestId>(&event)) {
    early_.provider_request_id = kept_request_id(id->id);
  } else if (const auto* const warning = std::get_if<providers::AnswerWarning>(&event)) {
    add_warning(early_.warnings, warning->text);
  }
  return false;
}

/// One of two calls failed before either has said something: the other one goes on alone.
void Attempt::one_of_two_failed(const ProviderCall& call) {
  if (&call == call_.get()) {
    go_on_with_hedge();
  } else {
    leave_hedge();
    // It has been tried, so the others are tried before it is again.
    const auto next = route_.targets.begin() + static_cast<std::ptrdiff_t>(target_ + 1);
    std::rotate(next, next + 1, route_.targets.end());
  }
  partition_.schedule(job_, due());
}

/// The hedge becomes the attempt's call. The other one is kept as long: it may be on the stack.
void Attempt::go_on_with_hedge() {
  hedging_ = false;
  std::swap(call_, hedge_);
  services_.in_flight.connection_changed(connection_id_, "");
  ++target_;
  connection_id_ = target().deployment.connection_id;
  calls_on_target_ = 1;
  key_changes_ = 0;
  call_warnings_ = std::move(early_.warnings);
  usage_ = early_.usage;
  usage_is_last_ = early_.usage_is_last;
  provider_request_id_ = std::move(early_.provider_request_id);
}

/// The hedge is over and the attempt's call goes on.
void Attempt::leave_hedge() {
  if (!std::exchange(hedging_, false)) return;
  services_.in_flight.connection_changed(route_.targets[target_ + 1].deployment.connection_id, "");
}

}  // namespace tokenrail::router
