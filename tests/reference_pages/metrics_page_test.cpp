// docs/reference/metrics.md against the tables in which the modules declare their metrics.
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http/metric_families.hpp"
#include "common/kafka/metric_families.hpp"
#include "common/telemetry/metric_families.hpp"
#include "common/telemetry/metrics.hpp"
#include "tests/reference_pages/pages.hpp"
#include "workers/registry_api/metric_families.hpp"
#include "workers/registry_sync/metric_families.hpp"
#include "workers/router/core/metric_families.hpp"

namespace tokenrail {
namespace {

using telemetry::MetricFamily;
using telemetry::MetricType;

struct Section {
  std::string_view title;
  std::string_view text;
  std::vector<std::span<const MetricFamily>> tables;
};

std::vector<Section> sections() {
  return {
      {"tokenrail-router", "Requests, attempts and calls, and the ownership of partitions.", {router::metric_families}},
      {"tokenrail-registry-sync",
       "Syncs of connections and the publication of the registry.",
       {registry_sync::metric_families}},
      {"tokenrail-registry-api", "Requests to the registry API.", {registry_api::metric_families}},
      {"Every worker",
       "The event loop, the Kafka clients and the HTTP client. `client` is `group` (a member of the consumer group, "
       "in\n"
       "routers only), `reader` (reads logs by offset) or `producer`.",
       {telemetry::metric_families, kafka::metric_families, http::metric_families}}};
}

std::string labels_of(const MetricFamily& family) {
  std::string text;
  for (const auto label : family.labels) {
    if (!label.empty()) text += fmt::format("{}`{}`", text.empty() ? "" : ", ", label);
  }
  return text;
}

std::string metrics_page() {
  std::string page = fmt::format(
      "# Metrics\n\n<!-- Written from the tables in the code (metric_families.hpp) by the test reference-pages-tests. "
      "Edit "
      "those, not this\npage. -->\n\n"
      "Every worker serves its metrics at `/metrics` of `http.listen`, in the Prometheus text format (version 0.0.4). "
      "Times are in\nmilliseconds where the name ends in `_ms`.\n\n"
      "A label value is at most {} bytes long. Of a metric, a process keeps at most {} series; the values of further "
      "ones "
      "are\nadded up in one series whose labels are all `other`. A series with labels appears when it is first "
      "counted.\n",
      telemetry::Metrics::label_bytes_max, telemetry::Metrics::series_per_family_max);
  for (const auto& section : sections()) {
    page +=
        fmt::format("\n## {}\n\n{}\n\n| metric | type | unit | labels | meaning |\n| --- | --- | --- | --- | --- |\n",
                    section.title, section.text);
    for (const auto& table : section.tables) {
      for (const auto& family : table) {
        page += fmt::format("| `{}` | {} | {} | {} | {} |\n", family.name, name_of(family.type), family.unit,
                            labels_of(family), family.help);
      }
    }
  }
  return page;
}

std::vector<MetricFamily> all_families() {
  std::vector<MetricFamily> all;
  for (const auto& section : sections()) {
    for (const auto& table : section.tables) all.insert(all.end(), table.begin(), table.end());
  }
  return all;
}

/// Files of the programs, without tests.
std::vector<std::string> sources() {
  std::vector<std::string> paths;
  for (const auto* const folder : {"common", "workers", "cli"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(TOKENRAIL_SOURCE_DIR) / folder)) {
      const auto extension = entry.path().extension();
      if (extension == ".cpp" || extension == ".hpp") paths.push_back(entry.path().string());
    }
  }
  return paths;
}

TEST(ReferencePages, MetricsAreWhatTheTablesDeclare) {
  expect_current("docs/reference/metrics.md", metrics_page());
}

TEST(Metrics, AreDeclaredOnceWithAMeaningAndAUnit) {
  std::set<std::string_view> names;
  for (const auto& family : all_families()) {
    SCOPED_TRACE(std::string(family.name));
    EXPECT_TRUE(names.insert(family.name).second) << "declared twice";
    EXPECT_TRUE(family.help.ends_with('.')) << "its help is no sentence";
    EXPECT_EQ(family.help.find('|'), std::string_view::npos) << "it would split the cell of the page";
    EXPECT_FALSE(family.unit.empty());
    // The suffix by which Prometheus' users tell counters.
    EXPECT_EQ(family.name.ends_with("_total"), family.type == MetricType::counter);
    if (family.name.ends_with("_ms")) EXPECT_EQ(family.unit, "ms");
    if (family.name.ends_with("_bytes")) EXPECT_EQ(family.unit, "bytes");
    if (family.name.ends_with("_seconds")) EXPECT_EQ(family.unit, "s");
  }
}

/// Whether the text gives a metric its name in place: .counter("name", …).
bool names_a_metric(std::string_view text) {
  for (const std::string_view maker : {"counter(", "gauge(", "histogram("}) {
    for (auto at = text.find(maker); at != std::string_view::npos; at = text.find(maker, at + 1)) {
      const bool of_an_object = at > 0 && (text[at - 1] == '.' || text[at - 1] == '>');
      const auto argument = text.find_first_not_of(" \n", at + maker.size());
      if (of_an_object && argument != std::string_view::npos && text[argument] == '"') return true;
    }
  }
  return false;
}

/// The names for which the text asks its module's table.
void add_names_asked_for(std::string_view text, std::set<std::string>& names) {
  constexpr std::string_view asks = "metric_family(\"";
  for (auto at = text.find(asks); at != std::string_view::npos; at = text.find(asks, at + 1)) {
    const auto name = text.substr(at + asks.size());
    names.emplace(name.substr(0, name.find('"')));
  }
}

// A name given in place would be missing on the page.
TEST(Metrics, AreTakenFromTheTablesOnly) {
  std::set<std::string> used;
  std::size_t tables = 0;
  for (const auto& path : sources()) {
    const auto text = read_file(path);
    EXPECT_FALSE(names_a_metric(text))
        << path << " makes a metric that no table declares. Declare it in the module's metric_families.hpp.";
    add_names_asked_for(text, used);
    if (path.ends_with("/metric_families.hpp")) ++tables;
  }
  std::set<std::string> declared;
  for (const auto& family : all_families()) declared.emplace(family.name);
  EXPECT_EQ(used, declared) << "a family that is declared and not used, or a table that is missing in sections()";
  EXPECT_EQ(tables, 6U) << "a new table belongs into sections()";
}

}  // namespace
}  // namespace tokenrail
