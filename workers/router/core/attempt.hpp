// One run of a request: resolve → announce (llm.request) → call → stream → end (terminal chunk) → answer
// (llm.response).
//
// Decides; what it decided is carried out by the partition (records) and the HTTP client (calls). Nothing here survives
// the process, and nothing needs to: the log says what was done.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/events/audit.hpp"
#include "common/events/audited_text.hpp"
#include "common/events/chunk.hpp"
#include "common/providers/answer.hpp"
#include "common/registry/resolution.hpp"
#include "workers/router/core/answer_budget.hpp"
#include "workers/router/core/call_clocks.hpp"
#include "workers/router/core/continuation.hpp"
#include "workers/router/core/exhausted.hpp"
#include "workers/router/core/job.hpp"
#include "workers/router/core/provider_call.hpp"

namespace tokenrail::router {

class Partition;
struct Services;
enum class Purpose : std::uint8_t;

class Attempt final : private CallOwner, private AnswerBudget::Holder {
 public:
  /// `number`: epoch × 1000 + n.
  Attempt(Services& services, Partition& partition, Job& job, std::int64_t number);
  ~Attempt() override;
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  /// Writes the llm.request. `route`: where it will be called, or why it will not.
  void announce(std::expected<registry::Route, events::Failure> route);
  /// Writes the llm.request from the ids alone; what it asks for is looked at once that counts.
  void announce_unread();
  /// Says that the request was seen before; writes no llm.request. `first_attempt` 0: not known. For number 0 only.
  void answer_duplicate(events::RequestOffset first_offset, std::int64_t first_attempt);
  /// The llm.request counts: the call may be made, or the refusal published.
  void announced();
  /// The terminal chunk is in the log: writes the llm.response.
  void terminal_acknowledged();
  /// The connection of the deployment that is, or would be, called first; empty: none.
  [[nodiscard]] const std::string& connection_id() const { return connection_id_; }

  /// Some clock of this attempt may have run out; called at or after due().
  void on_time();
  /// The next moment at which on_time() has something to do (steady).
  [[nodiscard]] Millis due() const;
  /// Room in the producer's queue again.
  void resume();
  /// Somebody asked for the request to be ended: ends as `cancelled` with what was published so far.
  void cancel();
  /// Planted bug only: a terminal chunk of unknown fate is produced once more.
  void send_terminal_again();
  /// The brokers refused one of its chunks for good: ends the transfer and closes the attempt by an `interrupted`
  /// response (cause `refused`) that says with which error the request is to end. Returns whether it did.
  bool refuse(events::Failure failure);
  /// Its llm.request, or its response, was refused: writes it once more, in at most that many bytes where it can be
  /// cut.
  void announce_again(std::size_t bytes_max);
  void respond_again(std::size_t bytes_max);
  /// Ends the transfer and closes the attempt by an `interrupted` response with that cause, unless its terminal chunk
  /// has been sent already: then only its ordinary response closes it. Returns whether it did.
  bool interrupt(std::string_view cause);

  [[nodiscard]] std::int64_t number() const { return number_; }
  /// Names its chunks to the producer.
  [[nodiscard]] std::uint64_t unit() const { return unit_; }
  /// The size of its largest chunk so far.
  [[nodiscard]] std::size_t largest_chunk() const { return largest_chunk_; }
  /// A provider was called.
  [[nodiscard]] bool called() const { return calls_on_target_ > 0 || !calls_.empty(); }
  /// Terminal chunk sent, or nothing left to do.
  [[nodiscard]] bool ended() const { return phase_ >= Phase::ending; }

 private:
  enum class Phase { announcing, waiting, calling, ending, answering };

  // CallOwner
  void on_head(ProviderCall& call, const http::ResponseHead& head) override;
  void on_answer(ProviderCall& call, providers::AnswerEvent event) override;
  void on_progress(ProviderCall& call) override;
  bool on_bytes(ProviderCall& call) override;
  void on_failed(ProviderCall& call, const providers::CallFailure& failure) override;

  void take(const providers::TextDelta& delta);
  void take(const providers::ReasoningDelta& delta);
  void take(providers::ToolCallDone& done);
  void take(providers::OpaqueBlock& opaque);
  void take(const providers::UsageReport& report);
  void take(const providers::ProviderRequestId& id);
  void take(const providers::AnswerWarning& warning) { add_warning(call_warnings_, warning.text); }
  void take(const providers::AnswerFinished& finished);
  void take(const providers::AnswerFailed& /*failed*/) {}  // comes as on_failed()

