// What a metric is called and means: declared once a module, in a table. The module's code takes its metrics out of the
// table, HELP lines come from it, and so does docs/reference/metrics.md. Below Metrics, without state.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace tokenrail::telemetry {

enum class MetricType { counter, gauge, histogram };

struct MetricFamily {
  static constexpr std::size_t labels_max = 4;

  std::string_view name;
  MetricType type;
  std::string_view unit;                              ///< what one of it is: "records", "ms"
  std::string_view help;                              ///< sentences for an operator; names the values of labels
  std::array<std::string_view, labels_max> labels{};  ///< names; the unused ones at the end are empty
};

[[nodiscard]] constexpr std::string_view name_of(MetricType type) {
  constexpr std::array<std::string_view, 3> names{"counter", "gauge", "histogram"};
  return names[static_cast<std::size_t>(type)];
}

/// The table's family of that name. A name that the table lacks does not compile.
template <std::size_t Size>
consteval MetricFamily family_of(const std::array<MetricFamily, Size>& table, std::string_view name) {
  for (const auto& family : table) {
    if (family.name == name) return family;
  }
  throw "the table has no metric of this name";
}

}  // namespace tokenrail::telemetry
