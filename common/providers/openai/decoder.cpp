#include "common/providers/openai/decoder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/providers/estimate.hpp"
#include "common/providers/event_decoder.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/json_fields.hpp"
#include "common/providers/openai/classification.hpp"
#include "common/providers/openai/reasoning_details.hpp"
#include "common/providers/openai/usage.hpp"
#include "common/providers/other_api.hpp"
#include "common/providers/profile.hpp"

namespace tokenrail::providers::openai {

namespace {

namespace dom = simdjson::dom;
using events::FinishReason;
using events::ObjectReader;

struct FinishWord {
  std::string_view word;
  FinishReason reason;
};
/// Tool calls count by their presence; the word for them may be "stop".
constexpr FinishWord finish_words[] = {
    {"stop", FinishReason::stop},
    {"length", FinishReason::length},
    {"tool_calls", FinishReason::tool_calls},
    {"content_filter", FinishReason::content_filter},
    {"function_call", FinishReason::tool_calls},
    {"model_length", FinishReason::length},  // Mistral: the context window is full
    {"eos", FinishReason::stop},             // Together
    {"eos_token", FinishReason::stop},       // TGI
    {"stop_sequence", FinishReason::stop},   // TGI
};

// The fields that are read of a chunk or a whole answer, of a choice and of a message.
enum FrameField : std::uint8_t {
  frame_error,
  frame_object,
  frame_choices,
  frame_id,
  frame_usage,
  frame_groq,
  frame_model
};
constexpr std::array<std::string_view, 7> frame_names = {"error", "object", "choices", "id",
                                                         "usage", "x_groq", "model"};
using Frame = JsonFields<frame_names.size()>;
enum ChoiceField : std::uint8_t { choice_index, choice_delta, choice_message, choice_reason, choice_usage };
constexpr std::array<std::string_view, 5> choice_names = {"index", "delta", "message", "finish_reason", "usage"};
enum MessageField : std::uint8_t {
  said_content,
  said_reasoning_content,
  said_reasoning,
  said_details,
  said_audio,
  said_refusal,
  said_calls,
  said_function
};
constexpr std::array<std::string_view, 8> message_names = {
    "content", "reasoning_content", "reasoning",  "reasoning_details",
    "audio",   "refusal",           "tool_calls", "function_call"};

/// Headers that name the exchange for the provider's support; the first that is there counts.
constexpr std::array<std::string_view, 4> id_headers = {"x-request-id", "apim-request-id", "mistral-correlation-id",
                                                        "x-generation-id"};
/// Finish reasons of answers that are not whole: OpenRouter and Mistral, DeepSeek.
constexpr std::array<std::string_view, 2> failure_words = {"error", "insufficient_system_resource"};

std::string_view string_at(const ObjectReader& object, std::string_view name) {
  const auto found = object.find(name);
  return found ? events::string_of(*found).value_or("") : std::string_view();
}

std::optional<dom::array> list_at(const ObjectReader& object, std::string_view name) {
  const auto found = object.find(name);
  dom::array list;
  if (!found || found->get_array().get(list) != simdjson::SUCCESS) return std::nullopt;
  return list;
}

/// The object under that name; a reader without fields where it is missing or of another type.
std::optional<ObjectReader> object_at(const ObjectReader& object, std::string_view name) {
  const auto found = object.find(name);
  if (!found || !found->is_object()) return std::nullopt;
  return ObjectReader(*found);
}

/// False, null, {} and "" are no errors: some servers send the field with each chunk.
bool is_error(dom::element error) {
  if (const auto text = events::string_of(error)) return !text->empty();
  dom::object object;
  if (error.get_object().get(object) == simdjson::SUCCESS) return object.size() > 0;
  return error.is_array();
}

class Decoder final : public EventDecoder {
 public:
  explicit Decoder(DecoderContext context)
      : EventDecoder(context.stream, context.limits, std::string(title_of(context.provider)), context.adapter),
        provider_(std::move(context.provider)),
        adapter_(context.adapter),
        profile_(context.profile != nullptr ? *context.profile : chat_profile("")),
        model_(std::move(context.model)),
        tools_(context.tools),
        prompt_bytes_(context.prompt_bytes),
        prefill_(std::move(context.repeated)) {}

