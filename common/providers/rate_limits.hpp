// What a provider says of its rate limits in the head of a response, whatever it calls the headers. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/http/client.hpp"

namespace tokenrail::providers {

/// Of one resource, such as requests a minute. Unset: not said.
struct RateLimit {
  std::optional<std::int64_t> limit{};
  std::optional<std::int64_t> remaining{};
  /// Until all of it is there again; at most a day. A provider may have some of it back earlier.
  std::optional<std::chrono::milliseconds> reset_in{};

  bool operator==(const RateLimit&) const = default;
};

struct RateLimits {
  RateLimit requests{};
  RateLimit tokens{};  ///< of input and output together, or not distinguished
  RateLimit input_tokens{};
  RateLimit output_tokens{};
  std::optional<std::chrono::milliseconds> retry_after{};  ///< see retry_after() in failure_text.hpp

  bool operator==(const RateLimits&) const = default;
};

/// Reads x-ratelimit-* (OpenAI, Azure, Groq and others by resource, Mistral a minute, OpenRouter without a resource),
/// anthropic-ratelimit-*, and ratelimit and ratelimit-* of the IETF's drafts. Times of day are read against the
/// response's own `date`. A value that cannot be read is as if it were not there.
[[nodiscard]] RateLimits read_rate_limits(const http::ResponseHead& head);

/// How long to try others first: the longest reset among resources of which nothing remains. Nothing: some remains of
/// each, or there is no reset.
[[nodiscard]] std::optional<std::chrono::milliseconds> exhausted_for(const RateLimits& limits);

}  // namespace tokenrail::providers
