#include <utility>

#include <fmt/format.h>

#include "common/events/chunk.hpp"
#include "common/events/record_parts.hpp"

namespace tokenrail::events {
namespace {

std::vector<ToolCall> read_tool_calls(const ObjectReader& record) {
  std::vector<ToolCall> calls;
  const auto element = record.find("toolCalls");
  if (!element || !element->is_array()) {
    return calls;
  }
  for (const auto entry : simdjson::dom::array(element->get_array().value_unsafe())) {
    const ObjectReader call(entry);
    if (call.is_object()) {
      calls.push_back({.id = call.text("id"), .name = call.text("name"), .arguments = call.text("arguments")});
    }
  }
  return calls;
}

std::vector<ProviderBlock> read_provider_blocks(const ObjectReader& record) {
  std::vector<ProviderBlock> blocks;
  const auto element = record.find("providerBlocks");
  if (!element || !element->is_array()) {
    return blocks;
  }
  for (const auto entry : simdjson::dom::array(element->get_array().value_unsafe())) {
    const ObjectReader block(entry);
    if (!block.is_object()) {
      continue;
    }
    const auto data = block.find("data");
    if (data && (data->is_object() || data->is_array())) {
      blocks.push_back({.provider = block.text("provider"), .data = simdjson::minify(*data)});
    }
  }
  return blocks;
}

std::vector<std::string> read_texts(const ObjectReader& record, std::string_view name) {
  std::vector<std::string> texts;
  const auto element = record.find(name);
  if (!element || !element->is_array()) {
    return texts;
  }
  for (const auto entry : simdjson::dom::array(element->get_array().value_unsafe())) {
    if (const auto text = string_of(entry)) {
      texts.emplace_back(*text);
    }
  }
  return texts;
}

}  // namespace

Result<Chunk> parse_chunk(std::string_view value) {
  const JsonDocument document(value);
  const auto read = read_object(document, "the chunk");
  if (!read) {
    return std::unexpected(read.error());
  }
  const auto& record = *read;

  Chunk chunk{.request_id = record.text("requestId"), .org_id = record.text("orgId")};
  const auto attempt = record.integer_if("attempt");
  const auto seq = record.integer_if("seq");
  if (chunk.request_id.empty() || chunk.org_id.empty() || !attempt || !seq) {
    // Without these no reader can know which answer the piece belongs to, nor where in it.
    return fail(ErrorKind::invalid_input, "the chunk lacks one of requestId, orgId, attempt and seq");
  }
  chunk.attempt = *attempt;
  chunk.seq = *seq;
  chunk.delta = record.text_if("delta");
  chunk.reasoning = record.text("reasoning");
  chunk.tool_calls = read_tool_calls(record);
  chunk.provider_blocks = read_provider_blocks(record);
  chunk.done = record.flag("done");
  if (!chunk.done) {
    return chunk;
  }

  chunk.finish_reason = record.text("finishReason");
  chunk.chunks = record.integer_if("chunks");
  chunk.usage = read_usage(record);
  chunk.model = read_model(record, "model");
  chunk.timing = read_timing(record);
  chunk.source_offset = record.integer("sourceOffset", -1);
  chunk.cost_micros = record.integer_if("cost");
  chunk.price_version = record.text("priceVersion");
  chunk.provider_request_id = record.text("providerRequestId");
  chunk.warnings = read_texts(record, "warnings");
  chunk.continued = record.integer("continued");
  chunk.recovered = record.flag("recovered");
  if (const auto element = record.find("duplicateOf")) {
    const ObjectReader duplicate(*element);
    chunk.duplicate_of_offset = duplicate.integer_if("offset");
    chunk.duplicate_of_attempt = duplicate.integer_if("attempt");
  }
  chunk.reply_topic = record.text("replyTopic");
  if (const auto element = record.find("error")) {
    const ObjectReader error(*element);
    chunk.error_code = error.text("code");
    chunk.error_message = error.text("message");
    chunk.error_retryable = error.flag("retryable");
    chunk.error_provider = error.text("provider");
    if (const auto status = error.integer_if("status"); status && std::in_range<int>(*status)) {
      chunk.error_status = static_cast<int>(*status);
    }
  }
  return chunk;
}

}  // namespace tokenrail::events
