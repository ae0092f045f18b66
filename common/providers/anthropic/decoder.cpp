#include "common/providers/anthropic/decoder.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "common/providers/anthropic/classification.hpp"
#include "common/providers/anthropic/counts.hpp"
#include "common/providers/estimate.hpp"
#include "common/providers/event_decoder.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/other_api.hpp"
#include "common/providers/profile.hpp"

namespace tokenrail::providers::anthropic {

namespace {

namespace dom = simdjson::dom;
using events::FinishReason;
using events::ObjectReader;

constexpr std::string_view adapter = "anthropic";
constexpr std::size_t open_thinking_max = 256;

struct StopReason {
  std::string_view name;
  FinishReason reason;
  std::string_view warning;
};
constexpr StopReason stop_reasons[] = {
    {"end_turn", FinishReason::stop, ""},
    {"stop_sequence", FinishReason::stop, ""},
    {"tool_use", FinishReason::stop, ""},  // tool_calls where there is one
    {"max_tokens", FinishReason::length, ""},
    {"model_context_window_exceeded", FinishReason::length, ""},
    {"refusal", FinishReason::content_filter, ""},
    {"pause_turn", FinishReason::stop,
     "The provider paused its turn before the answer was whole (pause_turn). Send the conversation with this answer to "
     "let it go on."},
    {"", FinishReason::stop, ""},
};

/// A text field as a view into the document.
std::string_view view_at(const ObjectReader& object, std::string_view name) {
  const auto element = object.find(name);
  return element ? events::string_of(*element).value_or("") : std::string_view();
}

std::optional<ObjectReader> object_at(const ObjectReader& object, std::string_view name) {
  const auto element = object.find(name);
  if (!element || !element->is_object()) return std::nullopt;
  return ObjectReader(*element);
}

/// A count that is not negative, and small enough that counts can be added.
void read_count(const ObjectReader& object, std::string_view name, std::optional<std::int64_t>& count) {
  constexpr std::int64_t count_max = 1'000'000'000'000'000;
  const auto value = object.integer_if(name);
  if (value && *value >= 0 && *value <= count_max) count = value;
}

void read_counts(const ObjectReader& usage, Counts& counts) {
  read_count(usage, "input_tokens", counts.input);
  read_count(usage, "cache_read_input_tokens", counts.cache_read);
  read_count(usage, "cache_creation_input_tokens", counts.cache_creation);
  if (const auto creation = object_at(usage, "cache_creation")) {
    read_count(*creation, "ephemeral_1h_input_tokens", counts.cache_creation_1h);
  }
  read_count(usage, "output_tokens", counts.output);
  if (const auto details = object_at(usage, "output_tokens_details")) {
    read_count(*details, "thinking_tokens", counts.thinking);
  }
}

/// A content block that is delivered whole: thinking with its signature, or a tool call.
struct Block {
  std::int64_t index = -1;
  std::uint64_t number = 0;  ///< in the order in which they began
  std::size_t bytes = 0;     ///< that it counts for among held_bytes()
  bool thinking = false;
  bool incomplete = false;  ///< a piece of it may be among the items that could not be read
  events::ToolCall call{};
  std::string start_input{};  ///< `input` of the block's start; the pieces, where there are any, replace it
  std::string text{};         ///< of thinking
  std::string signature{};
};

class Decoder final : public EventDecoder {
 public:
  Decoder(bool stream, std::string_view provider, const DecoderLimits& limits, std::size_t prompt_bytes)
      : EventDecoder(stream, limits, std::string(title_of(provider)), adapter),
        provider_(provider),
        prompt_bytes_(prompt_bytes) {}

  void head(const http::ResponseHead& head, AnswerSink& sink) override {
    EventDecoder::head(head, sink);
    if (const auto id = head.header("request-id"); id && !id->empty()) {
      named_ = true;
      sink.on_event(ProviderRequestId{*id});
    }
  }

  [[nodiscard]] std::size_t held_bytes() const override { return EventDecoder::held_bytes() + block_bytes_; }

