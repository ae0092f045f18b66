#include "common/providers/ollama/decoder.hpp"

#include <functional>
#include <utility>

#include <fmt/format.h>

#include "common/http/framing.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/json_scratch.hpp"
#include "common/providers/ollama/classification.hpp"
#include "common/release.hpp"

namespace tokenrail::providers::ollama {

namespace {

using events::ErrorCode;
using events::FinishReason;
namespace ondemand = simdjson::ondemand;

struct DoneReason {
  std::string_view name;
  FinishReason reason;
  std::string_view warning;
};
/// Tool calls are told by their presence: `done_reason` is "stop" with them too. Servers of 2023 say no reason.
constexpr DoneReason done_reasons[] = {
    {"stop", FinishReason::stop, ""},
    {"", FinishReason::stop, ""},
    {"length", FinishReason::length, ""},
    {"load", FinishReason::stop, "Ollama only loaded the model: the request had no message to answer."},
    {"unload", FinishReason::stop, "Ollama only unloaded the model: the request had no message to answer."},
};

/// What one object of Ollama says. The views live in the parser's memory.
struct Item {
  std::string_view content{};
  std::string_view thinking{};
  std::vector<events::ToolCall> tool_calls{};
  std::string error{};
  bool has_error = false;
  bool done = false;
  std::string_view done_reason{};
  std::optional<std::int64_t> input_tokens{};
  std::optional<std::int64_t> output_tokens{};
};

/// A string, or null for none. Anything else is not what Ollama says.
bool read_text(ondemand::value value, std::string_view& out) {
  if (value.get_string().get(out) == simdjson::SUCCESS) return true;
  bool null = false;
  return value.is_null().get(null) == simdjson::SUCCESS && null;
}

bool read_count(ondemand::value value, std::optional<std::int64_t>& out) {
  std::int64_t count = 0;
  if (value.get_int64().get(count) != simdjson::SUCCESS) return false;
  if (count >= 0) out = count;
  return true;
}

/// Ollama sends an object; what speaks its language elsewhere sometimes sends it as a string, as OpenAI does.
bool read_arguments(ondemand::value value, std::string& out) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  std::string_view json;
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return false;
    if (object.raw_json().get(json) != simdjson::SUCCESS) return false;
  } else if (!read_text(value, json)) {
    return false;
  }
  if (json.empty()) json = "{}";
  return minify_object(json, out);
}

bool read_function(ondemand::value value, events::ToolCall& call) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return false;
  call.arguments = "{}";
  for (auto result : object) {
    ondemand::field field;
    if (std::move(result).get(field) != simdjson::SUCCESS) return false;
    if (field.key() == "name") {
      std::string_view name;
      if (!read_text(field.value(), name)) return false;
      call.name = name;
    } else if (field.key() == "arguments") {
      if (!read_arguments(field.value(), call.arguments)) return false;
    }
  }
  return !call.name.empty();
}

bool read_tool_calls(ondemand::value value, std::vector<events::ToolCall>& calls) {
  bool null = false;
  if (value.is_null().get(null) == simdjson::SUCCESS && null) return true;
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return false;
  for (auto element : array) {
    ondemand::object object;
    if (element.get_object().get(object) != simdjson::SUCCESS) return false;
    events::ToolCall call;
    bool has_function = false;
    for (auto result : object) {
      ondemand::field field;
      if (std::move(result).get(field) != simdjson::SUCCESS) return false;
      if (field.key() == "id") {
        std::string_view id;
        if (!read_text(field.value(), id)) return false;
        call.id = id;
      } else if (field.key() == "function") {
        if (!read_function(field.value(), call)) return false;
        has_function = true;
      }
    }
    if (!has_function) return false;
    calls.push_back(std::move(call));
  }
  return true;
}

bool read_message(ondemand::value value, Item& item) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    bool null = false;
    return value.is_null().get(null) == simdjson::SUCCESS && null;
  }
  for (auto result : object) {
    ondemand::field field;
    if (std::move(result).get(field) != simdjson::SUCCESS) return false;
    const auto key = field.key();
    if (key == "content") {
      if (!read_text(field.value(), item.content)) return false;
    } else if (key == "thinking") {
      if (!read_text(field.value(), item.thinking)) return false;
    } else if (key == "tool_calls") {
      if (!read_tool_calls(field.value(), item.tool_calls)) return false;
    }
  }
  return true;
}

bool read_error(ondemand::value value, Item& item) {
  std::string_view json;
  if (simdjson::to_json_string(value).get(json) != simdjson::SUCCESS) return false;
  if (json == "null") return true;
  item.has_error = true;
  item.error = error_text("{\"error\":" + std::string(json) + "}");
  return true;
}

bool read_item(ondemand::document& document, Item& item) {
  ondemand::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) return false;
  for (auto result : object) {
    ondemand::field field;
    if (std::move(result).get(field) != simdjson::SUCCESS) return false;
    const auto key = field.key();
    if (key == "message") {
      if (!read_message(field.value(), item)) return false;
    } else if (key == "done") {
      if (field.value().get_bool().get(item.done) != simdjson::SUCCESS) return false;
    } else if (key == "done_reason") {
      if (!read_text(field.value(), item.done_reason)) return false;
    } else if (key == "prompt_eval_count") {
      if (!read_count(field.value(), item.input_tokens)) return false;
    } else if (key == "eval_count") {
      if (!read_count(field.value(), item.output_tokens)) return false;
    } else if (key == "error") {
      if (!read_error(field.value(), item)) return false;
    }
  }
  // Something behind the object: two lines run together, or no line at all.
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

