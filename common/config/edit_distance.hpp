// How many letters lie between two names, for finding what someone meant. Pure. The only one in this project.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokenrail::config {

/// Compares names and keeps its scratch memory, so that many comparisons allocate as often as one.
class EditDistance {
 public:
  /// Letters to insert, delete, replace or swap with the neighbour to come from one name to the other; nothing where
  /// they are more than `edits_max`. Work: at most 2 * `edits_max` + 1 cells for each letter of the shorter name, and
  /// none where the lengths differ by more. A comparison that is known to exceed the limit ends early.
  [[nodiscard]] std::optional<std::size_t> within(std::string_view a, std::string_view b, std::size_t edits_max);

  /// Cells computed so far, by all comparisons: for a caller that has to bound the work.
  [[nodiscard]] std::size_t cells() const { return cells_; }

 private:
  std::array<std::vector<std::size_t>, 3> rows_{};
  std::size_t cells_ = 0;
};

/// The known name with the fewest edits, at most `edits_max`; the first of several. `Names`: a range of texts.
template <class Names>
[[nodiscard]] std::optional<std::string> nearest(std::string_view name, const Names& known, std::size_t edits_max) {
  EditDistance distance;
  std::optional<std::string> best;
  for (const std::string_view candidate : known) {
    const auto edits = distance.within(name, candidate, edits_max);
    if (!edits) continue;
    best = candidate;
    if (*edits == 0) break;
    edits_max = *edits - 1;
  }
  return best;
}

}  // namespace tokenrail::config
