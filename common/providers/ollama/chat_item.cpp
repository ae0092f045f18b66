#include "common/providers/ollama/chat_item.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/events/json_number.hpp"
#include "common/events/json_scan.hpp"
#include "common/providers/failure_text.hpp"

namespace tokenrail::providers::ollama {

namespace {

namespace ondemand = simdjson::ondemand;

class ItemReader {
 public:
  /// `json`: the document's text.
  ItemReader(ChatItem& item, ItemProblem& problem, std::string_view json)
      : item_(item), problem_(problem), json_(json) {}

  bool read(ondemand::document& document) {
    ondemand::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) return not_json();
    for (auto result : object) {
      ondemand::field field;
      if (std::move(result).get(field) != simdjson::SUCCESS) return not_json();
      const auto key = field.key();
      auto value = field.value();
      if (key == "message") {
        if (!read_message(value)) return false;
      } else if (key == "done") {
        if (!read_done(value)) return false;
      } else if (key == "done_reason") {
        if (!read_beside(value, item_.done_reason, item_.done_reason_unreadable)) return false;
      } else if (key == "prompt_eval_count") {
        read_count(value, item_.input_tokens);
      } else if (key == "eval_count") {
        read_count(value, item_.output_tokens);
      } else if (key == "error") {
        if (!read_error(value)) return false;
      }
    }
    // Something behind the object: two lines run together, or no line at all.
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS || not_json();
  }

 private:
  bool wrong(std::string text) {
    problem_.text = std::move(text);
    return false;
  }
  bool wrong(std::string_view field, std::string_view expected, ondemand::value& value) {
    std::string_view found = value.raw_json_token();
    // Of a list or an object the token is its bracket alone.
    if (found.starts_with('{') || found.starts_with('[')) {
      found = json_.substr(static_cast<std::size_t>(found.data() - json_.data()), 200);
    }
    return wrong(fmt::format("{} must be {}, but is {}", field, expected, quotable(found, 80)));
  }
  bool not_json() {
    problem_.repairable = true;  // where the strings are the reason
    return wrong("");
  }

  /// A string, or null for none.
  bool read_text(std::string_view field, ondemand::value value, std::string_view& out) {
    const auto error = value.get_string().get(out);
    if (error == simdjson::SUCCESS) {
      if (out.find('\0') == std::string_view::npos) return true;
      return not_json();
    }
    if (error == simdjson::STRING_ERROR) return not_json();
    bool null = false;
    return (value.is_null().get(null) == simdjson::SUCCESS && null) || wrong(field, "a string", value);
  }

  /// A string that the answer does not depend on.
  bool read_beside(ondemand::value value, std::string_view& out, bool& unreadable) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return not_json();
    if (type == ondemand::json_type::string) return read_text("", value, out);
    unreadable = type != ondemand::json_type::null;
    return true;
  }

  static void read_count(ondemand::value value, Count& out) {
    std::int64_t count = -1;
    if (value.get_int64().get(count) == simdjson::SUCCESS) {
      out.unreadable = count < 0;
    } else {
      const std::string_view token = value.raw_json_token();
      count = events::whole_number(token).value_or(-1);
      out.unreadable = count < 0 && !token.starts_with("null");
    }
    if (count >= 0) out.value = count;
  }

  bool read_done(ondemand::value value) {
    if (value.get_bool().get(item_.done) == simdjson::SUCCESS) {
      item_.has_done = true;
      return true;
    }
    bool null = false;
    return (value.is_null().get(null) == simdjson::SUCCESS && null) || wrong("done", "true or false", value);
  }

  /// Ollama sends an object; what speaks its language elsewhere sometimes sends it as a string, as OpenAI does.
  bool read_arguments(ondemand::value value, std::string& out) {
    constexpr std::string_view field = "message.tool_calls[].function.arguments";
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return not_json();
    std::string_view json;
    if (type == ondemand::json_type::object) {
      ondemand::object object;
      if (value.get_object().get(object) != simdjson::SUCCESS) return not_json();
      if (object.raw_json().get(json) != simdjson::SUCCESS) return not_json();
    } else if (type != ondemand::json_type::string && type != ondemand::json_type::null) {
      return wrong(field, "a JSON object", value);
    } else if (!read_text(field, value, json)) {
      return false;
    }
    if (json.empty()) json = "{}";
    return minify_object(json, out) ||
           wrong(fmt::format("{} must be a JSON object, but is {}", field, quotable(json.substr(0, 200), 80)));
  }

