#include "common/providers/openai/messages.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/providers/call_ids.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/own_reasoning.hpp"

namespace tokenrail::providers::openai {

namespace {

using events::ContentPart;
using events::Message;
using events::Role;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// "wav" of "audio/x-wav"; empty where the media type does not name a format.
std::string_view audio_format(std::string_view media_type) {
  if (media_type.empty()) return "wav";
  if (!media_type.starts_with("audio/")) return "";
  media_type.remove_prefix(6);
  media_type = media_type.substr(0, media_type.find(';'));
  if (media_type == "mpeg" || media_type == "mpeg3" || media_type == "x-mp3") return "mp3";
  if (media_type.starts_with("x-")) media_type.remove_prefix(2);
  return media_type == "wave" ? "wav" : media_type;
}

std::string data_url(const ContentPart& part, std::string_view media_type) {
  return fmt::format("data:{};base64,{}", part.media_type.empty() ? media_type : part.media_type, part.data);
}

/// Parts are separate pieces to their writer.
std::string joined_text(const Message& message) {
  std::string text;
  bool first = true;
  for (const auto& part : message.content) {
    if (!std::exchange(first, false)) text += '\n';
    text += part.text;
  }
  return text;
}

/// The last message is an assistant's text, from which the answer goes on.
bool is_prefill(const events::ChatRequest& request, std::size_t index) {
  const auto& message = request.messages[index];
  return index + 1 == request.messages.size() && message.role == Role::assistant && message.tool_calls.empty();
}

class Writer {
 public:
  Writer(events::JsonWriter& json, const events::ChatRequest& request, const ChatProfile& profile,
         std::string_view title, std::string_view provider)
      : json_(json), request_(request), profile_(profile), title_(title), provider_(provider) {}

  Result<void> write() {
    json_.begin_array("messages");
    for (; index_ < request_.messages.size(); ++index_) {
      const auto& message = request_.messages[index_];
      json_.begin_object();
      json_.field("role", name_of(message.role));
      const auto written = message.role == Role::assistant ? write_answer(message) : write_content(message);
      if (!written) return written;
      if (message.role == Role::tool) write_result(message);
      if (profile_.prefill == Prefill::marked && is_prefill(request_, index_)) json_.field("prefix", true);
      json_.end_object();
    }
    json_.end_array();
    return {};
  }

 private:
  [[nodiscard]] std::unexpected<Error> invalid(std::string_view what) const {
    return fail(ErrorKind::invalid_input, fmt::format("messages[{}]: {}", index_, what));
  }

  /// Of the roles that have nothing but text.
  Result<std::string> joined_text(const Message& message) const {
    for (const auto& part : message.content) {
      if (part.type != "text") {
        return invalid(fmt::format("{} takes only text in a message of role {}; move the {} to a user message", title_,
                                   name_of(message.role), quotable(part.type, 60)));
      }
    }
    return openai::joined_text(message);
  }

  Result<void> write_content(const Message& message) {
    const bool one_text = message.content.size() == 1 && message.content.front().type == "text";
    if (message.role != Role::user || one_text || message.content.empty()) {
      const auto text = joined_text(message);
      if (!text) return std::unexpected(text.error());
      json_.field("content", *text);
      return {};
    }
    json_.begin_array("content");
    for (const auto& part : message.content) {
      if (const auto written = write_part(part); !written) return written;
    }
    json_.end_array();
    return {};
  }

  Result<void> write_part(const ContentPart& part) {
    if (part.type == "text") {
      json_.begin_object();
      json_.field("type", "text");
      json_.field("text", part.text);
      json_.end_object();
      return {};
    }
    if (part.type == "image") return write_image(part);
    if (part.type == "file") return write_file(part);
    if (part.type == "audio") return write_audio(part);
    return invalid(fmt::format("{} has no content part of type \"{}\"", title_, quotable(part.type, 60)));
  }

  Result<void> write_image(const ContentPart& part) {
    if (part.data.empty() && !profile_.image_urls) {
      return invalid(
          fmt::format("{} takes images only inside the request, not by URL; fetch the image and send it as a data URL "
                      "(data:image/png;base64,…)",
                      title_));
    }
    json_.begin_object();
    json_.field("type", "image_url");
    json_.begin_object("image_url");
    json_.field("url", part.data.empty() ? part.url : data_url(part, "image/png"));
    json_.end_object();
    json_.end_object();
    return {};
  }

  Result<void> write_file(const ContentPart& part) {
    if (profile_.files == Files::none) {
      return invalid(fmt::format("{} takes no files in chats; send the text of the file", title_));
    }
    if (part.data.empty() && profile_.files == Files::data) {
      return invalid(
          fmt::format("{} takes files only inside the request, not by URL; fetch the file and send its data", title_));
    }
    const auto place = part.data.empty() ? part.url : data_url(part, "application/pdf");
    json_.begin_object();
    if (profile_.files == Files::document_url) {
      json_.field("type", "document_url");
      json_.field("document_url", place);
      if (!part.filename.empty()) json_.field("document_name", part.filename);
    } else {
      json_.field("type", "file");
      json_.begin_object("file");
      json_.field("filename", part.filename.empty() ? "document.pdf" : part.filename);
      json_.field("file_data", place);
      json_.end_object();
    }
    json_.end_object();
    return {};
  }

