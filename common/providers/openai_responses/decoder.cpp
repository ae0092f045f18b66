#include "common/providers/openai_responses/decoder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/providers/event_decoder.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/openai_responses/classification.hpp"
#include "common/providers/openai_responses/output_items.hpp"
#include "common/providers/openai_responses/response_fields.hpp"
#include "common/providers/other_api.hpp"
#include "common/providers/profile.hpp"
#include "common/release.hpp"

namespace tokenrail::providers::openai_responses {

namespace {

using events::FinishReason;
using events::ObjectReader;

constexpr std::string_view adapter = "openai-responses";

class Decoder final : public EventDecoder {
 public:
  Decoder(bool stream, const DecoderLimits& limits, const Target& target, std::size_t prompt_bytes)
      : EventDecoder(stream, limits, std::string(title_of(target.provider)), adapter),
        provider_(target.provider),
        prompt_bytes_(prompt_bytes) {}

  void head(const http::ResponseHead& head, AnswerSink& sink) override {
    EventDecoder::head(head, sink);
    for (const auto* const name : {"x-request-id", "apim-request-id"}) {
      if (const auto id = head.header(name); id && !id->empty()) return name_request(*id, sink);
    }
  }

  [[nodiscard]] std::size_t held_bytes() const override {
    return EventDecoder::held_bytes() + items_.all().size() * OutputItems::item_bytes + part_count_ * Item::part_bytes +
           open_call_bytes_;
  }

 protected:
  void take_event(std::string_view type, const ObjectReader& event, std::string_view json, AnswerSink& sink) override {
    const auto named = text_at(event, "type");
    const auto name = named.empty() ? type : named;
    for (const auto& row : handlers) {
      if (row.name == name) return (this->*row.take)(event, sink);
    }
    if (name == "error" || (named.empty() && event.find("error")))
      return fail(classify_stream_error(title(), json, status_in_error(event)), sink);
    // Events of tools that run at the provider, annotations and what is still to come are passed over.
    if (items() > 1 || name.starts_with("response.")) return;
    if (auto other = other_api_text(json, adapter); !other.empty()) {
      fail(protocol_failure(std::move(other), false), sink);
    }
  }

  void take_whole(const ObjectReader& answer, std::string_view json, AnswerSink& sink) override {
    const auto status = text_at(answer, "status");
    if (answer.find("error") && (status.empty() || status == "failed")) {
      return fail(classify_stream_error(title(), json, status_in_error(answer)), sink);
    }
    const auto output = answer.find("output");
    if (!output || !output->is_array()) {
      auto other = text_at(answer, "object") == "response" ? std::string() : other_api_text(json, adapter);
      if (!other.empty()) return fail(protocol_failure(std::move(other), false), sink);
      if (status.empty()) return unreadable("it has no list under \"output\"", sink);
    }
    conclude(answer, status.empty() ? "completed" : status, sink);
  }

 private:
  using Take = void (Decoder::*)(const ObjectReader& event, AnswerSink& sink);
  struct Handler {
    std::string_view name;
    Take take;
  };
  static const std::array<Handler, 14> handlers;

  // Pieces of text -----------------------------------------------------------------------------------------------

  Item& item_of(const ObjectReader& event, ItemKind kind, AnswerSink& sink) {
    bool fresh = false;
    auto& item = items_.of(event, kind, text_at(event, "item_id"), fresh);
    if (fresh) begun(item, sink);
    return item;
  }

  /// Accounts for a new item. False: the answer is over.
  bool begun(const Item& item, AnswerSink& sink) {
    if (item.kind == ItemKind::call && ++begun_calls_ > tool_calls_max) return too_many_calls(sink);
    return hold(OutputItems::item_bytes + item.id.size(), sink);
  }

  Item::Part& part_of(Item& item, std::optional<std::int64_t> index, AnswerSink& sink) {
    const auto before = item.parts.size();
    auto& part = item.part(index);
    if (item.parts.size() > before) {
      ++part_count_;
      hold(Item::part_bytes, sink);
    }
    return part;
  }

