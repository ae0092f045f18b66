#include "common/providers/event_decoder.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/events/json_scan.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/other_api.hpp"
#include "common/release.hpp"

namespace tokenrail::providers {

using events::ErrorCode;
using events::FinishReason;

EventDecoder::EventDecoder(bool stream, const DecoderLimits& limits, std::string title, std::string_view adapter)
    : stream_(stream), limits_(limits), title_(std::move(title)), adapter_(adapter), events_(limits.item_bytes_max) {}

void EventDecoder::head(const http::ResponseHead& head, AnswerSink& /*sink*/) {
  const auto type = head.header("content-type").value_or("");
  if (contains_folded(type, "text/event-stream")) stream_ = true;
  if (contains_folded(type, "application/json")) stream_ = false;
}

std::size_t EventDecoder::held_bytes() const {
  return events_.buffered_bytes() + held_by(body_);
}

void EventDecoder::feed(std::string_view bytes, AnswerSink& sink) {
  if (over_) return;
  if (stream_) {
    const bool fits =
        events_.feed(bytes, [&](const http::ServerSentEvent& event) { take(event.type, event.data, sink); });
    if (fits || over_) return;
  } else if (body_.size() + bytes.size() <= limits_.item_bytes_max) {
    body_.append(bytes);
    return;
  }
  too_large(sink);
}

void EventDecoder::too_large(AnswerSink& sink) {
  CallFailure failure{
      .failure = events::Failure::of(
          ErrorCode::response_too_large,
          fmt::format("{}'s {} is longer than the {} bytes allowed. {}", title_, stream_ ? "event" : "answer",
                      limits_.item_bytes_max, stream_ ? "Another kind of server may answer there." : "Set maxTokens.")),
      .error_class = "too_large"};
  failure.failure.status = 200;
  fail(std::move(failure), sink);
}

void EventDecoder::end(AnswerSink& sink) {
  if (over_) return;
  if (stream_) {
    events_.finish([&](const http::ServerSentEvent& event) { take(event.type, event.data, sink); });
  } else if (body_.find_first_not_of(" \t\r\n") != std::string::npos) {
    // The text moves out, so that what it takes is released with this call.
    const auto body = std::move(body_);
    take("", body, sink);
  }
  if (!over_) take_end(sink);
}

void EventDecoder::take(std::string_view type, std::string_view json, AnswerSink& sink) {
  if (over_) return;
  if (json == "[DONE]") return take_done(sink);
  if (!take_json(type, json, false, sink)) take_json(type, events::repair_strings(json), true, sink);
}

bool EventDecoder::take_json(std::string_view type, std::string_view json, bool repaired, AnswerSink& sink) {
  // NUL is legal in JSON, but not in the text of an answer.
  if (!repaired && json.contains("\\u0000")) return false;
  const events::JsonDocument document(json, 128);
  const auto error = document.error();
  if (!repaired &&
      (error == simdjson::UTF8_ERROR || error == simdjson::STRING_ERROR || error == simdjson::UNESCAPED_CHARS)) {
    return false;
  }
  if (error != simdjson::SUCCESS || !document.root().is_object()) {
    // A web page or another API is not one bad item among good ones.
    if (items_ == 0) {
      if (auto other = other_api_text(json, adapter_); !other.empty()) {
        fail(protocol_failure(std::move(other), false), sink);
        return true;
      }
    }
    missed(type);
    if (stream_ && may_hold_call(type)) {
      lost_call(sink);
      return true;
    }
    unreadable(error != simdjson::SUCCESS ? "it is not JSON" : "it is not a JSON object", sink);
    return true;
  }
  ++items_;
  root_ = document.root();
  const events::ObjectReader object(root_);
  if (stream_) {
    take_event(type, object, json, sink);
  } else {
    take_whole(object, json, sink);
  }
  return true;
}

bool EventDecoder::hold(std::size_t bytes, AnswerSink& sink) {
  if (over_) return false;
  answer_bytes_ += bytes;
  if (answer_bytes_ <= limits_.answer_bytes_max) return true;
  CallFailure failure{
      .failure = events::Failure::of(ErrorCode::response_too_large,
                                     fmt::format("{}'s answer is longer than the {} bytes allowed. Set maxTokens.",
                                                 title_, limits_.answer_bytes_max)),
      .error_class = "too_large"};
  failure.failure.status = 200;
  fail(std::move(failure), sink);
  return false;
}

bool EventDecoder::text(std::string_view text, AnswerSink& sink) {
  if (text.empty()) return !over_;
  if (!hold(text.size(), sink)) return false;
  sink.on_event(TextDelta{text});
  return true;
}

bool EventDecoder::reasoning(std::string_view text, AnswerSink& sink) {
  if (text.empty()) return !over_;
  if (!hold(text.size(), sink)) return false;
  sink.on_event(ReasoningDelta{text});
  return true;
}

bool EventDecoder::tool_call(events::ToolCall call, AnswerSink& sink) {
  if (!hold(call.id.size() + call.name.size() + call.arguments.size(), sink)) return false;
  sink.on_event(ToolCallDone{std::move(call)});
  return true;
}

bool EventDecoder::tool_calls(ToolCallAssembler& calls, FinishReason& reason, AnswerSink& sink) {
  if (over_) return false;
  if (calls.empty()) return true;
  auto taken = calls.take();
  if (!taken.problem.empty()) {
    if (!cuts_calls(reason)) {
      fail(protocol_failure(fmt::format("{}'s answer cannot be used: {}. Ask again.", title_, taken.problem)), sink);
      return false;
    }
    warn_of_cut_call(reason, sink);
  }
  for (auto& call : taken.whole) sink.on_event(ToolCallDone{std::move(call)});
  if (!taken.whole.empty() && reason != FinishReason::content_filter) reason = FinishReason::tool_calls;
  return true;
}

void EventDecoder::warn_of_cut_call(FinishReason reason, AnswerSink& sink) {
  sink.on_event(AnswerWarning{reason == FinishReason::content_filter
                                  ? "The provider's content filter cut a tool call off; it is left out."
                                  : "The answer's length limit cut a tool call off; it is left out."});
}

bool EventDecoder::too_many_calls(AnswerSink& sink) {
  fail(protocol_failure(too_many_calls_text(title_)), sink);
  return false;
}

void EventDecoder::finish(FinishReason reason, AnswerSink& sink) {
  if (std::exchange(over_, true)) return;
  sink.on_event(AnswerFinished{reason});
}

void EventDecoder::fail(CallFailure failure, AnswerSink& sink) {
  if (std::exchange(over_, true)) return;
  release(body_);
  sink.on_event(AnswerFailed{std::move(failure)});
}

void EventDecoder::truncated(AnswerSink& sink) {
  fail(protocol_failure(items_ == 0
                            ? fmt::format("{}'s answer is empty. Ask again.", title_)
                            : fmt::format("{}'s answer ended before it was whole. Ask again; if it stays, look whether "
                                          "the server restarts or something between cuts long answers.",
                                          title_)),
       sink);
}

void EventDecoder::lost_call(AnswerSink& sink) {
  fail(protocol_failure(
           fmt::format("{}'s answer cannot be used: an event could not be read that may have been a part of "
                       "a tool call. Ask again; if it stays, look at what is between here and the provider.",
                       title_)),
       sink);
}

void EventDecoder::unreadable(std::string_view problem, AnswerSink& sink) {
  if (over_) return;
  if (stream_ && ++unreadable_ == 1) {
    const auto warning =
        fmt::format("One event of {}'s answer could not be read and was left out: {}.", title_, problem);
    sink.on_event(AnswerWarning{warning});
    return;
  }
  fail(protocol_failure(fmt::format("{}'s answer cannot be read: {}. Ask again; if it stays, look at what is between "
                                    "here and the provider.",
                                    title_, problem)),
       sink);
}

}  // namespace tokenrail::providers
