#include "common/providers/gemini/decoder.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "common/providers/estimate.hpp"
#include "common/providers/event_decoder.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/gemini/classification.hpp"
#include "common/providers/gemini/finish_reasons.hpp"
#include "common/providers/gemini/ids.hpp"
#include "common/providers/gemini/object_framer.hpp"
#include "common/providers/gemini/partial_call.hpp"
#include "common/providers/json_fields.hpp"
#include "common/providers/other_api.hpp"
#include "common/providers/token_counts.hpp"

namespace tokenrail::providers::gemini {

namespace {

namespace dom = simdjson::dom;
using events::ErrorCode;
using events::FinishReason;
using events::ObjectReader;

// The fields that are read of an item of the answer, of a candidate and of a part of its content.
enum ItemField : std::uint8_t { item_error, item_candidates, item_usage, item_feedback, item_id };
constexpr std::array<std::string_view, 5> item_names = {"error", "candidates", "usageMetadata", "promptFeedback",
                                                        "responseId"};
enum CandidateField : std::uint8_t { candidate_index, candidate_reason, candidate_content, candidate_message };
constexpr std::array<std::string_view, 4> candidate_names = {"index", "finishReason", "content", "finishMessage"};
using Candidate = JsonFields<candidate_names.size()>;
enum PartField : std::uint8_t { part_signature, part_call, part_text, part_thought };
constexpr std::array<std::string_view, 4> part_names = {"thoughtSignature", "functionCall", "text", "thought"};
enum CountField : std::uint8_t {
  count_prompt,
  count_candidates,
  count_thoughts,
  count_tools,
  count_cached,
  count_prompt_parts,
  count_candidates_parts
};
constexpr std::array<std::string_view, 7> count_names = {
    "promptTokenCount",        "candidatesTokenCount", "thoughtsTokenCount",     "toolUsePromptTokenCount",
    "cachedContentTokenCount", "promptTokensDetails",  "candidatesTokensDetails"};

/// Text that lives as long as the document; empty where it is missing or of another type.
std::string_view view_at(const ObjectReader& object, std::string_view key) {
  const auto element = object.find(key);
  return element ? events::string_of(*element).value_or("") : std::string_view();
}

class Decoder final : public EventDecoder {
 public:
  Decoder(bool stream, const DecoderLimits& limits, AnswerContext context)
      : EventDecoder(stream, limits, std::move(context.title), "gemini"),
        provider_(std::move(context.provider)),
        tools_(context.tools),
        prompt_bytes_(context.prompt_bytes),
        objects_(limits.item_bytes_max) {}

  /// The body says what it is; the type is wrong where a gateway sets it.
  void head(const http::ResponseHead& /*head*/, AnswerSink& /*sink*/) override {}

  void feed(std::string_view bytes, AnswerSink& sink) override {
    if (over() || bytes.empty()) return;
    if (framing_ == Framing::unknown) {
      const auto begin = bytes.find_first_not_of(" \t\r\n");
      if (begin == std::string_view::npos) return;
      bytes.remove_prefix(begin);
      recognise(bytes.front());
    }
    if (framing_ == Framing::events) {
      const auto json = json_line(bytes);
      EventDecoder::feed(bytes.substr(0, json), sink);
      if (json == std::string_view::npos || over()) return;
      // A failure can come as bare JSON in the middle of a stream of events.
      framing_ = Framing::objects;
      bytes.remove_prefix(json);
    }
    if (framing_ == Framing::text) return EventDecoder::feed(bytes, sink);
    if (!objects_.feed(bytes, [&](std::string_view json) { take("message", json, sink); }) && !over()) too_large(sink);
  }

  [[nodiscard]] std::size_t held_bytes() const override {
    return EventDecoder::held_bytes() + objects_.held_bytes() + (open_ ? open_->bytes() : 0);
  }

 protected:
  void take_event(std::string_view /*type*/, const ObjectReader& /*item*/, std::string_view json,
                  AnswerSink& sink) override {
    take_answer(json, sink);
  }
  void take_whole(const ObjectReader& /*answer*/, std::string_view json, AnswerSink& sink) override {
    take_answer(json, sink);
  }
  [[nodiscard]] bool may_hold_call(std::string_view /*type*/) const override {
    return tools_ || open_.has_value() || calls_ > 0;
  }
  void take_end(AnswerSink& sink) override {
    if (!objects_.unfinished()) return truncated(sink);
    fail(protocol_failure(fmt::format("{}'s answer ended before it was whole. Ask again; if it stays, look at what is "
                                      "between here and the provider.",
                                      title())),
         sink);
  }

