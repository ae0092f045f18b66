#include "common/providers/other_api.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/events/json_scan.hpp"

namespace tokenrail::providers {

namespace {

namespace dom = simdjson::dom;

/// A field of the first level that only one API has.
struct Marker {
  std::string_view key;
  std::string_view value_prefix;  ///< of a string; empty: any value
  std::string_view api;
};
/// The first row that fits counts.
constexpr Marker markers[] = {
    {"choices", "", "an OpenAI-compatible server (chat completions)"},
    {"object", "chat.completion", "an OpenAI-compatible server (chat completions)"},
    {"object", "text_completion", "an OpenAI-compatible server (completions)"},
    {"object", "list", "an OpenAI-compatible server"},
    {"object", "response", "OpenAI's Responses API"},
    {"type", "response.", "OpenAI's Responses API"},
    {"candidates", "", "Google's Gemini API"},
    {"usageMetadata", "", "Google's Gemini API"},
    {"promptFeedback", "", "Google's Gemini API"},
    {"type", "message-", "Cohere's API"},
    {"type", "content-", "Cohere's API"},
    {"type", "message", "Anthropic's Messages API"},
    {"type", "content_block", "Anthropic's Messages API"},
    {"type", "ping", "Anthropic's Messages API"},
    {"generated_text", "", "a text-generation-inference server"},
    {"generation_settings", "", "llama.cpp's own completion API"},
    {"response", "", "Ollama's /api/generate, not its /api/chat"},
};

bool fits(const Marker& marker, std::string_view key, std::string_view value) {
  return key == marker.key && value.starts_with(marker.value_prefix);
}

std::string_view api_of(dom::element root) {
  // Some send their answer as a list of objects.
  dom::element first;
  if (root.is_array() && root.at(0).get(first) == simdjson::SUCCESS) root = first;
  if (!root.is_object()) return "";
  for (const auto& marker : markers) {
    dom::element value;
    if (root[marker.key].get(value) != simdjson::SUCCESS || value.is_null()) continue;
    if (fits(marker, marker.key, events::string_of(value).value_or(""))) return marker.api;
  }
  return "";
}

std::string_view api_of_json(std::string_view text) {
  const auto readable = events::repair_strings(text);
  const events::JsonDocument document(readable);
  return document.error() == simdjson::SUCCESS ? api_of(document.root()) : std::string_view();
}

std::string_view line_of(std::string_view& text) {
  const auto end = text.find_first_of("\r\n");
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// Of a line of server-sent events "field: value": its value, where the field is this one.
bool has_field(std::string_view line, std::string_view field, std::string_view& value) {
  if (!line.starts_with(field)) return false;
  value = line.substr(field.size());
  if (value.starts_with(' ')) value.remove_prefix(1);
  return true;
}

std::string api_of_events(std::string_view text) {
  constexpr std::string_view beginnings[] = {"data:", "event:", "id:", "retry:", ": "};  // the last is a comment
  if (std::ranges::none_of(beginnings, [&](std::string_view field) { return text.starts_with(field); })) return "";
  std::string_view api;
  // What the first lines do not say, later ones need not be searched for.
  for (int lines = 0; lines < 16 && !text.empty() && api.empty(); ++lines) {
    const auto line = line_of(text);
    std::string_view value;
    if (has_field(line, "data:", value)) {
      api = api_of_json(value);
    } else if (has_field(line, "event:", value)) {
      for (const auto& marker : markers) {
        if (api.empty() && marker.key == "type" && fits(marker, "type", value)) api = marker.api;
      }
    }
  }
  return api.empty() ? "a server that streams server-sent events, as OpenAI-compatible ones do"
                     : fmt::format("{}, streaming server-sent events", api);
}

}  // namespace

std::string api_that_sends(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  const auto start = bytes.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return "";
  bytes.remove_prefix(start);
  if (bytes.front() == '<') return "a web page";
  if (bytes.front() == '{' || bytes.front() == '[') return std::string(api_of_json(bytes));
  return api_of_events(bytes);
}

std::string other_api_text(std::string_view bytes, std::string_view adapter) {
  const auto api = api_that_sends(bytes);
  if (api.empty()) return "";
  return fmt::format(
      "This looks like {}; the connection's adapter is {}. Change the connection's base URL to a server that speaks "
      "this adapter's API, or give the connection the adapter of that server.",
      api, adapter);
}

}  // namespace tokenrail::providers
