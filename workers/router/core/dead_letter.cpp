#include "workers/router/core/dead_letter.hpp"

#include <concepts>
#include <cstdint>
#include <string>

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

}  // namespace

kafka::Headers dead_letter_headers(const kafka::Record& record, std::string_view reason) {
  auto headers = record.headers;
  headers.emplace_back("kafka_dlt-original-topic", record.topic);
  headers.emplace_back("kafka_dlt-original-partition", big_endian(record.partition));
  headers.emplace_back("kafka_dlt-original-offset", big_endian(record.offset));
  headers.emplace_back("kafka_dlt-original-timestamp", big_endian(record.timestamp_ms));
  headers.emplace_back("kafka_dlt-original-timestamp-type", record.log_append_time ? "LogAppendTime" : "CreateTime");
  headers.emplace_back("kafka_dlt-exception-fqcn", "tokenrail.Unanswerable");
  headers.emplace_back("kafka_dlt-exception-message", std::string(reason));
  return headers;
}

}  // namespace tokenrail::router
