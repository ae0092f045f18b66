// Recorded requests to the Gemini API, made again from a request of ours that says the same.
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/events/json_writer.hpp"
#include "common/providers/gemini/gemini.hpp"
#include "tests/conformance/cuts.hpp"
#include "tests/conformance/exchanges.hpp"

namespace tokenrail::conformance {
namespace {

namespace dom = simdjson::dom;
using events::ChatRequest;
using events::Message;
using events::Role;

std::string json_text(std::string_view text) {
  std::string out;
  events::append_json_string(out, text);
  return out;
}

std::string joined(const std::map<std::string, std::string>& fields) {
  std::string out = "{";
  for (const auto& [key, value] : fields)
    out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", json_text(key), value);
  return out + "}";
}

/// The same request in one form: sorted fields, and without what has no meaning or one meaning under two names.
std::string normal(dom::element element, std::string_view name = "") {
  dom::object object;
  dom::array array;
  if (element.get_array().get(array) == simdjson::SUCCESS) {
    std::string out = "[";
    for (const auto one : array) out += (out.size() > 1 ? "," : "") + normal(one, name);
    return out + "]";
  }
  if (element.get_object().get(object) != simdjson::SUCCESS) return simdjson::minify(element);
  std::map<std::string, std::string> fields;
  const bool declaration = name == "functionDeclarations";
  for (const auto& [key, value] : object) {
    const auto text = normal(value, key);
    // Older clients repeat the model of the path, and describe what a function returns.
    if ((name.empty() && key == "model") || (declaration && key == "response")) continue;
    if ((name == "systemInstruction" && key == "role") || (declaration && text == R"("")")) continue;
    if (key == "generationConfig" && text == "{}") continue;
    fields.emplace(declaration && key == "parameters" ? "parametersJsonSchema" : std::string(key), text);
  }
  if (name == "contents") fields.try_emplace("role", R"("user")");
  return joined(fields);
}

std::string normal(const std::string& json) {
  dom::parser parser;
  dom::element element;
  return parser.parse(json).get(element) == simdjson::SUCCESS ? normal(element) : "not JSON: " + json;
}

/// A request of ours that says what the recorded one says. What only this provider has is passed on to it.
class Rebuilt {
 public:
  explicit Rebuilt(const std::string& recorded) {
    dom::parser parser;
    dom::object body;
    if (parser.parse(recorded).get_object().get(body) != simdjson::SUCCESS) {
      ADD_FAILURE() << "the recorded request is not an object";
      return;
    }
    dom::element system;
    if (body["systemInstruction"].get(system) == simdjson::SUCCESS) read_content(system, Role::system);
    for (const auto& [key, value] : body) read_field(key, value);
    std::map<std::string, std::string> config = config_;
    if (!generation_.empty()) config["generationConfig"] = joined(generation_);
    if (!config.empty()) request_.provider_config["gemini"] = joined(config);
  }
  [[nodiscard]] const ChatRequest& request() const { return request_; }

 private:
  void read_field(std::string_view key, dom::element value) {
    dom::array list;
    dom::object fields;
    if (key == "contents" && value.get_array().get(list) == simdjson::SUCCESS) {
      for (const auto content : list) {
        std::string_view role;
        static_cast<void>(content["role"].get_string().get(role));
        read_content(content, role == "model" ? Role::assistant : Role::user);
      }
    } else if (key == "tools" && value.get_array().get(list) == simdjson::SUCCESS) {
      for (const auto tool : list) read_tool(tool);
    } else if (key == "toolConfig") {
      read_choice(text_of(value["functionCallingConfig"], "mode"));
    } else if (key == "generationConfig" && value.get_object().get(fields) == simdjson::SUCCESS) {
      for (const auto& [name, setting] : fields) read_setting(name, setting);
    } else if (key != "systemInstruction" && key != "model") {
      config_[std::string(key)] = simdjson::minify(value);
    }
  }

  static std::string json_of(const simdjson::simdjson_result<dom::element>& result) {
    return result.error() == simdjson::SUCCESS ? simdjson::minify(result.value_unsafe()) : std::string();
  }

  static std::string text_of(const simdjson::simdjson_result<dom::element>& element, std::string_view key) {
    if (element.error() != simdjson::SUCCESS) return "";
    return text_of(element.value_unsafe(), key);
  }

  static std::string text_of(dom::element element, std::string_view key) {
    std::string_view text;
    static_cast<void>(element[key].get_string().get(text));
    return std::string(text);
  }

  void read_content(dom::element content, Role role) {
    Message message;
    message.role = role;
    dom::array parts;
    static_cast<void>(content["parts"].get_array().get(parts));
    for (const auto part : parts) {
      dom::element inside;
      if (part["functionResponse"].get(inside) == simdjson::SUCCESS) {
        read_result(inside);
      } else if (part["functionCall"].get(inside) == simdjson::SUCCESS) {
        message.tool_calls.push_back(
            {.id = text_of(inside, "id"), .name = text_of(inside, "name"), .arguments = json_of(inside["args"])});
        const auto signature = text_of(part, "thoughtSignature");
        if (!signature.empty()) {
          message.provider_blocks.push_back(
              {.provider = "gemini",
               .data = fmt::format(R"({{"part":"call","id":{},"thoughtSignature":{}}})",
                                   json_text(text_of(inside, "id")), json_text(signature))});
        }
      } else if (part["inlineData"].get(inside) == simdjson::SUCCESS) {
        const auto type = text_of(inside, "mimeType");
        message.content.push_back(
            {.type = type.substr(0, type.find('/')), .data = text_of(inside, "data"), .media_type = type});
      } else {
        message.content.push_back({.type = "text", .text = text_of(part, "text")});
      }
    }
    if (!message.content.empty() || !message.tool_calls.empty()) request_.messages.push_back(std::move(message));
  }

