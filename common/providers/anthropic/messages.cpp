#include "common/providers/anthropic/messages.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "common/providers/anthropic/content_part.hpp"
#include "common/providers/call_ids.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/json_scratch.hpp"

namespace tokenrail::providers::anthropic {

namespace {

using events::Message;
using events::Role;

constexpr std::string_view blanks = " \t\r\n\f\v";

bool is_blank(std::string_view text) {
  return text.find_first_not_of(blanks) == std::string_view::npos;
}

std::unexpected<Error> invalid(std::size_t message, std::string_view what) {
  return fail(ErrorKind::invalid_input, fmt::format("messages[{}]: {}", message, what));
}

/// A message that is sent, and where it is in the request.
struct Item {
  const Message* message;
  std::size_t index;
  [[nodiscard]] bool assistant() const { return message->role == Role::assistant; }
};

bool has_own_block(const Message& message, std::string_view provider) {
  return std::ranges::any_of(message.provider_blocks, [&](const auto& block) { return block.provider == provider; });
}

/// Anthropic refuses messages without content, and text that is all blanks.
bool has_content(const Message& message, std::string_view provider) {
  if (message.role == Role::tool || !message.tool_calls.empty()) return true;
  if (message.role == Role::assistant && has_own_block(message, provider)) return true;
  return std::ranges::any_of(message.content,
                             [](const auto& part) { return part.type != "text" || !is_blank(part.text); });
}

class Writer {
 public:
  Writer(events::JsonWriter& json, std::string_view provider, std::vector<std::string>& warnings)
      : json_(json), provider_(provider), warnings_(warnings) {}

  Result<void> system(const events::ChatRequest& request) {
    bool open = false;
    bool others = false;
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
      if (request.messages[i].role != Role::system) {
        others = true;
        continue;
      }
      if (others && has_content(request.messages[i], provider_)) {
        warnings_.push_back(fmt::format(
            "messages[{}]: Anthropic takes system messages only before all others; this one was moved to the front.",
            i));
      }
      for (const auto& part : request.messages[i].content) {
        if (part.type != "text") {
          return invalid(i, fmt::format("a system message has only text, not a part of type \"{}\"; move it to a user "
                                        "message",
                                        quotable(part.type, 60)));
        }
        if (is_blank(part.text)) continue;
        if (!std::exchange(open, true)) json_.begin_array("system");
        write_text(json_, part.text);
      }
    }
    if (open) json_.end_array();
    return {};
  }

  /// One message of the wire: neighbours of one role.
  Result<void> turn(std::span<const Item> items, bool last) {
    const bool assistant = items.front().assistant();
    json_.begin_object();
    json_.field("role", assistant ? "assistant" : "user");
    json_.begin_array("content");
    // Results come first, whatever is between them: the provider wants them right behind the calls.
    for (const auto& item : items) {
      if (item.message->role != Role::tool) continue;
      if (const auto written = tool_result(item); !written) return written;
    }
    for (const auto& item : items) {
      if (item.message->role == Role::tool) continue;
      const bool end = last && assistant && &item == &items.back() && item.message->tool_calls.empty();
      if (const auto written = assistant ? assistant_message(item, end) : parts(item); !written) return written;
    }
    json_.end_array();
    json_.end_object();
    return {};
  }

 private:
  Result<void> tool_result(const Item& item) {
    json_.begin_object();
    json_.field("type", "tool_result");
    json_.field("tool_use_id", ids_.result(item.message->tool_call_id));
    if (has_result(*item.message)) {
      json_.begin_array("content");
      if (const auto written = parts(item); !written) return written;
      json_.end_array();
    }
    json_.end_object();
    return {};
  }

  static bool has_result(const Message& message) {
    return std::ranges::any_of(message.content,
                               [](const auto& part) { return part.type != "text" || !is_blank(part.text); });
  }

  Result<void> parts(const Item& item) {
    for (const auto& part : item.message->content) {
      if (part.type == "text" && is_blank(part.text)) continue;
      if (auto written = write_part(json_, part); !written) return invalid(item.index, written.error().detail);
    }
    return {};
  }

