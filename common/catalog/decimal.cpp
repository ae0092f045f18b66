#include "common/catalog/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <string>

namespace tokenrail::catalog {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// What is cut off, `rest`, against a half of the last digit that stays.
bool rounds_up(std::string_view rest, bool last_is_odd) {
  if (rest.front() != '5') return rest.front() > '5';
  const bool above_half = std::ranges::any_of(rest.substr(1), [](char c) { return c != '0'; });
  return above_half || last_is_odd;
}

constexpr std::string_view not_a_number = "not a number";

}  // namespace

std::expected<Scaled, std::string_view> scaled(std::string_view text, int power) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::string digits;
  long point = -1;  // how many digits come before it
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (is_digit(text[at])) {
      digits += text[at];
    } else if (text[at] == '.' && point < 0) {
      point = static_cast<long>(digits.size());
    } else {
      break;
    }
  }
  if (digits.empty()) return std::unexpected(not_a_number);
  if (point < 0) point = static_cast<long>(digits.size());
  long exponent = 0;
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return std::unexpected(not_a_number);
    ++at;
    if (at < text.size() && text[at] == '+') ++at;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + at, end, exponent);
    if (read.ec != std::errc{} || read.ptr != end) return std::unexpected(not_a_number);
  }
  if (std::ranges::all_of(digits, [](char c) { return c == '0'; })) return Scaled{};
  if (negative) return std::unexpected(std::string_view("negative"));
  // Far beyond what any price has; bounds what follows.
  constexpr long exponent_max = 400;
  if (exponent > exponent_max) return std::unexpected(std::string_view("too large"));
  exponent = std::max(exponent, -exponent_max);

  const long kept = point + exponent + power;  // digits of the integer
  if (kept < 0) return Scaled{.value = 0, .rounded = true};
  const auto whole_digits = static_cast<std::size_t>(kept);
  std::string rest;
  if (whole_digits < digits.size()) {
    rest = digits.substr(whole_digits);
    digits.resize(whole_digits);
  } else {
    digits.append(whole_digits - digits.size(), '0');
  }
  std::int64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::int64_t>(c - '0');
    if (value > (std::numeric_limits<std::int64_t>::max() - digit - 1) / 10)
      return std::unexpected(std::string_view("too large"));
    value = value * 10 + digit;
  }
  const bool rounded = std::ranges::any_of(rest, [](char c) { return c != '0'; });
  if (rounded && rounds_up(rest, value % 2 != 0)) ++value;
  return Scaled{.value = value, .rounded = rounded};
}

}  // namespace tokenrail::catalog
