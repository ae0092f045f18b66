#include "common/config/edit_distance.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tokenrail::config {

std::optional<std::size_t> EditDistance::within(std::string_view a, std::string_view b, std::size_t edits_max) {
  if (a.size() > b.size()) std::swap(a, b);
  edits_max = std::min(edits_max, b.size());  // it is never more
  if (b.size() - a.size() > edits_max) return std::nullopt;

  // Three rows of the usual table: a swap of neighbours looks two rows back. Of each row only the cells near the
  // diagonal: those further away than `edits_max` cannot be part of an answer.
  auto& [before_last, last, row] = rows_;
  for (auto& each : rows_) each.resize(std::max(each.size(), b.size() + 2));
  const std::size_t beyond = edits_max + 1;
  std::iota(last.begin(), last.begin() + static_cast<std::ptrdiff_t>(edits_max) + 1, std::size_t{0});
  last[edits_max + 1] = beyond;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const std::size_t begin = i > edits_max ? i - edits_max : 1;
    const std::size_t end = std::min(b.size(), i + edits_max);
    row[begin - 1] = begin == 1 ? i : beyond;
    std::size_t least = row[begin - 1];
    for (std::size_t j = begin; j <= end; ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
      least = std::min(least, row[j]);
    }
    row[end + 1] = beyond;
    cells_ += end + 1 - begin;
    // No later row has less; a swap, which skips one, costs the edit that this one has more than the row before.
    if (least > edits_max) return std::nullopt;
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()] <= edits_max ? std::optional(last[b.size()]) : std::nullopt;
}

}  // namespace tokenrail::config
