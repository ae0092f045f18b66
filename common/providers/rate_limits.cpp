#include "common/providers/rate_limits.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "common/providers/failure_text.hpp"

namespace tokenrail::providers {

namespace {

using std::chrono::milliseconds;
using std::chrono::sys_seconds;

constexpr milliseconds reset_max = std::chrono::hours(24);

struct Family {
  RateLimit RateLimits::* resource;
  std::string_view limit;
  std::string_view remaining;
  std::string_view reset;  ///< empty: it has none
};
/// Of one resource the first family whose `remaining` is there counts.
constexpr Family families[] = {
    {&RateLimits::requests, "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
     "x-ratelimit-reset-requests"},
    {&RateLimits::tokens, "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},
    {&RateLimits::requests, "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining",
     "anthropic-ratelimit-requests-reset"},
    {&RateLimits::tokens, "anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
     "anthropic-ratelimit-tokens-reset"},
    {&RateLimits::input_tokens, "anthropic-ratelimit-input-tokens-limit", "anthropic-ratelimit-input-tokens-remaining",
     "anthropic-ratelimit-input-tokens-reset"},
    {&RateLimits::output_tokens, "anthropic-ratelimit-output-tokens-limit",
     "anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"},
    {&RateLimits::requests, "x-ratelimit-limit-req-minute", "x-ratelimit-remaining-req-minute", ""},
    {&RateLimits::requests, "x-ratelimit-limit-req-60-second", "x-ratelimit-remaining-req-60-second", ""},
    {&RateLimits::tokens, "x-ratelimit-limit-tokens-minute", "x-ratelimit-remaining-tokens-minute", ""},
    {&RateLimits::requests, "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"},
    {&RateLimits::requests, "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"},
};

template <class Number>
std::optional<Number> number_at(std::string_view text, std::size_t& used) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  used = static_cast<std::size_t>(end - text.data());
  return value;
}

std::optional<std::int64_t> count_of(std::string_view text) {
  std::size_t used = 0;
  const auto value = number_at<std::int64_t>(text, used);
  return value && used == text.size() && *value >= 0 ? value : std::nullopt;
}

milliseconds bounded(double value_ms) {
  return milliseconds(
      static_cast<milliseconds::rep>(std::ceil(std::clamp(value_ms, 0.0, static_cast<double>(reset_max.count())))));
}

/// "1h8m26.585s", "120ms", "7.66s".
std::optional<milliseconds> duration_of(std::string_view text) {
  double total_ms = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::size_t used = 0;
    const auto figure = number_at<double>(text, used);
    if (!figure || !std::isfinite(*figure) || *figure < 0) return std::nullopt;
    text.remove_prefix(used);
    const auto unit = text.substr(0, std::min(text.find_first_of("0123456789."), text.size()));
    if (unit == "ms") {
      total_ms += *figure;
    } else if (unit == "s") {
      total_ms += *figure * 1'000;
    } else if (unit == "m") {
      total_ms += *figure * 60'000;
    } else if (unit == "h") {
      total_ms += *figure * 3'600'000;
    } else if (unit == "d") {
      total_ms += *figure * 86'400'000;
    } else {
      return std::nullopt;
    }
    text.remove_prefix(unit.size());
  }
  return bounded(total_ms);
}

/// "2026-02-07T14:39:09Z", perhaps with a fraction, which is passed over.
std::optional<sys_seconds> time_of(std::string_view text) {
  constexpr std::string_view pattern = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= pattern.size() || text.back() != 'Z') return std::nullopt;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (pattern[i] == 'd' ? !digit : text[i] != pattern[i]) return std::nullopt;
  }
  const auto part = [&](std::size_t at, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(at, count)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(part(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(part(8, 2))));
  if (!day.ok() || part(11, 2) > 23 || part(14, 2) > 59 || part(17, 2) > 60) return std::nullopt;
  return sys_seconds(std::chrono::sys_days(day)) + std::chrono::hours(part(11, 2)) + std::chrono::minutes(part(14, 2)) +
         std::chrono::seconds(part(17, 2));
}

/// A duration, a number of seconds, a Unix time in seconds or milliseconds, or a time of day.
std::optional<milliseconds> reset_of(std::string_view text, std::optional<sys_seconds> now) {
  constexpr double unix_seconds_min = 1e9;
  constexpr double unix_ms_min = 1e12;
  std::size_t used = 0;
  if (const auto value = number_at<double>(text, used); value && used == text.size()) {
    if (!std::isfinite(*value) || *value < 0) return std::nullopt;
    if (*value < unix_seconds_min) return bounded(*value * 1'000);
    if (!now) return std::nullopt;
    const auto now_ms = static_cast<double>(milliseconds(now->time_since_epoch()).count());
    return bounded((*value < unix_ms_min ? *value * 1'000 : *value) - now_ms);
  }
  if (const auto duration = duration_of(text)) return duration;
  const auto until = time_of(text);
  if (!until || !now) return std::nullopt;
  return bounded(static_cast<double>(milliseconds(*until - *now).count()));
}

/// `"api";r=999;t=286`: what remains, and seconds until the reset.
void read_draft(std::string_view text, RateLimit& into) {
  const auto parameter = [&](std::string_view name) -> std::optional<std::int64_t> {
    const auto at = text.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    auto value = text.substr(at + name.size());
    return count_of(value.substr(0, value.find_first_of(";,")));
  };
  into.remaining = parameter(";r=");
  if (const auto seconds = parameter(";t=")) into.reset_in = bounded(static_cast<double>(*seconds) * 1'000);
}

}  // namespace

RateLimits read_rate_limits(const http::ResponseHead& head) {
  RateLimits limits;
  const auto date = head.header("date");
  const auto now = date ? http_date(*date) : std::nullopt;
  for (const auto& family : families) {
    auto& into = limits.*family.resource;
    if (into.remaining) continue;
    const auto remaining = head.header(family.remaining);
    if (!remaining) continue;
    into.remaining = count_of(*remaining);
    if (!into.remaining) continue;
    if (const auto limit = head.header(family.limit)) into.limit = count_of(*limit);
    if (family.reset.empty()) continue;
    if (const auto reset = head.header(family.reset)) into.reset_in = reset_of(*reset, now);
  }
  if (const auto draft = head.header("ratelimit"); draft && !limits.requests.remaining) {
    read_draft(*draft, limits.requests);
  }
  limits.retry_after = retry_after(head);
  return limits;
}

std::optional<milliseconds> exhausted_for(const RateLimits& limits) {
  std::optional<milliseconds> longest;
  for (const auto* resource : {&limits.requests, &limits.tokens, &limits.input_tokens, &limits.output_tokens}) {
    if (resource->remaining != 0 || !resource->reset_in || resource->reset_in->count() == 0) continue;
    longest = std::max(longest.value_or(milliseconds(0)), *resource->reset_in);
  }
  return longest;
}

}  // namespace tokenrail::providers