  Result<void> write_audio(const ContentPart& part) {
    if (!profile_.audio) return invalid(fmt::format("{} takes no audio in chats; send a transcript", title_));
    if (part.data.empty()) {
      return invalid(
          fmt::format("{} takes audio only inside the request, not by URL; fetch it and send its data", title_));
    }
    const auto format = audio_format(part.media_type);
    if (format.empty()) {
      return invalid(
          fmt::format("\"{}\" is no media type of audio; use audio/wav or audio/mpeg", quotable(part.media_type, 60)));
    }
    json_.begin_object();
    json_.field("type", "input_audio");
    json_.begin_object("input_audio");
    json_.field("data", part.data);
    json_.field("format", format);
    json_.end_object();
    json_.end_object();
    return {};
  }

  Result<void> write_answer(const Message& message) {
    const auto text = joined_text(message);
    if (!text) return std::unexpected(text.error());
    if (profile_.replay == Replay::content_parts && !message.reasoning.empty() && own_reasoning(message, provider_)) {
      write_thinking_parts(message.reasoning, *text);
    } else if (!text->empty() || message.tool_calls.empty()) {
      json_.field("content", *text);
    }
    write_reasoning(message);
    if (message.tool_calls.empty()) return {};
    json_.begin_array("tool_calls");
    for (const auto& call : message.tool_calls) {
      json_.begin_object();
      json_.field("id", in_form(ids_.call(call.id)));
      json_.field("type", "function");
      json_.begin_object("function");
      json_.field("name", call.name);
      const bool blank = call.arguments.find_first_not_of(" \t\r\n") == std::string::npos;
      json_.field("arguments", blank ? std::string_view("{}") : std::string_view(call.arguments));
      json_.end_object();
      json_.end_object();
    }
    json_.end_array();
    return {};
  }

  void write_thinking_parts(std::string_view reasoning, std::string_view text) {
    json_.begin_array("content");
    json_.begin_object();
    json_.field("type", "thinking");
    json_.begin_array("thinking");
    json_.begin_object();
    json_.field("type", "text");
    json_.field("text", reasoning);
    json_.end_object();
    json_.end_array();
    json_.end_object();
    if (!text.empty()) {
      json_.begin_object();
      json_.field("type", "text");
      json_.field("text", text);
      json_.end_object();
    }
    json_.end_array();
  }

  void write_reasoning(const Message& message) {
    const auto text = own_reasoning(message, provider_) ? std::string_view(message.reasoning) : std::string_view();
    switch (profile_.replay) {
      case Replay::none:
      case Replay::content_parts:
        return;
      case Replay::reasoning:
        if (!text.empty()) json_.field("reasoning", text);
        return;
      case Replay::reasoning_content:
        if (!text.empty()) json_.field("reasoning_content", text);
        return;
      case Replay::tool_turns:
        // An answer of another provider has none: an empty one is accepted, a missing one is not.
        if (!message.tool_calls.empty()) json_.field("reasoning_content", text);
        return;
      case Replay::details:
        if (!text.empty()) json_.field("reasoning", text);
        write_details(message);
        return;
    }
  }

  void write_details(const Message& message) {
    bool open = false;
    for (const auto& block : message.provider_blocks) {
      if (block.provider != provider_) continue;
      simdjson::dom::parser parser;
      simdjson::dom::element data;
      if (parser.parse(block.data).get(data) != simdjson::SUCCESS) continue;
      if (!std::exchange(open, true)) json_.begin_array("reasoning_details");
      if (!data.is_array()) {
        json_.raw_element(simdjson::minify(data));
        continue;
      }
      for (const auto entry : simdjson::dom::array(data.get_array().value_unsafe()))
        json_.raw_element(simdjson::minify(entry));
    }
    if (open) json_.end_array();
  }

  void write_result(const Message& message) {
    json_.field("tool_call_id", in_form(ids_.result(message.tool_call_id)));
    if (profile_.tool_names && !message.name.empty()) json_.field("name", message.name);
  }

  [[nodiscard]] std::string in_form(std::string id) const {
    return profile_.short_call_ids ? short_call_id(id) : std::move(id);
  }

  events::JsonWriter& json_;
  const events::ChatRequest& request_;
  const ChatProfile& profile_;
  const std::string_view title_;
  const std::string_view provider_;
  CallIds ids_{{.bytes_max = profile_.call_id_bytes_max}};
  std::size_t index_ = 0;
};

}  // namespace

Result<void> write_messages(events::JsonWriter& json, const events::ChatRequest& request, const ChatProfile& profile,
                            std::string_view title, std::string_view provider) {
  return Writer(json, request, profile, title, provider).write();
}

std::string prefill_of(const events::ChatRequest& request) {
  if (request.messages.empty() || !is_prefill(request, request.messages.size() - 1)) return {};
  return joined_text(request.messages.back());
}

std::string short_call_id(std::string_view id) {
  constexpr std::size_t length = 9;
  if (id.size() == length && std::ranges::all_of(id, is_letter_or_digit)) return std::string(id);
  constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a: the same on every machine
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  std::string out;
  for (std::size_t i = 0; i < length; ++i) {
    out += digits[hash % digits.size()];
    hash /= digits.size();
  }
  return out;
}

}  // namespace tokenrail::providers::openai
