#include "common/registry/near_names.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

namespace tokenrail::registry {

namespace {

constexpr std::size_t name_bytes_max = 128;

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Levenshtein distance over bytes.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> near_names(std::string_view asked, const std::vector<std::string>& names,
                                    std::size_t count_max) {
  if (asked.empty() || asked.size() > name_bytes_max) return {};
  const auto wanted = lower(asked);
  const std::size_t edits_max = std::max<std::size_t>(1, wanted.size() / 4);
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const auto& name : names) {
    if (name.empty() || name.size() > name_bytes_max) continue;
    const auto candidate = lower(name);
    const auto longer = std::max(wanted.size(), candidate.size());
    const auto difference = longer - std::min(wanted.size(), candidate.size());
    if (candidate.contains(wanted) || (candidate.size() >= 4 && wanted.contains(candidate))) {
      near.emplace_back(difference, name);
    } else if (difference <= edits_max) {
      if (const auto distance = edits(wanted, candidate); distance <= edits_max) near.emplace_back(distance, name);
    }
  }
  std::ranges::sort(near);
  std::vector<std::string> out;
  for (auto& [distance, name] : near) {
    if (out.size() == count_max) break;
    if (std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
  }
  return out;
}

}  // namespace tokenrail::registry
