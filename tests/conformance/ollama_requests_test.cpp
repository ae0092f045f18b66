// Every recorded request of /api/chat, made again from a chat request of ours that means the same.
#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/events/json_writer.hpp"
#include "common/providers/ollama/ollama.hpp"
#include "tests/conformance/exchanges.hpp"

namespace tokenrail::conformance {
namespace {

namespace dom = simdjson::dom;
using events::ChatRequest;

/// JSON in one spelling: keys sorted, numbers as doubles.
std::string canonical(const dom::element& element) {
  if (dom::object object; element.get_object().get(object) == simdjson::SUCCESS) {
    std::map<std::string, std::string> fields;
    for (const auto& [key, value] : object) fields[std::string(key)] = canonical(value);
    std::string out = "{";
    for (const auto& [key, value] : fields) out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", key, value);
    return out + "}";
  }
  if (dom::array array; element.get_array().get(array) == simdjson::SUCCESS) {
    std::string out = "[";
    for (const auto value : array) out += (out.size() > 1 ? "," : "") + canonical(value);
    return out + "]";
  }
  if (double number = 0; element.get_double().get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  return simdjson::minify(element);
}

/// Says nothing: null, "", [] and {} mean the same to Ollama as leaving the field out.
bool says_nothing(const dom::element& element) {
  const auto text = std::string(simdjson::minify(element));
  return text == "null" || text == "\"\"" || text == "[]" || text == "{}";
}

std::optional<std::string> normal(std::string_view body) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(body.data(), body.size()).get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
  // What leaving the first out means; the second is ours where a request says nothing of it.
  std::map<std::string, std::string> fields = {{"stream", "true"}, {"truncate", "false"}};
  for (const auto& [key, value] : object) {
    if (!says_nothing(value)) fields[std::string(key)] = canonical(value);
  }
  std::string out;
  for (const auto& [key, value] : fields) out.append(key).append("=").append(value).append("\n");
  return out;
}

/// The chat request that means what a recorded body says, or why there is none.
class Rebuilt {
 public:
  explicit Rebuilt(std::string_view body) {
    dom::parser parser;
    dom::object object;
    if (parser.parse(body.data(), body.size()).get_object().get(object) != simdjson::SUCCESS) {
      why_not_ = "the body is no object";
      return;
    }
    request_.request_id = "r";
    request_.org_id = "o";
    for (const auto& [key, value] : object) top(key, value);
    if (!passed_on_.empty() || !options_.empty()) {
      std::string config = "{";
      for (const auto& [key, value] : passed_on_)
        config += fmt::format("{}\"{}\":{}", config.size() > 1 ? "," : "", key, value);
      if (!options_.empty()) {
        config += config.size() > 1 ? ",\"options\":{" : "\"options\":{";
        bool first = true;
        for (const auto& [key, value] : options_) {
          config += fmt::format("{}\"{}\":{}", first ? "" : ",", key, value);
          first = false;
        }
        config += "}";
      }
      request_.provider_config["ollama"] = config + "}";
    }
  }
  [[nodiscard]] const ChatRequest& request() const { return request_; }
  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }

 private:
  void top(std::string_view key, const dom::element& value) {
    if (says_nothing(value)) return;
    if (key == "model") {
      model_ = std::string_view(value.get_string());
    } else if (key == "stream") {
      request_.stream = value.get_bool();
    } else if (key == "messages") {
      for (const auto message : dom::array(value.get_array())) add_message(message);
    } else if (key == "tools") {
      for (const auto tool : dom::array(value.get_array())) add_tool(tool);
    } else if (key == "options") {
      for (const auto& [name, option] : dom::object(value.get_object())) add_option(name, option);
    } else if (key == "think") {
      events::Reasoning reasoning;
      std::string_view effort;
      bool enabled = false;
      if (value.get_bool().get(enabled) == simdjson::SUCCESS) reasoning.enabled = enabled;
      if (value.get_string().get(effort) == simdjson::SUCCESS) reasoning.effort = effort;
      request_.reasoning = reasoning;
    } else if (key == "format") {
      events::ResponseFormat format;
      format.kind = value.is_object() ? events::ResponseFormat::Kind::json_schema : events::ResponseFormat::Kind::json;
      if (value.is_object()) format.schema = simdjson::minify(value);
      request_.response_format = format;
    } else {
      passed_on_[std::string(key)] = simdjson::minify(value);
    }
  }

