#include "common/providers/ollama/decoder.hpp"

#include <functional>
#include <utility>

#include <fmt/format.h>

#include "common/events/json_scan.hpp"
#include "common/http/framing.hpp"
#include "common/providers/estimate.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/json_scratch.hpp"
#include "common/providers/ollama/chat_item.hpp"
#include "common/providers/ollama/classification.hpp"
#include "common/providers/other_api.hpp"
#include "common/providers/tool_calls.hpp"
#include "common/release.hpp"

namespace tokenrail::providers::ollama {

namespace {

using events::ErrorCode;
using events::FinishReason;

constexpr std::string_view adapter = "ollama";

struct DoneReason {
  std::string_view name;
  FinishReason reason;
  std::string_view warning;
};
/// Tool calls are known by their presence: `done_reason` is "stop" with them too. Servers of 2023 say no reason.
constexpr DoneReason done_reasons[] = {
    {"stop", FinishReason::stop, ""},
    {"", FinishReason::stop, ""},
    {"length", FinishReason::length, ""},
    {"load", FinishReason::stop, "Ollama only loaded the model: the request had no message to answer."},
    {"unload", FinishReason::stop, "Ollama only unloaded the model: the request had no message to answer."},
};

class Decoder final : public AnswerDecoder {
 public:
  Decoder(bool stream, const DecoderLimits& limits, bool tools, std::size_t prompt_bytes)
      : stream_(stream), tools_(tools), prompt_bytes_(prompt_bytes), limits_(limits), lines_(limits.item_bytes_max) {}

  void feed(std::string_view bytes, AnswerSink& sink) override {
    if (over_) return;
    if (!stream_) {
      if (body_.size() + bytes.size() > limits_.item_bytes_max) return too_large(sink, "answer");
      body_.append(bytes);
      return;
    }
    const char* const end = bytes.data() + bytes.size();
    const bool fits = lines_.feed(bytes, [&](std::string_view line) {
      // A line that is in the caller's bytes, with enough of them behind it, is parsed where it is.
      const char* const line_end = line.data() + line.size();
      const bool in_place = std::greater_equal<>{}(line.data(), bytes.data()) && std::less_equal<>{}(line_end, end);
      take(line, in_place ? static_cast<std::size_t>(end - line_end) : 0, sink);
    });
    // A line may have ended the answer before the one that does not fit.
    if (!fits && !over_) too_large(sink, "line");
  }

  void end(AnswerSink& sink) override {
    if (over_) return;
    at_end_ = true;
    if (stream_) {
      lines_.finish([&](std::string_view line) { take(line, 0, sink); });
    } else if (body_.find_first_not_of(" \t\r\n") != std::string::npos) {
      take(body_, 0, sink);
    }
    if (over_) return;
    give_up(sink, ErrorCode::provider_protocol,
            items_ == 0 ? "Ollama's answer is empty. Ask again; if it stays, look into Ollama's own log."
                        : "Ollama's answer ended before it was whole. Ask again; if it stays, look whether Ollama "
                          "restarts or something between cuts long answers.");
  }

  [[nodiscard]] std::size_t skipped_events() const override { return skipped_; }
  [[nodiscard]] std::size_t held_bytes() const override { return lines_.held_bytes() + held_by(body_); }

 private:
  void take(std::string_view json, std::size_t readable_after, AnswerSink& sink) {
    if (over_) return;
    JsonScratch scratch(json.size());
    ChatItem item;
    ItemProblem problem;
    std::string repaired;
    if (!read_chat_item(scratch, json, readable_after, item, problem)) {
      // Strings that simdjson does not read are rare: only then is the text gone over and read again.
      if (problem.repairable) repaired = events::repair_strings(json);
      item = {};
      if (repaired.empty() || repaired == json || !read_chat_item(scratch, repaired, 0, item, problem)) {
        return malformed(json, problem, sink);
      }
    }
    if (!item.error_body.empty()) {
      over_ = true;
      return sink.on_event(AnswerFailed{classify_stream_error(item.error_body)});
    }
    if (!item.has_message) {
      // An object of another API may have a field of ours too, `done` above all: its answer must not be lost for it.
      if (auto other = other_api_text(json, adapter); !other.empty()) return other_api(std::move(other), sink);
      if (!item.has_done) {
        const auto excerpt = quotable(json.substr(0, 512), 120);
        if (passed_over(json, fmt::format("it has no field of Ollama's chat API: \"{}\"", excerpt), sink)) return;
        return give_up(sink, ErrorCode::provider_protocol,
                       fmt::format("The answer has an object without any field of Ollama's chat API: \"{}\". Check "
                                   "that the connection's base URL leads to Ollama.",
                                   excerpt));
      }
    }
    ++items_;
    deliver(item, sink);
  }

  void deliver(ChatItem& item, AnswerSink& sink) {
    answer_bytes_ += item.content.size() + item.thinking.size();
    for (const auto& call : item.tool_calls) answer_bytes_ += call.name.size() + call.arguments.size();
    if (answer_bytes_ > limits_.answer_bytes_max) return too_large(sink, "answer");
    if (item.tool_calls.size() > tool_calls_max - tool_calls_) {
      return give_up(sink, ErrorCode::provider_protocol, too_many_calls_text("Ollama"));
    }

    if (!item.thinking.empty()) sink.on_event(ReasoningDelta{item.thinking});
    if (!item.content.empty()) sink.on_event(TextDelta{item.content});
    for (auto& call : item.tool_calls) {
      ++tool_calls_;
      if (call.id.empty()) call.id = fmt::format("call_{}", tool_calls_);
      sink.on_event(ToolCallDone{std::move(call)});
    }
    if (item.done) finish(item, sink);
  }

