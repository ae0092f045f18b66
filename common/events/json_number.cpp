#include "common/events/json_number.hpp"

#include <charconv>
#include <cmath>

namespace tokenrail::events {

std::optional<std::int64_t> whole_number(std::string_view token) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = token.find_first_not_of(blanks);
  if (first == std::string_view::npos) {
    return std::nullopt;
  }
  token = token.substr(first, token.find_last_not_of(blanks) - first + 1);
  if (token.size() >= 2 && token.front() == '"' && token.back() == '"') {
    token = token.substr(1, token.size() - 2);
  }
  const char* const end = token.data() + token.size();

  std::int64_t whole = 0;
  const auto as_whole = std::from_chars(token.data(), end, whole);
  if (as_whole.ec == std::errc{} && as_whole.ptr == end) {
    return whole;
  }
  double value = 0;
  const auto as_double = std::from_chars(token.data(), end, value);
  // Beyond 2^53 a double no longer says which whole number was meant.
  constexpr double exact_max = 9007199254740992.0;
  if (as_double.ec != std::errc{} || as_double.ptr != end || !(std::abs(value) <= exact_max) ||
      std::trunc(value) != value) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace tokenrail::events