 private:
  void take_event(std::string_view type, const ObjectReader& item, std::string_view json, AnswerSink& sink) override {
    if (const auto named = view_at(item, "type"); !named.empty()) type = named;
    if (type == "content_block_delta") {
      if (const auto delta = object_at(item, "delta")) take_delta(item, *delta, sink);
    } else if (type == "content_block_start") {
      if (const auto block = object_at(item, "content_block")) begin_block(item.integer_if("index"), *block, sink);
    } else if (type == "content_block_stop") {
      if (auto* const block = find_block(item)) end_block(*block, sink);
    } else if (type == "message_start") {
      if (const auto message = object_at(item, "message")) begin_message(*message, sink);
    } else if (type == "message_delta") {
      if (const auto delta = object_at(item, "delta")) read_stop(*delta);
      read_usage(item, true, sink);
    } else if (type == "message_stop") {
      conclude(sink);
    } else if (type == "error" || item.find("error")) {
      fail(classify_stream_error(title(), json), sink);
    } else if (items() == 1 && type != "ping") {
      // Unknown events are none of ours to judge, unless the whole stream belongs to another API.
      if (auto other = other_api_text(json, adapter); !other.empty())
        fail(protocol_failure(std::move(other), false), sink);
    }
  }

  void take_whole(const ObjectReader& answer, std::string_view json, AnswerSink& sink) override {
    const auto type = view_at(answer, "type");
    if (type == "error" || answer.find("error")) return fail(classify_stream_error(title(), json), sink);
    const auto content = answer.find("content");
    dom::array blocks;
    const bool has_blocks = content && content->get_array().get(blocks) == simdjson::SUCCESS;
    if (!has_blocks && type != "message") {
      auto other = other_api_text(json, adapter);
      const bool known = !other.empty();
      if (!known) {
        other = fmt::format("The answer has no field of {}'s Messages API: \"{}\". Check the connection's base URL.",
                            title(), quotable(json.substr(0, 512), 120));
      }
      return fail(protocol_failure(std::move(other), !known), sink);
    }
    begin_message(answer, sink);
    read_stop(answer);
    if (has_blocks) {
      for (const auto element : blocks) {
        if (over()) return;
        if (!element.is_object()) continue;
        begin_block(std::nullopt, ObjectReader(element), sink);
        if (auto* const block = newest_open()) end_block(*block, sink);
      }
    }
    conclude(sink);
  }

  void missed(std::string_view type) override {
    if (!type.starts_with("content_block")) return;
    missed_block_ = true;
    // Of a block whose beginning is missing nothing is known, not even that it was there.
    missed_start_ = missed_start_ || type == "content_block_start";
    for (const auto number : open_) blocks_.at(number).incomplete = true;
  }

  void take_done(AnswerSink& sink) override {
    // No mark of this API; servers that speak several end all their streams with it.
    if (stopped_) conclude(sink);
  }
  void take_end(AnswerSink& sink) override {
    // The reason is all that the mark behind it would confirm.
    if (!stopped_) return truncated(sink);
    conclude(sink);
  }

  void begin_message(const ObjectReader& message, AnswerSink& sink) {
    const auto id = view_at(message, "id");
    if (!id.empty() && !std::exchange(named_, true)) sink.on_event(ProviderRequestId{id});
    read_usage(message, !streams(), sink);
  }

  /// `last`: it counts the whole answer. The beginning of a stream counts the prompt, and only a few tokens of output.
  void read_usage(const ObjectReader& parent, bool last, AnswerSink& sink) {
    const auto usage = object_at(parent, "usage");
    if (!usage) return;
    read_counts(*usage, counts_);
    if (counts_.any()) sink.on_event(UsageReport{.usage = counts_.usage(), .last = last});
  }

  void read_stop(const ObjectReader& object) {
    const auto reason = view_at(object, "stop_reason");
    if (reason.empty()) return;
    stopped_ = true;
    stop_reason_ = reason;
    if (const auto details = object_at(object, "stop_details")) {
      refusal_category_ = view_at(*details, "category");
      refusal_text_ = view_at(*details, "explanation");
    }
  }

  /// The open block that an item belongs to; null for those that are delivered piece by piece or passed over.
  Block* find_block(const ObjectReader& item) {
    const auto index = item.integer_if("index");
    if (!index) return newest_open();
    // Of several with one index the newest.
    auto at = open_of_index_.upper_bound({*index, UINT64_MAX});
    if (at == open_of_index_.begin()) return nullptr;
    --at;
    if (at->first != *index) return nullptr;
    return &blocks_.at(at->second);
  }

  Block* newest_open() { return open_.empty() ? nullptr : &blocks_.at(*open_.rbegin()); }

  Block& add_block(std::optional<std::int64_t> index) {
    const auto number = ++begun_;
    auto& block = blocks_.try_emplace(number, Block{.index = index.value_or(-1), .number = number}).first->second;
    open_.insert(number);
    open_of_index_.insert({block.index, number});
    count(block, block_bytes);
    return block;
  }

  /// What the block takes grows.
  void count(Block& block, std::size_t bytes) {
    block.bytes += bytes;
    block_bytes_ += bytes;
  }

