#include "common/providers/cohere/messages.hpp"

#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "common/providers/call_ids.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/json_scratch.hpp"
#include "common/providers/own_reasoning.hpp"

namespace tokenrail::providers::cohere {

namespace {

using events::ContentPart;
using events::Message;
using events::Role;

std::unexpected<Error> invalid(std::size_t message, std::string_view what) {
  return fail(ErrorKind::invalid_input, fmt::format("messages[{}]: {}", message, what));
}

struct Signature {
  std::string_view base64;  ///< of the first bytes
  std::string_view media_type;
};
constexpr std::array<Signature, 4> signatures{
    {{"iVBORw0KGgo", "image/png"}, {"/9j/", "image/jpeg"}, {"R0lGOD", "image/gif"}, {"UklGR", "image/webp"}}};

/// The type that the sender gave, else the one that the first bytes show; empty: unknown.
std::string_view image_type(const ContentPart& image) {
  if (!image.media_type.empty()) return image.media_type;
  for (const auto& signature : signatures) {
    if (image.data.starts_with(signature.base64)) return signature.media_type;
  }
  return "";
}

Result<void> write_image(events::JsonWriter& json, const Message& message, const ContentPart& part, std::size_t index) {
  if (message.role != Role::user && message.role != Role::tool) {
    return invalid(index, "Cohere takes images only in messages of the user and of tools; move the image there");
  }
  std::string url = part.url;
  if (url.empty()) {
    const auto type = image_type(part);
    if (type.empty()) return invalid(index, "the image needs its mediaType, such as image/png");
    url = fmt::format("data:{};base64,{}", type, part.data);
  }
  json.begin_object();
  json.field("type", "image_url");
  json.begin_object("image_url");
  json.field("url", url);
  json.end_object();
  json.end_object();
  return {};
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const auto bytes =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (bytes < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<std::size_t>(bytes) - padding);
  return out;
}

/// A text or JSON file in a tool's result: Cohere's documents are fields and values.
Result<void> write_document(events::JsonWriter& json, const Message& message, const ContentPart& part,
                            std::size_t index) {
  const bool is_json = part.media_type == "application/json" || part.media_type.ends_with("+json");
  const bool is_text = is_json || part.media_type.starts_with("text/");
  const auto text = is_text && message.role == Role::tool ? decode_base64(part.data) : std::nullopt;
  if (!text || !simdjson::validate_utf8(*text)) {
    return invalid(index,
                   fmt::format("Cohere reads files only as text in the results of tools: data with a mediaType of "
                               "text or JSON, but this is \"{}\" in a message of role {}; send its text as a "
                               "part of type text",
                               quotable(part.media_type, 60), name_of(message.role)));
  }
  json.begin_object();
  json.field("type", "document");
  json.begin_object("document");
  if (!part.filename.empty()) json.field("id", part.filename);
  std::string data;
  if (is_json && minify_object(*text, data)) {
    json.raw_field("data", data);
  } else {
    json.begin_object("data");
    json.field("text", *text);
    json.end_object();
  }
  json.end_object();
  json.end_object();
  return {};
}

void write_text(events::JsonWriter& json, std::string_view type, std::string_view text) {
  json.begin_object();
  json.field("type", type);
  json.field(type, text);
  json.end_object();
}

/// One text is a string, anything else a list of parts.
Result<void> write_content(events::JsonWriter& json, const Message& message, std::string_view reasoning,
                           std::size_t index) {
  // Before calls the reasoning is their plan; else it is a part of the content.
  const bool thinks = !reasoning.empty() && message.tool_calls.empty();
  const auto& content = message.content;
  if (!thinks && content.size() == 1 && content.front().type == "text") {
    // An empty text beside calls says nothing, and is refused.
    if (!content.front().text.empty() || message.tool_calls.empty()) json.field("content", content.front().text);
    return {};
  }
  if (!thinks && content.empty()) return {};
  json.begin_array("content");
  if (thinks) write_text(json, "thinking", reasoning);
  for (const auto& part : content) {
    Result<void> written;
    if (part.type == "text") {
      if (!part.text.empty()) write_text(json, "text", part.text);
    } else if (part.type == "image") {
      written = write_image(json, message, part, index);
    } else if (part.type == "file") {
      written = write_document(json, message, part, index);
    } else {
      written = invalid(index, fmt::format("Cohere has no content part of type \"{}\"; it takes text and image",
                                           quotable(part.type, 60)));
    }
    if (!written) return written;
  }
  json.end_array();
  return {};
}

void write_tool_calls(events::JsonWriter& json, const Message& message, CallIds& ids) {
  json.begin_array("tool_calls");
  for (const auto& call : message.tool_calls) {
    json.begin_object();
    json.field("id", ids.call(call.id));
    json.field("type", "function");
    json.begin_object("function");
    json.field("name", call.name);
    json.field("arguments", call.arguments.empty() ? std::string_view("{}") : std::string_view(call.arguments));
    json.end_object();
    json.end_object();
  }
  json.end_array();
}

}  // namespace

Result<void> write_messages(events::JsonWriter& json, const events::ChatRequest& request, std::string_view provider) {
  CallIds ids;
  json.begin_array("messages");
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const auto& message = request.messages[i];
    json.begin_object();
    json.field("role", name_of(message.role));
    const bool reasons = message.role == Role::assistant && own_reasoning(message, provider);
    const auto reasoning = reasons ? std::string_view(message.reasoning) : std::string_view();
    if (const auto written = write_content(json, message, reasoning, i); !written) return written;
    if (message.role == Role::assistant && !message.tool_calls.empty()) {
      if (!reasoning.empty()) json.field("tool_plan", reasoning);
      write_tool_calls(json, message, ids);
    }
    if (message.role == Role::tool) json.field("tool_call_id", ids.result(message.tool_call_id));
    json.end_object();
  }
  json.end_array();
  return {};
}

}  // namespace tokenrail::providers::cohere
