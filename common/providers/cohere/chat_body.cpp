#include "common/providers/cohere/chat_body.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "common/providers/cohere/messages.hpp"
#include "common/providers/provider_config.hpp"

namespace tokenrail::providers::cohere {

namespace {

using events::ChatRequest;
using Mode = events::ToolChoice::Mode;
using Kind = events::ResponseFormat::Kind;
using Warnings = std::vector<std::string>;

constexpr double temperature_max = 1.0;
constexpr double p_min = 0.01;
constexpr double p_max = 0.99;
constexpr std::int64_t k_max = 500;
constexpr std::size_t stop_max = 5;

Mode mode_of(const ChatRequest& request) {
  return request.tool_choice ? request.tool_choice->mode : Mode::automatic;
}

bool wants_json(const ChatRequest& request) {
  return request.response_format && request.response_format->kind != Kind::text;
}

/// What can be sent at all, before anything is written.
Result<void> check(const ChatRequest& request, const ProviderConfig& config) {
  if (!request.tools.empty() && mode_of(request) != Mode::none && wants_json(request) &&
      !config.has("response_format")) {
    return fail(ErrorKind::invalid_input,
                "responseFormat: Cohere does not take JSON output together with tools; leave one of them out, or set "
                "toolChoice to none");
  }
  if (request.stop.size() > stop_max && !config.has("stop_sequences")) {
    return fail(ErrorKind::invalid_input,
                fmt::format("stop: Cohere takes at most {} stop texts, but there are {}; send "
                            "fewer",
                            stop_max, request.stop.size()));
  }
  return {};
}

void write_tool(events::JsonWriter& json, const events::Tool& tool) {
  json.begin_object();
  json.field("type", "function");
  json.begin_object("function");
  json.field("name", tool.name);
  if (!tool.description.empty()) json.field("description", tool.description);
  json.raw_field("parameters", tool.parameters.empty() ? R"({"type":"object","properties":{}})" : tool.parameters);
  json.end_object();
  json.end_object();
}

void write_tools(events::JsonWriter& json, const ChatRequest& request, const ProviderConfig& config) {
  const auto mode = mode_of(request);
  // Tools that must not be called may be left out; beside a format for the answer they must be.
  if (request.tools.empty() || (mode == Mode::none && wants_json(request))) return;
  json.begin_array("tools");
  for (const auto& tool : request.tools) {
    // No word names one tool: the model can only be made to call one of those that it is offered.
    if (mode != Mode::named || tool.name == request.tool_choice->name) write_tool(json, tool);
  }
  json.end_array();
  if (config.has("tool_choice")) return;
  if (mode == Mode::required || mode == Mode::named) json.field("tool_choice", "REQUIRED");
  if (mode == Mode::none) json.field("tool_choice", "NONE");
}

void write_format(events::JsonWriter& json, const ChatRequest& request) {
  if (!wants_json(request)) return;
  json.begin_object("response_format");
  json.field("type", "json_object");
  if (request.response_format->kind == Kind::json_schema) {
    json.raw_field("json_schema", request.response_format->schema);
  }
  json.end_object();
}

void write_thinking(events::JsonWriter& json, const ChatRequest& request, Warnings& warnings) {
  if (!request.reasoning) return;
  const auto& reasoning = *request.reasoning;
  const bool enabled = reasoning.enabled.value_or(true) && reasoning.effort != "none";
  json.begin_object("thinking");
  json.field("type", enabled ? "enabled" : "disabled");
  if (enabled && reasoning.tokens_max) json.field("token_budget", *reasoning.tokens_max);
  json.end_object();
  if (enabled && !reasoning.effort.empty()) {
    warnings.emplace_back(
        "reasoning.effort: Cohere has no levels of reasoning; it was switched on. Bound it with "
        "reasoning.maxTokens.");
  }
}

/// A number that Cohere takes within these bounds only.
template <class T>
T within(std::string_view field, T value, T min, T max, Warnings& warnings) {
  const auto taken = std::clamp(value, min, max);
  if (taken != value) {
    warnings.push_back(
        fmt::format("{}: Cohere takes {} to {}; {} was sent instead of {}.", field, min, max, taken, value));
  }
  return taken;
}

void write_parameters(events::JsonWriter& json, const ChatRequest& request, const ProviderConfig& config,
                      Warnings& warnings) {
  if (request.tokens_max && !config.has("max_tokens")) json.field("max_tokens", *request.tokens_max);
  if (request.temperature && !config.has("temperature")) {
    json.field("temperature", within("temperature", *request.temperature, 0.0, temperature_max, warnings));
  }
  if (request.top_p && !config.has("p")) json.field("p", within("topP", *request.top_p, p_min, p_max, warnings));
  if (request.top_k && !config.has("k")) {
    json.field("k", within("topK", *request.top_k, std::int64_t{0}, k_max, warnings));
  }
  if (request.seed && !config.has("seed")) {
    if (*request.seed >= 0) {
      json.field("seed", *request.seed);
    } else {
      warnings.emplace_back("seed: Cohere takes no negative seed; it was left out.");
    }
  }
  if (!request.stop.empty() && !config.has("stop_sequences")) {
    json.begin_array("stop_sequences");
    for (const auto& stop : request.stop) json.element(stop);
    json.end_array();
  }
}

std::size_t expected_bytes(const ChatRequest& request) {
  std::size_t bytes = 512;
  for (const auto& message : request.messages) {
    bytes += 128;
    for (const auto& part : message.content) bytes += part.text.size() + part.text.size() / 8 + part.data.size();
  }
  for (const auto& tool : request.tools) bytes += 128 + tool.description.size() + tool.parameters.size();
  return bytes;
}

}  // namespace

Result<std::string> chat_body(const ChatRequest& request, std::string_view provider, std::string_view model,
                              Warnings& warnings) {
  const auto config = ProviderConfig::read(request, provider, warnings, {});
  if (!config) return std::unexpected(config.error());
  if (const auto fits = check(request, *config); !fits) return std::unexpected(fits.error());
  std::string body;
  body.reserve(expected_bytes(request));
  events::JsonWriter json(body);
  json.begin_object();
  json.field("model", model);
  json.field("stream", request.stream);
  if (const auto written = write_messages(json, request, provider); !written) return std::unexpected(written.error());
  write_tools(json, request, *config);
  if (!config->has("response_format")) write_format(json, request);
  if (!config->has("thinking")) write_thinking(json, request, warnings);
  write_parameters(json, request, *config, warnings);
  config->write(json);
  json.end_object();
  return body;
}

}  // namespace tokenrail::providers::cohere