  bool read_function(ondemand::value value, events::ToolCall& call) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
      return wrong("message.tool_calls[].function", "an object", value);
    }
    call.arguments = "{}";
    for (auto result : object) {
      ondemand::field field;
      if (std::move(result).get(field) != simdjson::SUCCESS) return not_json();
      if (field.key() == "name") {
        std::string_view name;
        if (!read_text("message.tool_calls[].function.name", field.value(), name)) return false;
        call.name = name;
      } else if (field.key() == "arguments") {
        if (!read_arguments(field.value(), call.arguments)) return false;
      }
    }
    return !call.name.empty() || wrong("message.tool_calls[].function.name is missing");
  }

  bool read_tool_call(ondemand::value value) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return wrong("message.tool_calls[]", "an object", value);
    events::ToolCall call;
    bool has_function = false;
    for (auto result : object) {
      ondemand::field field;
      if (std::move(result).get(field) != simdjson::SUCCESS) return not_json();
      if (field.key() == "id") {
        std::string_view id;
        bool unreadable = false;  // it gets one of ours, as where there is none
        if (!read_beside(field.value(), id, unreadable)) return false;
        call.id = id;
      } else if (field.key() == "function") {
        if (!read_function(field.value(), call)) return false;
        has_function = true;
      }
    }
    if (!has_function) return wrong("message.tool_calls[].function is missing");
    item_.tool_calls.push_back(std::move(call));
    return true;
  }

  bool read_tool_calls(ondemand::value value) {
    bool null = false;
    if (value.is_null().get(null) == simdjson::SUCCESS && null) return true;
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return wrong("message.tool_calls", "a list", value);
    for (auto element : array) {
      ondemand::value call;
      if (std::move(element).get(call) != simdjson::SUCCESS) return not_json();
      if (!read_tool_call(call)) return false;
    }
    return true;
  }

  bool read_message(ondemand::value value) {
    item_.has_message = true;
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
      bool null = false;
      return (value.is_null().get(null) == simdjson::SUCCESS && null) || wrong("message", "an object", value);
    }
    for (auto result : object) {
      ondemand::field field;
      if (std::move(result).get(field) != simdjson::SUCCESS) return not_json();
      const auto key = field.key();
      if (key == "content") {
        if (!read_text("message.content", field.value(), item_.content)) return false;
      } else if (key == "thinking") {
        if (!read_text("message.thinking", field.value(), item_.thinking)) return false;
      } else if (key == "tool_calls") {
        if (!read_tool_calls(field.value())) return false;
      }
    }
    return true;
  }

  /// Quoted as it came, and rare: the whole is checked first, because raw text is not, and what was passed over in it
  /// could be a part of an object that never ends.
  bool read_error(ondemand::value value) {
    if (!events::scan_json(json_).valid) return not_json();
    std::string_view json;
    if (simdjson::to_json_string(value).get(json) != simdjson::SUCCESS) return not_json();
    if (json == "null" || json == "false" || json == "\"\"") return true;
    item_.error_body = "{\"error\":" + std::string(json) + "}";
    return true;
  }

  ChatItem& item_;
  ItemProblem& problem_;
  std::string_view json_;
};

/// Where the text stops being JSON.
std::string syntax_problem(std::string_view json) {
  const auto scan = events::scan_json(json);
  if (scan.valid) return "it must be one JSON object with strings of UTF-8";
  constexpr std::size_t before = 40;
  const auto begin = scan.position - std::min(scan.position, before);
  return fmt::format("it is not JSON: {} was expected at byte {}, near {}", scan.problem, scan.position,
                     quotable(json.substr(begin, before + 40), 100));
}

}  // namespace

bool read_chat_item(JsonScratch& scratch, std::string_view json, std::size_t readable_after, ChatItem& item,
                    ItemProblem& problem) {
  ondemand::document document;
  const auto padded = scratch.padded(json, readable_after);
  if (scratch.parser().iterate(padded).get(document) != simdjson::SUCCESS) {
    problem = {.text = "", .repairable = true};
  } else if (ItemReader(item, problem, {padded.data(), padded.size()}).read(document)) {
    return true;
  }
  if (problem.text.empty()) problem.text = syntax_problem(json);
  return false;
}

}  // namespace tokenrail::providers::ollama