class Decoder final : public AnswerDecoder {
 public:
  Decoder(bool stream, const DecoderLimits& limits) : stream_(stream), limits_(limits), lines_(limits.item_bytes_max) {}

  void feed(std::string_view bytes, AnswerSink& sink) override {
    if (over_) return;
    if (!stream_) {
      if (body_.size() + bytes.size() > limits_.item_bytes_max) return too_large(sink, "answer");
      body_.append(bytes);
      return;
    }
    const char* const end = bytes.data() + bytes.size();
    const bool fits = lines_.feed(bytes, [&](std::string_view line) {
      // A line that lies in the caller's bytes, with enough of them behind it, is parsed where it is.
      const char* const line_end = line.data() + line.size();
      const bool in_place = std::greater_equal<>{}(line.data(), bytes.data()) && std::less_equal<>{}(line_end, end);
      take(line, in_place ? static_cast<std::size_t>(end - line_end) : 0, sink);
    });
    if (!fits) too_large(sink, "line");
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

 private:
  void take(std::string_view json, std::size_t readable_after, AnswerSink& sink) {
    if (over_) return;
    JsonScratch scratch(json.size());
    ondemand::document document;
    Item item;
    const auto padded = scratch.padded(json, readable_after);
    if (scratch.parser().iterate(padded).get(document) != simdjson::SUCCESS || !read_item(document, item)) {
      return malformed(json, sink);
    }
    ++items_;
    if (item.has_error) {
      over_ = true;
      return sink.on_failure(classify_stream_error(item.error).failure);
    }
    deliver(item, sink);
  }

  void deliver(Item& item, AnswerSink& sink) {
    answer_bytes_ += item.content.size() + item.thinking.size();
    for (const auto& call : item.tool_calls) answer_bytes_ += call.name.size() + call.arguments.size();
    if (answer_bytes_ > limits_.answer_bytes_max) return too_large(sink, "answer");

    if (!item.thinking.empty()) sink.on_reasoning(item.thinking);
    if (!item.content.empty()) sink.on_text(item.content);
    for (auto& call : item.tool_calls) {
      ++tool_calls_;
      if (call.id.empty()) call.id = fmt::format("call_{}", tool_calls_);
      sink.on_tool_call(std::move(call));
    }
    if (item.done) finish(item, sink);
  }

  void finish(const Item& item, AnswerSink& sink) {
    over_ = true;
    // A count of zero is left out by the server, as with a prompt that was cached whole.
    if (item.input_tokens || item.output_tokens) {
      events::Usage usage;
      usage.input_tokens = item.input_tokens.value_or(0);
      usage.output_tokens = item.output_tokens.value_or(0);
      sink.on_usage(usage);
    }
    for (const auto& row : done_reasons) {
      if (row.name != item.done_reason) continue;
      if (!row.warning.empty()) sink.on_warning(row.warning);
      return sink.on_finish(tool_calls_ > 0 ? FinishReason::tool_calls : row.reason);
    }
    sink.on_warning(
        fmt::format("Ollama ended with the unknown reason \"{}\", taken for stop.", quotable(item.done_reason, 100)));
    sink.on_finish(tool_calls_ > 0 ? FinishReason::tool_calls : FinishReason::stop);
  }

  void malformed(std::string_view json, AnswerSink& sink) {
    // The last piece of a stream that was cut is no JSON either, but the cut is what went wrong.
    if (stream_ && at_end_) {
      return give_up(sink, ErrorCode::provider_protocol,
                     "Ollama's answer ended in the middle of a line. Ask again; if it stays, look whether Ollama "
                     "restarts or something between cuts long answers.");
    }
    give_up(sink, ErrorCode::provider_protocol,
            fmt::format("Ollama sent something that is not its format: \"{}\". Ask again; if it stays, look at what "
                        "stands between here and Ollama.",
                        quotable(json.substr(0, 512), 120)));
  }

  void too_large(AnswerSink& sink, std::string_view what) {
    const bool line = what == "line";
    give_up(sink, ErrorCode::response_too_large,
            fmt::format("Ollama's {} is longer than the {} bytes allowed. {}", what,
                        line || !stream_ ? limits_.item_bytes_max : limits_.answer_bytes_max,
                        line ? "Something other than Ollama may answer there." : "Set maxTokens."));
  }

  void give_up(AnswerSink& sink, ErrorCode code, std::string message) {
    over_ = true;
    release(body_);
    auto failure = events::Failure::of(code, std::move(message));
    failure.provider = "ollama";
    failure.status = 200;
    sink.on_failure(failure);
  }

  const bool stream_;
  const DecoderLimits limits_;
  http::LineFramer lines_;
  std::string body_{};  ///< of an answer that is not streamed
  std::size_t answer_bytes_ = 0;
  std::size_t items_ = 0;
  std::size_t tool_calls_ = 0;
  bool over_ = false;
  bool at_end_ = false;
};

}  // namespace

std::unique_ptr<AnswerDecoder> make_decoder(bool stream, const DecoderLimits& limits) {
  return std::make_unique<Decoder>(stream, limits);
}

}  // namespace tokenrail::providers::ollama