  void say(std::string_view piece, Item& item, Item::Part& part, AnswerSink& sink) {
    if (piece.empty()) return;
    item.bytes += piece.size();
    part.bytes += piece.size();
    text_bytes_ += piece.size();
    text(piece, sink);
  }

  void take_text(const ObjectReader& event, AnswerSink& sink) {
    auto& item = item_of(event, ItemKind::message, sink);
    say(text_at(event, "delta"), item, part_of(item, event.integer_if("content_index"), sink), sink);
  }

  void take_refusal(const ObjectReader& event, AnswerSink& sink) {
    refused_ = true;
    take_text(event, sink);
  }

  /// Some servers send a text only when it is whole.
  void take_whole_text(const ObjectReader& event, std::string_view whole, AnswerSink& sink) {
    auto& item = item_of(event, ItemKind::message, sink);
    auto& part = part_of(item, event.integer_if("content_index"), sink);
    if (part.bytes == 0 && (item.numbered || item.bytes == 0)) say(whole, item, part, sink);
  }

  void take_text_done(const ObjectReader& event, AnswerSink& sink) {
    take_whole_text(event, text_at(event, "text"), sink);
  }

  void take_refusal_done(const ObjectReader& event, AnswerSink& sink) {
    refused_ = true;
    take_whole_text(event, text_at(event, "refusal"), sink);
  }

  // Reasoning ----------------------------------------------------------------------------------------------------

  /// Where a provider sends both a summary and the text itself, the one that comes first is delivered.
  void think(std::string_view piece, std::string_view form, Item& item, std::optional<std::int64_t> index,
             AnswerSink& sink) {
    if (piece.empty()) return;
    if (item.reasoning_form.empty()) item.reasoning_form = form;
    if (item.reasoning_form != form) return;
    auto& part = part_of(item, index, sink);
    // Parts are paragraphs of their own: without a break a heading would follow the text before it on its line.
    if (part.bytes == 0 && reasoning_bytes_ > 0) reasoning("\n\n", sink);
    item.bytes += piece.size();
    part.bytes += piece.size();
    reasoning_bytes_ += piece.size();
    reasoning(piece, sink);
  }

  void take_summary(const ObjectReader& event, AnswerSink& sink) {
    think(text_at(event, "delta"), "summary", item_of(event, ItemKind::reasoning, sink),
          event.integer_if("summary_index"), sink);
  }

  void take_reasoning(const ObjectReader& event, AnswerSink& sink) {
    think(text_at(event, "delta"), "content", item_of(event, ItemKind::reasoning, sink),
          event.integer_if("content_index"), sink);
  }

  void take_whole_reasoning(const ObjectReader& reasoning_item, Item& item, AnswerSink& sink) {
    if (item.bytes > 0) return;
    for (const std::string_view form : {"summary", "content"}) {
      const auto parts = reasoning_item.find(form);
      if (!parts || !parts->is_array()) continue;
      std::int64_t index = 0;
      for (const auto part : simdjson::dom::array(parts->get_array().value_unsafe())) {
        think(text_at(ObjectReader(part), "text"), form, item, index++, sink);
      }
    }
  }

  /// What the provider needs to go on from its own reasoning. Encrypted reasoning, and that of open models, which is
  /// plain; an item that has neither cannot be sent back to a provider that has stored nothing.
  void keep_reasoning(const ObjectReader& item, simdjson::dom::element element, AnswerSink& sink) {
    const auto content = item.find("content");
    const bool plain = content && content->is_array() && content->get_array().value_unsafe().size() > 0;
    if (text_at(item, "encrypted_content").empty() && !plain) return;
    // Messages hold text and calls apart, so a block says itself where it was between them.
    auto data = placed_block(simdjson::minify(element), {.after_text = text_bytes_ > 0, .after_calls = calls_});
    ++blocks_;
    if (hold(data.size(), sink)) sink.on_event(OpaqueBlock{{.provider = provider_, .data = std::move(data)}});
  }

