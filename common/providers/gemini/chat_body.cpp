#include "common/providers/gemini/chat_body.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/providers/failure_text.hpp"

namespace tokenrail::providers::gemini {

namespace {

namespace dom = simdjson::dom;
using events::ChatRequest;
using events::JsonWriter;
using Warnings = std::vector<std::string>;

constexpr std::size_t stops_max = 5;

/// `providerConfig.gemini`, its values as JSON text.
struct Overlay {
  std::map<std::string, std::string, std::less<>> fields{};
  std::map<std::string, std::string, std::less<>> generation{};  ///< of `generationConfig`
  std::vector<std::string> tools{};                              ///< such as `{"googleSearch":{}}`
  [[nodiscard]] bool has(std::string_view name) const { return fields.contains(name); }
};

/// Tools that the provider runs itself are added to those of the request; functions are the request's own matter.
bool read_tools(dom::element value, Overlay& overlay) {
  dom::array tools;
  if (value.get_array().get(tools) != simdjson::SUCCESS) return false;
  for (const auto tool : tools) {
    dom::element functions;
    if (!tool.is_object() || tool["functionDeclarations"].get(functions) == simdjson::SUCCESS) return false;
    overlay.tools.push_back(simdjson::minify(tool));
  }
  return true;
}

Result<Overlay> read_overlay(const ChatRequest& request, std::string_view provider, Warnings& warnings) {
  Overlay overlay;
  auto config = request.provider_config.find(std::string(provider));
  if (config == request.provider_config.end()) config = request.provider_config.find("gemini");
  if (config == request.provider_config.end()) return overlay;
  const auto& name = config->first;
  dom::parser parser;
  dom::object object;
  if (parser.parse(config->second).get_object().get(object) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, fmt::format("providerConfig.{}: must be a JSON object", name));
  }
  for (const auto& [key, value] : object) {
    if (key == "model" || key == "contents" || key == "systemInstruction" || key == "stream" ||
        (key == "tools" && !read_tools(value, overlay))) {
      warnings.push_back(fmt::format("providerConfig.{}.{} was ignored: the request's own field says it.", name, key));
    } else if (key == "generationConfig") {
      dom::object fields;
      if (value.get_object().get(fields) != simdjson::SUCCESS) {
        return fail(ErrorKind::invalid_input, fmt::format("providerConfig.{}.{}: must be a JSON object", name, key));
      }
      for (const auto& [field, setting] : fields) {
        overlay.generation.insert_or_assign(std::string(field), simdjson::minify(setting));
      }
    } else if (key != "tools") {
      overlay.fields.insert_or_assign(std::string(key), simdjson::minify(value));
    }
  }
  return overlay;
}

void write_tools(JsonWriter& json, const ChatRequest& request, const Overlay& overlay) {
  if (request.tools.empty() && overlay.tools.empty()) return;
  json.begin_array("tools");
  if (!request.tools.empty()) {
    json.begin_object();
    json.begin_array("functionDeclarations");
    for (const auto& tool : request.tools) {
      json.begin_object();
      json.field("name", tool.name);
      if (!tool.description.empty()) json.field("description", tool.description);
      // The older field `parameters` refuses much of JSON Schema.
      if (!tool.parameters.empty()) json.raw_field("parametersJsonSchema", tool.parameters);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  for (const auto& tool : overlay.tools) json.raw_element(tool);
  json.end_array();
}

void write_tool_choice(JsonWriter& json, const ChatRequest& request) {
  using Mode = events::ToolChoice::Mode;
  if (request.tools.empty() || !request.tool_choice) return;
  const auto& choice = *request.tool_choice;
  const bool forced = choice.mode == Mode::required || choice.mode == Mode::named;
  json.begin_object("toolConfig");
  json.begin_object("functionCallingConfig");
  json.field("mode", forced ? "ANY" : choice.mode == Mode::none ? "NONE" : "AUTO");
  if (choice.mode == Mode::named) {
    json.begin_array("allowedFunctionNames");
    json.element(choice.name);
    json.end_array();
  }
  json.end_object();
  json.end_object();
}

/// The fields of `generationConfig` as one JSON object; those of the overlay come last and overrule.
Result<std::string> generation_of(const ChatRequest& request, const Overlay& overlay, std::string_view model,
                                  Warnings& warnings) {
  using Kind = events::ResponseFormat::Kind;
  std::string out;
  JsonWriter json(out);
  const auto set = [&](std::string_view name, const auto& value) {
    if (value && !overlay.generation.contains(name)) json.field(name, *value);
  };
  json.begin_object();
  set("temperature", request.temperature);
  set("topP", request.top_p);
  set("topK", request.top_k);
  set("maxOutputTokens", request.tokens_max);
  if (!request.stop.empty() && !overlay.generation.contains("stopSequences")) {
    if (request.stop.size() > stops_max) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("stop: Gemini takes at most {} stop sequences, not {}", stops_max, request.stop.size()));
    }
    json.begin_array("stopSequences");
    for (const auto& stop : request.stop) json.element(stop);
    json.end_array();
  }
  using Seed = std::numeric_limits<std::int32_t>;
  if (request.seed && (*request.seed < Seed::min() || *request.seed > Seed::max())) {
    warnings.emplace_back("seed: Gemini takes a number of 32 bits; it was left out.");
  } else {
    set("seed", request.seed);
  }
  if (request.response_format && request.response_format->kind != Kind::text) {
    set("responseMimeType", std::optional<std::string_view>("application/json"));
    if (request.response_format->kind == Kind::json_schema && !overlay.generation.contains("responseJsonSchema") &&
        !overlay.generation.contains("responseSchema")) {
      json.raw_field("responseJsonSchema", request.response_format->schema);
    }
  }
  if (request.reasoning && !overlay.generation.contains("thinkingConfig")) {
    const auto thinking = thinking_config(*request.reasoning, model, warnings);
    if (!thinking.empty()) json.raw_field("thinkingConfig", thinking);
  }
  for (const auto& [name, value] : overlay.generation) json.raw_field(name, value);
  json.end_object();
  return out;
}

std::size_t expected_bytes(const ChatRequest& request) {
  std::size_t bytes = 512;
  for (const auto& message : request.messages) {
    bytes += 128;
    for (const auto& part : message.content) bytes += part.text.size() + part.text.size() / 8 + part.data.size();
    for (const auto& block : message.provider_blocks) bytes += block.data.size();
  }
  for (const auto& tool : request.tools) bytes += 128 + tool.description.size() + tool.parameters.size();
  return bytes;
}

}  // namespace

Result<std::string> chat_body(const ChatRequest& request, const Target& target, Warnings& warnings) {
  const auto overlay = read_overlay(request, target.provider, warnings);
  if (!overlay) return std::unexpected(overlay.error());
  const auto generation = generation_of(request, *overlay, target.upstream_name, warnings);
  if (!generation) return std::unexpected(generation.error());
  std::string body;
  body.reserve(expected_bytes(request));
  JsonWriter json(body);
  json.begin_object();
  if (const auto written = write_contents(json, request, target, warnings); !written) {
    return std::unexpected(written.error());
  }
  write_tools(json, request, *overlay);
  if (!overlay->has("toolConfig")) write_tool_choice(json, request);
  if (*generation != "{}") json.raw_field("generationConfig", *generation);
  for (const auto& [name, value] : overlay->fields) json.raw_field(name, value);
  json.end_object();
  return body;
}

}  // namespace tokenrail::providers::gemini
