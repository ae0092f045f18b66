#include "common/providers/anthropic/chat_body.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_writer.hpp"
#include "common/providers/anthropic/json_schema.hpp"
#include "common/providers/anthropic/messages.hpp"
#include "common/providers/anthropic/model_traits.hpp"
#include "common/providers/anthropic/thinking.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/provider_config.hpp"

namespace tokenrail::providers::anthropic {

namespace {

namespace dom = simdjson::dom;
using events::ChatRequest;
using Warnings = std::vector<std::string>;
using Fields = ProviderConfig::Fields;

std::unexpected<Error> invalid(std::string what) {
  return fail(ErrorKind::invalid_input, std::move(what));
}

/// Of `providerConfig.<provider>`.
constexpr std::string_view fixed[] = {"model", "messages", "system", "stream", "tools"};
constexpr std::string_view config_parts[] = {"tool_choice", "output_config"};

/// A comma-separated list. False where a name could not be part of a header.
bool read_betas(std::string_view json, std::string& betas) {
  dom::parser parser;
  dom::array names;
  if (parser.parse(json.data(), json.size()).get_array().get(names) != simdjson::SUCCESS) return false;
  for (const auto element : names) {
    std::string_view name;
    if (element.get_string().get(name) != simdjson::SUCCESS || name.empty()) return false;
    const bool fits = std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
             c == '.';
    });
    if (!fits) return false;
    betas += (betas.empty() ? "" : ",") + std::string(name);
  }
  return true;
}

void write_merged(events::JsonWriter& json, std::string_view name, const Fields& own, const Fields& over) {
  if (own.empty() && over.empty()) return;
  json.begin_object(name);
  for (const auto& [key, value] : own) {
    if (over.find(key) == over.end()) json.raw_field(key, value);
  }
  for (const auto& [key, value] : over) json.raw_field(key, value);
  json.end_object();
}

std::string json_string(std::string_view text) {
  std::string out;
  events::append_json_string(out, text);
  return out;
}

/// Temperature, top_p and top_k, as far as the model and its thinking allow them.
void write_sampling(events::JsonWriter& json, const ChatRequest& request, const ModelTraits& traits, bool thinks,
                    const ProviderConfig& config, Warnings& warnings) {
  const auto left_out = [&](std::string_view field, std::string_view why) {
    warnings.push_back(fmt::format("{}: left out, because {}.", field, why));
  };
  constexpr std::string_view no_sampling = "this model does not take it";
  constexpr std::string_view thinking = "Anthropic does not take it while the model thinks";
  const bool takes = traits.sampling != Sampling::no;
  bool has_temperature = config.has("temperature");
  if (request.temperature && !has_temperature) {
    if (!takes) {
      if (*request.temperature != 1.0) left_out("temperature", no_sampling);
    } else if (thinks && *request.temperature != 1.0) {
      left_out("temperature", thinking);
    } else {
      has_temperature = true;
      if (*request.temperature > 1.0) warnings.emplace_back("temperature: Anthropic takes 0 to 1; 1 was sent.");
      json.field("temperature", std::min(*request.temperature, 1.0));
    }
  }
  if (request.top_p && !config.has("top_p")) {
    constexpr double thinking_min = 0.95;
    if (!takes) {
      if (*request.top_p != 1.0) left_out("topP", no_sampling);
    } else if (thinks && *request.top_p < thinking_min) {
      left_out("topP", thinking);
    } else if (traits.sampling == Sampling::one && has_temperature) {
      left_out("topP", "this model takes either temperature or topP");
    } else {
      json.field("top_p", *request.top_p);
    }
  }
  if (request.top_k && !config.has("top_k")) {
    if (!takes || thinks) {
      left_out("topK", takes ? thinking : no_sampling);
    } else {
      json.field("top_k", *request.top_k);
    }
  }
}

Result<void> write_stop(events::JsonWriter& json, const ChatRequest& request) {
  if (request.stop.empty()) return {};
  json.begin_array("stop_sequences");
  for (std::size_t i = 0; i < request.stop.size(); ++i) {
    if (request.stop[i].find_first_not_of(" \t\r\n\f\v") == std::string::npos) {
      return invalid(
          fmt::format("stop[{}]: Anthropic takes no stop sequence of blanks alone. Add a visible character, "
                      "or leave it out.",
                      i));
    }
    json.element(request.stop[i]);
  }
  json.end_array();
  return {};
}

