#include "workers/router/core/provider_call.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/providers/call_defaults.hpp"
#include "common/providers/estimate.hpp"

namespace tokenrail::router {

namespace {

using events::ErrorCode;
using events::Failure;

constexpr std::size_t error_body_bytes_max = 16 * 1024;

}  // namespace

providers::Target ProviderCall::target_of(const events::DeploymentState& deployment) {
  return {.provider = deployment.provider,
          .base_url = deployment.base_url,
          .upstream_name = deployment.upstream_name,
          .continues = providers::declares_continuing(deployment)};
}

ProviderCall::ProviderCall(http::Client& http, const http::Egress& egress, const providers::Credentials& credentials,
                           const registry::RouteTarget& route, std::size_t key, CallOwner& owner)
    : http_(http),
      egress_(egress),
      credentials_(credentials),
      route_(route),
      key_(key),
      owner_(owner),
      target_(target_of(route.deployment)) {}

ProviderCall::~ProviderCall() {
  stop();
}

std::expected<void, Failure> ProviderCall::start(const events::ChatRequest& request, std::string_view traceparent,
                                                 const providers::DecoderLimits& limits, http::Clocks clocks,
                                                 const Now& now) {
  const auto& deployment = route_.deployment;
  started_ = now.steady;
  adapter_ = providers::find_provider(deployment.adapter);
  if (adapter_ == nullptr) {
    over_ = true;
    return std::unexpected(
        Failure::of(ErrorCode::unsupported_provider,
                    "This router has no adapter '" + deployment.adapter + "' for provider '" + deployment.provider +
                        "'. Use a model of another provider, or a version of the router that knows it."));
  }
  const providers::ModelScope scope{.org_id = route_.model.org_id, .user_id = route_.model.owner_user_id};
  auto credential = credentials_.open(deployment, key_, scope, now.wall.count());
  if (!credential) {
    over_ = true;
    auto failure = Failure::of(ErrorCode::credential_missing, credential.error().detail);
    failure.provider = deployment.provider;
    return std::unexpected(std::move(failure));
  }
  target_.credential = std::move(*credential);
  prompt_bytes_ = providers::prompt_bytes(request);
  const auto filled = providers::with_defaults(request, route_.model, deployment);
  auto call = adapter_->chat(filled ? *filled : request, target_, limits);
  if (!call) {
    over_ = true;
    auto failure = Failure::of(ErrorCode::invalid_request, call.error().detail);
    failure.provider = deployment.provider;
    return std::unexpected(std::move(failure));
  }
  // The request carries it from here on. A provider may quote it, also when it was replaced meanwhile.
  credential_ = std::exchange(target_.credential, {});
  warnings_ = std::move(call->warnings);
  decoder_ = std::move(call->decoder);
  if (!traceparent.empty()) call->request.headers.push_back({.name = "traceparent", .value = std::string(traceparent)});
  call->request.address_allowed = egress_.rule_for(deployment.connection_org_id);
  transfer_ = http_.start(std::move(call->request), clocks, {}, *this);
  return {};
}

void ProviderCall::stop() {
  over_ = true;
  if (transfer_) http_.cancel(*std::exchange(transfer_, std::nullopt));
}

void ProviderCall::resume() {
  if (transfer_) http_.resume(*transfer_);
}

events::Usage ProviderCall::estimated_usage() const {
  // Calls that came in pieces were counted by those, whether they became whole or not.
  const auto of_calls = std::max<std::size_t>(piece_bytes_, call_bytes_);
  return providers::estimated_usage(prompt_bytes_, said_bytes_ + of_calls);
}

std::optional<int> ProviderCall::status() const {
  return head_.status == 0 ? std::nullopt : std::optional(head_.status);
}

void ProviderCall::release_decoder() {
  if (!decoding_) decoder_.reset();
}

void ProviderCall::on_head(const http::ResponseHead& head) {
  head_ = head;
  if (!over_) owner_.on_head(*this, head_);
  if (well() && !over_) decoder_->head(head_, *this);
}

bool ProviderCall::on_body(std::string_view bytes) {
  if (!well()) {
    error_body_.append(bytes.substr(0, error_body_bytes_max - std::min(error_body_bytes_max, error_body_.size())));
    // Nothing behind that is quoted, and the body may have no end.
    if (error_body_.size() == error_body_bytes_max && !over_) end_refusal();
    return true;
  }
  if (!over_) {
    decoding_ = true;
    decoder_->feed(bytes, *this);
    decoding_ = false;
    const auto pieces = decoder_->piece_bytes();
    if (pieces != std::exchange(piece_bytes_, pieces) && !over_) owner_.on_progress(*this);
  }
  return owner_.on_bytes(*this);
}

void ProviderCall::end_refusal() {
  stop();
  // Before a part of it is quoted, which may end within the key.
  take_key_out(error_body_);
  failed(adapter_->classify(target_, head_, error_body_));
}

void ProviderCall::on_end(const http::End& end) {
  transfer_.reset();
  if (over_) return;
  if (end.ending != http::Ending::complete) {
    failed(adapter_->classify(target_, end));
  } else if (!well()) {
    end_refusal();
  } else {
    decoding_ = true;
    decoder_->end(*this);
    decoding_ = false;
    owner_.on_bytes(*this);
  }
}

void ProviderCall::on_event(providers::AnswerEvent event) {
  if (over_) return;
  if (auto* const failure = std::get_if<providers::AnswerFailed>(&event)) {
    failed(std::move(failure->failure));
    return;
  }
  if (const auto* const warning = std::get_if<providers::AnswerWarning>(&event)) {
    std::string text(warning->text);
    take_key_out(text);
    owner_.on_answer(*this, providers::AnswerWarning{.text = text});
    return;
  }
  if (const auto* const text = std::get_if<providers::TextDelta>(&event)) said_bytes_ += text->text.size();
  if (const auto* const thought = std::get_if<providers::ReasoningDelta>(&event)) said_bytes_ += thought->text.size();
  if (const auto* const done = std::get_if<providers::ToolCallDone>(&event)) {
    call_bytes_ += done->call.name.size() + done->call.arguments.size();
  }
  if (std::holds_alternative<providers::AnswerFinished>(event)) over_ = true;
  owner_.on_answer(*this, std::move(event));
}

void ProviderCall::failed(providers::CallFailure failure) {
  over_ = true;
  take_key_out(failure.failure.message);
  owner_.on_failed(*this, failure);
}

void ProviderCall::take_key_out(std::string& text) const {
  providers::redact_credential(text, credential_);
}

}  // namespace tokenrail::router
