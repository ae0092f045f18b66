#include "workers/router/core/dead_letter.hpp"

#include <concepts>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace tokenrail::router {

namespace {

template <std::integral T>
std::string big_endian(T value) {
  std::string bytes(sizeof(T), '\0');
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[sizeof(T) - 1 - i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFFU);
  }
  return bytes;
}

constexpr std::size_t header_overhead_bytes = 16;

std::size_t bytes_of(const kafka::Headers& headers) {
  std::size_t bytes = 0;
  for (const auto& [name, content] : headers)
    bytes += name.size() + (content ? content->size() : 0) + header_overhead_bytes;
  return bytes;
}

kafka::Headers origin_headers(const kafka::Record& record, std::string_view reason) {
  return {{"kafka_dlt-original-topic", record.topic},
          {"kafka_dlt-original-partition", big_endian(record.partition)},
          {"kafka_dlt-original-offset", big_endian(record.offset)},
          {"kafka_dlt-original-timestamp", big_endian(record.timestamp_ms)},
          {"kafka_dlt-original-timestamp-type", record.log_append_time ? "LogAppendTime" : "CreateTime"},
          {"kafka_dlt-exception-fqcn", "tokenrail.Unanswerable"},
          {"kafka_dlt-exception-message", std::string(reason)}};
}

std::string omitted(std::size_t bytes) {
  return fmt::format("{} bytes do not fit; read the original where the other headers say", bytes);
}

}  // namespace

std::size_t DeadLetterRecord::bytes() const {
  return (key ? key->size() : 0) + (value ? value->size() : 0) + bytes_of(headers);
}

DeadLetterRecord dead_letter_record(const kafka::Record& record, std::string_view reason, std::size_t bytes_max) {
  DeadLetterRecord letter;
  if (record.key) letter.key = *record.key;
  if (record.value) letter.value = *record.value;
  const auto origin = origin_headers(record, reason);
  // Of more headers only the first ones were handed on.
  const bool too_many = record.headers.size() > kafka::record_headers_max;
  if (!too_many) letter.headers = record.headers;
  const auto bytes = [&] {
    return (letter.key ? letter.key->size() : 0) + (letter.value ? letter.value->size() : 0) +
           bytes_of(letter.headers) + bytes_of(origin);
  };
  kafka::Headers notes;
  if (bytes() > bytes_max && letter.value) {
    notes.emplace_back("kafka_dlt-value-omitted", omitted(letter.value->size()));
    letter.value.reset();
  }
  if (bytes() > bytes_max && letter.key) {
    notes.emplace_back("kafka_dlt-key-omitted", omitted(letter.key->size()));
    letter.key.reset();
  }
  if (bytes() > bytes_max) {
    notes.emplace_back("kafka_dlt-headers-omitted", omitted(bytes_of(letter.headers)));
    letter.headers.clear();
  }
  if (too_many)
    notes.emplace_back(
        "kafka_dlt-headers-omitted",
        fmt::format("more than {} headers; read the original where the other headers say", kafka::record_headers_max));
  letter.headers.insert(letter.headers.end(), origin.begin(), origin.end());
  letter.headers.insert(letter.headers.end(), notes.begin(), notes.end());
  return letter;
}

}  // namespace tokenrail::router
