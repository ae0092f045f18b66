#include "common/providers/ollama/chat_body.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "common/providers/call_ids.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/json_scratch.hpp"
#include "common/providers/newest_calls.hpp"
#include "common/providers/own_reasoning.hpp"
#include "common/providers/provider_config.hpp"

namespace tokenrail::providers::ollama {

namespace {

using events::ChatRequest;
using events::Message;
using events::Role;
using Warnings = std::vector<std::string>;

/// The words for how hard to think, of this and other providers, and what Ollama makes of them.
struct Effort {
  std::string_view name;
  std::string_view think;  ///< JSON
};
constexpr Effort efforts[] = {{"none", "false"},         {"minimal", R"("low")"}, {"low", R"("low")"},
                              {"medium", R"("medium")"}, {"high", R"("high")"},   {"xhigh", R"("max")"},
                              {"max", R"("max")"}};

/// Models that do not do what their neighbours do.
struct ModelQuirk {
  std::string_view name_prefix;
  bool thinking_always_on;
};
constexpr ModelQuirk model_quirks[] = {{"gpt-oss", true}};

const ModelQuirk* quirk_of(std::string_view model) {
  // A user or a host may precede a name: "hf.co/someone/gpt-oss-20b".
  if (const auto slash = model.rfind('/'); slash != std::string_view::npos) model.remove_prefix(slash + 1);
  const auto* const found =
      std::ranges::find_if(model_quirks, [&](const ModelQuirk& quirk) { return model.starts_with(quirk.name_prefix); });
  return found == std::ranges::end(model_quirks) ? nullptr : found;
}

std::unexpected<Error> invalid(std::size_t message, std::string_view what) {
  return fail(ErrorKind::invalid_input, fmt::format("messages[{}]: {}", message, what));
}

/// Of `providerConfig.ollama`.
constexpr std::string_view config_parts[] = {"options"};

/// The name of the tool that a tool message answers: its own word, else that of the call it names.
std::string_view tool_name_of(const Message& message, const NewestCalls& calls) {
  if (!message.name.empty()) return message.name;
  const auto found = calls.find(message.tool_call_id);
  return found.call == nullptr ? std::string_view() : std::string_view(found.call->name);
}

Result<void> write_content(events::JsonWriter& json, const Message& message, std::size_t index) {
  std::string joined;
  std::size_t texts = 0;
  bool images = false;
  for (const auto& part : message.content) {
    if (part.type == "text") {
      if (texts++ > 0) joined += '\n';  // parts are separate pieces to their writer
      joined += part.text;
    } else if (part.type == "image") {
      if (part.data.empty()) {
        return invalid(index,
                       "Ollama takes images only inside the request, not by URL; fetch the image and send it as a data "
                       "URL (data:image/png;base64,…)");
      }
      images = true;
    } else {
      return invalid(index, fmt::format("Ollama has no content part of type \"{}\"; it takes text and image",
                                        quotable(part.type, 60)));
    }
  }
  if (texts > 0 || (!images && message.tool_calls.empty())) json.field("content", joined);
  if (images) {
    json.begin_array("images");
    for (const auto& part : message.content) {
      if (part.type == "image") json.element(part.data);
    }
    json.end_array();
  }
  return {};
}

Result<void> write_tool_calls(events::JsonWriter& json, const Message& message, std::size_t index, CallIds& ids) {
  if (message.tool_calls.empty()) return {};
  json.begin_array("tool_calls");
  std::string arguments;
  for (const auto& call : message.tool_calls) {
    if (call.arguments.find_first_not_of(" \t\r\n") == std::string::npos) {
      arguments = "{}";
    } else if (!minify_object(call.arguments, arguments)) {
      return invalid(index, fmt::format("the arguments of the tool call to \"{}\" must be a JSON object for Ollama",
                                        quotable(call.name, 100)));
    }
    json.begin_object();
    if (!call.id.empty()) json.field("id", ids.call(call.id));
    json.begin_object("function");
    json.field("name", call.name);
    json.raw_field("arguments", arguments);
    json.end_object();
    json.end_object();
  }
  json.end_array();
  return {};
}

Result<void> write_messages(events::JsonWriter& json, const ChatRequest& request, Warnings& warnings) {
  CallIds ids;
  NewestCalls calls;
  json.begin_array("messages");
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const auto& message = request.messages[i];
    json.begin_object();
    json.field("role", name_of(message.role));
    if (const auto written = write_content(json, message, i); !written) return written;
    if (message.role == Role::assistant) {
      if (!message.reasoning.empty() && own_reasoning(message, "ollama")) json.field("thinking", message.reasoning);
      if (const auto written = write_tool_calls(json, message, i, ids); !written) return written;
    }
    if (message.role == Role::tool) {
      const auto name = tool_name_of(message, calls);
      if (!name.empty()) {
        json.field("tool_name", name);
      } else {
        warnings.push_back(fmt::format(
            "messages[{}]: no tool's name is known for this result; give it a name or the toolCallId of a call.", i));
      }
      if (!message.tool_call_id.empty()) json.field("tool_call_id", ids.result(message.tool_call_id));
    }
    calls.add(message);
    json.end_object();
  }
  json.end_array();
  return {};
}

Result<void> write_tools(events::JsonWriter& json, const ChatRequest& request) {
  using Mode = events::ToolChoice::Mode;
  const auto mode = request.tool_choice ? request.tool_choice->mode : Mode::automatic;
  if (request.tools.empty() || mode == Mode::none) return {};
  if (mode == Mode::required || mode == Mode::named) {
    return fail(ErrorKind::invalid_input,
                "toolChoice: Ollama cannot be made to call a tool; ask for \"auto\", or choose a model of another "
                "provider");
  }
  json.begin_array("tools");
  for (const auto& tool : request.tools) {
    json.begin_object();
    json.field("type", "function");
    json.begin_object("function");
    json.field("name", tool.name);
    if (!tool.description.empty()) json.field("description", tool.description);
    if (!tool.parameters.empty()) json.raw_field("parameters", tool.parameters);
    json.end_object();
    json.end_object();
  }
  json.end_array();
  return {};
}

void write_format(events::JsonWriter& json, const ChatRequest& request) {
  using Kind = events::ResponseFormat::Kind;
  if (!request.response_format) return;
  if (request.response_format->kind == Kind::json) json.field("format", "json");
  if (request.response_format->kind == Kind::json_schema) json.raw_field("format", request.response_format->schema);
}

void write_think(events::JsonWriter& json, const ChatRequest& request, std::string_view model, Warnings& warnings) {
  if (!request.reasoning) return;
  const auto& reasoning = *request.reasoning;
  if (reasoning.tokens_max) {
    warnings.emplace_back("reasoning.maxTokens: Ollama cannot bound thinking by itself; maxTokens bounds all of it.");
  }
  std::optional<std::string_view> think;
  if (!reasoning.effort.empty()) {
    const auto* const row =
        std::ranges::find_if(efforts, [&](const Effort& effort) { return effort.name == reasoning.effort; });
    if (row != std::ranges::end(efforts)) {
      think = row->think;
    } else {
      warnings.push_back(fmt::format("reasoning.effort: \"{}\" is not known to Ollama (low, medium, high, max).",
                                     quotable(reasoning.effort, 60)));
    }
  }
  if (!think && reasoning.enabled) think = *reasoning.enabled ? "true" : "false";
  if (reasoning.enabled && !*reasoning.enabled) think = "false";
  if (!think) return;
  const auto* const quirk = quirk_of(model);
  if (*think == "false" && quirk != nullptr && quirk->thinking_always_on) {
    warnings.push_back(
        fmt::format("reasoning: the thinking of {} cannot be switched off, only be set to low, medium "
                    "or high.",
                    quotable(model, 200)));
  }
  json.raw_field("think", *think);
}

void write_options(events::JsonWriter& json, const ChatRequest& request, const ProviderConfig& config) {
  const auto& options = config.part("options");
  const bool any = request.temperature || request.top_p || request.top_k || request.seed || request.tokens_max ||
                   !request.stop.empty() || !options.empty();
  if (!any) return;
  const auto given = [&](std::string_view name) { return options.find(name) != options.end(); };
  json.begin_object("options");
  if (request.temperature && !given("temperature")) json.field("temperature", *request.temperature);
  if (request.top_p && !given("top_p")) json.field("top_p", *request.top_p);
  if (request.top_k && !given("top_k")) json.field("top_k", *request.top_k);
  if (request.seed && !given("seed")) json.field("seed", *request.seed);
  if (request.tokens_max && !given("num_predict")) json.field("num_predict", *request.tokens_max);
  if (!request.stop.empty() && !given("stop")) {
    json.begin_array("stop");
    for (const auto& stop : request.stop) json.element(stop);
    json.end_array();
  }
  for (const auto& [name, option] : options) json.raw_field(name, option);
  json.end_object();
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

Result<std::string> chat_body(const ChatRequest& request, std::string_view model, Warnings& warnings) {
  const auto config = ProviderConfig::read(request, "ollama", warnings, {.parts = config_parts});
  if (!config) return std::unexpected(config.error());
  std::string body;
  body.reserve(expected_bytes(request));
  events::JsonWriter json(body);
  json.begin_object();
  json.field("model", model);
  if (const auto written = write_messages(json, request, warnings); !written) return std::unexpected(written.error());
  json.field("stream", request.stream);  // left out it would mean true
  // Left out, the beginning of a prompt that is too long would be dropped without a word. A server without this field
  // ignores it.
  if (!config->has("truncate")) json.field("truncate", false);
  if (const auto written = write_tools(json, request); !written) return std::unexpected(written.error());
  if (!config->has("format")) write_format(json, request);
  if (!config->has("think")) write_think(json, request, model, warnings);
  write_options(json, request, *config);
  config->write(json);
  json.end_object();
  return body;
}

}  // namespace tokenrail::providers::ollama
