// Parts that chunks and audit events have in common, so that they look the same in both. Included by .cpp files only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/events/chunk.hpp"
#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::events {

void write_usage(JsonWriter& writer, const Usage& usage);
void write_timing(JsonWriter& writer, const Timing& timing);
void write_model(JsonWriter& writer, std::string_view name, const AnsweringModel& model);
/// Takes secrets out of the message: it may carry a provider's own words.
/// Of a failure's message. A provider may put a whole page of HTML into its error; more of it helps no reader.
inline constexpr std::size_t failure_message_bytes_max = 4096;
void write_failure(JsonWriter& writer, const Failure& failure);
/// Writes no field where there are none.
void write_provider_blocks(JsonWriter& writer, const std::vector<ProviderBlock>& blocks);
void write_duplicate_of(JsonWriter& writer, std::optional<std::int64_t> offset, std::optional<std::int64_t> attempt);

[[nodiscard]] std::optional<Usage> read_usage(const ObjectReader& record);
[[nodiscard]] Timing read_timing(const ObjectReader& record);
[[nodiscard]] std::optional<AnsweringModel> read_model(const ObjectReader& record, std::string_view name);

}  // namespace tokenrail::events