  void begin_block(std::optional<std::int64_t> index, const ObjectReader& start, AnswerSink& sink) {
    const auto type = view_at(start, "type");
    if (type == "text") {
      deliver_text(view_at(start, "text"), sink);
    } else if (type == "thinking") {
      begin_thinking(index, start, sink);
    } else if (type == "redacted_thinking") {
      if (auto data = view_at(start, "data"); !data.empty() && hold(data.size(), sink)) {
        std::string json;
        events::JsonWriter writer(json);
        writer.begin_object();
        writer.field("type", type);
        writer.field("data", data);
        writer.end_object();
        sink.on_event(OpaqueBlock{{.provider = provider_, .data = std::move(json)}});
      }
    } else if (type == "tool_use") {
      begin_call(index, start, sink);
    }
    // Blocks of the provider's own tools are neither text nor calls for the reader.
  }

  void begin_thinking(std::optional<std::int64_t> index, const ObjectReader& start, AnswerSink& sink) {
    // Each event is looked up among the open blocks.
    if (blocks_.size() - calls_ == open_thinking_max) {
      return fail(protocol_failure(fmt::format("{}'s answer cannot be used: more than {} blocks of thinking are open "
                                               "at once. Ask again.",
                                               title(), open_thinking_max)),
                  sink);
    }
    auto& block = add_block(index);
    block.thinking = true;
    block.signature = view_at(start, "signature");
    count(block, block.signature.size());
    if (!hold(sizeof(Block) + block.signature.size(), sink)) return;
    deliver_thinking(view_at(start, "thinking"), &block, sink);
  }

  void begin_call(std::optional<std::int64_t> index, const ObjectReader& start, AnswerSink& sink) {
    if (calls_ == tool_calls_max) {
      too_many_calls(sink);
      return;
    }
    ++calls_;
    auto& block = add_block(index);
    block.call.id = view_at(start, "id");
    block.call.name = view_at(start, "name");
    if (const auto input = start.find("input")) {
      // Some servers write the arguments as a string.
      const auto text = events::string_of(*input);
      block.start_input = text ? std::string(*text) : std::string(simdjson::minify(*input));
      if (block.start_input == "{}") block.start_input.clear();
    }
    const auto begun = block.call.id.size() + block.call.name.size() + block.start_input.size();
    count_piece(begun);
    count(block, begun);
    hold(sizeof(Block) + begun, sink);
  }

  void take_delta(const ObjectReader& item, const ObjectReader& delta, AnswerSink& sink) {
    const auto type = view_at(delta, "type");
    if (type == "text_delta") {
      deliver_text(view_at(delta, "text"), sink);
    } else if (type == "thinking_delta") {
      deliver_thinking(view_at(delta, "thinking"), find_block(item), sink);
    } else if (type == "signature_delta" || type == "input_json_delta") {
      auto* const block = find_block(item);
      if (block == nullptr || block->thinking != (type == "signature_delta")) return;
      const auto fragment = view_at(delta, block->thinking ? "signature" : "partial_json");
      count_piece(fragment.size());
      if (!hold(fragment.size(), sink)) return;
      (block->thinking ? block->signature : block->call.arguments) += fragment;
      count(*block, fragment.size());
      output_bytes_ += block->thinking ? 0 : fragment.size();
    }
  }

  void deliver_text(std::string_view words, AnswerSink& sink) {
    output_bytes_ += words.size();
    text(words, sink);
  }

  void deliver_thinking(std::string_view words, Block* block, AnswerSink& sink) {
    output_bytes_ += words.size();
    if (block != nullptr && block->thinking) {
      block->text += words;
      count(*block, words.size());
    }
    reasoning(words, sink);
  }

  void end_block(Block& block, AnswerSink& sink) {
    open_.erase(block.number);
    open_of_index_.erase({block.index, block.number});
    if (!block.thinking) return;  // calls wait for the reason of the stop: a limit may have cut one off
    // The signature holds for the very text: without it, or with a piece missing, the provider refuses the block.
    if (!over() && !block.signature.empty() && !block.incomplete) {
      std::string json;
      json.reserve(block.text.size() + block.text.size() / 16 + block.signature.size() + 64);
      events::JsonWriter writer(json);
      writer.begin_object();
      writer.field("type", "thinking");
      writer.field("thinking", block.text);
      writer.field("signature", block.signature);
      writer.end_object();
      sink.on_event(OpaqueBlock{{.provider = provider_, .data = std::move(json)}});
    }
    block_bytes_ -= block.bytes;
    blocks_.erase(block.number);
  }