  // Function calls -----------------------------------------------------------------------------------------------

  void take_arguments(const ObjectReader& event, AnswerSink& sink) {
    auto& item = item_of(event, ItemKind::call, sink);
    const auto fragment = text_at(event, "delta");
    if (item.done) return;
    count_piece(fragment.size());
    if (!hold(fragment.size(), sink)) return;
    item.call.arguments += fragment;
    open_call_bytes_ += fragment.size();
  }

  void take_arguments_done(const ObjectReader& event, AnswerSink& sink) {
    auto& item = item_of(event, ItemKind::call, sink);
    if (!item.done) fill_call(event, item.call, sink);
  }

  /// Takes what the whole form of a call says; it counts more than its pieces.
  void fill_call(const ObjectReader& source, events::ToolCall& call, AnswerSink& sink) {
    const auto set = [&](std::string& field, std::string_view value) {
      if (value.empty() || (value.size() > field.size() && !hold(value.size() - field.size(), sink))) return;
      open_call_bytes_ += value.size();
      open_call_bytes_ -= field.size();
      field = value;
    };
    set(call.id, text_at(source, "call_id"));
    set(call.name, text_at(source, "name"));
    const auto arguments = source.find("arguments");
    if (arguments && arguments->is_object()) {
      set(call.arguments, simdjson::minify(*arguments));
    } else {
      set(call.arguments, text_at(source, "arguments"));
    }
  }

  events::ToolCall taken(Item& item) {
    auto call = std::exchange(item.call, {});
    open_call_bytes_ -= call.id.size() + call.name.size() + call.arguments.size();
    return call;
  }

  /// Delivers a call that has all it needs. One that has not is kept until the end says whether it was cut off.
  void deliver(Item& item, AnswerSink& sink) {
    auto call = taken(item);
    if (call.id.empty()) call.id = item.id.empty() ? fmt::format("call_{}", calls_ + 1) : item.id;
    if (!call_ids_.insert(call.id).second) return;
    if (call_ids_.size() > tool_calls_max) {
      too_many_calls(sink);
      return;
    }
    auto problem = make_regular(call);
    if (!problem.empty()) {
      if (broken_call_.empty()) broken_call_ = std::move(problem);
      return;
    }
    ++calls_;
    call_bytes_ += call.name.size() + call.arguments.size();
    if (!over()) sink.on_event(ToolCallDone{std::move(call)});
  }

  // Items --------------------------------------------------------------------------------------------------------

  void take_added(const ObjectReader& event, AnswerSink& sink) {
    const auto element = event.find("item");
    if (!element) return;
    const ObjectReader source(*element);
    bool fresh = false;
    auto& item = items_.begin(event, source, fresh);
    if (fresh && !begun(item, sink)) return;
    if (item.kind != ItemKind::call || item.done) return;
    count_piece(text_at(source, "name").size());
    fill_call(source, item.call, sink);
  }

  void take_done_item(const ObjectReader& event, AnswerSink& sink) {
    const auto element = event.find("item");
    if (!element) return;
    const ObjectReader source(*element);
    const auto kind = kind_of_item(text_at(source, "type"));
    if (kind == ItemKind::other) return;
    bool fresh = false;
    const auto id = text_at(source, "id");
    auto& item = items_.of(event, kind, id, fresh);
    if (fresh && !begun(item, sink)) return;
    items_.name(item, id);
    take_item(source, *element, item, sink);
  }

  void take_item(const ObjectReader& source, simdjson::dom::element element, Item& item, AnswerSink& sink) {
    if (std::exchange(item.done, true)) return;
    switch (item.kind) {
      case ItemKind::message:
        take_message(source, item, sink);
        break;
      case ItemKind::call:
        fill_call(source, item.call, sink);
        deliver(item, sink);
        break;
      case ItemKind::reasoning:
        take_whole_reasoning(source, item, sink);
        keep_reasoning(source, element, sink);
        break;
      case ItemKind::other:
        break;
    }
    part_count_ -= item.parts.size();
    item.drop_parts();
  }

