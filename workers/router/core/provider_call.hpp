// One HTTP exchange with a provider: sends what the adapter made of the request, decodes what comes back, and says how
// it ended. An attempt has one or more of them, one after the other or side by side; what their answers become is the
// attempt's to decide.
//
// One thread, the loop's. The owner outlives the call, and must not destroy it from inside on_answer(), on_bytes() or
// on_failed(): stop() is what ends it there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/client.hpp"
#include "common/http/egress.hpp"
#include "common/providers/environment.hpp"
#include "common/providers/provider.hpp"
#include "common/registry/resolution.hpp"
#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

class ProviderCall;

class CallOwner {
 public:
  virtual ~CallOwner() = default;
  /// A response begins, whatever its status. Comes first.
  virtual void on_head(ProviderCall& call, const http::ResponseHead& head) = 0;
  /// What the provider's bytes mean, in their order. Not called for a failure: that is on_failed().
  virtual void on_answer(ProviderCall& call, providers::AnswerEvent event) = 0;
  /// A piece came of what is delivered whole later, such as arguments of a tool call: the provider goes on.
  virtual void on_progress(ProviderCall& call) = 0;
  /// After each piece of a body with a 2xx status, and at its end. False: no more for now, until resume().
  virtual bool on_bytes(ProviderCall& call) = 0;
  /// Once and last, unless the answer was finished or the call was stopped.
  virtual void on_failed(ProviderCall& call, const providers::CallFailure& failure) = 0;
};

class ProviderCall final : private http::Listener, private providers::AnswerSink {
 public:
  /// `route` has to outlive the call. `key`: which of the credentials' keys it carries.
  /// `egress`: where the call may lead; outlives the call.
  ProviderCall(http::Client& http, const http::Egress& egress, const providers::Credentials& credentials,
               const registry::RouteTarget& route, std::size_t key, CallOwner& owner);
  ~ProviderCall() override;
  ProviderCall(const ProviderCall&) = delete;
  ProviderCall& operator=(const ProviderCall&) = delete;

  /// Where calls of that deployment go, without a credential.
  [[nodiscard]] static providers::Target target_of(const events::DeploymentState& deployment);

  /// Sends the request. Errors: unsupported_provider where no adapter of that name exists, credential_missing where
  /// there is no key for it, invalid_request where the provider cannot express it; nothing is sent then.
  [[nodiscard]] std::expected<void, events::Failure> start(const events::ChatRequest& request,
                                                           std::string_view traceparent,
                                                           const providers::DecoderLimits& limits, http::Clocks clocks,
                                                           const Now& now);
  /// What the adapter left out of the request; after start().
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  /// Ends the transfer. The owner hears nothing more. May be called at any time.
  void stop();
  void resume();

  [[nodiscard]] const registry::RouteTarget& route() const { return route_; }
  /// Of the response; nothing: none has come.
  [[nodiscard]] std::optional<int> status() const;
  [[nodiscard]] std::size_t key() const { return key_; }
  /// The provider has begun an answer.
  [[nodiscard]] bool answering() const { return head_.status != 0 && well(); }
  /// From the texts of the request, and of the answer as far as it came.
  [[nodiscard]] events::Usage estimated_usage() const;
  /// A response with an error status begins, and its body has not ended.
  [[nodiscard]] bool refusing() const { return !over_ && head_.status != 0 && !well(); }
  /// Takes what has come of that body for all of it: on_failed() follows within.
  void end_refusal();
  [[nodiscard]] Millis started() const { return started_; }
  /// Finished, failed or stopped: nothing more comes of it.
  [[nodiscard]] bool over() const { return over_; }
  /// The transfer runs, also behind the end of the answer.
  [[nodiscard]] bool running() const { return transfer_.has_value(); }
  /// Memory that the undecoded rest of the answer takes.
  [[nodiscard]] std::size_t held_bytes() const { return decoder_ ? decoder_->held_bytes() : 0; }
  /// Events of the answer that were left out. Before release_decoder().
  [[nodiscard]] std::size_t skipped_events() const { return decoder_ ? decoder_->skipped_events() : 0; }
  /// Gives that memory back where nothing more of the answer is wanted.
  void release_decoder();

 private:
  void on_head(const http::ResponseHead& head) override;
  bool on_body(std::string_view bytes) override;
  void on_end(const http::End& end) override;
  void on_event(providers::AnswerEvent event) override;
  void failed(providers::CallFailure failure);
  /// Of a text that the provider wrote.
  void take_key_out(std::string& text) const;
  [[nodiscard]] bool well() const { return head_.status >= 200 && head_.status < 300; }

  http::Client& http_;
  const http::Egress& egress_;
  const providers::Credentials& credentials_;
  const registry::RouteTarget& route_;
  const std::size_t key_;
  CallOwner& owner_;
  const providers::Provider* adapter_ = nullptr;
  providers::Target target_{};
  providers::Credential credential_{};  ///< that the call was made with
  std::unique_ptr<providers::AnswerDecoder> decoder_{};
  std::vector<std::string> warnings_{};
  std::optional<http::TransferId> transfer_{};
  http::ResponseHead head_{};
  std::string error_body_{};
  std::uint64_t piece_bytes_ = 0;  ///< that the owner has heard of
  std::size_t prompt_bytes_ = 0;
  std::size_t said_bytes_ = 0;  ///< of text and reasoning
  std::size_t call_bytes_ = 0;  ///< of tool calls that are whole
  Millis started_{0};
  bool over_ = false;      ///< finished, failed or stopped: what follows is ignored
  bool decoding_ = false;  ///< the decoder is on the stack
};

}  // namespace tokenrail::router
