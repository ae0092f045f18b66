#include "common/events/cloud_events.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace tokenrail::events {
namespace {

bool lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool all_zero(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '0'; });
}

}  // namespace

HeaderList cloud_event_headers(const Envelope& envelope) {
  HeaderList headers;
  headers.reserve(7);
  headers.emplace_back("ce_id", envelope.id);
  headers.emplace_back("ce_source", envelope.source);
  headers.emplace_back("ce_specversion", "1.0");
  headers.emplace_back("ce_type", envelope.type);
  headers.emplace_back("ce_time", rfc3339(envelope.time_ms));
  headers.emplace_back("content-type", "application/json");
  if (!envelope.traceparent.empty()) {
    headers.emplace_back("traceparent", envelope.traceparent);
  }
  return headers;
}

std::string audit_event_id(std::int32_t source_partition, RequestOffset source_offset, std::int64_t attempt,
                           std::string_view kind, std::int64_t epoch) {
  return fmt::format("{}:{}:{}:{}:{}", source_partition, source_offset.value(), attempt, kind, epoch);
}

std::string ownership_event_id(std::int32_t partition, std::int64_t epoch, std::string_view instance,
                               std::int64_t counter) {
  return fmt::format("{}:{}:{}:{}", partition, epoch, instance, counter);
}

std::optional<std::string> valid_traceparent(std::string_view value) {
  // 00-<32 hex trace id>-<16 hex parent id>-<2 hex flags>; neither id may be all zeros.
  if (value.size() != 55 || !value.starts_with("00-") || value[35] != '-' || value[52] != '-') {
    return std::nullopt;
  }
  const auto trace_id = value.substr(3, 32);
  const auto parent_id = value.substr(36, 16);
  if (!lower_hex(trace_id) || !lower_hex(parent_id) || !lower_hex(value.substr(53))) {
    return std::nullopt;
  }
  if (all_zero(trace_id) || all_zero(parent_id)) {
    return std::nullopt;
  }
  return std::string(value);
}

std::string rfc3339(std::int64_t unix_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(unix_ms)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<std::int64_t> rfc3339_ms(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != std::string_view("1970-01-01T00:00:00.000Z").size()) return std::nullopt;
  const auto number = [&](std::size_t from, std::size_t digits) {
    int value = 0;
    std::from_chars(text.data() + from, text.data() + from + digits, value);
    return value;
  };
  const year_month_day date{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok()) return std::nullopt;
  const auto time = sys_days(date).time_since_epoch() + hours(number(11, 2)) + minutes(number(14, 2)) +
                    seconds(number(17, 2)) + milliseconds(number(20, 3));
  const auto unix_ms = duration_cast<milliseconds>(time).count();
  // Whatever is not as it is written reads back as something else.
  return rfc3339(unix_ms) == text ? std::optional(unix_ms) : std::nullopt;
}

}  // namespace tokenrail::events
