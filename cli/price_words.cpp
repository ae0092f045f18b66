#include "cli/price_words.hpp"

#include <charconv>

#include <fmt/format.h>

#include "common/registry/prices.hpp"

namespace tokenrail::cli {
namespace {

std::unexpected<Error> unreadable(const std::string& text, std::string_view why) {
  return std::unexpected(
      Error{.kind = ErrorKind::invalid_input,
            .detail = fmt::format("'{}' is not a price: {}", text, why),
            .hint = "Write DIMENSION=DOLLARS, such as input=2.5, or DIMENSION/TIER@TOKENS@HH:MM-HH:MM=DOLLARS."});
}

/// "@200001" or "@16:30-00:30".
bool read_condition(const std::string& text, PriceKey& key) {
  if (text.find(':') == std::string::npos) {
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, key.min_context_tokens);
    return read.ec == std::errc{} && read.ptr == end && key.min_context_tokens > 0;
  }
  const auto dash = text.find('-');
  const auto from = registry::minute_from(text.substr(0, dash));
  const auto to = registry::minute_from(dash == std::string::npos ? std::string() : text.substr(dash + 1));
  if (!from || !to || *from == *to) return false;
  key.window = {.from_minute = *from, .to_minute = *to};
  return true;
}

}  // namespace

Result<Price> price_from_words(const std::string& text) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos) return unreadable(text, "it has no '='");
  Price price;
  auto key = text.substr(0, equals);
  for (auto at = key.rfind('@'); at != std::string::npos; at = key.rfind('@')) {
    if (!read_condition(key.substr(at + 1), price.key))
      return unreadable(text, "behind '@' is neither a number of tokens nor a time of day");
    key.resize(at);
  }
  if (const auto slash = key.find('/'); slash != std::string::npos) {
    const auto tier = service_tier_from(key.substr(slash + 1));
    if (!tier) return unreadable(text, fmt::format("there is no service tier {}", key.substr(slash + 1)));
    price.key.tier = *tier;
    key.resize(slash);
  }
  const auto dimension = price_dimension_from(key);
  if (!dimension)
    return unreadable(
        text, fmt::format("there is no dimension '{}'; there are {}", key, fmt::join(price_dimension_names, ", ")));
  price.key.dimension = *dimension;
  const auto micros = registry::micros_from(text.substr(equals + 1));
  if (!micros) return unreadable(text, micros.error().detail);
  price.micros = *micros;
  return price;
}

}  // namespace tokenrail::cli