void write_tools(events::JsonWriter& json, const ChatRequest& request, const ProviderConfig& config) {
  if (request.tools.empty()) return;
  json.begin_array("tools");
  for (const auto& tool : request.tools) {
    json.begin_object();
    json.field("name", tool.name);
    if (!tool.description.empty()) json.field("description", tool.description);
    const bool bare = tool.parameters.empty() || tool.parameters == "{}";
    json.raw_field("input_schema", bare ? R"({"type":"object"})" : tool.parameters);
    json.end_object();
  }
  json.end_array();
  using Mode = events::ToolChoice::Mode;
  Fields choice;
  if (request.tool_choice || !config.part("tool_choice").empty()) {
    const auto mode = request.tool_choice ? request.tool_choice->mode : Mode::automatic;
    const auto* const type = mode == Mode::none       ? "none"
                             : mode == Mode::required ? "any"
                             : mode == Mode::named    ? "tool"
                                                      : "auto";
    choice["type"] = json_string(type);
    if (mode == Mode::named) choice["name"] = json_string(request.tool_choice->name);
  }
  write_merged(json, "tool_choice", choice, config.part("tool_choice"));
}

Result<void> write_output_config(events::JsonWriter& json, const ChatRequest& request, std::string_view effort,
                                 const ProviderConfig& config) {
  using Kind = events::ResponseFormat::Kind;
  Fields own;
  if (!effort.empty()) own["effort"] = json_string(effort);
  const auto& over = config.part("output_config");
  const bool format_given = over.find("format") != over.end();
  if (request.response_format && !format_given) {
    if (request.response_format->kind == Kind::json) {
      return invalid("responseFormat: Anthropic has no JSON mode without a schema. Send a JSON schema.");
    }
    if (request.response_format->kind == Kind::json_schema) {
      auto schema = closed_schema(request.response_format->schema);
      if (!schema) return std::unexpected(std::move(schema.error()));
      own["format"] = fmt::format(R"({{"type":"json_schema","schema":{}}})", *schema);
    }
  }
  write_merged(json, "output_config", own, over);
  return {};
}

std::size_t expected_bytes(const ChatRequest& request) {
  std::size_t bytes = 512;
  for (const auto& message : request.messages) {
    bytes += 128;
    for (const auto& part : message.content) bytes += part.text.size() + part.text.size() / 8 + part.data.size() + 64;
    for (const auto& block : message.provider_blocks) bytes += block.data.size();
    for (const auto& call : message.tool_calls) bytes += call.arguments.size() + 128;
  }
  for (const auto& tool : request.tools) bytes += 128 + tool.description.size() + tool.parameters.size();
  return bytes;
}

}  // namespace

Result<ChatBody> chat_body(const ChatRequest& request, std::string_view provider, std::string_view model,
                           Warnings& warnings) {
  auto config = ProviderConfig::read(request, provider, warnings, {.fixed = fixed, .parts = config_parts});
  if (!config) return std::unexpected(config.error());
  std::string betas;
  if (const auto names = config->take("betas"); names && !read_betas(*names, betas)) {
    return invalid(
        fmt::format("providerConfig.{}.betas: must be a list of names of Anthropic's beta features", provider));
  }
  const auto traits = traits_of(model);
  const auto end = end_of(request, provider);
  if (end.prefill && traits.prefill == Prefill::refused) {
    return invalid(
        fmt::format("messages: {} does not continue an assistant message. End with a user message, or choose "
                    "another model.",
                    quotable(model, 200)));
  }
  const auto plan = plan_thinking(request, traits, end, warnings);
  ChatBody body;
  body.betas = std::move(betas);
  body.json.reserve(expected_bytes(request));
  events::JsonWriter json(body.json);
  json.begin_object();
  json.field("model", model);
  if (!config->has("max_tokens")) json.field("max_tokens", plan.tokens_max);
  if (auto written = write_messages(json, request, provider, warnings); !written) {
    return std::unexpected(std::move(written.error()));
  }
  json.field("stream", request.stream);
  write_sampling(json, request, traits, plan.on, *config, warnings);
  if (request.seed) warnings.emplace_back("seed: left out, because Anthropic has none.");
  if (!config->has("stop_sequences")) {
    if (auto written = write_stop(json, request); !written) return std::unexpected(std::move(written.error()));
  }
  write_tools(json, request, *config);
  if (!plan.thinking.empty() && !config->has("thinking")) json.raw_field("thinking", plan.thinking);
  if (auto written = write_output_config(json, request, plan.effort, *config); !written) {
    return std::unexpected(std::move(written.error()));
  }
  config->write(json);
  json.end_object();
  return body;
}

}  // namespace tokenrail::providers::anthropic
