// The calls of an attempt: which deployment is called next, and what a call that failed leads to.
//
// Before the first token a failed call is made again or another deployment is tried, unseen by the reader. After it the
// sender's onInterrupt decides: the attempt ends with the error, or the request runs again as a new attempt
// ("restart"), or another call continues the answer from what was published ("continue").
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/providers/call_defaults.hpp"
#include "common/providers/estimate.hpp"
#include "common/providers/rate_limits.hpp"
#include "common/release.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

namespace {

using events::ErrorCode;
using events::Failure;
using events::FinishReason;
using events::OnInterrupt;
using events::Role;

constexpr Millis deadline_slack{1'000};
constexpr std::string_view begins_again_class = "begins_again";

/// What says something about the deployment, and not about this request.
bool says_broken(ErrorCode code) {
  return code == ErrorCode::provider_unavailable || code == ErrorCode::provider_timeout ||
         code == ErrorCode::provider_protocol;
}

}  // namespace

std::string Attempt::circuit_key(const registry::RouteTarget& target) {
  return target.deployment.connection_id + "/" + target.deployment.upstream_name;
}

bool Attempt::takes_prefill(const registry::RouteTarget& target) const {
  const auto* const adapter = providers::find_provider(target.deployment.adapter);
  return adapter != nullptr && adapter->takes_prefill(ProviderCall::target_of(target.deployment));
}

/// Whether this deployment can take the request as it stands.
bool Attempt::can_take(const registry::RouteTarget& target) const {
  const bool prefilled = !continuation_.prefix().empty() ||
                         (!request()->messages.empty() && request()->messages.back().role == Role::assistant);
  return !prefilled || takes_prefill(target);
}

void Attempt::move_to(std::size_t target_index) {
  if (target_index == target_) return;
  target_ = target_index;
  target_changed();
}

void Attempt::target_changed() {
  const auto from = connection_id_;
  calls_on_target_ = 0;
  key_changes_ = 0;
  connection_id_ = target().deployment.connection_id;
  services_.in_flight.connection_changed(from, connection_id_);
}

/// Puts the first deployment that a failed call may be followed by right behind the present one. A call of the same
/// connection is one that is made again, so it needs a place in the budget. False: there is none.
bool Attempt::bring_up_next() {
  const auto next = route_.targets.begin() + static_cast<std::ptrdiff_t>(target_ + 1);
  const auto found = std::find_if(next, route_.targets.end(), [&](const registry::RouteTarget& other) {
    return other.deployment.connection_id != connection_id_ || services_.retries.has_one(connection_id_);
  });
  if (found == route_.targets.end()) return false;
  std::rotate(next, found, found + 1);
  return true;
}

/// Calls that deployment next. Those that it overtakes are tried after the others: they may be all that is left.
void Attempt::put_first(std::size_t target_index) {
  if (target_index == target_) return;
  const auto begin = route_.targets.begin();
  std::rotate(begin + static_cast<std::ptrdiff_t>(target_), begin + static_cast<std::ptrdiff_t>(target_index),
              route_.targets.end());
  target_changed();
}

/// Passes over deployments that cannot take the request, and over those that fail, whose rate limit is used up or whose
/// connection has no room, where another one is left. False: none can take it.
bool Attempt::choose_target() {
  const auto now = services_.environment.now().steady;
  std::optional<std::size_t> possible;
  for (auto i = target_; i < route_.targets.size(); ++i) {
    if (!can_take(route_.targets[i])) continue;
    if (!possible) possible = i;
    const auto key = circuit_key(route_.targets[i]);
    // The attempt is counted at the connection of the present one already.
    const auto& connection_id = route_.targets[i].deployment.connection_id;
    const bool room = connection_id == connection_id_ ? !services_.in_flight.connection_is_over(connection_id)
                                                      : services_.in_flight.connection_has_room(connection_id);
    // A second call of the same deployment was decided on with its failure in mind. Asking a circuit may take its
    // probe, so the others are looked at first.
    if ((i == target_ && calls_on_target_ > 0) ||
        (room && has_key(route_.targets[i], now) && !services_.exhausted.is(key, now) &&
         !services_.exhausted.over(key, allowed(route_.targets[i]), now) && services_.circuits.admit(key, now))) {
      put_first(i);
      return true;
    }
  }
  if (possible) put_first(*possible);
  return possible.has_value();
}

void Attempt::start_call() {
  const auto now = services_.environment.now().steady;
  if (!choose_target()) {
    finish(FinishReason::error,
           Failure::of(ErrorCode::capability_unsupported,
                       "The conversation ends with an assistant message, and no model of the route continues one. Add "
                       "a user message, or choose a model that takes an assistant prefill."));
    return;
  }
  call_ = make_call(target(), now);
  continuation_.call_begins();
  auto started = start(*call_);
  if (!started) {
    // Another provider may have a word or a key for what this one cannot do.
    if (target_ + 1 < route_.targets.size()) {
      warn(fmt::format("{} was passed over: {}", target().deployment.provider, started.error().message));
      move_to(target_ + 1);
      start_call();
      return;
    }
    finish(FinishReason::error, std::move(started.error()));
    return;
  }
  call_warnings_ = first_warnings(*call_);
  phase_ = Phase::calling;
  note_use(target(), 1, 0);
  ++calls_on_target_;
  clocks_.call_begins(now);
  plan_hedge();
  partition_.schedule(job_, due());
}

std::unique_ptr<ProviderCall> Attempt::make_call(const registry::RouteTarget& target, Millis now) {
  CallOwner& owner = *this;
  const auto keys = key_count(target);
  const auto key = keys > 1 ? services_.keys.choose(key_owner(target.deployment), keys, now) : 0;
  return std::make_unique<ProviderCall>(services_.http, services_.egress, services_.credentials, target, key, owner);
}

std::expected<void, Failure> Attempt::start(ProviderCall& call) {
  const auto now = services_.environment.now();
  // The deadline is our own clock's to tell; the client's only backs it up.
  const auto total =
      std::max(Millis(1), std::min(services_.options.total_timeout, job_.deadline - now.steady + deadline_slack));
  const http::Clocks clocks{.connect = services_.options.connect_timeout, .total = total};
  auto started = continuation_.prefix().empty() || planted(Bug::continues_from_start)
                     ? call.start(*request(), job_.traceparent, services_.options.decoder_limits, clocks, now)
                     : call.start(continued_request(), job_.traceparent, services_.options.decoder_limits, clocks, now);
  if (started) {
    services_.metrics.calls.add();
    services_.metrics.fields_left_out.add(call.warnings().size());
    services_.retries.call_made(call.route().deployment.connection_id);
  } else if (started.error().code == ErrorCode::credential_missing) {
    services_.metrics.credentials_missing.add();
  }
  return started;
}

void Attempt::end_transfer() {
  if (call_) call_->stop();
  if (hedge_) hedge_->stop();
}

void Attempt::on_head(ProviderCall& call, const http::ResponseHead& head) {
  const auto limits = providers::read_rate_limits(head);
  const auto& deployment = call.route().deployment;
  services_.metrics.rate_limits(deployment, limits);
  const auto now = services_.environment.now().steady;
  if (&call == call_.get()) {
    clocks_.refused(now);
    if (call.refusing()) partition_.schedule(job_, due());
  }
  if (key_count(call.route()) < 2) {
    services_.exhausted.note(circuit_key(call.route()), limits, now);
  } else if (const auto wait = providers::exhausted_for(limits)) {
    // Limits are of a key's account: another key may have something left.
    services_.keys.rest(key_owner(deployment), call.key(), now, now + std::min(*wait, Exhausted::longest));
  }
}

std::size_t Attempt::key_count(const registry::RouteTarget& target) const {
  return services_.credentials.key_count(target.deployment);
}

/// Whose keys rest. A credential that is replaced has not been refused.
std::string Attempt::key_owner(const events::DeploymentState& deployment) {
  if (!deployment.credential_id) return deployment.connection_id;
  return fmt::format("{}/{}/{}", deployment.connection_id, *deployment.credential_id, deployment.credential_version);
}

/// A key of the deployment's connection does not rest.
bool Attempt::has_key(const registry::RouteTarget& target, Millis now) const {
  const auto keys = std::max<std::size_t>(1, key_count(target));
  return services_.keys.ready_in(key_owner(target.deployment), keys, now) == Millis(0);
}

/// The key of a call that was refused for its key rests. Where it is the connection's only one, other connections are
/// called first meanwhile. When one of its keys is ready; nothing: the failure was another one, or there is one key
/// only. What the failure means counts, not its status:
/// some providers refuse a key with 400, or say inside an answer that its limit is used up.
std::optional<Millis> Attempt::rest_key(const ProviderCall& call, const providers::CallFailure& failed) {
  const bool refused = failed.failure.code == ErrorCode::provider_auth;
  const bool limited = failed.failure.code == ErrorCode::provider_rate_limited;
  const auto keys = key_count(call.route());
  if (!refused && (keys < 2 || !limited)) return std::nullopt;
  const auto now = services_.environment.now().steady;
  const auto& deployment = call.route().deployment;
  // The key is good, but has no right to this model, or no quota for it.
  const bool forbidden = refused && (call.status() == 403 || failed.error_class == "quota");
  const Millis rest = forbidden ? Millis(KeyRotation::rest_of_forbidden)
                      : refused ? Millis(KeyRotation::rest_of_refused)
                                : failed.retry_after.value_or(Millis(KeyRotation::rest_of_limited));
  services_.metrics.key_rested(deployment, refused ? "refused" : "limited");
  if (keys < 2 && forbidden) {
    services_.exhausted.rest(circuit_key(call.route()), rest, now, rest);
    return std::nullopt;
  }
  const auto owner = key_owner(deployment);
  services_.keys.rest(owner, call.key(), now, now + rest);
  if (keys < 2) return std::nullopt;
  return services_.keys.ready_in(owner, keys, now);
}

Exhausted::Allowed Attempt::allowed(const registry::RouteTarget& target) {
  return {.requests = target.deployment.requests_per_minute, .tokens = target.deployment.tokens_per_minute};
}

/// Of a deployment that is called, where an administrator bounds it.
void Attempt::note_use(const registry::RouteTarget& target, std::int64_t requests, std::int64_t tokens) {
  if (!allowed(target).any()) return;
  services_.exhausted.used(circuit_key(target), requests, tokens, services_.environment.now().steady);
}

/// Of a call that has ended, whether its answer is whole or not. An estimate where the provider has not counted it.
std::int64_t Attempt::tokens_used(const ProviderCall& call) const {
  const auto* const counted = &call == call_.get() && usage_ ? &*usage_ : nullptr;
  if (counted != nullptr && usage_is_last_) return counted->input_tokens + counted->output_tokens;
  if (!call.answering()) return 0;
  const auto estimate = call.estimated_usage();
  if (counted == nullptr) return estimate.input_tokens + estimate.output_tokens;
  return std::max(counted->input_tokens, estimate.input_tokens) +
         std::max(counted->output_tokens, estimate.output_tokens);
}

/// A wait that a provider asks for holds for other requests as well: they try other deployments first.
void Attempt::rest_deployment(const ProviderCall& call, const providers::CallFailure& failed) {
  const bool asks = failed.failure.code == ErrorCode::provider_rate_limited || call.status() == 503;
  if (!asks || !failed.retry_after) return;
  services_.exhausted.rest(circuit_key(call.route()), *failed.retry_after, services_.environment.now().steady);
}

void Attempt::on_failed(ProviderCall& call, const providers::CallFailure& failure) {
  call_failed(call, failure);
}

/// Those that run.
void Attempt::note_calls(const std::string& error_class) {
  note_call(*call_, error_class);
  if (hedging_) note_call(*hedge_, error_class);
  leave_hedge();
}

void Attempt::note_call(const ProviderCall& call, std::string error_class) {
  const auto& deployment = call.route().deployment;
  const auto now = services_.environment.now().steady;
  if (!error_class.empty()) services_.metrics.calls_failed.add();
  services_.metrics.events_skipped.add(call.skipped_events());
  if (allowed(call.route()).any()) note_use(call.route(), 0, tokens_used(call));
  calls_.push_back({.provider = deployment.provider,
                    .deployment_id = deployment.id,
                    .status = call.status(),
                    .ms = (now - call.started()).count(),
                    .error_class = std::move(error_class),
                    .key = key_count(call.route()) > 1
                               ? std::string(services_.credentials.key_variable(deployment, call.key()))
                               : std::string()});
}

void Attempt::note_health(const registry::RouteTarget& target, bool well) {
  const auto key = circuit_key(target);
  const bool changed =
      well ? services_.circuits.succeeded(key) : services_.circuits.failed(key, services_.environment.now().steady);
  if (changed) services_.metrics.circuit_changed(target.deployment, !well);
}

void Attempt::call_failed(const ProviderCall& call, const providers::CallFailure& failed) {
  // A loop that was busy for longer than deadline_slack hears of the client's clock before it looks at its own.
  if (failed.failure.code == ErrorCode::provider_timeout && phase_ == Phase::calling &&
      services_.environment.now().steady >= job_.deadline) {
    out_of_time();
    return;
  }
  note_call(call, failed.error_class);
  if (says_broken(failed.failure.code) && failed.error_class != begins_again_class) note_health(call.route(), false);
  const auto key_ready_in = rest_key(call, failed);
  if (!key_ready_in) rest_deployment(call, failed);
  if (hedging_) {
    one_of_two_failed(call);
    return;
  }
  auto failure = failed.failure;
  if (failure.provider.empty()) failure.provider = target().deployment.provider;
  if (seq_ > 0) {
    // What was published cannot be taken back, so nothing is tried behind a reader's back after the first token.
    broke_off(failed, std::move(failure));
    return;
  }
  const auto now = services_.environment.now().steady;
  const auto& connection = target().deployment.connection_id;
  const bool may_retry = services_.retries.has_one(connection);
  if (key_ready_in == Millis(0) && may_retry && now < job_.deadline &&
      static_cast<int>(calls_.size()) < services_.options.retry.calls_max) {
    end_transfer();
    forget_answer();
    services_.retries.take(connection);
    ++key_changes_;
    call_again_at(now);
    return;
  }
  // Another key may be ready before this one is.
  const auto retry_after = failed.retry_after && key_ready_in
                               ? std::optional(std::min(*failed.retry_after, *key_ready_in))
                               : failed.retry_after;
  const auto decision = decide_retry(services_.options.retry, {.calls_made = static_cast<int>(calls_.size()),
                                                               .calls_on_target = calls_on_target_ - key_changes_,
                                                               .retry = failed.retry && may_retry,
                                                               .retries_max = failed.retries_max,
                                                               .try_next = failed.try_next,
                                                               .more_targets = bring_up_next(),
                                                               .retry_after = retry_after,
                                                               .until_deadline = job_.deadline - now,
                                                               .random = services_.environment.random()});
  if (decision.action == RetryDecision::Action::give_up) {
    finish(FinishReason::error, std::move(failure));
    return;
  }
  end_transfer();
  forget_answer();
  const bool same_connection = decision.action == RetryDecision::Action::same_target ||
                               route_.targets[target_ + 1].deployment.connection_id == connection;
  if (same_connection) services_.retries.take(connection);
  if (decision.action == RetryDecision::Action::next_target) move_to(target_ + 1);
  call_again_at(now + decision.delay);
}

void Attempt::call_again_at(Millis at) {
  // Even without a delay the next call starts from the loop: this may be running inside the HTTP client.
  phase_ = Phase::waiting;
  clocks_.retry_at(at);
  partition_.schedule(job_, due());
}

// --- an answer that broke off ---------------------------------------------------------------------------------------

/// A call that ends early has used more than its provider has said by then, which may be nothing.
void Attempt::estimate_usage() {
  if (!call_ || !call_->answering() || usage_is_last_) return;
  const auto estimate = call_->estimated_usage();
  if (!usage_) usage_ = estimate;
  usage_->output_tokens = std::max(usage_->output_tokens, estimate.output_tokens);
  usage_->estimated = true;
}

void Attempt::broke_off(const providers::CallFailure& failed, Failure failure) {
  estimate_usage();
  const bool may_help = failed.retry || failed.try_next;
  const auto wish = request()->on_interrupt;
  const bool in_time = services_.environment.now().steady < job_.deadline;
  const bool wanted = wish != OnInterrupt::error || planted(Bug::restarts_unasked);
  if (!wanted || !may_help || !in_time) {
    finish(FinishReason::error, std::move(failure));
    return;
  }
  end_transfer();
  if (wish == OnInterrupt::resume && continue_answer()) return;
  if (partition_.restarts(job_) >= services_.options.restarts_max) {
    finish(FinishReason::error, std::move(failure));
    return;
  }
  job_.broken_deployments.push_back(target().deployment.id);
  phase_ = Phase::waiting;  // the call is on record already
  close_interrupted(failed.error_class, events::cause_restart, std::move(failure));
  partition_.attempt_closed(job_);
}

/// Asks a deployment that takes a prefill to go on. False: none can, or nothing but text can be continued.
bool Attempt::continue_answer() {
  const bool only_text = tool_call_count_ == 0 && continuation_.has_text();
  if (!only_text || static_cast<int>(calls_.size()) >= services_.options.retry.calls_max) return false;
  const auto count = route_.targets.size();
  for (std::size_t step = 1; step <= count; ++step) {
    const auto index = (target_ + step) % count;
    if (!takes_prefill(route_.targets[index])) continue;
    if (continuation_.has_begun_again(route_.targets[index].deployment.id)) continue;
    const bool same = index == target_;
    if (!same) {
      // What the call that broke off used is not this one's, which may have another price.
      usage_.reset();
      provider_request_id_.clear();
    }
    usage_is_last_ = false;
    move_to(index);
    if (!continuation_.go_on()) return false;
    keep_call_warnings();
    warn(fmt::format("The answer broke off after {} bytes of text and was continued by {}.", continuation_.text_bytes(),
                     target().deployment.provider));
    call_again_at(services_.environment.now().steady + (same ? services_.options.retry.delay_base : Millis(0)));
    return true;
  }
  return false;
}

/// The provider answers from the beginning instead of going on: joined to what was published it would be there twice.
void Attempt::begins_again() {
  continuation_.begins_again(target().deployment.id);
  call_->stop();
  auto failure = Failure::of(ErrorCode::provider_protocol,
                             "The provider did not go on from the text that was published, but began its answer again. "
                             "Ask for onInterrupt \"restart\".");
  failure.provider = target().deployment.provider;
  failure.status = call_->status();
  call_failed(*call_,
              {.failure = std::move(failure), .try_next = true, .error_class = std::string(begins_again_class)});
}

events::ChatRequest Attempt::continued_request() const {
  auto continued = *request();
  events::Message said{.role = Role::assistant};
  said.content.push_back({.text = continuation_.prefix()});
  continued.messages.push_back(std::move(said));
  // The sender's bound is for the whole answer. What the published text took of it is an estimate.
  const auto most = providers::call_parameters(*request(), target().model, target().deployment).tokens_max;
  if (most)
    continued.tokens_max = std::max<std::int64_t>(1, *most - providers::estimated_tokens(continuation_.text_bytes()));
  return continued;
}

void Attempt::forget_answer() {
  said_ = events::AuditedText(services_.options.content_policy, services_.options.content_bytes_max);
  drop_gathered();
  tool_call_count_ = 0;
  usage_.reset();
  usage_is_last_ = false;
  provider_request_id_.clear();
  clocks_.forget_first_token();
}

}  // namespace tokenrail::router
