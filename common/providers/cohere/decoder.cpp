#include "common/providers/cohere/decoder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "common/providers/cohere/classification.hpp"
#include "common/providers/estimate.hpp"
#include "common/providers/event_decoder.hpp"
#include "common/providers/other_api.hpp"

namespace tokenrail::providers::cohere {

namespace {

using events::FinishReason;
using events::ObjectReader;

struct Ending {
  std::string_view word;
  FinishReason reason;
};
/// The words of version 2, then those of version 1 that servers between still use. A word that is not here ends the
/// answer as COMPLETE does, except for the failures.
constexpr std::array<Ending, 7> endings{{{"COMPLETE", FinishReason::stop},
                                         {"STOP_SEQUENCE", FinishReason::stop},
                                         {"MAX_TOKENS", FinishReason::length},
                                         {"TOOL_CALL", FinishReason::tool_calls},
                                         {"ERROR_LIMIT", FinishReason::length},
                                         {"ERROR_TOXIC", FinishReason::content_filter},
                                         {"USER_CANCEL", FinishReason::stop}}};

/// The object under `name`, or one without fields.
ObjectReader object_at(const ObjectReader& object, std::string_view name) {
  const auto found = object.find(name);
  return found ? ObjectReader(*found) : ObjectReader();
}

std::string_view text_at(const ObjectReader& object, std::string_view name) {
  const auto found = object.find(name);
  return found ? events::string_of(*found).value_or("") : std::string_view();
}

std::optional<std::int64_t> count_at(const ObjectReader& object, std::string_view name) {
  const auto count = object.integer_if(name);
  return count && *count >= 0 ? count : std::nullopt;
}

/// Calls `visit` for each object of a list, or for the object itself: streams send one call as an object.
template <class Visit>
void for_each_object(const ObjectReader& parent, std::string_view name, Visit visit) {
  const auto found = parent.find(name);
  if (!found) return;
  if (found->is_object()) return visit(ObjectReader(*found));
  if (!found->is_array()) return;
  for (const auto entry : simdjson::dom::array(found->get_array().value_unsafe())) {
    if (entry.is_object()) visit(ObjectReader(entry));
  }
}

/// `tokens` is what the model read and wrote; `billed_units` is less, and counts only where nothing else is there.
std::optional<events::Usage> usage_of(const ObjectReader& parent) {
  const auto usage = object_at(parent, "usage");
  const auto tokens = object_at(usage, "tokens");
  const auto billed = object_at(usage, "billed_units");
  const auto& source = count_at(tokens, "input_tokens") || count_at(tokens, "output_tokens") ? tokens : billed;
  const auto input = count_at(source, "input_tokens");
  const auto output = count_at(source, "output_tokens");
  if (!input && !output) return std::nullopt;
  constexpr std::int64_t plausible_max = 1'000'000'000'000;  // so that the sum cannot overflow
  const auto images = std::min(count_at(tokens, "image_tokens").value_or(0), plausible_max);
  return events::Usage{.input_tokens = std::min(input.value_or(0), plausible_max) + images,
                       .output_tokens = output.value_or(0),
                       .cached_input_tokens = count_at(usage, "cached_tokens"),
                       .reasoning_tokens = count_at(tokens, "reasoning_tokens")};
}

class Decoder final : public EventDecoder {
 public:
  Decoder(bool stream, const DecoderLimits& limits, std::string title, std::size_t prompt_bytes, bool tools)
      : EventDecoder(stream, limits, std::move(title), "cohere"), prompt_bytes_(prompt_bytes), tools_(tools) {}

  void head(const http::ResponseHead& head, AnswerSink& sink) override {
    EventDecoder::head(head, sink);
    if (const auto id = head.header("x-debug-trace-id")) name(*id, sink);
  }

  [[nodiscard]] std::size_t held_bytes() const override { return EventDecoder::held_bytes() + calls_.bytes(); }

 private:
  void take_event(std::string_view type, const ObjectReader& item, std::string_view json, AnswerSink& sink) override {
    if (const auto own = text_at(item, "type"); !own.empty()) type = own;
    const auto delta = object_at(item, "delta");
    const auto message = object_at(delta, "message");
    if (type == "content-delta" || type == "content-start") {
      take_content(object_at(message, "content"), sink);
    } else if (type == "tool-plan-delta") {
      take_reasoning(text_at(message, "tool_plan"), sink);
    } else if (type == "tool-call-start" || type == "tool-call-delta") {
      take_calls(message, item.integer_if("index"), sink);
    } else if (type == "message-start") {
      name(text_at(item, "id"), sink);
    } else if (type == "message-end") {
      take_ending(delta, sink);
    } else if (type == "error" || (type == "message" && !text_at(item, "message").empty())) {
      fail(classify_stream_error(title(), json), sink);
    }
    // Citations, the ends of parts, and what is not known yet.
  }