  void finish(const ChatItem& item, AnswerSink& sink) {
    over_ = true;
    // The server leaves a count of zero out, as with a prompt that was cached whole: what it read is not known then.
    const bool counted = item.input_tokens.value || item.output_tokens.value;
    auto usage = estimated_usage(prompt_bytes_, answer_bytes_);
    if (item.input_tokens.value) usage.input_tokens = *item.input_tokens.value;
    if (item.output_tokens.value) usage.output_tokens = *item.output_tokens.value;
    usage.estimated = !item.input_tokens.value || (!item.output_tokens.value && answer_bytes_ > 0);
    if (counted || prompt_bytes_ + answer_bytes_ > 0) sink.on_event(UsageReport{usage});
    if (item.input_tokens.unreadable)
      sink.on_event(AnswerWarning{"Ollama's prompt_eval_count is not a count; usage is estimated without it."});
    if (item.output_tokens.unreadable)
      sink.on_event(AnswerWarning{"Ollama's eval_count is not a count; usage is estimated without it."});
    if (item.done_reason_unreadable)
      sink.on_event(AnswerWarning{"Ollama's done_reason is not a string; it is taken for stop."});
    for (const auto& row : done_reasons) {
      if (row.name != item.done_reason) continue;
      if (!row.warning.empty()) sink.on_event(AnswerWarning{row.warning});
      return sink.on_event(AnswerFinished{tool_calls_ > 0 ? FinishReason::tool_calls : row.reason});
    }
    const auto warning =
        fmt::format("Ollama ended with the unknown reason \"{}\", taken for stop.", quotable(item.done_reason, 100));
    sink.on_event(AnswerWarning{warning});
    sink.on_event(AnswerFinished{tool_calls_ > 0 ? FinishReason::tool_calls : FinishReason::stop});
  }

  void malformed(std::string_view json, const ItemProblem& problem, AnswerSink& sink) {
    // The last piece of a stream that was cut is no JSON either, but the cut is what went wrong.
    if (stream_ && at_end_ && items_ > 0) return cut_within(sink);
    if (auto other = other_api_text(json, adapter); !other.empty()) return other_api(std::move(other), sink);
    if (stream_ && at_end_) return cut_within(sink);
    if (passed_over(json, problem.text, sink)) return;
    give_up(sink, ErrorCode::provider_protocol,
            fmt::format("Ollama's answer cannot be read: {}. Ask again; if it stays, look at what is between here "
                        "and Ollama.",
                        problem.text));
  }

  /// One line among good ones is left out, with a warning in the answer. A second one fails it, and so does one that
  /// may have been a tool call: without it the answer would mean something else.
  bool passed_over(std::string_view json, std::string_view problem, AnswerSink& sink) {
    const bool may_be_call = tools_ || tool_calls_ > 0 || json.contains("\"tool_calls\"");
    if (!stream_ || items_ == 0 || ++unreadable_ > 1 || may_be_call) return false;
    ++skipped_;
    const auto warning = fmt::format("One event of Ollama's answer could not be read and was left out: {}.", problem);
    sink.on_event(AnswerWarning{warning});
    return true;
  }

  void cut_within(AnswerSink& sink) {
    give_up(sink, ErrorCode::provider_protocol,
            "Ollama's answer ended in the middle of a line. Ask again; if it stays, look whether Ollama restarts or "
            "something between cuts long answers.");
  }

  /// The same server answers so again, until an administrator has changed the connection.
  void other_api(std::string text, AnswerSink& sink) {
    give_up(sink, ErrorCode::provider_protocol, std::move(text), false);
  }

  void too_large(AnswerSink& sink, std::string_view what) {
    const bool line = what == "line";
    give_up(sink, ErrorCode::response_too_large,
            fmt::format("Ollama's {} is longer than the {} bytes allowed. {}", what,
                        line || !stream_ ? limits_.item_bytes_max : limits_.answer_bytes_max,
                        line ? "Something other than Ollama may answer there." : "Set maxTokens."));
  }

  void give_up(AnswerSink& sink, ErrorCode code, std::string message, bool may_retry = true) {
    over_ = true;
    release(body_);
    CallFailure failure{.failure = events::Failure::of(code, std::move(message)), .try_next = true};
    failure.failure.retryable = failure.failure.retryable && may_retry;
    failure.failure.status = 200;
    failure.retry = failure.failure.retryable;
    failure.error_class = events::name_of(code);
    sink.on_event(AnswerFailed{std::move(failure)});
  }

  const bool stream_;
  const bool tools_;  ///< the request offers some: any line may be a call
  const std::size_t prompt_bytes_;
  const DecoderLimits limits_;
  http::LineFramer lines_;
  std::string body_{};  ///< of an answer that is not streamed
  std::size_t answer_bytes_ = 0;
  std::size_t items_ = 0;
  std::size_t unreadable_ = 0;
  std::size_t skipped_ = 0;  ///< of them
  std::size_t tool_calls_ = 0;
  bool over_ = false;
  bool at_end_ = false;
};

}  // namespace

std::unique_ptr<AnswerDecoder> make_decoder(bool stream, const DecoderLimits& limits, bool tools,
                                            std::size_t prompt_bytes) {
  return std::make_unique<Decoder>(stream, limits, tools, prompt_bytes);
}

}  // namespace tokenrail::providers::ollama
