#include "common/providers/openai_responses/chat_body.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_writer.hpp"
#include "common/providers/estimate.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/openai_models.hpp"
#include "common/providers/openai_responses/input_items.hpp"
#include "common/providers/openai_responses/strict_schema.hpp"
#include "common/providers/profile.hpp"
#include "common/providers/provider_config.hpp"

namespace tokenrail::providers::openai_responses {

namespace {

using events::ChatRequest;
using events::JsonWriter;
using Warnings = std::vector<std::string>;

constexpr std::string_view efforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};

/// What the request says itself, and what would make the call another kind of call.
constexpr std::string_view fixed[] = {"model", "input", "instructions", "stream", "tools", "background"};
constexpr std::string_view config_parts[] = {"text", "reasoning"};

void write_sampling(JsonWriter& json, const ChatRequest& request, const Target& target, const ProviderConfig& config,
                    Warnings& warnings) {
  const auto write = [&](std::string_view name, std::string_view field, const std::optional<double>& value) {
    if (!value || config.has(name)) return;
    if (openai_model(target.upstream_name).samples(request.reasoning)) {
      json.field(name, *value);
    } else {
      warnings.push_back(
          fmt::format("{}: {} takes none; it was left out.", field, quotable(target.upstream_name, 200)));
    }
  };
  write("temperature", "temperature", request.temperature);
  write("top_p", "topP", request.top_p);
  if (request.top_k) warnings.emplace_back("topK: the Responses API has none; it was left out.");
  if (request.seed) warnings.emplace_back("seed: the Responses API has none; it was left out.");
}

void write_tools(JsonWriter& json, const ChatRequest& request, const ProviderConfig& config) {
  using Mode = events::ToolChoice::Mode;
  if (request.tools.empty()) return;
  json.begin_array("tools");
  for (const auto& tool : request.tools) {
    json.begin_object();
    json.field("type", "function");
    json.field("name", tool.name);
    if (!tool.description.empty()) json.field("description", tool.description);
    json.raw_field("parameters", tool.parameters.empty() ? std::string_view(R"({"type":"object","properties":{}})")
                                                         : std::string_view(tool.parameters));
    json.field("strict", false);  // left out it means true, and parameters that may be missing become required
    json.end_object();
  }
  json.end_array();
  if (!request.tool_choice || config.has("tool_choice")) return;
  switch (request.tool_choice->mode) {
    case Mode::automatic:
      json.field("tool_choice", "auto");
      break;
    case Mode::none:
      json.field("tool_choice", "none");
      break;
    case Mode::required:
      json.field("tool_choice", "required");
      break;
    case Mode::named:
      json.begin_object("tool_choice");
      json.field("type", "function");
      json.field("name", request.tool_choice->name);
      json.end_object();
      break;
  }
}

void write_text(JsonWriter& json, const ChatRequest& request, const ProviderConfig& config, Warnings& warnings) {
  using Kind = events::ResponseFormat::Kind;
  const auto kind = request.response_format ? request.response_format->kind : Kind::text;
  const bool format = kind != Kind::text && config.part("text").find("format") == config.part("text").end();
  if (!format && config.part("text").empty()) return;
  json.begin_object("text");
  if (format) {
    json.begin_object("format");
    if (kind == Kind::json) {
      json.field("type", "json_object");
    } else {
      const auto problem = not_strict(request.response_format->schema);
      if (!problem.empty()) {
        warnings.push_back(
            fmt::format("responseFormat: the schema is followed but not enforced, because {}.", problem));
      }
      json.field("type", "json_schema");
      json.field("name", "response");
      json.raw_field("schema", request.response_format->schema);
      json.field("strict", problem.empty());
    }
    json.end_object();
  }
  for (const auto& [name, value] : config.part("text")) json.raw_field(name, value);
  json.end_object();
}

/// The effort to ask for; nothing: the model's own.
std::optional<std::string_view> effort_of(const events::Reasoning& reasoning, const Target& target,
                                          Warnings& warnings) {
  const auto& traits = openai_model(target.upstream_name);
  std::optional<std::string_view> effort;
  if (!reasoning.effort.empty()) {
    const auto* const known = std::ranges::find(efforts, reasoning.effort);
    if (known != std::ranges::end(efforts)) {
      effort = *known;
    } else {
      warnings.push_back(
          fmt::format("reasoning.effort: \"{}\" is not known (none, minimal, low, medium, high, xhigh, "
                      "max); it was left out.",
                      quotable(reasoning.effort, 60)));
    }
  }
  const bool off = (reasoning.enabled && !*reasoning.enabled) || effort == "none";
  if (!off) return effort;
  if (traits.least_effort != "none") {
    warnings.push_back(fmt::format("reasoning: that of {} cannot be switched off; the effort is \"{}\".",
                                   quotable(target.upstream_name, 200), traits.least_effort));
  }
  return traits.least_effort;
}

void write_reasoning(JsonWriter& json, const ChatRequest& request, const Target& target, const ProviderConfig& config,
                     Warnings& warnings) {
  std::optional<std::string_view> effort;
  bool summary = false;
  if (request.reasoning) {
    const auto& reasoning = *request.reasoning;
    const bool off = (reasoning.enabled && !*reasoning.enabled) || reasoning.effort == "none";
    if (openai_model(target.upstream_name).reasons) {
      effort = effort_of(reasoning, target, warnings);
      summary = !off;
    } else if (!off) {
      warnings.push_back(
          fmt::format("reasoning: {} does not reason; it was left out.", quotable(target.upstream_name, 200)));
    }
    if (reasoning.tokens_max) {
      warnings.emplace_back("reasoning.maxTokens: the Responses API bounds reasoning by effort and maxTokens only.");
    }
  }
  const auto given = [&](std::string_view name) {
    return config.part("reasoning").find(name) != config.part("reasoning").end();
  };
  const bool write_effort = effort && !given("effort");
  const bool write_summary = summary && !given("summary");
  if (!write_effort && !write_summary && config.part("reasoning").empty()) return;
  json.begin_object("reasoning");
  if (write_effort) json.field("effort", *effort);
  if (write_summary) json.field("summary", "auto");
  for (const auto& [name, value] : config.part("reasoning")) json.raw_field(name, value);
  json.end_object();
}

}  // namespace