  [[nodiscard]] bool may_hold_call(std::string_view type) const override {
    const bool none = type.starts_with("content-") || type.starts_with("citation-") || type == "tool-plan-delta" ||
                      type == "message-start";
    return !none && (tools_ || type.starts_with("tool-call-") || !calls_.empty());
  }

  void take_whole(const ObjectReader& answer, std::string_view json, AnswerSink& sink) override {
    const auto message = object_at(answer, "message");
    if (!message.is_object()) {
      if (!text_at(answer, "message").empty()) return fail(classify_stream_error(title(), json), sink);
      if (auto other = other_api_text(json, "cohere"); !other.empty())
        return fail(protocol_failure(std::move(other), false), sink);
      return unreadable("it has no message", sink);
    }
    name(text_at(answer, "id"), sink);
    take_reasoning(text_at(message, "tool_plan"), sink);
    if (const auto plain = text_at(message, "content"); !plain.empty()) take_text(plain, sink);
    for_each_object(message, "content", [&](const ObjectReader& part) { take_content(part, sink); });
    std::int64_t index = 0;
    for_each_object(message, "tool_calls", [&](const ObjectReader& call) { take_call(call, index++, sink); });
    take_ending(answer, sink);
  }

  void take_content(const ObjectReader& part, AnswerSink& sink) {
    take_reasoning(text_at(part, "thinking"), sink);
    take_text(text_at(part, "text"), sink);
  }

  void take_text(std::string_view piece, AnswerSink& sink) {
    answer_bytes_ += piece.size();
    text(piece, sink);
  }

  void take_reasoning(std::string_view piece, AnswerSink& sink) {
    answer_bytes_ += piece.size();
    reasoning(piece, sink);
  }

  void take_calls(const ObjectReader& message, std::optional<std::int64_t> index, AnswerSink& sink) {
    for_each_object(message, "tool_calls", [&](const ObjectReader& call) { take_call(call, index, sink); });
  }

  void take_call(const ObjectReader& call, std::optional<std::int64_t> index, AnswerSink& sink) {
    if (over()) return;
    const auto function = object_at(call, "function");
    const ToolCallAssembler::Fragment fragment{.index = index,
                                               .id = text_at(call, "id"),
                                               .name = text_at(function, "name"),
                                               .arguments = text_at(function, "arguments")};
    const auto bytes = fragment.id.size() + fragment.name.size() + fragment.arguments.size();
    answer_bytes_ += bytes;
    if (bytes == 0) return;
    count_piece(bytes);
    const auto before = calls_.bytes();
    if (calls_.add(fragment)) {
      hold(calls_.bytes() - before, sink);
    } else {
      too_many_calls(sink);
    }
  }

  /// `ending` has finish_reason, usage and error: the delta of message-end, or a whole answer.
  void take_ending(const ObjectReader& ending, AnswerSink& sink) {
    if (over()) return;
    const auto word = text_at(ending, "finish_reason");
    const auto* const known = std::ranges::find(endings, word, &Ending::word);
    const auto error = text_at(ending, "error");
    auto usage = usage_of(ending);
    if (known == endings.end() && (word.starts_with("ERROR") || word == "TIMEOUT" || !error.empty())) {
      if (usage) sink.on_event(UsageReport{*usage});
      return fail(classify_ending(title(), word, error), sink);
    }
    auto reason = known == endings.end() ? FinishReason::stop : known->reason;
    if (!tool_calls(calls_, reason, sink)) return;
    if (!usage) {
      usage = estimated_usage(prompt_bytes_, answer_bytes_);
    }
    sink.on_event(UsageReport{*usage});
    finish(reason, sink);
  }

  void name(std::string_view id, AnswerSink& sink) {
    if (id.empty() || std::exchange(named_, true)) return;
    sink.on_event(ProviderRequestId{id});
  }

  const std::size_t prompt_bytes_;
  const bool tools_;
  std::size_t answer_bytes_ = 0;
  ToolCallAssembler calls_{};
  bool named_ = false;
};

}  // namespace

std::unique_ptr<AnswerDecoder> make_decoder(bool stream, const DecoderLimits& limits, std::string title,
                                            std::size_t prompt_bytes, bool tools) {
  return std::make_unique<Decoder>(stream, limits, std::move(title), prompt_bytes, tools);
}

}  // namespace tokenrail::providers::cohere
