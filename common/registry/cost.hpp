// What an answer costs by the prices of its model. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "common/events/chunk.hpp"
#include "common/events/model_event.hpp"
#include "common/price.hpp"

namespace tokenrail::registry {

/// The price of a unit for a call: of those that hold, the one for the largest prompt, and of these one that names a
/// time of day. Nothing: unknown. `minute`: of the day, in UTC.
[[nodiscard]] std::optional<std::int64_t> price_of(const events::ModelPrices& prices, PriceDimension dimension,
                                                   ServiceTier tier, std::int64_t prompt_tokens, std::int64_t minute);

/// In micro-dollars, rounded half to even once, at the end. Cached tokens, those written into the cache (for an hour
/// or not so long), audio, images and reasoning tokens have their own prices; reasoning without one of its own is
/// output, an image of the prompt is input. A price for the request itself is added.
/// Nothing: a price that is needed is unknown, or it is not known whether audio came from the cache. What was not used
/// needs no price.
[[nodiscard]] std::optional<std::int64_t> cost_of(const events::ModelPrices& prices, ServiceTier tier,
                                                  const events::Usage& usage, std::int64_t minute);

/// The minute of the day of a Unix time in milliseconds.
[[nodiscard]] std::int64_t minute_of_day(std::int64_t unix_ms);

}  // namespace tokenrail::registry
