// Writing a chat request; the inverse of parse_chat_request.
#include "common/events/chat_request.hpp"
#include "common/events/json_writer.hpp"
#include "common/events/record_parts.hpp"

namespace tokenrail::events {

std::string_view name_of(Role role) {
  switch (role) {
    case Role::system:
      return "system";
    case Role::user:
      return "user";
    case Role::assistant:
      return "assistant";
    case Role::tool:
      return "tool";
  }
  return "user";
}

namespace {

void field_if(JsonWriter& writer, std::string_view name, const std::string& value) {
  if (!value.empty()) {
    writer.field(name, value);
  }
}

template <class T>
void field_if(JsonWriter& writer, std::string_view name, const std::optional<T>& value) {
  if (value) {
    writer.field(name, *value);
  }
}

void raw_if(JsonWriter& writer, std::string_view name, const std::string& json) {
  if (!json.empty()) {
    writer.raw_field(name, json);
  }
}

void write_model(JsonWriter& writer, const ModelReference& model) {
  field_if(writer, "modelProvider", model.provider);
  writer.field("modelName", model.name);
}

void write_content(JsonWriter& writer, const std::vector<ContentPart>& content) {
  if (content.empty()) {
    return;
  }
  if (content.size() == 1 && content.front().type == "text") {
    writer.field("content", content.front().text);
    return;
  }
  writer.begin_array("content");
  for (const auto& part : content) {
    writer.begin_object();
    writer.field("type", part.type);
    if (part.type == "text") {
      writer.field("text", part.text);
    }
    if (part.type == "image" || part.type == "file" || part.type == "audio") {
      field_if(writer, "data", part.data);
      field_if(writer, "url", part.url);
      field_if(writer, "mediaType", part.media_type);
      field_if(writer, "filename", part.filename);
    }
    writer.end_object();
  }
  writer.end_array();
}

void write_messages(JsonWriter& writer, const std::vector<Message>& messages) {
  writer.begin_array("messages");
  for (const auto& message : messages) {
    writer.begin_object();
    writer.field("role", name_of(message.role));
    write_content(writer, message.content);
    if (!message.tool_calls.empty()) {
      writer.begin_array("toolCalls");
      for (const auto& call : message.tool_calls) {
        writer.begin_object();
        writer.field("id", call.id);
        writer.field("name", call.name);
        writer.field("arguments", call.arguments);
        writer.end_object();
      }
      writer.end_array();
    }
    field_if(writer, "toolCallId", message.tool_call_id);
    field_if(writer, "name", message.name);
    field_if(writer, "reasoning", message.reasoning);
    write_provider_blocks(writer, message.provider_blocks);
    writer.end_object();
  }
  writer.end_array();
}

void write_tools(JsonWriter& writer, const std::vector<Tool>& tools) {
  if (tools.empty()) {
    return;
  }
  writer.begin_array("tools");
  for (const auto& tool : tools) {
    writer.begin_object();
    writer.field("name", tool.name);
    field_if(writer, "description", tool.description);
    raw_if(writer, "parameters", tool.parameters);
    writer.end_object();
  }
  writer.end_array();
}

void write_tool_choice(JsonWriter& writer, const ToolChoice& choice) {
  switch (choice.mode) {
    case ToolChoice::Mode::automatic:
      writer.field("toolChoice", "auto");
      return;
    case ToolChoice::Mode::none:
      writer.field("toolChoice", "none");
      return;
    case ToolChoice::Mode::required:
      writer.field("toolChoice", "required");
      return;
    case ToolChoice::Mode::named:
      writer.begin_object("toolChoice");
      writer.field("name", choice.name);
      writer.end_object();
  }
}

void write_response_format(JsonWriter& writer, const ResponseFormat& format) {
  switch (format.kind) {
    case ResponseFormat::Kind::text:
      writer.field("responseFormat", "text");
      return;
    case ResponseFormat::Kind::json:
      writer.field("responseFormat", "json");
      return;
    case ResponseFormat::Kind::json_schema:
      writer.begin_object("responseFormat");
      writer.field("type", "json_schema");
      writer.raw_field("schema", format.schema);
      writer.end_object();
  }
}

void write_reasoning(JsonWriter& writer, const Reasoning& reasoning) {
  writer.begin_object("reasoning");
  field_if(writer, "enabled", reasoning.enabled);
  field_if(writer, "effort", reasoning.effort);
  field_if(writer, "maxTokens", reasoning.tokens_max);
  writer.end_object();
}

void write_parameters(JsonWriter& writer, const ChatRequest& request) {
  field_if(writer, "temperature", request.temperature);
  field_if(writer, "topP", request.top_p);
  field_if(writer, "topK", request.top_k);
  field_if(writer, "maxTokens", request.tokens_max);
  if (!request.stop.empty()) {
    writer.begin_array("stop");
    for (const auto& stop : request.stop) {
      writer.element(stop);
    }
    writer.end_array();
  }
  field_if(writer, "seed", request.seed);
  writer.field("stream", request.stream);
}

void write_auto(JsonWriter& writer, const AutoSelection& selection) {
  writer.begin_object("auto");
  field_if(writer, "maxInputMicros", selection.input_micros_max);
  field_if(writer, "maxOutputMicros", selection.output_micros_max);
  field_if(writer, "minQuality", selection.quality_min);
  field_if(writer, "qualityMetric", selection.quality_metric);
  field_if(writer, "view", selection.view);
  writer.field("prefer", name_of(selection.prefer));
  writer.end_object();
}

}  // namespace

std::string to_json(const ChatRequest& request) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("requestId", request.request_id);
  writer.field("orgId", request.org_id);
  field_if(writer, "userId", request.user_id);
  if (!request.groups.empty()) {
    writer.begin_array("groups");
    for (const auto& group : request.groups) {
      writer.element(group);
    }
    writer.end_array();
  }
  if (request.model) {
    write_model(writer, *request.model);
  }
  if (request.auto_selection != AutoSelection{}) {
    write_auto(writer, request.auto_selection);
  }
  write_messages(writer, request.messages);
  write_parameters(writer, request);
  write_tools(writer, request.tools);
  if (request.tool_choice) {
    write_tool_choice(writer, *request.tool_choice);
  }
  if (request.response_format) {
    write_response_format(writer, *request.response_format);
  }
  if (request.reasoning) {
    write_reasoning(writer, *request.reasoning);
  }
  if (!request.provider_config.empty()) {
    writer.begin_object("providerConfig");
    for (const auto& [provider, config] : request.provider_config) {
      writer.raw_field(provider, config);
    }
    writer.end_object();
  }
  if (!request.fallbacks.empty()) {
    writer.begin_array("fallbacks");
    for (const auto& model : request.fallbacks) {
      writer.begin_object();
      write_model(writer, model);
      writer.end_object();
    }
    writer.end_array();
  }
  if (request.on_interrupt != OnInterrupt::error) {
    writer.field("onInterrupt", request.on_interrupt == OnInterrupt::restart ? "restart" : "continue");
  }
  if (request.timeout) {
    writer.field("timeoutMs", static_cast<std::int64_t>(request.timeout->count()));
  }
  if (!request.metadata.empty()) {
    writer.begin_object("metadata");
    for (const auto& [name, value] : request.metadata) {
      writer.field(name, value);
    }
    writer.end_object();
  }
  writer.end_object();
  return out;
}

}  // namespace tokenrail::events
