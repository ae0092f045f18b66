#include "common/events/chunk.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "common/events/record_parts.hpp"
#include "common/events/utf8.hpp"

namespace tokenrail::events {
namespace {

void append_integer(std::string& out, std::int64_t value) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void write_tool_calls(std::string& out, const std::vector<ToolCall>& calls) {
  JsonWriter writer(out);
  writer.begin_array();
  for (const auto& call : calls) {
    writer.begin_object();
    writer.field("id", call.id);
    writer.field("name", call.name);
    writer.field("arguments", call.arguments);
    writer.end_object();
  }
  writer.end_array();
}

/// What follows `done` in a terminal chunk, in the order of the schema.
void write_terminal_fields(JsonWriter& writer, const TerminalChunk& terminal) {
  writer.field("finishReason", name_of(terminal.finish_reason));
  if (terminal.usage) {
    write_usage(writer, *terminal.usage);
  }
  if (terminal.model) {
    write_model(writer, "model", *terminal.model);
  }
  write_timing(writer, terminal.timing);
  writer.field("chunks", terminal.seq + 1);
  writer.field("sourceOffset", terminal.source_offset);
  if (terminal.cost_micros) {
    writer.field("cost", *terminal.cost_micros);
  }
  if (!terminal.price_version.empty()) {
    writer.field("priceVersion", terminal.price_version);
  }
  if (!terminal.provider_request_id.empty()) {
    writer.field("providerRequestId", terminal.provider_request_id);
  }
  if (!terminal.warnings.empty()) {
    writer.begin_array("warnings");
    for (const auto& warning : terminal.warnings) {
      writer.element(warning);
    }
    writer.end_array();
  }
  if (terminal.continued > 0) {
    writer.field("continued", terminal.continued);
  }
  if (terminal.recovered) {
    writer.field("recovered", true);
  }
  write_duplicate_of(writer, terminal.duplicate_of_offset, terminal.duplicate_of_attempt);
  if (!terminal.reply_topic.empty()) {
    writer.field("replyTopic", terminal.reply_topic);
  }
  if (terminal.failure) {
    write_failure(writer, *terminal.failure);
  }
}

}  // namespace

std::string_view name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::tool_calls:
      return "tool_calls";
    case FinishReason::content_filter:
      return "content_filter";
    case FinishReason::cancelled:
      return "cancelled";
    case FinishReason::duplicate:
      return "duplicate";
    case FinishReason::error:
      return "error";
  }
  return "error";
}

ChunkWriter::ChunkWriter(std::string_view request_id, std::string_view org_id, std::int64_t attempt) {
  prefix_ = R"({"requestId":)";
  append_json_string(prefix_, request_id);
  prefix_ += R"(,"orgId":)";
  append_json_string(prefix_, org_id);
  prefix_ += R"(,"attempt":)";
  append_integer(prefix_, attempt);
  prefix_ += R"(,"seq":)";
}

void ChunkWriter::write(std::string& out, std::int64_t seq, const Delta& delta) const {
  out.assign(prefix_);
  append_integer(out, seq);
  out += R"(,"delta":)";
  if (delta.text.empty()) {
    out += "null";
  } else {
    append_json_string(out, delta.text);
  }
  if (!delta.reasoning.empty()) {
    out += R"(,"reasoning":)";
    append_json_string(out, delta.reasoning);
  }
  if (delta.tool_calls != nullptr && !delta.tool_calls->empty()) {
    out += R"(,"toolCalls":)";
    write_tool_calls(out, *delta.tool_calls);
  }
  if (delta.provider_blocks != nullptr && !delta.provider_blocks->empty()) {
    out += ',';
    JsonWriter writer(out);
    write_provider_blocks(writer, *delta.provider_blocks);
  }
  out += R"(,"done":false})";
}

void ChunkWriter::write(std::string& out, const TerminalChunk& terminal) const {
  out.assign(prefix_);
  append_integer(out, terminal.seq);
  out += R"(,"delta":null,"done":true,)";
  JsonWriter writer(out);
  write_terminal_fields(writer, terminal);
  out += '}';
}

void ChunkWriter::write_within(std::string& out, TerminalChunk& terminal, std::size_t bytes_max) const {
  write(out, terminal);
  while (out.size() > bytes_max && !terminal.warnings.empty()) {
    terminal.warnings.pop_back();
    write(out, terminal);
  }
  // Each byte of the message that is written is at least one of the record; the writer may have cut it itself.
  while (out.size() > bytes_max && terminal.failure && !terminal.failure->message.empty()) {
    auto& message = terminal.failure->message;
    const auto kept = std::min(message.size(), failure_message_bytes_max);
    message.resize(utf8_prefix(message, kept - std::min(kept, out.size() - bytes_max)).size());
    write(out, terminal);
  }
}

}  // namespace tokenrail::events