  void add_option(std::string_view name, const dom::element& value) {
    if (name == "temperature") {
      request_.temperature = double(value.get_double());
    } else if (name == "top_p") {
      request_.top_p = double(value.get_double());
    } else if (name == "top_k") {
      request_.top_k = std::int64_t(value.get_int64());
    } else if (name == "seed") {
      request_.seed = std::int64_t(value.get_int64());
    } else if (name == "num_predict") {
      request_.tokens_max = std::int64_t(value.get_int64());
    } else if (name == "stop" && value.is_array()) {
      for (const auto stop : dom::array(value.get_array()))
        request_.stop.emplace_back(std::string_view(stop.get_string()));
    } else {
      options_[std::string(name)] = simdjson::minify(value);
    }
  }

  void add_tool(const dom::element& element) {
    events::Tool tool;
    const auto function = element["function"];
    std::string_view text;
    if (function["name"].get_string().get(text) == simdjson::SUCCESS) tool.name = text;
    if (function["description"].get_string().get(text) == simdjson::SUCCESS) tool.description = text;
    dom::element parameters;
    if (function["parameters"].get(parameters) == simdjson::SUCCESS) tool.parameters = simdjson::minify(parameters);
    request_.tools.push_back(std::move(tool));
  }

  void add_message(const dom::element& element) {
    events::Message message;
    for (const auto& [key, value] : dom::object(element.get_object())) {
      if (key == "role") {
        const auto role = std::string_view(value.get_string());
        message.role = role == "system"      ? events::Role::system
                       : role == "assistant" ? events::Role::assistant
                       : role == "tool"      ? events::Role::tool
                                             : events::Role::user;
      } else if (key == "content") {
        message.content.push_back({.type = "text", .text = std::string(std::string_view(value.get_string()))});
      } else if (key == "images") {
        for (const auto image : dom::array(value.get_array())) {
          events::ContentPart part{.type = "image"};
          part.data = std::string_view(image.get_string());
          message.content.push_back(std::move(part));
        }
      } else if (key == "thinking") {
        message.reasoning = std::string_view(value.get_string());
      } else if (key == "tool_name") {
        message.name = std::string_view(value.get_string());
      } else if (key == "tool_call_id") {
        message.tool_call_id = std::string_view(value.get_string());
      } else if (key == "tool_calls") {
        for (const auto call : dom::array(value.get_array())) add_call(message, call);
      } else {
        why_not_ = fmt::format("a message has the field {}", key);
      }
    }
    request_.messages.push_back(std::move(message));
  }

  void add_call(events::Message& message, const dom::element& element) {
    events::ToolCall call;
    std::string_view text;
    if (element["id"].get_string().get(text) == simdjson::SUCCESS) call.id = text;
    if (element["function"]["name"].get_string().get(text) == simdjson::SUCCESS) call.name = text;
    dom::element arguments;
    if (element["function"]["arguments"].get(arguments) == simdjson::SUCCESS)
      call.arguments = simdjson::minify(arguments);
    message.tool_calls.push_back(std::move(call));
  }

  ChatRequest request_{};
  std::string model_{};
  std::string why_not_{};
  std::map<std::string, std::string> passed_on_{};
  std::map<std::string, std::string> options_{};
};

class OllamaRequest : public OllamaExchange {};

TEST_P(OllamaRequest, IsMadeAgainFromOneOfOurs) {
  if (call_of(recording_) != Call::chat || recording_.request.empty()) return;
  const Rebuilt rebuilt(recording_.request);
  if (!rebuilt.why_not().empty()) {
    fmt::print("[  NOT YET ] {} is not made again: {}\n", GetParam(), rebuilt.why_not());
    return;
  }
  const auto call = providers::ollama::provider().chat(
      rebuilt.request(), {.base_url = "http://localhost", .upstream_name = rebuilt.model()}, {});
  ASSERT_TRUE(call) << call.error().detail;
  EXPECT_EQ(call->request.method, "POST");
  EXPECT_TRUE(call->request.url.ends_with("/api/chat"));
  const auto ours = normal(call->request.body);
  ASSERT_TRUE(ours) << call->request.body;
  EXPECT_EQ(*ours, normal(recording_.request));
}

INSTANTIATE_TEST_SUITE_P(Recorded, OllamaRequest, testing::ValuesIn(ollama_cases()), test_name);

}  // namespace
}  // namespace tokenrail::conformance