  void conclude(AnswerSink& sink) {
    if (over()) return;
    const auto* const known = std::ranges::find(stop_reasons, stop_reason_, &StopReason::name);
    const bool found = known != std::ranges::end(stop_reasons);
    auto reason = found ? known->reason : FinishReason::stop;
    if (!deliver_calls(reason, sink)) return;
    if (!counts_.any()) {
      sink.on_event(UsageReport{estimated_usage(prompt_bytes_, output_bytes_)});
    }
    if (!found) {
      const auto warning = fmt::format("{} stopped for the unknown reason \"{}\"; the answer counts as whole.", title(),
                                       quotable(stop_reason_, 100));
      sink.on_event(AnswerWarning{warning});
    } else if (!known->warning.empty()) {
      sink.on_event(AnswerWarning{known->warning});
    }
    if (stop_reason_ == "refusal") {
      const auto category = refusal_category_.empty() ? "" : fmt::format(" ({})", quotable(refusal_category_, 100));
      const auto warning = fmt::format("{} refused to answer{}{}{}", title(), category,
                                       refusal_text_.empty() ? "." : ": ", quotable(refusal_text_));
      sink.on_event(AnswerWarning{warning});
    }
    finish(reason, sink);
  }

  /// False where the answer failed. A call that the length limit cut off is left out with a warning.
  bool deliver_calls(FinishReason& reason, AnswerSink& sink) {
    std::size_t calls = 0;
    std::size_t cut_off = 0;
    auto blocks = std::exchange(blocks_, {});
    block_bytes_ = 0;
    open_.clear();
    open_of_index_.clear();
    for (auto& [number, block] : blocks) {
      if (block.thinking) continue;
      auto& call = block.call;
      const bool empty = call.arguments.empty() && block.start_input.empty();
      const bool last = number == blocks.rbegin()->first;
      if (call.arguments.empty()) call.arguments = std::move(block.start_input);
      const bool regular = regular_arguments(call.arguments);
      // Where the answer was cut off before the first argument, no arguments is not what the model meant.
      if (cuts_calls(reason) && (!regular || (empty && last))) {
        ++cut_off;
        continue;
      }
      if (block.incomplete || !regular || call.name.empty()) {
        fail(protocol_failure(fmt::format("{}'s answer cannot be used: the tool call to \"{}\" {}. Ask again.", title(),
                                          quotable(call.name, 100),
                                          block.incomplete ? "lacks a part that could not be read"
                                          : !regular       ? "has arguments that are not a JSON object"
                                                           : "has no name")),
             sink);
        return false;
      }
      ++calls;
      if (call.id.empty()) call.id = fmt::format("call_{}", calls);
      sink.on_event(ToolCallDone{std::move(call)});
    }
    if (stop_reason_ == "tool_use" && (missed_start_ || (calls == 0 && missed_block_))) {
      fail(protocol_failure(
               fmt::format("{}'s answer cannot be used: a tool call could not be read. Ask again.", title())),
           sink);
      return false;
    }
    if (cut_off > 0) warn_of_cut_call(reason, sink);
    // A refused answer is not to be acted on.
    if (calls > 0 && reason != FinishReason::content_filter) reason = FinishReason::tool_calls;
    return true;
  }

  const std::string provider_;
  const std::size_t prompt_bytes_;
  static constexpr std::size_t block_bytes = sizeof(Block) + 192;  ///< with its places in the maps

  // Ordered, not hashed: a server chooses the numbers, and could choose those of one bucket.
  std::map<std::uint64_t, Block> blocks_{};  ///< by their numbers: thinking that is open, and all calls
  std::set<std::uint64_t> open_{};
  std::set<std::pair<std::int64_t, std::uint64_t>> open_of_index_{};  ///< index and number
  std::uint64_t begun_ = 0;
  std::size_t block_bytes_ = 0;  ///< that all of them hold
  std::size_t calls_ = 0;        ///< of the blocks
  Counts counts_{};
  std::string stop_reason_{};
  std::string refusal_category_{};
  std::string refusal_text_{};
  std::size_t output_bytes_ = 0;
  bool missed_start_ = false;  ///< the beginning of a block may be among the items that could not be read
  bool missed_block_ = false;  ///< an item that belongs to a block could not be read
  bool named_ = false;         ///< the request id is delivered
  bool stopped_ = false;       ///< the reason of the stop is known
};

}  // namespace

std::unique_ptr<AnswerDecoder> make_decoder(bool stream, std::string_view provider, const DecoderLimits& limits,
                                            std::size_t prompt_bytes) {
  return std::make_unique<Decoder>(stream, provider, limits, prompt_bytes);
}

}  // namespace tokenrail::providers::anthropic
