#include "common/events/record_parts.hpp"

#include "common/events/redaction.hpp"
#include "common/events/utf8.hpp"

namespace tokenrail::events {

void write_usage(JsonWriter& writer, const Usage& usage) {
  writer.begin_object("usage");
  writer.field("inputTokens", usage.input_tokens);
  writer.field("outputTokens", usage.output_tokens);
  if (usage.cached_input_tokens) {
    writer.field("cachedInputTokens", *usage.cached_input_tokens);
  }
  if (usage.cache_write_input_tokens) {
    writer.field("cacheWriteInputTokens", *usage.cache_write_input_tokens);
  }
  if (usage.reasoning_tokens) {
    writer.field("reasoningTokens", *usage.reasoning_tokens);
  }
  writer.field("estimated", usage.estimated);
  writer.end_object();
}

void write_provider_blocks(JsonWriter& writer, const std::vector<ProviderBlock>& blocks) {
  if (blocks.empty()) {
    return;
  }
  writer.begin_array("providerBlocks");
  for (const auto& block : blocks) {
    writer.begin_object();
    writer.field("provider", block.provider);
    writer.raw_field("data", block.data);
    writer.end_object();
  }
  writer.end_array();
}

void write_timing(JsonWriter& writer, const Timing& timing) {
  writer.begin_object("timing");
  writer.field("queuedMs", timing.queued_ms);
  if (timing.first_token_ms) {
    writer.field("firstTokenMs", *timing.first_token_ms);
  }
  writer.field("totalMs", timing.total_ms);
  writer.end_object();
}

void write_model(JsonWriter& writer, std::string_view name, const AnsweringModel& model) {
  writer.begin_object(name);
  writer.field("provider", model.provider);
  writer.field("name", model.name);
  writer.end_object();
}

void write_failure(JsonWriter& writer, const Failure& failure) {
  writer.begin_object("error");
  writer.field("code", name_of(failure.code));
  const auto number = entry_of(failure.code).number;
  if (!number.empty()) {
    writer.field("number", number);
  }
  writer.field("message", utf8_prefix(redact_secrets(failure.message).text, failure_message_bytes_max));
  writer.field("retryable", failure.retryable);
  if (!failure.provider.empty()) {
    writer.field("provider", failure.provider);
  }
  if (failure.status) {
    writer.field("status", *failure.status);
  }
  writer.end_object();
}

void write_duplicate_of(JsonWriter& writer, std::optional<std::int64_t> offset, std::optional<std::int64_t> attempt) {
  if (!offset && !attempt) {
    return;
  }
  writer.begin_object("duplicateOf");
  if (offset) {
    writer.field("offset", *offset);
  }
  if (attempt) {
    writer.field("attempt", *attempt);
  }
  writer.end_object();
}

std::optional<Usage> read_usage(const ObjectReader& record) {
  const auto element = record.find("usage");
  if (!element) {
    return std::nullopt;
  }
  const ObjectReader reader(*element);
  if (!reader.is_object()) {
    return std::nullopt;
  }
  return Usage{.input_tokens = reader.integer("inputTokens"),
               .output_tokens = reader.integer("outputTokens"),
               .cached_input_tokens = reader.integer_if("cachedInputTokens"),
               .cache_write_input_tokens = reader.integer_if("cacheWriteInputTokens"),
               .reasoning_tokens = reader.integer_if("reasoningTokens"),
               .estimated = reader.flag("estimated")};
}

Timing read_timing(const ObjectReader& record) {
  const auto element = record.find("timing");
  if (!element) {
    return {};
  }
  const ObjectReader reader(*element);
  return Timing{.queued_ms = reader.integer("queuedMs"),
                .first_token_ms = reader.integer_if("firstTokenMs"),
                .total_ms = reader.integer("totalMs")};
}

std::optional<AnsweringModel> read_model(const ObjectReader& record, std::string_view name) {
  const auto element = record.find(name);
  if (!element) {
    return std::nullopt;
  }
  const ObjectReader reader(*element);
  if (!reader.is_object()) {
    return std::nullopt;
  }
  return AnsweringModel{.provider = reader.text("provider"), .name = reader.text("name")};
}

}  // namespace tokenrail::events
