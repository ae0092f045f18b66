#include "cli/verify/dead_letter.hpp"

#include <cstddef>
#include <utility>

namespace tokenrail::verify {
namespace {

/// Big-endian, as Spring writes it.
std::optional<std::int64_t> number_in(const kafka::Headers& headers, std::string_view name) {
  const auto bytes = kafka::header(headers, name);
  if (!bytes || bytes->empty() || bytes->size() > sizeof(std::int64_t)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char byte : *bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::optional<DeadLetter> dead_letter_of(const kafka::Record& record, std::string_view requests_topic) {
  const auto topic = kafka::header(record.headers, "kafka_dlt-original-topic");
  const auto partition = number_in(record.headers, "kafka_dlt-original-partition");
  const auto offset = number_in(record.headers, "kafka_dlt-original-offset");
  if (topic != requests_topic || !partition || !std::in_range<std::int32_t>(*partition) || !offset) return std::nullopt;
  return DeadLetter{.partition = static_cast<std::int32_t>(*partition),
                    .offset = *offset,
                    .ms = number_in(record.headers, "kafka_dlt-original-timestamp")};
}

}  // namespace tokenrail::verify
