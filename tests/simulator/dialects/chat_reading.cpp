#include "tests/simulator/dialects/chat_reading.hpp"

namespace tokenrail::simulator {

namespace {

namespace dom = simdjson::dom;

/// A text, or the texts of parts.
std::string text_of(const dom::element& content) {
  std::string_view text;
  if (content.get_string().get(text) == simdjson::SUCCESS) return std::string(text);
  std::string out;
  dom::array parts;
  if (content.get_array().get(parts) != simdjson::SUCCESS) return out;
  for (const auto part : parts) {
    if (part["text"].get_string().get(text) == simdjson::SUCCESS) out += text;
  }
  return out;
}

int thinks(const dom::element& root, const ChatFields& fields) {
  dom::element value;
  if (fields.thinking.empty() || root.at_pointer(fields.thinking).get(value) != simdjson::SUCCESS) return -1;
  bool flag = false;
  if (value.get_bool().get(flag) == simdjson::SUCCESS) return flag ? 1 : 0;
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return text == fields.thinking_off ? 0 : 1;
  return -1;
}

}  // namespace

Result<ChatRequest> read_chat_fields(const ChatFields& fields, std::string_view body) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return fail(ErrorKind::invalid_input, body.empty() ? "missing request body" : "the request body is not valid JSON");
  }
  ChatRequest out;
  auto& call = out.call;
  std::string_view text;
  if (root["model"].get_string().get(text) == simdjson::SUCCESS) call.model = text;
  if (fields.model_in_body && call.model.empty()) return fail(ErrorKind::invalid_input, "model is required");
  call.stream = fields.stream_by_default;
  bool flag = false;
  if (root["stream"].get_bool().get(flag) == simdjson::SUCCESS) call.stream = flag;
  if (root.at_pointer("/stream_options/include_usage").get_bool().get(flag) == simdjson::SUCCESS) {
    call.stream_usage = flag;
  }
  call.think = thinks(root, fields);
  if (root["continue_final_message"].get_bool().get(flag) == simdjson::SUCCESS) call.asks_to_continue = flag;
  dom::element messages;
  if (root[fields.messages].get(messages) == simdjson::SUCCESS) {
    if (messages.is_string()) {
      out.messages = 1;
      out.directive_message = text_of(messages);
    }
    dom::array array;
    if (messages.get_array().get(array) == simdjson::SUCCESS) {
      for (const auto message : array) {
        ++out.messages;
        call.prefill.clear();
        call.ends_with_assistant = false;
        dom::element content;
        if (message["role"].get_string().get(text) != simdjson::SUCCESS ||
            message[fields.content].get(content) != simdjson::SUCCESS) {
          continue;
        }
        if (text == "user") {
          // Results of tools come as messages of the user in some APIs, without a text.
          if (auto said = text_of(content); !said.empty() || call.user_messages == 0) out.directive_message = said;
          ++call.user_messages;
        } else if (text == fields.assistant) {
          call.prefill = text_of(content);
          call.ends_with_assistant = true;
          call.marks_prefix = message["prefix"].get_bool().get(flag) == simdjson::SUCCESS && flag;
        }
      }
    }
  }
  call.has_messages = out.messages > 0;
  if (root.at_pointer(fields.tool_name).get_string().get(text) == simdjson::SUCCESS) call.first_tool = text;
  dom::array tools;
  out.offers_tools = root["tools"].get_array().get(tools) == simdjson::SUCCESS && tools.size() > 0;
  for (const auto pointer : fields.tokens_max) {
    std::int64_t count = 0;
    if (call.tokens_max < 0 && root.at_pointer(pointer).get_int64().get(count) == simdjson::SUCCESS) {
      call.tokens_max = count;
    }
  }
  call.request_bytes = body.size();
  return out;
}

}  // namespace tokenrail::simulator
