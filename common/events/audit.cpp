// Writing audit events.
#include "common/events/audit.hpp"

#include <utility>

#include "common/events/json_writer.hpp"
#include "common/events/record_parts.hpp"
#include "common/events/redaction.hpp"
#include "common/events/utf8.hpp"

namespace tokenrail::events {
namespace {

void write_ids(JsonWriter& writer, std::string_view type, const AttemptIds& ids) {
  writer.field("type", type);
  writer.field("epoch", ids.epoch);
  writer.field("instance", ids.instance);
  writer.field("sourcePartition", static_cast<std::int64_t>(ids.source_partition));
  writer.field("sourceOffset", ids.source_offset.value());
  if (ids.source_ms >= 0) {
    writer.field("sourceTimestamp", ids.source_ms);
  }
  writer.field("orgId", ids.org_id);
  writer.field("requestId", ids.request_id);
  if (!ids.user_id.empty()) {
    writer.field("userId", ids.user_id);
  }
  writer.field("attempt", ids.attempt);
}

void write_content(JsonWriter& writer, const AuditedContent& content, bool with_text) {
  writer.begin_object("content");
  if (with_text && content.text) {
    writer.field("text", *content.text);
  }
  writer.field("truncated", content.truncated || (!with_text && content.text && !content.text->empty()));
  writer.field("redacted", content.redacted);
  writer.field("sha256", content.sha256);
  writer.field("bytes", content.bytes);
  writer.end_object();
}

std::string message_json(const AuditedMessage& message, bool with_text) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("role", message.role);
  writer.field("parts", message.parts);
  writer.field("toolCalls", message.tool_calls);
  write_content(writer, message.content, with_text);
  writer.end_object();
  return out;
}

void write_asked(JsonWriter& writer, const ModelReference& asked) {
  writer.begin_object("modelAsked");
  if (!asked.provider.empty()) {
    writer.field("provider", asked.provider);
  }
  writer.field("name", asked.name);
  writer.end_object();
}

void write_route(JsonWriter& writer, const std::vector<RouteStep>& route) {
  writer.begin_array("route");
  for (const auto& step : route) {
    writer.begin_object();
    writer.field("deploymentId", step.deployment_id);
    writer.field("provider", step.provider);
    writer.field("modelName", step.model_name);
    writer.end_object();
  }
  writer.end_array();
}

void write_routing(JsonWriter& writer, const Routing& routing) {
  if (routing.reason.empty()) {
    return;
  }
  writer.begin_object("routing");
  for (const auto& [name, value] :
       {std::pair("asked", &routing.asked), std::pair("chosen", &routing.chosen), std::pair("alias", &routing.alias),
        std::pair("variant", &routing.variant), std::pair("view", &routing.view), std::pair("reason", &routing.reason),
        std::pair("detail", &routing.detail)}) {
    if (!value->empty()) {
      writer.field(name, *value);
    }
  }
  writer.end_object();
}

void write_parameters(JsonWriter& writer, const LlmRequest& event) {
  writer.begin_object("parameters");
  if (event.temperature) {
    writer.field("temperature", *event.temperature);
  }
  if (event.top_p) {
    writer.field("topP", *event.top_p);
  }
  if (event.top_k) {
    writer.field("topK", *event.top_k);
  }
  if (event.tokens_max) {
    writer.field("maxTokens", *event.tokens_max);
  }
  if (event.seed) {
    writer.field("seed", *event.seed);
  }
  writer.field("stream", event.stream);
  writer.end_object();
}

/// Which messages the record contains, after cutting.
struct MessageCut {
  std::vector<std::string> rendered{};
  std::size_t omitted = 0;  ///< from the oldest on
  bool shortened = false;   ///< some are without their text
};

/// The texts of the oldest go first, then the oldest altogether, until the rest has at most `bytes_max`.
MessageCut cut_messages(const std::vector<AuditedMessage>& messages, std::size_t bytes_max) {
  MessageCut cut;
  std::size_t total = 0;
  for (const auto& message : messages) {
    cut.rendered.push_back(message_json(message, true));
    total += cut.rendered.back().size() + 1;
  }
  for (std::size_t index = 0; index < messages.size() && total > bytes_max; ++index) {
    auto bare = message_json(messages[index], false);
    if (bare.size() >= cut.rendered[index].size()) {
      continue;
    }
    total -= cut.rendered[index].size() - bare.size();
    cut.rendered[index] = std::move(bare);
    cut.shortened = true;
  }
  while (cut.omitted < cut.rendered.size() && total > bytes_max) {
    total -= cut.rendered[cut.omitted++].size() + 1;
  }
  return cut;
}

std::string request_json(const LlmRequest& event, const MessageCut& cut, bool with_tool_names) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  write_ids(writer, llm_request_type, event.ids);
  if (event.model_asked) {
    write_asked(writer, *event.model_asked);
  }
  if (event.model_resolved) {
    write_model(writer, "modelResolved", *event.model_resolved);
  }
  write_route(writer, event.route);
  write_routing(writer, event.routing);
  write_parameters(writer, event);
  writer.begin_array("toolNames");
  if (with_tool_names) {
    for (const auto& name : event.tool_names) {
      writer.element(name);
    }
  }
  writer.end_array();
  writer.field("toolCount", static_cast<std::int64_t>(event.tool_names.size()));
  writer.field("messageCount", event.message_count);
  writer.field("contentBytes", event.content_bytes);
  if (!event.conversation_id.empty()) {
    writer.field("conversationId", event.conversation_id);
  }
  if (with_tool_names && !event.metadata.empty()) {
    writer.begin_object("metadata");
    for (const auto& [name, value] : event.metadata) {
      writer.field(name, value);
    }
    writer.end_object();
  }
  const auto metadata_omitted =
      event.metadata_omitted + (with_tool_names ? 0 : static_cast<std::int64_t>(event.metadata.size()));
  if (metadata_omitted > 0) {
    writer.field("metadataOmitted", metadata_omitted);
  }
  const bool cut_any = cut.shortened || cut.omitted > 0 || (!with_tool_names && !event.tool_names.empty());
  writer.field("truncated", cut_any);
  writer.field("messagesOmitted", static_cast<std::int64_t>(cut.omitted));
  writer.begin_array("messages");
  for (std::size_t index = cut.omitted; index < cut.rendered.size(); ++index) {
    writer.raw_element(cut.rendered[index]);
  }
  writer.end_array();
  writer.end_object();
  return out;
}

