#include "workers/router/core/refusals.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/events/utf8.hpp"

namespace tokenrail::router {

namespace {

constexpr std::size_t detail_bytes_max = 300;

std::size_t index(Output output) {
  return static_cast<std::size_t>(output);
}

}  // namespace

Millis refusal_wait(int refusals) {
  constexpr Millis first{1'000};
  constexpr Millis most{60'000};
  // What was refused for hours is a matter of days: an attempt has a thousand numbers under one epoch.
  constexpr int many = 100;
  constexpr Millis most_of_many{600'000};
  if (refusals > many) return most_of_many;
  return std::min(most, first * (1 << std::clamp(refusals - 1, 0, 6)));
}

bool is_about_size(std::string_view detail) {
  return detail.contains("too large") || detail.contains("TOO_LARGE");
}

const Refusals::Refused* Refusals::lately(Output output, Millis now) const {
  const auto& newest = newest_[index(output)];
  return newest && now - newest->at < kept ? &*newest : nullptr;
}

bool Refusals::refused(Output output, std::size_t bytes, std::string_view detail, Millis now) {
  const auto* const before = lately(output, now);
  Refused refused{.at = now,
                  .count = before == nullptr ? 1 : before->count + 1,
                  .bytes = bytes,
                  .detail = std::string(events::utf8_prefix(detail, detail_bytes_max)),
                  .limit = before == nullptr ? std::nullopt : before->limit,
                  .too_large = before == nullptr ? std::nullopt : before->too_large};
  if (is_about_size(detail)) {
    refused.too_large = std::min(refused.too_large.value_or(bytes), bytes);
    refused.limit = std::max(limit_min, std::min(refused.limit.value_or(bytes), bytes / 2));
  }
  newest_[index(output)] = std::move(refused);
  return before == nullptr;
}

std::size_t Refusals::limit(Output output, std::size_t configured, Millis now) const {
  const auto* const newest = lately(output, now);
  return newest == nullptr || !newest->limit ? configured : std::min(configured, *newest->limit);
}

std::size_t Refusals::whole_limit(Output output, std::size_t configured, Millis now) const {
  const auto* const newest = lately(output, now);
  if (newest == nullptr || !newest->too_large) return configured;
  return std::min(configured, std::max(limit_min, *newest->too_large - 1));
}

std::string Refusals::problem(Output output, const std::string& topic, Millis now) const {
  const auto* const newest = lately(output, now);
  if (newest == nullptr) return {};
  return fmt::format("{} refused {} records for good, the newest {} s ago, of {} bytes ({}); {}", topic, newest->count,
                     (now - newest->at).count() / 1000, newest->bytes, newest->detail,
                     is_about_size(newest->detail)
                         ? "raise max.message.bytes of the topic, or lower router.record_bytes_max"
                         : "compare the topic's settings with `tokenrail topics check`");
}

}  // namespace tokenrail::router