  void take_message(const ObjectReader& source, Item& item, AnswerSink& sink) {
    const auto content = source.find("content");
    if (!content || !content->is_array()) return;
    const bool may_add = item.numbered || item.bytes == 0;
    std::int64_t index = 0;
    for (const auto element : simdjson::dom::array(content->get_array().value_unsafe())) {
      const ObjectReader part(element);
      const bool refusal = text_at(part, "type") == "refusal";
      refused_ = refused_ || refusal;
      if (may_add && !item.has_part(index)) {
        say(text_at(part, refusal ? "refusal" : "text"), item, part_of(item, index, sink), sink);
      }
      ++index;
    }
  }

  // The end ------------------------------------------------------------------------------------------------------

  void take_response(const ObjectReader& event, AnswerSink& sink) {
    const auto response = event.find("response");
    if (response) name_request(text_at(ObjectReader(*response), "id"), sink);
  }

  void take_completed(const ObjectReader& event, AnswerSink& sink) { take_terminal(event, "completed", sink); }
  void take_incomplete(const ObjectReader& event, AnswerSink& sink) { take_terminal(event, "incomplete", sink); }
  void take_failed(const ObjectReader& event, AnswerSink& sink) { take_terminal(event, "failed", sink); }

  void take_terminal(const ObjectReader& event, std::string_view status, AnswerSink& sink) {
    const auto response = event.find("response");
    conclude(response ? ObjectReader(*response) : ObjectReader(), status, sink);
  }

  void conclude(const ObjectReader& response, std::string_view status, AnswerSink& sink) {
    name_request(text_at(response, "id"), sink);
    if (status == "failed" || status == "cancelled") {
      const auto error = response.find("error");
      const auto body = error ? std::string(simdjson::minify(*error)) : std::string();
      if (response.find("usage")) take_usage(response, sink);
      if (error) return fail(classify_stream_error(title(), body), sink);
      return fail(protocol_failure(fmt::format("{} ended its answer as \"{}\" and gave no reason. Ask again.", title(),
                                               quotable(status, 60))),
                  sink);
    }
    if (status != "completed" && status != "incomplete") {
      return fail(protocol_failure(fmt::format("{}'s answer is not finished: its status is \"{}\". Ask again.", title(),
                                               quotable(status, 60))),
                  sink);
    }
    take_leftovers(response, sink);
    take_usage(response, sink);
    auto reason = refused_ ? FinishReason::content_filter : FinishReason::stop;
    if (status == "incomplete") reason = incomplete_reason(response, sink);
    if (!broken_call_.empty()) {
      if (!cuts_calls(reason)) {
        return fail(protocol_failure(fmt::format("{}'s answer cannot be used: {}. Ask again.", title(), broken_call_)),
                    sink);
      }
      if (!over()) warn_of_cut_call(reason, sink);
    }
    // A refused answer is not to be acted on.
    if (calls_ > 0 && reason != FinishReason::content_filter) reason = FinishReason::tool_calls;
    finish(reason, sink);
  }

  FinishReason incomplete_reason(const ObjectReader& response, AnswerSink& sink) {
    const auto details = response.find("incomplete_details");
    const auto reason = details ? text_at(ObjectReader(*details), "reason") : std::string_view();
    if (reason == "content_filter") return FinishReason::content_filter;
    if (reason != "max_output_tokens" && !reason.empty() && !over()) {
      const auto warning = fmt::format("{} left its answer incomplete: {}.", title(), quotable(reason, 100));
      sink.on_event(AnswerWarning{warning});
    }
    return FinishReason::length;
  }

