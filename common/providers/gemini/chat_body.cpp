#include "common/providers/gemini/chat_body.hpp"

#include <cstdint>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/providers/failure_text.hpp"
#include "common/providers/provider_config.hpp"

namespace tokenrail::providers::gemini {

namespace {

namespace dom = simdjson::dom;
using events::ChatRequest;
using events::JsonWriter;
using Warnings = std::vector<std::string>;

constexpr std::size_t stops_max = 5;

/// `providerConfig.gemini`, its values as JSON text.
constexpr std::string_view fixed[] = {"model", "contents", "systemInstruction", "stream"};
constexpr std::string_view config_parts[] = {"generationConfig"};
using Tools = std::vector<std::string>;  ///< such as `{"googleSearch":{}}`

/// Tools that the provider runs itself are added to those of the request; functions are the request's own matter.
bool read_tools(std::string_view json, Tools& own) {
  dom::parser parser;
  dom::array tools;
  if (parser.parse(json.data(), json.size()).get_array().get(tools) != simdjson::SUCCESS) return false;
  for (const auto tool : tools) {
    dom::element functions;
    if (!tool.is_object() || tool["functionDeclarations"].get(functions) == simdjson::SUCCESS) return false;
    own.push_back(simdjson::minify(tool));
  }
  return true;
}

void write_tools(JsonWriter& json, const ChatRequest& request, const Tools& provider_tools) {
  if (request.tools.empty() && provider_tools.empty()) return;
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
  for (const auto& tool : provider_tools) json.raw_element(tool);
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

/// The fields of `generationConfig` as one JSON object; those of providerConfig come last and overrule.
Result<std::string> generation_of(const ChatRequest& request, const ProviderConfig::Fields& given,
                                  std::string_view model, Warnings& warnings) {
  using Kind = events::ResponseFormat::Kind;
  std::string out;
  JsonWriter json(out);
  const auto set = [&](std::string_view name, const auto& value) {
    if (value && !given.contains(name)) json.field(name, *value);
  };
  json.begin_object();
  set("temperature", request.temperature);
  set("topP", request.top_p);
  set("topK", request.top_k);
  set("maxOutputTokens", request.tokens_max);
  if (!request.stop.empty() && !given.contains("stopSequences")) {
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
    if (request.response_format->kind == Kind::json_schema && !given.contains("responseJsonSchema") &&
        !given.contains("responseSchema")) {
      json.raw_field("responseJsonSchema", request.response_format->schema);
    }
  }
  if (request.reasoning && !given.contains("thinkingConfig")) {
    const auto thinking = thinking_config(*request.reasoning, model, warnings);
    if (!thinking.empty()) json.raw_field("thinkingConfig", thinking);
  }
  for (const auto& [name, value] : given) {
    if (name == "candidateCount" && value != "1") {
      warnings.emplace_back("generationConfig.candidateCount was ignored: a request has one answer.");
    } else {
      json.raw_field(name, value);
    }
  }
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
  const std::string name = request.provider_config.contains(target.provider) ? target.provider : "gemini";
  auto config = ProviderConfig::read(request, name, warnings, {.fixed = fixed, .parts = config_parts});
  if (!config) return std::unexpected(config.error());
  Tools provider_tools;
  if (const auto tools = config->take("tools"); tools && !read_tools(*tools, provider_tools)) {
    warnings.push_back(fmt::format("providerConfig.{}.tools was ignored: the request's own field says it.", name));
  }
  const auto generation = generation_of(request, config->part("generationConfig"), target.upstream_name, warnings);
  if (!generation) return std::unexpected(generation.error());
  std::string body;
  body.reserve(expected_bytes(request));
  JsonWriter json(body);
  json.begin_object();
  if (const auto written = write_contents(json, request, target, warnings); !written) {
    return std::unexpected(written.error());
  }
  write_tools(json, request, provider_tools);
  if (!config->has("toolConfig")) write_tool_choice(json, request);
  if (*generation != "{}") json.raw_field("generationConfig", *generation);
  config->write(json);
  json.end_object();
  return body;
}

}  // namespace tokenrail::providers::gemini
