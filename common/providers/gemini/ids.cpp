#include "common/providers/gemini/ids.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tokenrail::providers::gemini {

namespace {

constexpr std::string_view prefix = "gemini-";
constexpr std::size_t bytes_max = 40;

bool harmless(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

std::string made_up_id(std::size_t number, std::string_view response_id) {
  auto id = fmt::format("{}{}", prefix, number);
  if (!response_id.empty() && id.size() + 1 + response_id.size() <= bytes_max &&
      std::ranges::all_of(response_id, harmless)) {
    id += '-';
    id += response_id;
  }
  return id;
}

bool is_made_up(std::string_view id) {
  return id.starts_with(prefix);
}

}  // namespace tokenrail::providers::gemini