  void head(const http::ResponseHead& head, AnswerSink& sink) override {
    EventDecoder::head(head, sink);
    for (const auto name : id_headers) {
      const auto id = head.header(name);
      if (id && !id->empty()) return request_id(*id, sink);
    }
  }

  [[nodiscard]] std::size_t held_bytes() const override {
    return EventDecoder::held_bytes() + calls_.bytes() + details_.bytes();
  }

 protected:
  void take_event(std::string_view type, const ObjectReader& /*item*/, std::string_view json,
                  AnswerSink& sink) override {
    const Frame frame(root(), frame_names);
    if (take_error(type == "error", frame, json, sink)) return;
    take_frame(frame, json, sink);
  }

  void take_whole(const ObjectReader& /*answer*/, std::string_view json, AnswerSink& sink) override {
    const Frame frame(root(), frame_names);
    if (take_error(false, frame, json, sink)) return;
    take_frame(frame, json, sink);
    if (!over()) end_answer(sink);
  }

  [[nodiscard]] bool may_hold_call(std::string_view /*type*/) const override { return tools_ || !calls_.empty(); }

  void take_done(AnswerSink& sink) override { end_answer(sink); }

  /// Some servers send no `[DONE]`: a finish reason is an end as well.
  void take_end(AnswerSink& sink) override {
    if (!finish_) return truncated(sink);
    end_answer(sink);
  }

 private:
  bool take_error(bool named, const Frame& frame, std::string_view json, AnswerSink& sink) {
    const auto& error = frame[frame_error];
    const bool flat = named || frame.text(frame_object) == "error";
    if (!(error && is_error(*error)) && !flat) return false;
    fail(classify_stream_error(title(), json), sink);
    return true;
  }

  /// What a chunk and a whole answer have in common.
  void take_frame(const Frame& frame, std::string_view json, AnswerSink& sink) {
    const auto choices = frame.list(frame_choices);
    if (!choices && items() == 1) {
      // An object of another API: it will never become an answer.
      if (auto other = other_api_text(json, adapter_); !other.empty()) {
        return fail(protocol_failure(std::move(other), false), sink);
      }
    }
    request_id(frame.text(frame_id), sink);
    if (!model_.empty()) compare_model(frame.text(frame_model), sink);
    if (choices) {
      for (const auto choice : *choices) {
        if (over()) return;
        take_choice(choice, sink);
      }
    }
    if (over()) return;
    if (const auto usage = frame.object(frame_usage)) {
      read_usage(*usage, usage_);
    } else if (const auto groq = frame.object(frame_groq)) {
      if (const auto nested = object_at(*groq, "usage")) read_usage(*nested, usage_);
    }
  }

  void take_choice(dom::element element, AnswerSink& sink) {
    const JsonFields<choice_names.size()> choice(element, choice_names);
    if (!choice.is_object() || choice.integer(choice_index).value_or(0) > 0) return;  // one answer was asked for
    choices_ = true;
    const auto object = [&](std::size_t place) {
      return choice[place] && choice[place]->is_object() ? choice[place] : std::nullopt;
    };
    auto message = object(streams() ? choice_delta : choice_message);
    // A stream may bring its whole text as one message, a whole answer as one delta.
    if (!message && !said_) message = object(streams() ? choice_message : choice_delta);
    if (message && !take_message(*message, sink)) return;
    if (const auto usage = choice.object(choice_usage)) read_usage(*usage, usage_);
    const auto word = choice.text(choice_reason);
    if (word.empty() || finish_) return;  // the first counts: OpenRouter repeats it
    if (std::ranges::find(failure_words, word) != failure_words.end()) {
      return fail(classify_stream_error(title(), fmt::format(R"({{"error":"finish_reason {}"}})", word)), sink);
    }
    const auto* const known = std::ranges::find(finish_words, word, &FinishWord::word);
    finish_ = known != std::ranges::end(finish_words) ? known->reason : FinishReason::stop;
    if (known != std::ranges::end(finish_words)) return;
    const auto warning =
        fmt::format("{} ended with the unknown reason \"{}\", taken for stop.", title(), quotable(word, 100));
    sink.on_event(AnswerWarning{warning});
  }

