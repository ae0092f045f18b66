// A sink that keeps what a decoder said, in a form that can be compared whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::test {

class AnswerRecorder final : public AnswerSink {
 public:
  void on_event(AnswerEvent event) override {
    std::visit([this](auto& one) { take(one); }, event);
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& reasoning() const { return reasoning_; }
  [[nodiscard]] const std::vector<events::ToolCall>& tool_calls() const { return tool_calls_; }
  [[nodiscard]] const std::optional<events::Usage>& usage() const { return usage_; }
  [[nodiscard]] const std::optional<events::FinishReason>& finish() const { return finish_; }
  [[nodiscard]] const std::optional<events::Failure>& failure() const { return failure_; }
  /// The whole of it, of what failure() is the part that a reader of the answer sees.
  [[nodiscard]] const std::optional<CallFailure>& call_failure() const { return call_failure_; }
  [[nodiscard]] const std::vector<events::ProviderBlock>& blocks() const { return blocks_; }
  [[nodiscard]] const std::string& request_id() const { return request_id_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] int endings() const { return endings_; }
  /// How often something was said; and what, in order, each run of one kind once.
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const std::string& order() const { return order_; }
  [[nodiscard]] bool said_something_after_the_end() const { return late_; }

  /// All of it as text; equal texts are equal answers.
  [[nodiscard]] std::string summary() const {
    std::string out = fmt::format("count={} order={} endings={}\ntext={}\nreasoning={}\n", count_, order_, endings_,
                                  text_, reasoning_);
    for (const auto& call : tool_calls_) out += fmt::format("call {} {} {}\n", call.id, call.name, call.arguments);
    if (usage_) {
      out += fmt::format("usage {} {} cached={} reasoning={}\n", usage_->input_tokens, usage_->output_tokens,
                         usage_->cached_input_tokens.value_or(-1), usage_->reasoning_tokens.value_or(-1));
    }
    for (const auto& block : blocks_) out += fmt::format("block {} {}\n", block.provider, block.data);
    if (!request_id_.empty()) out += fmt::format("request id {}\n", request_id_);
    if (finish_) out += fmt::format("finish {}\n", static_cast<int>(*finish_));
    if (failure_) out += fmt::format("failure {} {}\n", static_cast<int>(failure_->code), failure_->message);
    for (const auto& warning : warnings_) out += fmt::format("warning {}\n", warning);
    return out;
  }

 private:
  void take(const TextDelta& delta) {
    text_ += delta.text;
    note("text");
  }
  void take(const ReasoningDelta& delta) {
    reasoning_ += delta.text;
    note("reasoning");
  }
  void take(ToolCallDone& done) {
    tool_calls_.push_back(std::move(done.call));
    note("tool_call");
  }
  void take(OpaqueBlock& opaque) {
    blocks_.push_back(std::move(opaque.block));
    note("block");
  }
  void take(const UsageReport& report) {
    usage_ = report.usage;
    note("usage");
  }
  void take(const ProviderRequestId& id) { request_id_ = id.id; }
  void take(const AnswerWarning& warning) { warnings_.emplace_back(warning.text); }
  void take(const AnswerFinished& finished) {
    finish_ = finished.reason;
    ++endings_;
    note("finish");
  }
  void take(AnswerFailed& failed) {
    failure_ = failed.failure.failure;
    call_failure_ = std::move(failed.failure);
    ++endings_;
    note("failure");
  }
  void note(std::string_view kind) {
    if (ended_) late_ = true;
    ended_ = endings_ > 0;
    ++count_;
    if (last_ == kind) return;
    last_ = kind;
    if (!order_.empty()) order_ += ' ';
    order_ += kind;
  }

  std::string text_{};
  std::string reasoning_{};
  std::vector<events::ToolCall> tool_calls_{};
  std::optional<events::Usage> usage_{};
  std::optional<events::FinishReason> finish_{};
  std::optional<events::Failure> failure_{};
  std::optional<CallFailure> call_failure_{};
  std::vector<events::ProviderBlock> blocks_{};
  std::string request_id_{};
  std::vector<std::string> warnings_{};
  std::string order_{};
  std::string_view last_{};
  std::size_t count_ = 0;
  int endings_ = 0;
  bool ended_ = false;
  bool late_ = false;
};

}  // namespace tokenrail::providers::test
