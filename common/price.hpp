// What a unit of a model costs: the words that records, the database, catalogues and the API share. Values.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tokenrail {

/// What is counted. The words are those of the table `price` and of records.
enum class PriceDimension : std::uint8_t {
  input,
  output,
  cache_read,
  cache_write,
  cache_write_1h,
  reasoning,
  audio_in,
  audio_out,
  image_in,
  image_out,
  per_image,
  per_request,
  per_second,
  per_page,
  search,
};
inline constexpr std::array<std::string_view, 15> price_dimension_names{
    "input",    "output",    "cache_read", "cache_write", "cache_write_1h", "reasoning", "audio_in", "audio_out",
    "image_in", "image_out", "per_image",  "per_request", "per_second",     "per_page",  "search"};

enum class ServiceTier : std::uint8_t { standard, batch, flex, priority };
inline constexpr std::array<std::string_view, 4> service_tier_names{"standard", "batch", "flex", "priority"};

[[nodiscard]] constexpr std::string_view name_of(PriceDimension dimension) {
  return price_dimension_names.at(static_cast<std::size_t>(dimension));
}
[[nodiscard]] constexpr std::string_view name_of(ServiceTier tier) {
  return service_tier_names.at(static_cast<std::size_t>(tier));
}
[[nodiscard]] constexpr std::optional<PriceDimension> price_dimension_from(std::string_view name) {
  for (std::size_t i = 0; i < price_dimension_names.size(); ++i)
    if (price_dimension_names.at(i) == name) return static_cast<PriceDimension>(i);
  return std::nullopt;
}
[[nodiscard]] constexpr std::optional<ServiceTier> service_tier_from(std::string_view name) {
  for (std::size_t i = 0; i < service_tier_names.size(); ++i)
    if (service_tier_names.at(i) == name) return static_cast<ServiceTier>(i);
  return std::nullopt;
}

/// Minutes of a day, in UTC. `from` may be later than `to`: the window then includes midnight. Both 0: the whole day.
struct DayWindow {
  std::int16_t from_minute = 0;
  std::int16_t to_minute = 0;  ///< one past the last

  [[nodiscard]] constexpr bool whole_day() const { return from_minute == to_minute; }
  [[nodiscard]] constexpr bool contains(std::int64_t minute) const {
    if (whole_day()) return true;
    if (from_minute < to_minute) return minute >= from_minute && minute < to_minute;
    return minute >= from_minute || minute < to_minute;
  }
  friend constexpr auto operator<=>(const DayWindow&, const DayWindow&) = default;
};
inline constexpr std::int64_t minutes_a_day = 24 * 60;

/// What one price is for. No two prices of a model and source share it.
struct PriceKey {
  PriceDimension dimension = PriceDimension::input;
  ServiceTier tier = ServiceTier::standard;
  std::int64_t min_context_tokens = 0;  ///< holds where the prompt has at least that many tokens
  DayWindow window{};
  friend constexpr auto operator<=>(const PriceKey&, const PriceKey&) = default;
};

/// In integer micro-dollars per million units (tokens, images, requests, seconds, pages, searches).
struct Price {
  PriceKey key{};
  std::int64_t micros = 0;
  friend constexpr auto operator<=>(const Price&, const Price&) = default;
};
/// A million dollars a unit. Above it, a number is an error of its source, and sums could overflow.
inline constexpr std::int64_t price_micros_max = 1'000'000'000'000'000'000;

}  // namespace tokenrail