  bool take_message(dom::element element, AnswerSink& sink) {
    const JsonFields<message_names.size()> message(element, message_names);
    auto thought = message.text(said_reasoning_content);
    if (thought.empty()) thought = message.text(said_reasoning);
    if (!say_reasoning(thought, sink)) return false;
    if (const auto details = message.list(said_details)) {
      if (!take_details(*details, thought.empty(), sink)) return false;
    }
    if (const auto& content = message[said_content]; content && !take_content(*content, sink)) return false;
    if (const auto audio = message.object(said_audio); audio && !say(string_at(*audio, "transcript"), sink)) {
      return false;
    }
    if (const auto refusal = message.text(said_refusal); !refusal.empty()) {
      refused_ = true;
      if (!say(refusal, sink)) return false;
    }
    if (const auto list = message.list(said_calls)) {
      for (const auto call : *list) {
        if (!take_call(ObjectReader(call), sink)) return false;
      }
    }
    if (const auto function = message.object(said_function)) return take_function(*function, 0, "", sink);
    return true;
  }

  /// A string, or a list of parts (Mistral): text, and thinking that is a list of its own.
  bool take_content(dom::element content, AnswerSink& sink) {
    if (const auto text = events::string_of(content)) return say(*text, sink);
    dom::array parts;
    if (content.get_array().get(parts) != simdjson::SUCCESS) return true;
    for (const auto element : parts) {
      const ObjectReader part(element);
      if (!part.is_object()) continue;
      if (string_at(part, "type") != "thinking") {
        if (!say(string_at(part, "text"), sink)) return false;
        continue;
      }
      if (!say_reasoning(string_at(part, "thinking"), sink)) return false;
      const auto thoughts = list_at(part, "thinking");
      if (!thoughts) continue;
      for (const auto thought : *thoughts) {
        const ObjectReader reader(thought);
        if (!say_reasoning(string_at(reader, "text"), sink)) return false;
      }
    }
    return true;
  }

  /// `speaks`: there is no other field with the text of the reasoning.
  bool take_details(const dom::array& details, bool speaks, AnswerSink& sink) {
    for (const auto element : details) {
      const ObjectReader detail(element);
      if (!detail.is_object()) continue;
      if (speaks) {
        auto text = string_at(detail, "text");
        if (text.empty()) text = string_at(detail, "summary");
        if (!say_reasoning(text, sink)) return false;
      }
      if (profile_.replay != Replay::details) continue;
      const auto more = details_.add(element);
      count_piece(more);
      if (!hold(more, sink)) return false;
    }
    return true;
  }

  bool take_call(const ObjectReader& call, AnswerSink& sink) {
    const auto function = object_at(call, "function");
    if (!function) return true;
    return take_function(*function, call.integer_if("index"), string_at(call, "id"), sink);
  }

  bool take_function(const ObjectReader& function, std::optional<std::int64_t> index, std::string_view id,
                     AnswerSink& sink) {
    said_ = true;
    std::string written;
    auto arguments = string_at(function, "arguments");
    if (const auto value = function.find("arguments"); value && value->is_object()) {
      written = simdjson::minify(*value);
      arguments = written;
    }
    // Without streaming each entry is a call of its own, whatever numbers they have.
    if (!streams()) index = whole_calls_++;
    const auto name = string_at(function, "name");
    const auto before = calls_.bytes();
    count_piece(id.size() + name.size() + arguments.size());
    if (!calls_.add({.index = index, .id = id, .name = name, .arguments = arguments})) return too_many_calls(sink);
    return hold(calls_.bytes() - before, sink);
  }

  bool say(std::string_view words, AnswerSink& sink) {
    said_ = said_ || !words.empty();
    if (!prefill_.empty() && !leave_out_repeated(words, sink)) return false;
    said_bytes_ += words.size();
    return text(words, sink);
  }

