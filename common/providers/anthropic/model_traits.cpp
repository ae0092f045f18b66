#include "common/providers/anthropic/model_traits.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace tokenrail::providers::anthropic {

namespace {

struct Row {
  std::string_view family;  ///< empty: every
  int version_first;        ///< major * 100 + minor
  ModelTraits traits;
};
using enum Prefill;
using Think = Thinking;

/// The first row that fits counts: its family, and a version that is not newer than the model's.
constexpr Row rows[] = {
    {"fable", 0, {refused, Think::adaptive, false, true, Sampling::no, 128'000}},
    {"mythos", 0, {refused, Think::adaptive, false, true, Sampling::no, 128'000}},
    {"", 407, {refused, Think::adaptive, true, true, Sampling::no, 128'000}},
    {"", 406, {refused, Think::adaptive, true, false, Sampling::one, 128'000}},
    {"", 405, {accepted, Think::budget, true, false, Sampling::one, 64'000}},
    {"", 401, {accepted, Think::budget, true, false, Sampling::one, 32'000}},
    {"opus", 400, {accepted, Think::budget, true, false, Sampling::all, 32'000}},
    {"", 307, {accepted, Think::budget, true, false, Sampling::all, 64'000}},
    {"", 305, {accepted, Think::none, true, false, Sampling::all, 8'192}},
    {"", 0, {accepted, Think::none, true, false, Sampling::all, 4'096}},
};

constexpr int newest = 9'999;

/// The version in "opus-4-6-20260101", "3-5-sonnet", "opus-4": the first two numbers that are no date.
int version_of(std::string_view name) {
  int version = -1;
  while (!name.empty()) {
    const auto end = std::min(name.find_first_of("-.@:_"), name.size());
    const auto word = name.substr(0, end);
    name.remove_prefix(std::min(end + 1, name.size()));
    const bool number = !word.empty() && word.size() <= 2 &&
                        std::ranges::all_of(word, [](unsigned char c) { return std::isdigit(c) != 0; });
    if (!number) {
      if (version >= 0) break;
      continue;
    }
    const int value = word.size() == 1 ? word[0] - '0' : (word[0] - '0') * 10 + (word[1] - '0');
    if (version >= 0) return version + value;
    version = value * 100;
  }
  return version >= 0 ? version : newest;
}

}  // namespace

ModelTraits traits_of(std::string_view model) {
  std::string name(model);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto begin = name.find("claude-");
  if (begin == std::string::npos) return {};
  const auto rest = std::string_view(name).substr(begin + 7);
  const auto version = version_of(rest);
  for (const auto& row : rows) {
    if (version >= row.version_first && rest.contains(row.family)) return row.traits;
  }
  return {};
}

}  // namespace tokenrail::providers::anthropic
