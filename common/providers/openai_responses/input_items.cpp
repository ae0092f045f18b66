#include "common/providers/openai_responses/input_items.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/providers/call_ids.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/openai_responses/response_fields.hpp"

namespace tokenrail::providers::openai_responses {

namespace {

using events::ChatRequest;
using events::ContentPart;
using events::JsonWriter;
using events::Message;
using events::Role;

constexpr std::size_t call_id_bytes_max = 64;  ///< the API refuses longer ids of calls

std::unexpected<Error> invalid(std::size_t message, std::string_view what) {
  return fail(ErrorKind::invalid_input, fmt::format("messages[{}]: {}", message, what));
}

/// How base64 of the usual images begins.
struct Beginning {
  std::string_view base64;
  std::string_view media_type;
};
constexpr Beginning beginnings[] = {
    {"iVBORw0KGgo", "image/png"}, {"/9j/", "image/jpeg"}, {"R0lGOD", "image/gif"}, {"UklGR", "image/webp"}};

std::string_view image_type(const ContentPart& part) {
  if (!part.media_type.empty()) return part.media_type;
  const auto* const row =
      std::ranges::find_if(beginnings, [&](const Beginning& one) { return part.data.starts_with(one.base64); });
  return row == std::ranges::end(beginnings) ? "image/png" : row->media_type;
}

std::string data_url(std::string_view media_type, std::string_view data) {
  std::string url;
  url.reserve(media_type.size() + data.size() + 16);
  url.append("data:").append(media_type).append(";base64,").append(data);
  return url;
}

bool only_text(const Message& message) {
  return std::ranges::all_of(message.content, [](const ContentPart& part) { return part.type == "text"; });
}

/// Parts are separate pieces to their writer.
std::string joined(const Message& message) {
  std::string text;
  for (const auto& part : message.content) {
    if (&part != &message.content.front()) text += '\n';
    text += part.text;
  }
  return text;
}

Result<void> write_part(JsonWriter& json, const ContentPart& part, std::size_t index) {
  json.begin_object();
  if (part.type == "text") {
    json.field("type", "input_text");
    json.field("text", part.text);
  } else if (part.type == "image") {
    json.field("type", "input_image");
    json.field("detail", "auto");  // some servers require it
    json.field("image_url", part.data.empty() ? part.url : data_url(image_type(part), part.data));
  } else if (part.type == "file") {
    json.field("type", "input_file");
    if (part.data.empty()) {
      json.field("file_url", part.url);
    } else {
      const std::string_view type = part.media_type.empty() ? std::string_view("application/pdf") : part.media_type;
      json.field("filename", part.filename.empty() ? std::string_view("file") : std::string_view(part.filename));
      json.field("file_data", data_url(type, part.data));
    }
  } else if (part.type == "audio") {
    return invalid(index,
                   "the Responses API takes no audio; use a connection with the adapter openai and a model that "
                   "hears");
  } else {
    return invalid(index, fmt::format("the Responses API has no content part of type \"{}\"; it takes text, image and "
                                      "file",
                                      quotable(part.type, 60)));
  }
  json.end_object();
  return {};
}

/// As text where it is one, else as a list of parts.
Result<void> write_content(JsonWriter& json, std::string_view field, const Message& message, std::size_t index) {
  if (message.content.size() <= 1 && only_text(message)) {
    json.field(field, joined(message));
    return {};
  }
  json.begin_array(field);
  for (const auto& part : message.content) {
    if (const auto written = write_part(json, part, index); !written) return written;
  }
  json.end_array();
  return {};
}

/// In the long form: some servers know text of the assistant in no other.
void write_answer(JsonWriter& json, const Message& message) {
  json.begin_object();
  json.field("type", "message");
  json.field("role", "assistant");
  json.begin_array("content");
  for (const auto& part : message.content) {
    json.begin_object();
    json.field("type", "output_text");
    json.field("text", part.text);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_call(JsonWriter& json, const events::ToolCall& call, CallIds& ids) {
  const bool blank = call.arguments.find_first_not_of(" \t\r\n") == std::string::npos;
  json.begin_object();
  json.field("type", "function_call");
  json.field("call_id", ids.call(call.id));
  json.field("name", call.name);
  json.field("arguments", blank ? std::string_view("{}") : std::string_view(call.arguments));
  json.end_object();
}

std::vector<PlacedItem> own_blocks(const Message& message, std::string_view provider) {
  std::vector<PlacedItem> blocks;
  for (const auto& block : message.provider_blocks) {
    if (block.provider != provider) continue;
    if (auto item = read_placed_block(block.data)) blocks.push_back(std::move(*item));
  }
  return blocks;
}

/// Reasoning items go before what they led to: the API refuses one that nothing of its answer follows.
Result<void> write_assistant(JsonWriter& json, const Message& message, std::size_t index, std::string_view provider,
                             CallIds& ids, std::vector<std::string>& warnings) {
  if (!only_text(message)) return invalid(index, "a message of role assistant takes text only");
  const auto blocks = own_blocks(message, provider);
  auto block = blocks.begin();
  bool text_due = std::ranges::any_of(message.content, [](const ContentPart& part) { return !part.text.empty(); });
  const auto write_text = [&] {
    if (std::exchange(text_due, false)) write_answer(json, message);
  };
  std::size_t calls = 0;
  for (; calls < message.tool_calls.size(); ++calls) {
    const auto& call = message.tool_calls[calls];
    if (call.id.empty()) return invalid(index, "a tool call needs an id");
    for (; block != blocks.end() && block->place.after_calls <= calls; ++block) {
      if (block->place.after_text) write_text();
      json.raw_element(block->item);
    }
    // Text goes before the calls, unless reasoning that came after a call led to it.
    const bool text_later =
        std::any_of(block, blocks.end(), [](const PlacedItem& one) { return !one.place.after_text; });
    if (!text_later) write_text();
    write_call(json, call, ids);
  }
  for (; block != blocks.end() && text_due && !block->place.after_text; ++block) json.raw_element(block->item);
  write_text();
  if (block != blocks.end()) {
    warnings.push_back(fmt::format("messages[{}]: reasoning that nothing follows was left out.", index));
  }
  return {};
}

Result<void> write_item(JsonWriter& json, const Message& message, std::size_t index, std::string_view provider,
                        CallIds& ids, std::vector<std::string>& warnings) {
  if (message.role == Role::assistant) return write_assistant(json, message, index, provider, ids, warnings);
  json.begin_object();
  if (message.role == Role::tool) {
    if (message.tool_call_id.empty()) return invalid(index, "a tool result needs the toolCallId of its call");
    json.field("type", "function_call_output");
    json.field("call_id", ids.result(message.tool_call_id));
    if (const auto written = write_content(json, "output", message, index); !written) return written;
  } else {
    if (message.role == Role::system && !only_text(message)) {
      return invalid(index, "a message of role system takes text only");
    }
    json.field("role", name_of(message.role));
    if (const auto written = write_content(json, "content", message, index); !written) return written;
  }
  json.end_object();
  return {};
}

/// How many messages at the beginning are instructions: those of role system, unless nothing else is there.
std::size_t instructions_of(const ChatRequest& request) {
  const auto first = std::ranges::find_if(
      request.messages, [](const Message& message) { return message.role != Role::system || !only_text(message); });
  return first == request.messages.end() ? 0 : static_cast<std::size_t>(first - request.messages.begin());
}

}  // namespace

Result<void> write_input(JsonWriter& json, const ChatRequest& request, std::string_view provider,
                         std::vector<std::string>& warnings) {
  const auto begin = instructions_of(request);
  if (begin > 0) {
    std::string instructions;
    for (std::size_t i = 0; i < begin; ++i) instructions += (i == 0 ? "" : "\n\n") + joined(request.messages[i]);
    json.field("instructions", instructions);
  }
  CallIds ids({.bytes_max = call_id_bytes_max});
  json.begin_array("input");
  for (auto i = begin; i < request.messages.size(); ++i) {
    if (const auto written = write_item(json, request.messages[i], i, provider, ids, warnings); !written)
      return written;
  }
  json.end_array();
  return {};
}

}  // namespace tokenrail::providers::openai_responses
