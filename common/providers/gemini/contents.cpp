// The messages of a request as `systemInstruction` and `contents`.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/providers/call_ids.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/gemini/chat_body.hpp"
#include "common/providers/gemini/ids.hpp"
#include "common/providers/gemini/model_family.hpp"
#include "common/providers/gemini/signatures.hpp"
#include "common/providers/json_scratch.hpp"
#include "common/providers/newest_calls.hpp"

namespace tokenrail::providers::gemini {

namespace {

using events::ChatRequest;
using events::ContentPart;
using events::JsonWriter;
using events::Message;
using events::Role;
using Warnings = std::vector<std::string>;

/// What the API takes for a call that no Gemini model has made, in place of a signature.
constexpr std::string_view no_signature = "skip_thought_signature_validator";

std::unexpected<Error> invalid(std::size_t message, std::string_view what) {
  return fail(ErrorKind::invalid_input, fmt::format("messages[{}]: {}", message, what));
}

struct Ending {
  std::string_view text;
  std::string_view media_type;
};
/// How files of a type begin, as base64.
constexpr Ending beginnings[] = {{"iVBOR", "image/png"},        {"/9j/", "image/jpeg"}, {"R0lGOD", "image/gif"},
                                 {"JVBERi", "application/pdf"}, {"SUQz", "audio/mp3"},  {"T2dnUw", "audio/ogg"},
                                 {"ZkxhQw", "audio/flac"}};
/// How names of files end.
constexpr Ending endings[] = {{".png", "image/png"},   {".jpg", "image/jpeg"},   {".jpeg", "image/jpeg"},
                              {".webp", "image/webp"}, {".gif", "image/gif"},    {".pdf", "application/pdf"},
                              {".txt", "text/plain"},  {".md", "text/markdown"}, {".csv", "text/csv"},
                              {".html", "text/html"},  {".mp3", "audio/mp3"},    {".wav", "audio/wav"},
                              {".ogg", "audio/ogg"},   {".flac", "audio/flac"},  {".mp4", "video/mp4"}};

std::string_view media_type_of(const ContentPart& part) {
  if (!part.media_type.empty()) return part.media_type;
  for (const auto& row : beginnings) {
    if (part.data.starts_with(row.text)) return row.media_type;
  }
  if (part.data.starts_with("UklGR")) return part.type == "audio" ? "audio/wav" : "image/webp";
  const auto path = std::string_view(part.url).substr(0, part.url.find_first_of("?#"));
  for (const auto name : {std::string_view(part.filename), path}) {
    for (const auto& row : endings) {
      if (name.ends_with(row.text)) return row.media_type;
    }
  }
  return "";
}

Result<void> write_media(JsonWriter& json, const ContentPart& part, std::size_t index) {
  if (part.type != "image" && part.type != "file" && part.type != "audio") {
    return invalid(index, fmt::format("Gemini has no content part of type \"{}\"; it takes text, image, file and audio",
                                      quotable(part.type, 60)));
  }
  const auto type = media_type_of(part);
  json.begin_object();
  if (!part.data.empty()) {
    if (type.empty()) {
      return invalid(index, fmt::format("Gemini needs the media type of a content part of type \"{}\"; add mediaType, "
                                        "or send a data URL that has one (data:image/png;base64,…)",
                                        part.type));
    }
    json.begin_object("inlineData");
    json.field("mimeType", type);
    json.field("data", part.data);
  } else {
    json.begin_object("fileData");
    if (!type.empty()) json.field("mimeType", type);
    json.field("fileUri", part.url);
  }
  json.end_object();
  json.end_object();
  return {};
}

void write_text(JsonWriter& json, std::string_view text, std::string_view signature = {}, bool thought = false) {
  json.begin_object();
  json.field("text", text);
  if (thought) json.field("thought", true);
  if (!signature.empty()) json.field("thoughtSignature", signature);
  json.end_object();
}

Result<void> write_parts(JsonWriter& json, const Message& message, std::size_t index) {
  bool any = false;
  for (const auto& part : message.content) {
    if (part.type == "text") {
      if (part.text.empty()) continue;  // some models refuse empty parts
      write_text(json, part.text);
    } else if (const auto written = write_media(json, part, index); !written) {
      return written;
    }
    any = true;
  }
  if (!any) write_text(json, "");
  return {};
}

Result<void> write_call(JsonWriter& json, const events::ToolCall& call, std::string_view signature, std::size_t index,
                        CallIds& ids) {
  std::string arguments = "{}";
  if (call.arguments.find_first_not_of(" \t\r\n") != std::string::npos && !minify_object(call.arguments, arguments)) {
    return invalid(index, fmt::format("the arguments of the tool call to \"{}\" must be a JSON object for Gemini",
                                      quotable(call.name, 100)));
  }
  json.begin_object();
  json.begin_object("functionCall");
  if (!call.id.empty() && !is_made_up(call.id)) json.field("id", ids.call(call.id));
  json.field("name", call.name);
  json.raw_field("args", arguments);
  json.end_object();
  if (!signature.empty()) json.field("thoughtSignature", signature);
  json.end_object();
  return {};
}

/// All text of the message, where it is one piece; else nothing.
std::optional<std::string_view> only_text(const Message& message) {
  std::optional<std::string_view> text;
  for (const auto& part : message.content) {
    if (part.type != "text" || part.text.empty()) continue;
    if (text) return std::nullopt;
    text = part.text;
  }
  return text.value_or("");
}

/// Whether the answer has nothing to send back; the API refuses a turn without parts.
bool empty(const Message& message, std::string_view provider) {
  return message.tool_calls.empty() &&
         std::ranges::all_of(message.content,
                             [](const auto& part) { return part.type == "text" && part.text.empty(); }) &&
         std::ranges::none_of(message.provider_blocks, [&](const auto& block) { return block.provider == provider; });
}

Result<void> write_answer(JsonWriter& json, const Message& message, std::size_t index, const Target& target,
                          CallIds& ids, Warnings& warnings) {
  std::size_t unreadable = 0;
  const auto signatures = signatures_of(message, target.provider, unreadable);
  if (unreadable > 0) {
    warnings.push_back(
        fmt::format("messages[{}]: {} of its provider blocks cannot be read and were left out.", index, unreadable));
  }
  // By part and id, the first of several: an answer may have as many calls as signatures.
  std::map<std::pair<std::string_view, std::string_view>, std::string_view> values;
  for (const auto& one : signatures) values.try_emplace({one.part, one.id}, one.value);
  const auto signature_of = [&](std::string_view part, std::string_view id) -> std::string_view {
    const auto found = values.find({part, id});
    return found == values.end() ? std::string_view() : found->second;
  };
  // Thoughts go back only with their signature: without it they are another model's, and no part of the answer.
  if (const auto signature = signature_of("thought", ""); !signature.empty() && !message.reasoning.empty()) {
    write_text(json, message.reasoning, signature, true);
  }
  std::vector<TextPiece> pieces;
  if (const auto text = only_text(message)) {
    pieces = pieces_of(*text, signatures);
  } else {
    for (const auto& part : message.content) {
      if (part.type == "text" && !part.text.empty()) pieces.push_back({.text = part.text});
    }
    pieces.back().signature = signature_of("text", "");
  }
  if (pieces.empty() && empty(message, "")) pieces.emplace_back();
  std::vector<std::pair<std::size_t, std::size_t>> order;  // calls before a piece, its place
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    order.emplace_back(std::min(pieces[i].calls, message.tool_calls.size()), i);
  }
  std::ranges::sort(order);
  auto next = order.cbegin();
  const auto write_pieces = [&](std::size_t after) {
    for (; next != order.cend() && next->first == after; ++next) {
      write_text(json, pieces[next->second].text, pieces[next->second].signature);
    }
  };
  write_pieces(0);
  for (const auto& part : message.content) {
    if (part.type == "text") continue;
    if (const auto written = write_media(json, part, index); !written) return written;
  }
  for (std::size_t i = 0; i < message.tool_calls.size(); ++i) {
    const auto& call = message.tool_calls[i];
    auto signature = signature_of("call", call.id);
    // Of calls made at once only the first is signed.
    if (signature.empty() && i == 0 && family_of(target.upstream_name).signs_calls) signature = no_signature;
    if (const auto written = write_call(json, call, signature, index, ids); !written) return written;
    write_pieces(i + 1);
  }
  return {};
}

/// `call`: the one that the message answers, or null.
Result<void> write_result(JsonWriter& json, const Message& message, std::size_t index, const events::ToolCall* call,
                          const CallIds& ids) {
  const auto& name = message.name.empty() && call != nullptr ? call->name : message.name;
  if (name.empty()) {
    return invalid(index,
                   "Gemini needs the name of the tool that this is the result of; give it a name, or the "
                   "toolCallId of a call in an earlier message");
  }
  std::string text;
  for (const auto& part : message.content) {
    if (part.type != "text") continue;
    if (!text.empty()) text += '\n';
    text += part.text;
  }
  json.begin_object();
  json.begin_object("functionResponse");
  if (!message.tool_call_id.empty() && !is_made_up(message.tool_call_id)) {
    json.field("id", ids.result(message.tool_call_id));
  }
  json.field("name", name);
  std::string object;
  if (minify_object(text, object)) {
    json.raw_field("response", object);
  } else {
    json.begin_object("response");
    json.field("result", text);
    json.end_object();
  }
  json.end_object();
  json.end_object();
  return {};
}

/// The results of calls that were made at once: one turn, in the order of the calls, whose ids need not differ.
Result<void> write_results(JsonWriter& json, const ChatRequest& request, std::size_t begin, std::size_t end,
                           const NewestCalls& calls, const CallIds& ids) {
  struct Answer {
    std::size_t message;
    NewestCalls::Found to;
  };
  std::vector<Answer> order;
  for (auto i = begin; i < end; ++i) order.push_back({i, calls.find(request.messages[i].tool_call_id)});
  std::ranges::sort(order, {}, [](const Answer& one) { return std::pair(one.to.place, one.message); });
  for (const auto& [index, to] : order) {
    if (const auto written = write_result(json, request.messages[index], index, to.call, ids); !written) return written;
  }
  // A result is a JSON object, so what else it has comes behind all of them.
  for (const auto& [index, to] : order) {
    for (const auto& part : request.messages[index].content) {
      if (part.type == "text") continue;
      if (const auto written = write_media(json, part, index); !written) return written;
    }
  }
  return {};
}

Result<void> write_system(JsonWriter& json, const ChatRequest& request, Warnings& warnings) {
  bool any = false;
  bool others = false;
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const auto& message = request.messages[i];
    if (message.role != Role::system) {
      others = true;
      continue;
    }
    if (others) {
      warnings.push_back(fmt::format(
          "messages[{}]: Gemini takes system messages only before all others; this one was moved to the front.", i));
    }
    for (const auto& part : message.content) {
      if (part.type != "text") return invalid(i, "Gemini takes only text in a system message");
      if (part.text.empty()) continue;
      if (!std::exchange(any, true)) {
        json.begin_object("systemInstruction");
        json.begin_array("parts");
      }
      write_text(json, part.text);
    }
  }
  if (any) {
    json.end_array();
    json.end_object();
  }
  return {};
}

}  // namespace