void write_calls(JsonWriter& writer, const std::optional<std::vector<Call>>& calls) {
  if (!calls) {
    writer.null_field("calls");
    return;
  }
  writer.begin_array("calls");
  for (const auto& call : *calls) {
    writer.begin_object();
    writer.field("provider", call.provider);
    writer.field("deploymentId", call.deployment_id);
    if (call.status) {
      writer.field("status", *call.status);
    }
    writer.field("ms", call.ms);
    if (!call.error_class.empty()) {
      writer.field("errorClass", call.error_class);
    }
    if (!call.key.empty()) {
      writer.field("key", call.key);
    }
    writer.end_object();
  }
  writer.end_array();
}

std::string response_json(const LlmResponse& event, bool with_text) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  write_ids(writer, llm_response_type, event.ids);
  writer.field("outcome", name_of(event.outcome));
  if (!event.cause.empty()) {
    writer.field("cause", event.cause);
  }
  writer.field("called", event.called);
  write_calls(writer, event.calls);
  writer.field("recovered", event.recovered);
  if (event.finish_reason) {
    writer.field("finishReason", name_of(*event.finish_reason));
  }
  if (event.model) {
    write_model(writer, "model", *event.model);
  }
  if (event.usage) {
    write_usage(writer, *event.usage);
  }
  if (event.cost_micros) {
    writer.field("cost", *event.cost_micros);
  }
  if (!event.price_version.empty()) {
    writer.field("priceVersion", event.price_version);
  }
  write_timing(writer, event.timing);
  writer.field("chunks", event.chunks);
  if (event.content) {
    write_content(writer, *event.content, with_text);
  }
  writer.field("toolCalls", event.tool_calls);
  if (!event.provider_request_id.empty()) {
    writer.field("providerRequestId", event.provider_request_id);
  }
  if (event.failure) {
    write_failure(writer, *event.failure);
  }
  write_duplicate_of(writer, event.duplicate_of_offset, event.duplicate_of_attempt);
  writer.end_object();
  return out;
}