  void read_result(dom::element result) {
    Message message;
    message.role = Role::tool;
    message.tool_call_id = text_of(result, "id");
    message.name = text_of(result, "name");
    const auto words = text_of(result["response"], "result");
    message.content.push_back({.type = "text", .text = words.empty() ? json_of(result["response"]) : words});
    request_.messages.push_back(std::move(message));
  }

  void read_tool(dom::element tool) {
    dom::array functions;
    if (tool["functionDeclarations"].get_array().get(functions) != simdjson::SUCCESS) {
      config_["tools"] = "[" + simdjson::minify(tool) + "]";
      return;
    }
    for (const auto function : functions) {
      auto schema = json_of(function["parameters"]);
      if (schema.empty()) schema = json_of(function["parametersJsonSchema"]);
      request_.tools.push_back(
          {.name = text_of(function, "name"), .description = text_of(function, "description"), .parameters = schema});
    }
  }

  void read_choice(std::string_view mode) {
    using Mode = events::ToolChoice::Mode;
    request_.tool_choice = events::ToolChoice{.mode = mode == "ANY"    ? Mode::required
                                                      : mode == "NONE" ? Mode::none
                                                                       : Mode::automatic};
  }

  void read_setting(std::string_view name, dom::element value) {
    using Kind = events::ResponseFormat::Kind;
    const auto whole = [&] { return std::int64_t(value.get_int64()); };
    if (name == "temperature") {
      request_.temperature = double(value.get_double());
    } else if (name == "topP") {
      request_.top_p = double(value.get_double());
    } else if (name == "topK") {
      request_.top_k = whole();
    } else if (name == "maxOutputTokens") {
      request_.tokens_max = whole();
    } else if (name == "seed") {
      request_.seed = whole();
    } else if (name == "responseMimeType") {
      if (!request_.response_format) request_.response_format = events::ResponseFormat{.kind = Kind::json};
    } else if (name == "responseJsonSchema") {
      request_.response_format = events::ResponseFormat{.kind = Kind::json_schema, .schema = simdjson::minify(value)};
    } else if (name == "thinkingConfig") {
      request_.reasoning = events::Reasoning{.tokens_max = std::int64_t(value["thinkingBudget"].get_int64())};
    } else {
      generation_[std::string(name)] = simdjson::minify(value);
    }
  }

  ChatRequest request_{};
  std::map<std::string, std::string> config_{};
  std::map<std::string, std::string> generation_{};
};

class GeminiRequest : public Exchange {};

TEST_P(GeminiRequest, IsMadeAgainFromOneOfOurs) {
  const bool stream = recording_.path.ends_with(":streamGenerateContent");
  if ((!stream && !recording_.path.ends_with(":generateContent")) || recording_.request.empty()) return;
  Rebuilt rebuilt(recording_.request);
  auto request = rebuilt.request();
  request.stream = stream;
  // The path's end: models/NAME:method.
  const auto begin = recording_.path.rfind('/') + 1;
  const auto name = recording_.path.substr(begin, recording_.path.rfind(':') - begin);
  const bool vertex = recording_.path.contains("/projects/");
  const auto base =
      vertex ? "https://aiplatform.googleapis.com" + recording_.path.substr(0, recording_.path.find("/publishers/"))
             : std::string("https://generativelanguage.googleapis.com");
  const auto call = providers::gemini::provider().chat(
      request, {.provider = "gemini", .base_url = base, .upstream_name = name == "bad%20model" ? "bad model" : name},
      {});
  ASSERT_TRUE(call) << call.error().detail;
  EXPECT_EQ(call->request.method, "POST");
  const auto path = call->request.url.substr(0, call->request.url.find('?'));
  EXPECT_TRUE(path.ends_with(recording_.path)) << path << " is not " << recording_.path;
  EXPECT_EQ(normal(call->request.body), normal(recording_.request));
}

TEST_P(GeminiRequest, EmbeddingsAreAskedForTheSameWay) {
  if (!recording_.path.ends_with(":batchEmbedContents")) return;
  dom::parser parser;
  dom::array requests;
  ASSERT_EQ(parser.parse(recording_.request)["requests"].get_array().get(requests), simdjson::SUCCESS);
  providers::Embedder::Request request;
  std::string model;
  for (const auto one : requests) {
    std::string_view text;
    ASSERT_EQ(one["content"]["parts"].at(0)["text"].get_string().get(text), simdjson::SUCCESS);
    request.texts.emplace_back(text);
    std::int64_t dimensions = 0;
    if (one["outputDimensionality"].get_int64().get(dimensions) == simdjson::SUCCESS) request.dimensions = dimensions;
    ASSERT_EQ(one["model"].get_string().get(text), simdjson::SUCCESS);
    model = text;
  }
  const auto made = providers::gemini::embedder().embed(
      request, {.base_url = "https://generativelanguage.googleapis.com", .upstream_name = model});
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->body, recording_.request);
  EXPECT_TRUE(made->url.ends_with(recording_.path));
}

INSTANTIATE_TEST_SUITE_P(Recorded, GeminiRequest, testing::ValuesIn(cases_of({"gemini"})), test_name);

}  // namespace
}  // namespace tokenrail::conformance
