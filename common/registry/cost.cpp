#include "common/registry/cost.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <utility>

namespace tokenrail::registry {

namespace {

// A price and a count of tokens together are above what 64 bits hold.
__extension__ using Wide = __int128;
constexpr Wide units_a_price = 1'000'000;

std::optional<std::int64_t> rounded(Wide picodollars) {
  auto micros = picodollars / units_a_price;
  const auto rest = picodollars % units_a_price;
  if (rest * 2 > units_a_price || (rest * 2 == units_a_price && micros % 2 != 0)) ++micros;
  if (micros > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return static_cast<std::int64_t>(micros);
}

}  // namespace

std::optional<std::int64_t> price_of(const events::ModelPrices& prices, PriceDimension dimension, ServiceTier tier,
                                     std::int64_t prompt_tokens, std::int64_t minute) {
  std::optional<std::int64_t> found;
  if (tier == ServiceTier::standard && dimension == PriceDimension::input) found = prices.input_micros;
  if (tier == ServiceTier::standard && dimension == PriceDimension::output) found = prices.output_micros;
  std::pair<std::int64_t, bool> best{0, false};
  for (const auto& [key, micros] : prices.others) {
    if (key.dimension != dimension || key.tier != tier) continue;
    if (key.min_context_tokens > prompt_tokens || !key.window.contains(minute)) continue;
    const std::pair<std::int64_t, bool> rank{key.min_context_tokens, !key.window.whole_day()};
    if (found && rank < best) continue;
    best = rank;
    found = micros;
  }
  return found;
}

std::optional<std::int64_t> cost_of(const events::ModelPrices& prices, ServiceTier tier, const events::Usage& usage,
                                    std::int64_t minute) {
  const auto input = std::max<std::int64_t>(usage.input_tokens, 0);
  const auto output = std::max<std::int64_t>(usage.output_tokens, 0);
  // A provider that counts more cached tokens than tokens is not believed beyond those.
  const auto cached = std::clamp<std::int64_t>(usage.cached_input_tokens.value_or(0), 0, input);
  const auto written = std::clamp<std::int64_t>(usage.cache_write_input_tokens.value_or(0), 0, input - cached);
  const auto written_for_long = std::clamp<std::int64_t>(usage.cache_write_1h_tokens, 0, written);
  const auto reasoned = std::clamp<std::int64_t>(usage.reasoning_tokens.value_or(0), 0, output);
  const auto price = [&](PriceDimension dimension) { return price_of(prices, dimension, tier, input, minute); };
  const auto output_price = price(PriceDimension::output);
  const auto reasoning_price = price(PriceDimension::reasoning);
  const auto image_price = price(PriceDimension::image_in);
  const auto heard = std::clamp<std::int64_t>(usage.audio_input_tokens, 0, input);
  const auto seen = image_price ? std::clamp<std::int64_t>(usage.image_input_tokens, 0, input - heard) : 0;
  // Providers do not say how many of them came from the cache.
  if (heard + seen > 0 && cached + written > 0) return std::nullopt;
  const auto spoken = std::clamp<std::int64_t>(usage.audio_output_tokens, 0, output - reasoned);
  const auto drawn = std::clamp<std::int64_t>(usage.image_output_tokens, 0, output - reasoned - spoken);

  Wide sum = 0;
  for (const auto& [tokens, each] :
       {std::pair(input - cached - written - heard - seen, price(PriceDimension::input)),
        std::pair(cached, price(PriceDimension::cache_read)),
        std::pair(written - written_for_long, price(PriceDimension::cache_write)),
        std::pair(written_for_long, price(PriceDimension::cache_write_1h)),
        std::pair(heard, price(PriceDimension::audio_in)), std::pair(seen, image_price),
        std::pair(output - reasoned - spoken - drawn, output_price),
        std::pair(spoken, price(PriceDimension::audio_out)), std::pair(drawn, price(PriceDimension::image_out)),
        std::pair(reasoned, reasoning_price ? reasoning_price : output_price)}) {
    if (tokens == 0) continue;
    if (!each) return std::nullopt;
    sum += static_cast<Wide>(tokens) * *each;
  }
  // Without any price nothing is known, also where no token was used.
  if (!price(PriceDimension::input) && !output_price) return std::nullopt;
  if (const auto request = price(PriceDimension::per_request)) sum += *request;
  return rounded(sum);
}

std::int64_t minute_of_day(std::int64_t unix_ms) {
  constexpr std::int64_t ms_a_minute = 60'000;
  const auto minute = unix_ms / ms_a_minute % minutes_a_day;
  return minute < 0 ? minute + minutes_a_day : minute;
}

}  // namespace tokenrail::registry
