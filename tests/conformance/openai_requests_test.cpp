// Every recorded request of chat completions, made again from a chat request of ours that means the same.
#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/providers/openai/chat_body.hpp"
#include "common/providers/provider.hpp"
#include "tests/conformance/chat_completions.hpp"
#include "tests/conformance/cuts.hpp"

namespace tokenrail::conformance {
namespace {

namespace dom = simdjson::dom;
using events::ChatRequest;

/// JSON in one spelling: keys sorted, numbers as doubles. What means the same is written the same: a list of one text
/// is that text, a tool that is not strict does not have the field, and one without parameters has none.
std::string canonical(const dom::element& element) {
  if (dom::object object; element.get_object().get(object) == simdjson::SUCCESS) {
    std::map<std::string, std::string> fields;
    for (const auto& [key, value] : object) {
      const auto text = canonical(value);
      if (text == "null" || text == "\"\"" || (key == "strict" && text == "false")) continue;
      if (key == "parameters" && text == R"({properties:{},type:"object"})") continue;
      fields[std::string(key)] = text;
    }
    std::string out = "{";
    for (const auto& [key, value] : fields) out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", key, value);
    return out + "}";
  }
  if (dom::array array; element.get_array().get(array) == simdjson::SUCCESS) {
    std::string_view text;
    if (array.size() == 1 && element.at(0)["type"].get_string().get(text) == simdjson::SUCCESS && text == "text") {
      return canonical(element.at(0)["text"].value());
    }
    std::string out = "[";
    for (const auto value : array) out += (out.size() > 1 ? "," : "") + canonical(value);
    return out + "]";
  }
  if (double number = 0; element.get_double().get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  return simdjson::minify(element);
}

std::string normal(std::string_view body) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(body.data(), body.size()).get_object().get(object) != simdjson::SUCCESS) return "no object";
  std::map<std::string, std::string> fields = {{"stream", "false"}};  // what leaving it out means
  for (const auto& [key, value] : object) {
    // Whether usage is asked for is ours to say; Mistral's and Groq's streams bring it unasked.
    if (key == "stream_options") continue;
    auto text = canonical(value);
    if (key == "tool_choice" && text == "\"any\"") text = "\"required\"";  // Mistral has both words
    if (text != "\"\"" && text != "[]") fields[std::string(key)] = std::move(text);
  }
  std::string out;
  for (const auto& [key, value] : fields) out += key + "=" + value + "\n";
  return out;
}

std::string text_of(simdjson::simdjson_result<dom::element> element) {
  std::string_view text;
  return element.get_string().get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

std::string text_of(const dom::element& element) {
  return text_of(simdjson::simdjson_result<dom::element>(dom::element(element)));
}

/// The chat request that means what a recorded body says, or why there is none.
class Rebuilt {
 public:
  Rebuilt(std::string_view body, const providers::openai::ChatProfile& profile) : profile_(profile) {
    dom::parser parser;
    dom::object object;
    if (parser.parse(body.data(), body.size()).get_object().get(object) != simdjson::SUCCESS) {
      why_not_ = "the body is no object";
      return;
    }
    request_.stream = false;
    for (const auto& [key, value] : object) top(key, value);
    if (passed_on_.empty()) return;
    std::string config = "{";
    for (const auto& [key, value] : passed_on_) {
      config += fmt::format("{}\"{}\":{}", config.size() > 1 ? "," : "", key, value);
    }
    request_.provider_config[std::string(profile.provider)] = config + "}";
  }
  [[nodiscard]] const ChatRequest& request() const { return request_; }
  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }

 private:
  void top(std::string_view key, const dom::element& value) {
    if (key == "model") {
      model_ = text_of(value);
    } else if (key == "stream") {
      request_.stream = value.get_bool();
    } else if (key == "stream_options") {
      return;
    } else if (key == "messages") {
      for (const auto message : dom::array(value.get_array())) add_message(message);
    } else if (key == "tools") {
      for (const auto tool : dom::array(value.get_array())) add_tool(tool);
    } else if (key == "tool_choice") {
      add_choice(value);
    } else if (key == "response_format") {
      add_format(value);
    } else if (key == "temperature") {
      request_.temperature = double(value.get_double());
    } else if (key == "top_p") {
      request_.top_p = double(value.get_double());
    } else if (key == profile_.tokens_max) {
      request_.tokens_max = std::int64_t(value.get_int64());
    } else if (key == profile_.seed) {
      request_.seed = std::int64_t(value.get_int64());
    } else if (key == "stop" && value.is_array()) {
      for (const auto stop : dom::array(value.get_array())) request_.stop.push_back(text_of(stop));
    } else if (key == "reasoning_effort") {
      request_.reasoning = events::Reasoning{.effort = text_of(value)};
    } else if (key == "reasoning" && profile_.reasoning_object) {
      request_.reasoning = events::Reasoning{.effort = text_of(value["effort"])};
    } else {
      passed_on_[std::string(key)] = simdjson::minify(value);
    }
  }

  void add_choice(const dom::element& value) {
    using Mode = events::ToolChoice::Mode;
    const auto word = text_of(value);
    request_.tool_choice = events::ToolChoice{.mode = word == "none"                        ? Mode::none
                                                      : word == "any" || word == "required" ? Mode::required
                                                      : value.is_object()                   ? Mode::named
                                                                                            : Mode::automatic,
                                              .name = text_of(value["function"]["name"])};
  }

  void add_format(const dom::element& value) {
    events::ResponseFormat format;
    format.kind = events::ResponseFormat::Kind::json;
    if (text_of(value["type"]) == "json_schema") {
      format.kind = events::ResponseFormat::Kind::json_schema;
      dom::element schema;
      if (value["json_schema"]["schema"].get(schema) != simdjson::SUCCESS) {
        why_not_ = "its schema is not where it belongs";
        return;
      }
      format.schema = simdjson::minify(schema);
      if (text_of(value["json_schema"]["name"]) != "response") why_not_ = "its schema has a name of its own";
    }
    request_.response_format = format;
  }

  void add_tool(const dom::element& element) {
    events::Tool tool;
    const auto function = element["function"];
    tool.name = text_of(function["name"]);
    tool.description = text_of(function["description"]);
    dom::element parameters;
    if (function["parameters"].get(parameters) == simdjson::SUCCESS) tool.parameters = simdjson::minify(parameters);
    if (text_of(element["type"]) != "function") why_not_ = "it has a tool that is no function";
    dom::object fields;
    if (function.get_object().get(fields) == simdjson::SUCCESS) {
      for (const auto field : fields) {
        if (field.key != "name" && field.key != "description" && field.key != "parameters" && field.key != "strict") {
          why_not_ = fmt::format("a tool has the field {}", field.key);
        }
      }
    }
    bool strict = false;
    if (function["strict"].get_bool().get(strict) == simdjson::SUCCESS && strict) why_not_ = "a tool is strict";
    request_.tools.push_back(std::move(tool));
  }

  void add_message(const dom::element& element) {
    events::Message message;
    for (const auto& [key, value] : dom::object(element.get_object())) {
      if (key == "role") {
        const auto role = text_of(value);
        message.role = role == "system"      ? events::Role::system
                       : role == "assistant" ? events::Role::assistant
                       : role == "tool"      ? events::Role::tool
                                             : events::Role::user;
      } else if (key == "content" && value.is_array()) {
        for (const auto part : dom::array(value.get_array())) add_part(message, part);
      } else if (key == "content" && value.is_string()) {
        message.content.push_back({.type = "text", .text = text_of(value)});
      } else if (key == "name") {
        message.name = text_of(value);
      } else if (key == "tool_call_id") {
        message.tool_call_id = text_of(value);
      } else if (key == "tool_calls") {
        for (const auto call : dom::array(value.get_array())) {
          message.tool_calls.push_back({.id = text_of(call["id"]),
                                        .name = text_of(call["function"]["name"]),
                                        .arguments = text_of(call["function"]["arguments"])});
        }
      } else {
        why_not_ = fmt::format("a message has the field {}", key);
      }
    }
    request_.messages.push_back(std::move(message));
  }

  void add_part(events::Message& message, const dom::element& part) {
    const auto type = text_of(part["type"]);
    events::ContentPart out{.type = type, .text = text_of(part["text"])};
    if (type == "image_url") {
      out.type = "image";
      place(out, text_of(part["image_url"]["url"]));
    } else if (type == "file") {
      out.filename = text_of(part["file"]["filename"]);
      place(out, text_of(part["file"]["file_data"]));
    } else if (type == "document_url") {
      out.type = "file";
      place(out, text_of(part["document_url"]));
    } else if (type == "input_audio") {
      out.type = "audio";
      out.data = text_of(part["input_audio"]["data"]);
      out.media_type = "audio/" + text_of(part["input_audio"]["format"]);
    }
    message.content.push_back(std::move(out));
  }

  /// "data:image/png;base64,…", or a URL.
  static void place(events::ContentPart& part, std::string_view url) {
    const auto comma = url.find(";base64,");
    if (!url.starts_with("data:") || comma == std::string_view::npos) {
      part.url = url;
      return;
    }
    part.media_type = url.substr(5, comma - 5);
    part.data = url.substr(comma + 8);
  }

  const providers::openai::ChatProfile& profile_;
  ChatRequest request_{};
  std::string model_{};
  std::string why_not_{};
  std::map<std::string, std::string> passed_on_{};
};

class ChatCompletionsRequest : public Exchange {};

TEST_P(ChatCompletionsRequest, IsMadeAgainFromOneOfOurs) {
  if (chat_call_of(recording_) != ChatCall::chat || recording_.request.empty()) return;
  auto target = target_of(GetParam());
  // The API for models of other makers has a profile of its own.
  const bool models = recording_.path.ends_with("/models/chat/completions");
  const auto& profile = providers::openai::chat_profile(models ? "azure-models" : target.provider);
  const Rebuilt rebuilt(recording_.request, profile);
  if (!rebuilt.why_not().empty()) {
    note_skipped(GetParam(), "its request is not made again: " + rebuilt.why_not());
    return;
  }
  target.upstream_name = rebuilt.model();
  target.base_url = "http://host" + recording_.path.substr(0, recording_.path.rfind("/chat/completions"));
  if (!recording_.query.empty()) target.base_url += "?" + recording_.query;
  auto request = rebuilt.request();
  if (models && request.provider_config.contains("azure-models")) {
    request.provider_config["azure"] = request.provider_config["azure-models"];
  }
  const auto call = providers::find_provider(adapter_of(GetParam()))->chat(request, target, {});
  ASSERT_TRUE(call) << call.error().detail;
  EXPECT_EQ(call->request.method, "POST");
  if (recording_.query.empty() && adapter_of(GetParam()) == "openai" && !recording_.path.empty() &&
      recording_.path != "/chat/completions") {
    EXPECT_EQ(call->request.url, "http://host" + recording_.path);
  }
  EXPECT_EQ(normal(call->request.body), normal(recording_.request));
}

INSTANTIATE_TEST_SUITE_P(Recorded, ChatCompletionsRequest, testing::ValuesIn(chat_completions_cases()), test_name);

}  // namespace
}  // namespace tokenrail::conformance