  /// Thinking comes before what it led to. `end`: the model is to continue this text.
  Result<void> assistant_message(const Item& item, bool end) {
    const auto& message = *item.message;
    bool replayed = false;
    std::string block_json;
    for (const auto& block : message.provider_blocks) {
      if (block.provider != provider_) continue;
      if (!minify_object(block.data, block_json)) {
        return invalid(item.index, fmt::format("the block of provider \"{}\" must be a JSON object, as it came with "
                                               "the answer",
                                               quotable(block.provider, 100)));
      }
      json_.raw_element(block_json);
      replayed = true;
    }
    if (!replayed && !message.reasoning.empty() && !std::exchange(reasoning_left_out_, true)) {
      warnings_.push_back(
          fmt::format("messages[{}].reasoning: only thinking that this provider signed can be sent "
                      "back to it; it was left out.",
                      item.index));
    }
    if (const auto written = assistant_text(item, end); !written) return written;
    return tool_calls(item);
  }

  Result<void> assistant_text(const Item& item, bool end) {
    const auto& content = item.message->content;
    const auto last =
        std::ranges::find_if(content.rbegin(), content.rend(), [](const auto& part) { return !is_blank(part.text); });
    for (const auto& part : content) {
      if (part.type != "text") {
        return invalid(item.index, fmt::format("an assistant message has only text and tool calls, not a part of type "
                                               "\"{}\"; move it to a user message",
                                               quotable(part.type, 60)));
      }
      if (is_blank(part.text)) continue;
      std::string_view text = part.text;
      if (end && &part == &*last) text = text.substr(0, text.find_last_not_of(blanks) + 1);
      write_text(json_, text);
    }
    return {};
  }

  Result<void> tool_calls(const Item& item) {
    std::string arguments;
    for (const auto& call : item.message->tool_calls) {
      if (is_blank(call.arguments)) {
        arguments = "{}";
      } else if (!minify_object(call.arguments, arguments)) {
        return invalid(item.index, fmt::format("the arguments of the tool call to \"{}\" must be a JSON object for "
                                               "Anthropic",
                                               quotable(call.name, 100)));
      }
      json_.begin_object();
      json_.field("type", "tool_use");
      json_.field("id", ids_.call(call.id));
      json_.field("name", call.name);
      json_.raw_field("input", arguments);
      json_.end_object();
    }
    return {};
  }

  events::JsonWriter& json_;
  std::string_view provider_;
  std::vector<std::string>& warnings_;
  CallIds ids_{{.plain = true}};
  bool reasoning_left_out_ = false;
};

}  // namespace

ConversationEnd end_of(const events::ChatRequest& request, std::string_view provider) {
  ConversationEnd end;
  const auto& messages = request.messages;
  const auto spoken = [&](const Message& message) {
    return message.role != Role::system && has_content(message, provider);
  };
  const auto last = std::ranges::find_if(messages.rbegin(), messages.rend(), spoken);
  if (last == messages.rend()) return end;
  end.prefill = last->role == Role::assistant && last->tool_calls.empty();
  const auto turn = std::find_if(
      last, messages.rend(), [&](const auto& message) { return message.role == Role::assistant && spoken(message); });
  end.unsigned_tool_turn = turn != messages.rend() && !turn->tool_calls.empty() && !has_own_block(*turn, provider);
  return end;
}

Result<void> write_messages(events::JsonWriter& json, const events::ChatRequest& request, std::string_view provider,
                            std::vector<std::string>& warnings) {
  Writer writer(json, provider, warnings);
  if (auto written = writer.system(request); !written) return written;
  std::vector<Item> items;
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const auto& message = request.messages[i];
    if (message.role == Role::system) continue;
    if (has_content(message, provider)) {
      items.push_back({.message = &message, .index = i});
    } else {
      warnings.push_back(fmt::format("messages[{}]: it has no text, which Anthropic refuses; it was left out.", i));
    }
  }
  if (items.empty()) {
    return fail(ErrorKind::invalid_input,
                "messages: Anthropic needs a message besides those of role system. Add a user message with text.");
  }
  json.begin_array("messages");
  for (std::size_t begin = 0; begin < items.size();) {
    auto end = begin + 1;
    while (end < items.size() && items[end].assistant() == items[begin].assistant()) ++end;
    const auto turn = std::span<const Item>(items).subspan(begin, end - begin);
    if (auto written = writer.turn(turn, end == items.size()); !written) return written;
    begin = end;
  }
  json.end_array();
  return {};
}

}  // namespace tokenrail::providers::anthropic