std::string ownership_json(std::string_view type, std::int64_t epoch, const std::string& instance,
                           std::int32_t partition, const std::vector<ContinuedAttempt>* continuing,
                           std::int64_t lease_ms) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("type", type);
  writer.field("epoch", epoch);
  writer.field("instance", instance);
  writer.field("partition", static_cast<std::int64_t>(partition));
  if (continuing != nullptr) {
    writer.begin_array("continuing");
    for (const auto& attempt : *continuing) {
      writer.begin_object();
      writer.field("offset", attempt.offset.value());
      writer.field("attempt", attempt.attempt);
      writer.end_object();
    }
    writer.end_array();
    writer.field("leaseMs", lease_ms);
  }
  writer.end_object();
  return out;
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::completed:
      return "completed";
    case Outcome::failed:
      return "failed";
    case Outcome::cancelled:
      return "cancelled";
    case Outcome::interrupted:
      return "interrupted";
    case Outcome::duplicate:
      return "duplicate";
    case Outcome::rejected:
      return "rejected";
  }
  return "failed";
}

void fill_metadata(LlmRequest& event, const std::map<std::string, std::string>& metadata,
                   const RedactionPatterns& patterns) {
  constexpr std::size_t around = 6;  // quotes, colon and comma
  std::size_t bytes = 0;
  for (const auto& [name, value] : metadata) {
    if (name == "conversationId") {
      continue;
    }
    auto kept = redact_secrets(utf8_prefix(value, metadata_value_bytes_max)).text;
    patterns.take_out(kept);
    bytes += json_string_bytes(name) + json_string_bytes(kept) + around;
    if (bytes > metadata_bytes_max) {
      ++event.metadata_omitted;
      continue;
    }
    event.metadata.emplace(name, kept);
  }
}

std::string to_json(const LlmRequest& event, std::size_t bytes_max) {
  // First without messages, to know how much room there is for them.
  const MessageCut none{.rendered = {}, .omitted = event.messages.size(), .shortened = true};
  bool with_tool_names = true;
  auto size = request_json(event, none, true).size();
  if (size > bytes_max) {
    with_tool_names = false;
    size = request_json(event, none, false).size();
  }
  const auto cut = cut_messages(event.messages, size < bytes_max ? bytes_max - size : 0);
  return request_json(event, cut, with_tool_names);
}

std::string to_json(const LlmResponse& event, std::size_t bytes_max) {
  auto json = response_json(event, true);
  if (json.size() > bytes_max && event.content && event.content->text) {
    json = response_json(event, false);
  }
  return json;
}

std::string to_json(const RouterClaimed& event) {
  return ownership_json(router_claimed_type, event.epoch, event.instance, event.partition, nullptr, 0);
}

std::string to_json(const RouterReleased& event) {
  return ownership_json(router_released_type, event.epoch, event.instance, event.partition, &event.continuing,
                        event.lease_ms);
}

std::string to_json(const RouterContinuing& event) {
  return ownership_json(router_continuing_type, event.epoch, event.instance, event.partition, &event.continuing,
                        event.lease_ms);
}

std::string to_json(const RequestsLost& event) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("type", requests_lost_type);
  writer.field("epoch", event.epoch);
  writer.field("instance", event.instance);
  writer.field("partition", static_cast<std::int64_t>(event.partition));
  writer.field("from", event.from.value());
  writer.field("to", event.to.value());
  writer.end_object();
  return out;
}

}  // namespace tokenrail::events
