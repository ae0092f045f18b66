// Headers of the CloudEvents 1.0 Kafka protocol binding in binary mode, the W3C traceparent, and the deterministic ids
// by which a reader recognises a record that it sees twice. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/events/offsets.hpp"

namespace tokenrail::events {

/// Kafka headers; values are raw bytes. None that is written here is null.
using HeaderList = std::vector<std::pair<std::string, std::optional<std::string>>>;

struct Envelope {
  std::string id;
  std::string source;        ///< "/router/{partition}", "/registry/platform"
  std::string type;          ///< "llm.request"
  std::int64_t time_ms = 0;  ///< Unix milliseconds, UTC
  std::string traceparent{};
};
/// ce_id, ce_source, ce_specversion, ce_type, ce_time (RFC 3339), content-type, and traceparent where there is one.
[[nodiscard]] HeaderList cloud_event_headers(const Envelope& envelope);

/// Of an event about an attempt: source partition, offset, attempt, kind, epoch.
[[nodiscard]] std::string audit_event_id(std::int32_t source_partition, RequestOffset source_offset,
                                         std::int64_t attempt, std::string_view kind, std::int64_t epoch);
/// Of an ownership event: partition, epoch, instance, counter.
[[nodiscard]] std::string ownership_event_id(std::int32_t partition, std::int64_t epoch, std::string_view instance,
                                             std::int64_t counter);

/// Accepts version 00 of the W3C Trace Context header; anything malformed is nothing.
[[nodiscard]] std::optional<std::string> valid_traceparent(std::string_view value);

/// RFC 3339 in UTC with milliseconds.
[[nodiscard]] std::string rfc3339(std::int64_t unix_ms);
/// Unix milliseconds of a time as rfc3339() writes it; nothing for one that is written in any other way.
[[nodiscard]] std::optional<std::int64_t> rfc3339_ms(std::string_view text);

}  // namespace tokenrail::events