  [[nodiscard]] const events::ChatRequest* request() const;
  [[nodiscard]] const registry::RouteTarget& target() const { return route_.targets[target_]; }
  [[nodiscard]] const events::ModelPrices& prices() const;
  [[nodiscard]] bool stream_wanted() const;
  static std::string circuit_key(const registry::RouteTarget& target);
  [[nodiscard]] static std::string kept_request_id(std::string_view id);
  void take_route(std::expected<registry::Route, events::Failure> route);
  [[nodiscard]] bool takes_prefill(const registry::RouteTarget& target) const;
  [[nodiscard]] bool can_take(const registry::RouteTarget& target) const;
  void move_to(std::size_t target_index);
  [[nodiscard]] bool bring_up_next();
  void put_first(std::size_t target_index);
  void target_changed();
  [[nodiscard]] bool choose_target();
  void start_call();
  [[nodiscard]] std::unique_ptr<ProviderCall> make_call(const registry::RouteTarget& target, Millis now);
  [[nodiscard]] std::expected<void, events::Failure> start(ProviderCall& call);
  void plan_hedge();
  [[nodiscard]] bool can_hedge(const registry::RouteTarget& other, Millis now) const;
  void start_hedge(Millis now);
  void decide_between_two(const ProviderCall& first);
  [[nodiscard]] bool take_of_two(const ProviderCall& call, providers::AnswerEvent& event);
  void one_of_two_failed(const ProviderCall& call);
  void go_on_with_hedge();
  void leave_hedge();
  void call_again_at(Millis at);
  void estimate_usage();
  void broke_off(const providers::CallFailure& failed, events::Failure failure);
  [[nodiscard]] bool continue_answer();
  void say(std::string_view words);
  void say_unproven();
  void begins_again();
  [[nodiscard]] events::ChatRequest continued_request() const;
  [[nodiscard]] static std::string key_owner(const events::DeploymentState& deployment);
  [[nodiscard]] bool has_key(const registry::RouteTarget& target, Millis now) const;
  [[nodiscard]] std::size_t key_count(const registry::RouteTarget& target) const;
  [[nodiscard]] std::optional<Millis> rest_key(const ProviderCall& call, const providers::CallFailure& failed);
  void rest_deployment(const ProviderCall& call, const providers::CallFailure& failed);
  [[nodiscard]] static Exhausted::Allowed allowed(const registry::RouteTarget& target);
  void note_use(const registry::RouteTarget& target, std::int64_t requests, std::int64_t tokens);
  [[nodiscard]] std::int64_t tokens_used(const ProviderCall& call) const;
  void note_health(const registry::RouteTarget& target, bool well);
  void end_transfer();
  void call_failed(const ProviderCall& call, const providers::CallFailure& failed);
  void note_call(const ProviderCall& call, std::string error_class);
  void note_calls(const std::string& error_class);
  static constexpr std::string_view usage_not_believed =
      "The provider counted more tokens than an answer can have. Its counts were left out.";
  void warn(std::string_view text);
  static void add_warning(std::vector<std::string>& to, std::string_view text);
  [[nodiscard]] static std::vector<std::string> first_warnings(const ProviderCall& call);
  void keep_call_warnings();
  void first_token();
  void publish_pieces(std::string_view text, bool reasoning);
  void publish(const events::ChunkWriter::Delta& delta);
  void publish_gathered();
  template <class Part>
  void publish_gathered(std::vector<Part>& parts, const std::vector<Part>* events::ChunkWriter::Delta::* field);
  void finish(events::FinishReason reason, std::optional<events::Failure> failure);
  [[nodiscard]] std::optional<std::int64_t> cost_micros() const;
  void out_of_time();
  void finish_late();
  void finish_cancelled();
  [[nodiscard]] events::AttemptIds ids() const;
  [[nodiscard]] std::optional<events::AnsweringModel> model() const;
  [[nodiscard]] events::AnsweringModel counted_model() const;
  [[nodiscard]] events::LlmResponse response(events::Outcome outcome);
  void produce_response(Purpose purpose, events::LlmResponse event);
  void write_response(std::size_t bytes_max);
  void write_request(std::size_t bytes_max);
  [[nodiscard]] std::size_t chunk_bytes_max() const;
  void close_interrupted(std::string_view error_class, std::string_view cause, std::optional<events::Failure> failure);
  void forget_answer();
  void drop_gathered();
  void account();
  void end_as_too_much();

  Services& services_;
  Partition& partition_;
  Job& job_;
  const std::int64_t number_;
  const std::uint64_t unit_;
  Phase phase_ = Phase::announcing;

  registry::Route route_{};
  std::optional<events::Failure> refusal_{};
  std::size_t target_ = 0;
  std::string connection_id_{};

  // The call that runs, or ran last.
  std::unique_ptr<ProviderCall> call_{};
  /// The second call of an attempt whose first token was slow, at the target behind; or the one of the two that is
  /// over.
  std::unique_ptr<ProviderCall> hedge_{};
  bool hedging_ = false;  ///< both run, and neither has said something
  /// What the hedge has said that counts only where it is the one that answers.
  struct Early {
    std::optional<events::Usage> usage{};
    bool usage_is_last = false;
    std::string provider_request_id{};
    std::vector<std::string> warnings{};
  };
  Early early_{};
  std::vector<events::Call> calls_{};
  int calls_on_target_ = 0;
  int key_changes_ = 0;                       ///< of calls_on_target_, how many only changed the key
  std::vector<std::string> warnings_{};       ///< of the attempt, and of calls whose text was published
  std::vector<std::string> call_warnings_{};  ///< of the call that runs: published where it is the one that answers

  // The answer.
  events::ChunkWriter writer_;
  std::int64_t seq_ = 0;
  events::AuditedText said_;  ///< for the audit
  // Gathered only where the answer is not streamed; published at its end.
  std::string text_{};
  std::string reasoning_{};
  std::vector<events::ProviderBlock> provider_blocks_{};
  std::vector<events::ToolCall> tool_calls_{};
  std::size_t gathered_bytes_ = 0;  ///< of tool_calls_ and provider_blocks_
  std::int64_t tool_call_count_ = 0;
  std::optional<events::Usage> usage_{};
  bool usage_is_last_ = false;  ///< it counts the whole answer of the call
  std::string provider_request_id_{};
  std::optional<events::TerminalChunk> terminal_{};
  std::size_t largest_chunk_ = 0;
  /// Once it has been written, without the text of the answer: what may be written once more.
  std::optional<std::pair<Purpose, events::LlmResponse>> response_{};
  bool cancelled_ = false;
  bool unread_ = false;
  std::optional<events::RequestOffset> duplicate_of_offset_{};
  std::optional<std::int64_t> duplicate_of_attempt_{};

  Continuation continuation_{};  ///< of a broken answer, where the sender wants that

  CallClocks clocks_;
};

}  // namespace tokenrail::router