 private:
  enum class Framing { unknown, events, objects, text };

  void recognise(char first) {
    // How server-sent events begin: data, event, id, retry or a comment; after a byte order mark it is what was asked.
    const bool events = std::string_view("deir:").contains(first) || (first == '\xEF' && streams());
    framing_ = events ? Framing::events : first == '{' || first == '[' ? Framing::objects : Framing::text;
    reads_stream(events || first == '[');
  }

  /// Where a line of `bytes` begins that is JSON, not a field of an event; npos: nowhere.
  std::size_t json_line(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      if (line_begins_ && bytes[at] == '{') return at;
      const auto end = bytes.find('\n', at);
      line_begins_ = end != std::string_view::npos;
      if (!line_begins_) break;
      at = end + 1;
    }
    return std::string_view::npos;
  }

  void take_answer(std::string_view json, AnswerSink& sink) {
    const JsonFields<item_names.size()> item(root(), item_names);
    if (const auto& error = item[item_error]; error && (error->is_object() || error->is_string())) {
      return fail(classify_stream_error(title(), json), sink);
    }
    const auto& candidates = item[item_candidates];
    const auto& usage = item[item_usage];
    if (!candidates && !usage && items() == 1) {
      auto other = item[item_feedback] ? std::string() : other_api_text(json, "gemini");
      if (!other.empty()) return fail(protocol_failure(std::move(other), false), sink);
    }
    if (response_id_.empty()) {
      response_id_ = item.text(item_id);
      if (!response_id_.empty()) sink.on_event(ProviderRequestId{response_id_});
    }
    const auto candidate = first_of(candidates);
    // Each item of a stream counts what has come so far.
    const bool last = !candidate || (*candidate)[candidate_reason];
    if (usage) take_usage(*usage, last, sink);
    if (candidate) {
      take_candidate(*candidate, sink);
    } else if (const auto& feedback = item[item_feedback]) {
      take_block(ObjectReader(*feedback), sink);
    }
  }

  static std::optional<Candidate> first_of(const std::optional<dom::element>& candidates) {
    dom::array list;
    if (!candidates || candidates->get_array().get(list) != simdjson::SUCCESS) return std::nullopt;
    for (const auto element : list) {
      const Candidate candidate(element, candidate_names);
      if (candidate.is_object() && candidate.integer(candidate_index).value_or(0) == 0) return candidate;
    }
    return std::nullopt;
  }

  /// Of a list that counts each kind of content.
  static std::int64_t tokens_of(std::string_view modality, const dom::array& parts) {
    std::int64_t tokens = 0;
    for (const auto element : parts) {
      const ObjectReader part(element);
      if (view_at(part, "modality") == modality) tokens = part.integer_if("tokenCount").value_or(0);
    }
    return tokens;
  }

  void take_usage(dom::element element, bool last, AnswerSink& sink) {
    const JsonFields<count_names.size()> counts(element, count_names);
    const auto count_at = [&](CountField field) {
      const auto count = counts.integer(field);
      // Two are added below; the sum of such counts is not believed.
      return count && *count >= 0 ? std::optional(std::min(*count, tokens_max + 1)) : std::nullopt;
    };
    const auto prompt = count_at(count_prompt);
    const auto candidates = count_at(count_candidates);
    const auto thoughts = count_at(count_thoughts);
    if (!prompt && !candidates && !thoughts) return;
    events::Usage usage;
    usage.input_tokens = prompt.value_or(0) + count_at(count_tools).value_or(0);
    usage.output_tokens = candidates.value_or(0) + thoughts.value_or(0);
    usage.cached_input_tokens = count_at(count_cached);
    usage.reasoning_tokens = thoughts;
    if (const auto parts = counts.list(count_prompt_parts)) {
      usage.audio_input_tokens = tokens_of("AUDIO", *parts);
      usage.image_input_tokens = tokens_of("IMAGE", *parts);
    }
    if (const auto parts = counts.list(count_candidates_parts)) {
      usage.audio_output_tokens = tokens_of("AUDIO", *parts);
      usage.image_output_tokens = tokens_of("IMAGE", *parts);
    }
    usage_known_ = true;
    sink.on_event(UsageReport{.usage = usage, .last = last});
  }