Result<std::string> chat_body(const ChatRequest& request, const Target& target, Warnings& warnings) {
  if (!request.stop.empty()) {
    return fail(ErrorKind::invalid_input,
                "stop: the Responses API has no stop sequences; leave stop out, or use a connection with the adapter "
                "openai");
  }
  const auto config = ProviderConfig::read(request, target.provider, warnings, {.fixed = fixed, .parts = config_parts});
  if (!config) return std::unexpected(config.error());
  std::string body;
  body.reserve(prompt_bytes(request) * 9 / 8 + 1024);
  JsonWriter json(body);
  json.begin_object();
  json.field("model", target.upstream_name);
  if (const auto written = write_input(json, request, target.provider, warnings); !written) {
    return std::unexpected(written.error());
  }
  json.field("stream", request.stream);
  if (!config->has("store")) json.field("store", false);  // left out it means true
  // Models that do not reason refuse this.
  if (!config->has("include") && openai_model(target.upstream_name).reasons) {
    json.begin_array("include");
    json.element("reasoning.encrypted_content");
    json.end_array();
  }
  if (request.tokens_max && !config->has("max_output_tokens")) json.field("max_output_tokens", *request.tokens_max);
  write_sampling(json, request, target, *config, warnings);
  write_tools(json, request, *config);
  write_text(json, request, *config, warnings);
  write_reasoning(json, request, target, *config, warnings);
  config->write(json);
  json.end_object();
  return body;
}

}  // namespace tokenrail::providers::openai_responses