  /// Takes from `words` what repeats the request's text. What was held back is delivered where it turns out to be none.
  bool leave_out_repeated(std::string_view& words, AnswerSink& sink) {
    const auto expected = std::string_view(prefill_).substr(prefill_seen_);
    const auto same = static_cast<std::size_t>(std::ranges::mismatch(expected, words).in1 - expected.begin());
    if (same == words.size() && same < expected.size()) {
      prefill_seen_ += same;
      words = {};
      return true;
    }
    if (!only_blanks(expected.substr(same))) return deliver_held(sink);
    words.remove_prefix(same);
    prefill_.clear();
    return true;
  }
  bool deliver_held(AnswerSink& sink) {
    const auto repeated = std::exchange(prefill_, {});
    said_bytes_ += prefill_seen_;
    return text(std::string_view(repeated).substr(0, prefill_seen_), sink);
  }
  /// The end of a repeated text may be missing where it is blank: servers cut it.
  static bool only_blanks(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

  bool say_reasoning(std::string_view words, AnswerSink& sink) {
    said_ = said_ || !words.empty();
    said_bytes_ += words.size();
    return reasoning(words, sink);
  }

  void request_id(std::string_view id, AnswerSink& sink) {
    if (identified_ || id.empty()) return;
    identified_ = true;
    sink.on_event(ProviderRequestId{id});
  }

  /// A server may answer any name with the model that it has loaded. One name may be the other with a date, a path or a
  /// suffix.
  void compare_model(std::string_view answering, AnswerSink& sink) {
    if (answering.empty()) return;
    const auto asked = folded(std::exchange(model_, {}));
    const auto said = folded(answering);
    if (asked.contains(said) || said.contains(asked)) return;
    const auto warning =
        fmt::format("{} answered with another model than was asked for: {}.", title(), quotable(answering, 200));
    sink.on_event(AnswerWarning{warning});
  }

  static std::string folded(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return out;
  }

  void end_answer(AnswerSink& sink) {
    if (over()) return;
    if (!prefill_.empty() && !only_blanks(std::string_view(prefill_).substr(prefill_seen_)) && !deliver_held(sink))
      return;
    // `[DONE]` behind nothing at all, or behind choices that never brought anything, is no answer.
    if (!choices_ || (!finish_ && !said_)) return truncated(sink);
    auto reason = finish_.value_or(FinishReason::stop);
    if (refused_ && reason == FinishReason::stop) reason = FinishReason::content_filter;
    if (passed_over() && (!calls_.empty() || reason == FinishReason::tool_calls)) return lost_call(sink);
    const auto call_bytes = calls_.text_bytes();
    if (!tool_calls(calls_, reason, sink)) return;
    if (!details_.empty()) sink.on_event(OpaqueBlock{{.provider = provider_, .data = details_.take()}});
    sink.on_event(UsageReport{usage_ ? *usage_ : estimated_usage(prompt_bytes_, said_bytes_ + call_bytes)});
    finish(reason, sink);
  }

  const std::string provider_;
  const std::string_view adapter_;
  const ChatProfile& profile_;
  std::string model_;  ///< that the answer's is compared with; empty: none, or it was
  const bool tools_;
  const std::size_t prompt_bytes_;
  ToolCallAssembler calls_{};
  ReasoningDetails details_{};
  std::optional<events::Usage> usage_{};
  std::optional<FinishReason> finish_{};
  std::string prefill_{};         ///< empty: nothing is, or it has come
  std::size_t prefill_seen_ = 0;  ///< bytes of it that the answer began with
  std::size_t said_bytes_ = 0;
  std::int64_t whole_calls_ = 0;
  bool choices_ = false;  ///< the answer has begun
  bool said_ = false;     ///< text, reasoning or a tool call came
  bool refused_ = false;
  bool identified_ = false;
};

}  // namespace

std::unique_ptr<AnswerDecoder> make_decoder(DecoderContext context) {
  return std::make_unique<Decoder>(std::move(context));
}

}  // namespace tokenrail::providers::openai
