#include "common/telemetry/metrics.hpp"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, WritesTheTextFormat) {
  Metrics metrics;
  metrics.counter("llm_requests_total", "Requests answered.", {{"provider", "ollama"}, {"outcome", "ok"}}).add(3);
  metrics.gauge("in_flight", "Requests that run now.").set(2.5);
  EXPECT_EQ(metrics.text(),
            "# HELP in_flight Requests that run now.\n"
            "# TYPE in_flight gauge\n"
            "in_flight 2.5\n"
            "# HELP llm_requests_total Requests answered.\n"
            "# TYPE llm_requests_total counter\n"
            "llm_requests_total{outcome=\"ok\",provider=\"ollama\"} 3\n");
}

TEST(Metrics, WritesAHistogramCumulatively) {
  Metrics metrics;
  auto& histogram = metrics.histogram("wait_ms", "Waiting.", {1, 10}, {{"topic", "t"}});
  for (const double v : {0.5, 1.0, 7.0, 11.0}) histogram.observe(v);
  EXPECT_EQ(metrics.text(),
            "# HELP wait_ms Waiting.\n"
            "# TYPE wait_ms histogram\n"
            "wait_ms_bucket{topic=\"t\",le=\"1\"} 2\n"
            "wait_ms_bucket{topic=\"t\",le=\"10\"} 3\n"
            "wait_ms_bucket{topic=\"t\",le=\"+Inf\"} 4\n"
            "wait_ms_sum{topic=\"t\"} 19.5\n"
            "wait_ms_count{topic=\"t\"} 4\n");
}

TEST(Metrics, AnInfiniteBoundIsNotWrittenTwice) {
  Metrics metrics;
  metrics.histogram("wait_ms", "Waiting.", {1, std::numeric_limits<double>::infinity()}).observe(2);
  const std::string text = metrics.text();
  EXPECT_EQ(text.find("+Inf"), text.rfind("+Inf"));
  EXPECT_THAT(text, HasSubstr("wait_ms_bucket{le=\"+Inf\"} 1\n"));
}

TEST(Metrics, EscapesLabelValuesAndHelp) {
  Metrics metrics;
  metrics.counter("c", "one\nline \\ only", {{"model", "a\"b\\c\nd"}}).add();
  EXPECT_EQ(metrics.text(), "# HELP c one\\nline \\\\ only\n# TYPE c counter\nc{model=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST(Metrics, EscapesForeignBytes) {
  Metrics metrics;
  metrics.counter("c", "h", {{"model", "a\xff\xc3"}}).add();
  EXPECT_THAT(metrics.text(), HasSubstr("c{model=\"a\xef\xbf\xbd\xef\xbf\xbd\"} 1\n"));
}

TEST(Metrics, LongLabelValuesAreCut) {
  Metrics metrics;
  metrics.counter("c", "h", {{"model", std::string(100'000, 'x')}}).add();
  EXPECT_LT(metrics.text().size(), 1'000U);
}

TEST(Metrics, OrderOfLabelsDoesNotMatter) {
  Metrics metrics;
  Counter& one = metrics.counter("c", "h", {{"a", "1"}, {"b", "2"}});
  Counter& two = metrics.counter("c", "h", {{"b", "2"}, {"a", "1"}});
  EXPECT_EQ(&one, &two);
}

TEST(Metrics, TooManySeriesFoldIntoOther) {
  Metrics metrics;
  const auto count = static_cast<int>(Metrics::series_per_family_max);
  Counter& first = metrics.counter("c", "h", {{"model", "m0"}});
  for (int i = 1; i < count; ++i) metrics.counter("c", "h", {{"model", "m" + std::to_string(i)}}).add();
  EXPECT_THAT(metrics.text(), Not(HasSubstr("other")));

  metrics.counter("c", "h", {{"model", "one too many"}}).add();
  metrics.counter("c", "h", {{"model", "and another"}}).add();
  EXPECT_THAT(metrics.text(), HasSubstr("c{model=\"other\"} 2\n"));
  EXPECT_EQ(&metrics.counter("c", "h", {{"model", "m0"}}), &first) << "what was there before stays its own";
}

TEST(Metrics, RefreshesBeforeExport) {
  Metrics metrics;
  Gauge& gauge = metrics.gauge("g", "h");
  int runs = 0;
  metrics.before_export([&] { gauge.set(++runs); });
  EXPECT_THAT(metrics.text(), HasSubstr("g 1\n"));
  EXPECT_THAT(metrics.text(), HasSubstr("g 2\n"));
}

TEST(Metrics, SpellsOutWhatIsNotANumber) {
  Metrics metrics;
  metrics.gauge("a", "h").set(std::numeric_limits<double>::infinity());
  metrics.gauge("b", "h").set(-std::numeric_limits<double>::infinity());
  metrics.gauge("c", "h").set(std::numeric_limits<double>::quiet_NaN());
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("\na +Inf\n"));
  EXPECT_THAT(text, HasSubstr("\nb -Inf\n"));
  EXPECT_THAT(text, HasSubstr("\nc NaN\n"));
}

TEST(Metrics, LatencyBoundsGrow) {
  const auto bounds = Metrics::latency_bounds_ms();
  for (std::size_t i = 1; i < bounds.size(); ++i) EXPECT_LT(bounds[i - 1], bounds[i]);
  EXPECT_GE(bounds.back(), 600'000);
}

constexpr std::array table{
    MetricFamily{.name = "d_total", .type = MetricType::counter, .unit = "d", .help = "D.", .labels = {"a", "b"}},
    MetricFamily{.name = "d_now", .type = MetricType::gauge, .unit = "d", .help = "Now."},
    MetricFamily{.name = "d_ms", .type = MetricType::histogram, .unit = "ms", .help = "Ms.", .labels = {"a"}}};

TEST(Metrics, DeclaredFamiliesHaveHelpAndOrderedLabels) {
  Metrics metrics;
  metrics.counter(family_of(table, "d_total"), {"1", "2"}).add(3);
  metrics.gauge(family_of(table, "d_now")).set(4);
  metrics.histogram(family_of(table, "d_ms"), {}, {"x"}).observe(5);
  EXPECT_EQ(metrics.text(),
            "# HELP d_ms Ms.\n# TYPE d_ms histogram\n"
            "d_ms_bucket{a=\"x\",le=\"+Inf\"} 1\nd_ms_sum{a=\"x\"} 5\nd_ms_count{a=\"x\"} 1\n"
            "# HELP d_now Now.\n# TYPE d_now gauge\nd_now 4\n"
            "# HELP d_total D.\n# TYPE d_total counter\nd_total{a=\"1\",b=\"2\"} 3\n");
}

}  // namespace
}  // namespace tokenrail::telemetry