  /// The prompt was refused before there was an answer.
  void take_block(const ObjectReader& feedback, AnswerSink& sink) {
    const auto reason = feedback.find("blockReason");
    if (!reason) return;
    CallFailure failure;
    const auto word = events::string_of(*reason);
    const auto words = view_at(feedback, "blockReasonMessage");
    failure.failure = events::Failure::of(
        ErrorCode::content_filtered, fmt::format("{} refused the request ({}{}{}). Change its messages.", title(),
                                                 quotable(word ? std::string(*word) : simdjson::minify(*reason), 60),
                                                 words.empty() ? "" : ": ", quotable(words)));
    failure.failure.status = 200;
    failure.error_class = "content_filter";
    fail(std::move(failure), sink);
  }

  void take_candidate(const Candidate& candidate, AnswerSink& sink) {
    const auto& reason = candidate[candidate_reason];
    const auto word = reason ? events::string_of(*reason).value_or("") : std::string_view();
    const auto number = reason ? events::integer_of(*reason).value_or(-1) : -1;
    const bool ends = reason && number != 0 && word != "FINISH_REASON_UNSPECIFIED" && (number > 0 || !word.empty());
    const auto* const row =
        ends ? find_finish_row(word, static_cast<int>(std::min<std::int64_t>(number, 1'000))) : nullptr;
    if (row != nullptr && !row->reason) return take_failure(*row, candidate.text(candidate_message), sink);

    dom::array parts;
    const auto& content = candidate[candidate_content];
    const auto list = content ? ObjectReader(*content).find("parts") : std::nullopt;
    if (list && list->get_array().get(parts) == simdjson::SUCCESS) {
      for (const auto part : parts) {
        take_part(part, sink);
        if (over()) return;
      }
    }
    if (!ends) return;
    if (row == nullptr) {
      const auto warning = fmt::format("{} ended its answer for a reason that is not known here: {}.", title(),
                                       word.empty() ? std::to_string(number) : quotable(word, 60));
      sink.on_event(AnswerWarning{warning});
    }
    take_finish(row == nullptr ? FinishReason::stop : *row->reason, row, sink);
  }

  void take_failure(const FinishRow& row, std::string_view words, AnswerSink& sink) {
    CallFailure failure;
    failure.failure =
        events::Failure::of(row.code, fmt::format("{} ended its answer with {}{}{}. {}", title(), row.name,
                                                  words.empty() ? "" : ": ", quotable(words), row.advice));
    failure.failure.status = 200;
    failure.retry = row.retry;
    failure.try_next = true;
    failure.error_class = row.code == ErrorCode::capability_unsupported ? "capability"
                          : row.code == ErrorCode::invalid_request      ? "thought_signature"
                                                                        : "finish_reason";
    fail(std::move(failure), sink);
  }

  void take_part(dom::element element, AnswerSink& sink) {
    const JsonFields<part_names.size()> part(element, part_names);
    const auto signature = part.text(part_signature);
    if (const auto& call = part[part_call]; call && call->is_object()) {
      return take_call(ObjectReader(*call), signature, sink);
    }
    const auto& words = part[part_text];
    const auto text_view = words ? events::string_of(*words) : std::nullopt;
    if (!text_view && signature.empty()) return left_out(ObjectReader(element), sink);
    const auto characters = text_view.value_or("");
    bool thought = false;
    if (part[part_thought] && part[part_thought]->get_bool().get(thought) == simdjson::SUCCESS && thought) {
      if (reasoning(characters, sink) && !signature.empty()) block(R"({"part":"thought")", signature, sink);
      reasoning_bytes_ += characters.size();
      return;
    }
    if (text(characters, sink) && !signature.empty()) {
      block(fmt::format(R"({{"part":"text","from":{},"bytes":{},"calls":{})", text_bytes_, characters.size(), calls_),
            signature, sink);
    }
    text_bytes_ += characters.size();
  }

  /// Parts that no event can carry, such as images; the first of an answer is named.
  void left_out(const ObjectReader& part, AnswerSink& sink) {
    for (const std::string_view kind : {"inlineData", "fileData", "executableCode", "codeExecutionResult"}) {
      if (!part.find(kind) || std::exchange(warned_, true)) continue;
      const auto warning =
          fmt::format("{}'s answer has parts that cannot be delivered and were left out: {}.", title(), kind);
      sink.on_event(AnswerWarning{warning});
    }
  }

  /// `begin`: the fields that say where the signature belongs.
  void block(std::string begin, std::string_view signature, AnswerSink& sink) {
    begin += R"(,"thoughtSignature":)";
    events::append_json_string(begin, signature);
    begin += '}';
    if (!hold(begin.size(), sink)) return;
    sink.on_event(OpaqueBlock{{.provider = provider_, .data = std::move(begin)}});
  }

  void take_call(const ObjectReader& call, std::string_view signature, AnswerSink& sink) {
    const auto name = view_at(call, "name");
    const auto pieces = call.find("partialArgs");
    const bool goes_on = call.flag("willContinue");
    // The name comes with the first piece; one that comes again without pieces begins another call.
    if (open_ && !name.empty() && (!pieces || name != open_->name()) && !close(sink)) return;
    if (!open_) {
      if (name.empty()) {
        if (pieces) unusable("a piece of a tool call has no beginning", sink);
        return;  // the end of a call that has ended
      }
      if (!goes_on && !pieces) return whole_call(call, name, signature, sink);
      open_.emplace(view_at(call, "id"), name, signature);
      count_piece(name.size());
    }
    dom::array list;
    if (pieces && pieces->get_array().get(list) == simdjson::SUCCESS) {
      const auto before = open_->bytes();
      for (const auto part : list) {
        constexpr std::size_t around = 8;  // a number or a flag has no text
        count_piece(view_at(ObjectReader(part), "stringValue").size() + around);
        if (!open_->add(part)) return unusable("a piece of a tool call's arguments has no usable place", sink);
      }
      if (!hold(open_->bytes() - before, sink)) return;
    }
    if (!goes_on) close(sink);
  }

  void whole_call(const ObjectReader& call, std::string_view name, std::string_view signature, AnswerSink& sink) {
    std::string arguments = "{}";
    if (const auto args = call.find("args")) {
      const auto text = events::string_of(*args);
      arguments = text ? std::string(*text) : simdjson::minify(*args);
    }
    if (!regular_arguments(arguments)) return unusable("the arguments of a tool call are not a JSON object", sink);
    deliver(view_at(call, "id"), name, std::move(arguments), signature, sink);
  }

  bool close(AnswerSink& sink) {
    const auto call = std::exchange(open_, std::nullopt);
    return deliver(call->id(), call->name(), call->arguments(), call->signature(), sink);
  }

  bool deliver(std::string_view id, std::string_view name, std::string arguments, std::string_view signature,
               AnswerSink& sink) {
    if (calls_ == tool_calls_max) return too_many_calls(sink);
    ++calls_;
    call_bytes_ += name.size() + arguments.size();
    events::ToolCall call{.id = id.empty() ? made_up_id(calls_, response_id_) : std::string(id),
                          .name = std::string(name),
                          .arguments = std::move(arguments)};
    std::string begin = R"({"part":"call","id":)";
    if (!signature.empty()) events::append_json_string(begin, call.id);
    if (!tool_call(std::move(call), sink)) return false;
    if (!signature.empty()) block(std::move(begin), signature, sink);
    return !over();
  }

  void unusable(std::string_view problem, AnswerSink& sink) {
    fail(protocol_failure(fmt::format("{}'s answer cannot be used: {}. Ask again.", title(), problem)), sink);
  }

  void take_finish(FinishReason reason, const FinishRow* row, AnswerSink& sink) {
    if (open_) {
      if (!cuts_calls(reason)) return unusable("the arguments of a tool call are not whole", sink);
      warn_of_cut_call(reason, sink);
      open_.reset();
    }
    if (reason == FinishReason::content_filter) {
      const auto warning = fmt::format("{} stopped its answer: {}.", title(), row->name);
      sink.on_event(AnswerWarning{warning});
    } else if (calls_ > 0) {
      if (passed_over()) return lost_call(sink);
      reason = FinishReason::tool_calls;
    } else if (text_bytes_ == 0) {
      sink.on_event(AnswerWarning{reason == FinishReason::length
                                      ? "The answer is empty: thinking took all of maxTokens. Set a higher maxTokens."
                                      : "The answer is empty."});
    }
    if (!usage_known_) {
      sink.on_event(UsageReport{estimated_usage(prompt_bytes_, text_bytes_ + reasoning_bytes_ + call_bytes_)});
    }
    finish(reason, sink);
  }

  const std::string provider_;
  const bool tools_;
  const std::size_t prompt_bytes_;
  ObjectFramer objects_;
  Framing framing_ = Framing::unknown;
  bool line_begins_ = true;
  std::string response_id_{};
  std::optional<PartialCall> open_{};
  std::size_t calls_ = 0;
  std::size_t text_bytes_ = 0;
  std::size_t reasoning_bytes_ = 0;
  std::size_t call_bytes_ = 0;
  bool usage_known_ = false;
  bool warned_ = false;
};

}  // namespace

std::unique_ptr<AnswerDecoder> make_decoder(bool stream, const DecoderLimits& limits, AnswerContext context) {
  return std::make_unique<Decoder>(stream, limits, std::move(context));
}

}  // namespace tokenrail::providers::gemini