Result<void> write_contents(JsonWriter& json, const ChatRequest& request, const Target& target, Warnings& warnings) {
  if (const auto written = write_system(json, request, warnings); !written) return written;
  CallIds ids;
  NewestCalls calls;
  json.begin_array("contents");
  bool any = false;
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const auto& message = request.messages[i];
    calls.add(message);
    const bool answer = message.role == Role::assistant;
    if (message.role == Role::system) continue;
    if (answer && empty(message, target.provider)) {
      warnings.push_back(fmt::format("messages[{}]: the message is empty and was left out.", i));
      continue;
    }
    any = true;
    json.begin_object();
    json.field("role", answer ? "model" : "user");
    json.begin_array("parts");
    Result<void> written;
    if (message.role == Role::tool) {
      auto end = i + 1;
      while (end < request.messages.size() && request.messages[end].role == Role::tool) ++end;
      written = write_results(json, request, i, end, calls, ids);
      i = end - 1;
    } else {
      written = answer ? write_answer(json, message, i, target, ids, warnings) : write_parts(json, message, i);
    }
    if (!written) return written;
    json.end_array();
    json.end_object();
  }
  json.end_array();
  if (!any) {
    return fail(ErrorKind::invalid_input, "messages: Gemini needs at least one message that is not of role system");
  }
  return {};
}

}  // namespace tokenrail::providers::gemini
