#include "tests/conformance/chat_completions.hpp"

#include <algorithm>
#include <utility>

#include <simdjson.h>

namespace tokenrail::conformance {

namespace {

namespace dom = simdjson::dom;

/// Of a path of names; nothing where one is missing or of another type.
std::optional<dom::element> at(dom::element element, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    dom::element child;
    if (element[name].get(child) != simdjson::SUCCESS || child.is_null()) return std::nullopt;
    element = child;
  }
  return element;
}

std::string text_at(dom::element element, std::initializer_list<std::string_view> names) {
  std::string_view text;
  const auto found = at(element, names);
  return found && found->get_string().get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

std::optional<std::int64_t> count_at(dom::element element, std::initializer_list<std::string_view> names) {
  std::int64_t count = 0;
  const auto found = at(element, names);
  return found && found->get_int64().get(count) == simdjson::SUCCESS ? std::optional(count) : std::nullopt;
}

std::vector<dom::element> list_at(dom::element element, std::initializer_list<std::string_view> names) {
  std::vector<dom::element> out;
  dom::array array;
  const auto found = at(element, names);
  if (found && found->get_array().get(array) == simdjson::SUCCESS) {
    for (const auto entry : array) out.push_back(entry);
  }
  return out;
}

void read_call(dom::element element, ChatReading& reading) {
  ChatReading::Call piece{.index = count_at(element, {"index"}),
                          .id = text_at(element, {"id"}),
                          .name = text_at(element, {"function", "name"}),
                          .arguments = text_at(element, {"function", "arguments"})};
  const auto same = std::ranges::find_if(reading.calls, [&](const ChatReading::Call& call) {
    return piece.index && call.index == piece.index && (piece.id.empty() || piece.id == call.id);
  });
  if (same == reading.calls.end()) {
    reading.calls.push_back(std::move(piece));
  } else {
    if (same->name.empty()) same->name = piece.name;
    same->arguments += piece.arguments;
  }
}

void read_message(dom::element message, ChatReading& reading) {
  auto reasoning = text_at(message, {"reasoning_content"});
  if (reasoning.empty()) reasoning = text_at(message, {"reasoning"});
  reading.reasoning += reasoning;
  reading.text += text_at(message, {"content"});
  for (const auto part : list_at(message, {"content"})) {
    for (const auto thought : list_at(part, {"thinking"})) reading.reasoning += text_at(thought, {"text"});
    reading.text += text_at(part, {"text"});
  }
  reading.text += text_at(message, {"audio", "transcript"});
  const auto refusal = text_at(message, {"refusal"});
  reading.refused = reading.refused || !refusal.empty();
  reading.text += refusal;
  for (const auto call : list_at(message, {"tool_calls"})) read_call(call, reading);
  if (const auto function = at(message, {"function_call"})) {
    reading.calls.push_back({.name = text_at(*function, {"name"}), .arguments = text_at(*function, {"arguments"})});
  }
}

void read_usage(dom::element usage, ChatReading& reading) {
  if (!count_at(usage, {"prompt_tokens"})) return;
  reading.input_tokens = count_at(usage, {"prompt_tokens"});
  reading.output_tokens = count_at(usage, {"completion_tokens"});
  reading.cached_tokens = count_at(usage, {"prompt_tokens_details", "cached_tokens"});
  reading.reasoning_tokens = count_at(usage, {"completion_tokens_details", "reasoning_tokens"});
}

void read_object(std::string_view json, ChatReading& reading, std::size_t end) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return;
  if (const auto error = at(root, {"error"})) {
    reading.error = true;
    reading.error_text = text_at(root, {"error", "message"});
    if (reading.error_text.empty()) reading.error_text = text_at(root, {"error"});
    return;
  }
  for (const auto choice : list_at(root, {"choices"})) {
    reading.choices = true;
    for (const auto* const name : {"delta", "message"}) {
      if (const auto message = at(choice, {name})) {
        read_message(*message, reading);
        break;
      }
    }
    if (reading.finish.empty() && !text_at(choice, {"finish_reason"}).empty()) {
      reading.finish = text_at(choice, {"finish_reason"});
      reading.needed = end;
    }
  }
  if (const auto usage = at(root, {"x_groq", "usage"})) read_usage(*usage, reading);
  if (const auto usage = at(root, {"usage"})) read_usage(*usage, reading);
}

}  // namespace

std::vector<std::string> chat_completions_cases() {
  return cases_of({"openai", "azure", "vllm", "llamacpp", "lmstudio", "groq", "mistral", "openrouter", "huggingface",
                   "tgi", "compat-other", "ollama-openai"});
}

ChatCall chat_call_of(const Recording& recording) {
  const std::string_view path = recording.path;
  if (path.empty() || path.ends_with("/chat/completions")) return ChatCall::chat;
  if (path.ends_with("/models")) return ChatCall::models;
  if (path.ends_with("/embeddings")) return ChatCall::embeddings;
  return ChatCall::other;
}

providers::Target target_of(std::string_view name) {
  auto provider = name.substr(0, name.find('/'));
  if (provider == "compat-other") {
    const auto maker = name.substr(name.find('/') + 1);
    provider = "openai-compatible";
    for (const std::string_view known : {"deepseek", "alibaba", "xai"}) {
      if (maker.starts_with(known)) provider = known;
    }
  }
  return {.provider = std::string(provider), .base_url = "http://host"};
}

std::string_view adapter_of(std::string_view name) {
  return name.starts_with("azure/") ? "azure" : "openai";
}

ChatReading chat_reading_of(std::string_view body, bool stream) {
  ChatReading reading;
  if (!stream) {
    read_object(body, reading, body.find_last_of('}') + 1);
    reading.done = true;
    reading.needed = body.find_last_of('}') + 1;
    return reading;
  }
  for (std::size_t at = 0; at < body.size() && !reading.done && !reading.error;) {
    const auto end = std::min(body.find('\n', at), body.size());
    auto line = body.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto line_end = at + line.size();
    at = end + 1;
    if (!line.starts_with("data:")) continue;
    line.remove_prefix(5);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (line == "[DONE]") {
      reading.done = true;
      if (reading.finish.empty()) reading.needed = line_end;
    } else {
      read_object(line, reading, line_end);
    }
  }
  return reading;
}

}  // namespace tokenrail::conformance