  /// The end repeats the whole output. Its places may differ from those of the stream, so each kind of content counts
  /// as a whole: what came in events is not taken again. Calls are known by their ids.
  void take_leftovers(const ObjectReader& response, AnswerSink& sink) {
    const bool texts = text_bytes_ == 0;
    const bool thoughts = reasoning_bytes_ == 0;
    const bool calls = calls_ == 0;
    const bool blocks = blocks_ == 0;
    if (const auto output = response.find("output"); output && output->is_array()) {
      std::int64_t place = 0;
      std::set<std::string_view> whole_ids;
      std::set<std::int64_t> whole_places;
      for (const auto element : simdjson::dom::array(output->get_array().value_unsafe())) {
        const ObjectReader source(element);
        Item item{
            .kind = kind_of_item(text_at(source, "type")), .index = place, .id = std::string(text_at(source, "id"))};
        if (item.kind == ItemKind::message && texts) take_message(source, item, sink);
        if (item.kind == ItemKind::call) {
          fill_call(source, item.call, sink);
          if (const auto id = text_at(source, "id"); !id.empty()) whole_ids.insert(id);
          whole_places.insert(place);
          if (calls || !item.id.empty() || !item.call.id.empty()) {
            deliver(item, sink);
          } else {
            taken(item);
          }
        }
        if (item.kind == ItemKind::reasoning) {
          if (thoughts) take_whole_reasoning(source, item, sink);
          if (blocks) keep_reasoning(source, element, sink);
        }
        part_count_ -= item.parts.size();
        ++place;
      }
      items_.end_calls(whole_ids, whole_places);
    }
    for (auto& item : items_.all()) {
      if (item.kind == ItemKind::call && !std::exchange(item.done, true)) deliver(item, sink);
    }
  }

  void take_usage(const ObjectReader& response, AnswerSink& sink) {
    if (!over())
      sink.on_event(UsageReport{usage_of(response, prompt_bytes_, text_bytes_ + reasoning_bytes_ + call_bytes_)});
  }

  void name_request(std::string_view id, AnswerSink& sink) {
    if (id.empty() || over() || std::exchange(named_, true)) return;
    sink.on_event(ProviderRequestId{id});
  }

  const std::string provider_;
  const std::size_t prompt_bytes_;
  OutputItems items_{};
  std::set<std::string> call_ids_{};  ///< of the calls that were taken
  std::string broken_call_{};         ///< why the first call that cannot be used cannot
  std::size_t begun_calls_ = 0;
  std::size_t open_call_bytes_ = 0;  ///< text of calls that are not delivered yet
  std::size_t part_count_ = 0;       ///< of all items
  std::size_t text_bytes_ = 0;
  std::size_t reasoning_bytes_ = 0;
  std::size_t call_bytes_ = 0;
  std::size_t calls_ = 0;
  std::size_t blocks_ = 0;
  bool refused_ = false;
  bool named_ = false;
};

/// The frequent ones first.
const std::array<Decoder::Handler, 14> Decoder::handlers = {{
    {"response.output_text.delta", &Decoder::take_text},
    {"response.reasoning_text.delta", &Decoder::take_reasoning},
    {"response.reasoning_summary_text.delta", &Decoder::take_summary},
    {"response.function_call_arguments.delta", &Decoder::take_arguments},
    {"response.refusal.delta", &Decoder::take_refusal},
    {"response.output_text.done", &Decoder::take_text_done},
    {"response.refusal.done", &Decoder::take_refusal_done},
    {"response.function_call_arguments.done", &Decoder::take_arguments_done},
    {"response.output_item.added", &Decoder::take_added},
    {"response.output_item.done", &Decoder::take_done_item},
    {"response.created", &Decoder::take_response},
    {"response.completed", &Decoder::take_completed},
    {"response.incomplete", &Decoder::take_incomplete},
    {"response.failed", &Decoder::take_failed},
}};

}  // namespace

std::unique_ptr<AnswerDecoder> make_decoder(bool stream, const DecoderLimits& limits, const Target& target,
                                            std::size_t prompt_bytes) {
  return std::make_unique<Decoder>(stream, limits, target, prompt_bytes);
}

}  // namespace tokenrail::providers::openai_responses
