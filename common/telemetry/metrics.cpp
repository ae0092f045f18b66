#include "common/telemetry/metrics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "common/telemetry/text_escape.hpp"

namespace tokenrail::telemetry {
namespace {

constexpr std::string_view folded_value = "other";

std::string escape_help(std::string_view help) {
  std::string out;
  for (const char c : help) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

/// Label values may hold anything a sender wrote (a model's name), while one byte that is not UTF-8 would make a
/// scraper throw the whole page away.
void append_label_value(std::string& out, std::string_view value) {
  const std::string clean = valid_utf8(value.substr(0, Metrics::label_bytes_max));
  for (const char c : clean) {
    if (c == '\\' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

/// `a="1",b="2"`, sorted by name: also the series' identity.
std::string label_text(Labels labels) {
  std::ranges::sort(labels);
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out += name;
    out += "=\"";
    append_label_value(out, value);
    out += '"';
  }
  return out;
}

/// Names and values together; the declaration and its user disagree where their numbers differ.
Labels labels_of(const MetricFamily& family, std::initializer_list<std::string_view> values) {
  Labels labels;
  for (const auto value : values) {
    assert(labels.size() < family.labels.size() && "more values than labels");
    labels.emplace_back(family.labels.at(labels.size()), value);
  }
  assert((labels.size() == family.labels.size() || family.labels.at(labels.size()).empty()) && "a label has no value");
  return labels;
}

std::string number(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", v);
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
                   std::string_view value) {
  out += name;
  out += suffix;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

void append_histogram(std::string& out, std::string_view name, const std::string& labels, const Histogram& histogram) {
  const std::string before = labels.empty() ? "" : labels + ",";
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
    cumulative += histogram.counts()[i];
    const std::string le = i < histogram.bounds().size() ? number(histogram.bounds()[i]) : "+Inf";
    append_sample(out, name, "_bucket", fmt::format("{}le=\"{}\"", before, le), fmt::format("{}", cumulative));
  }
  append_sample(out, name, "_sum", labels, number(histogram.sum()));
  append_sample(out, name, "_count", labels, fmt::format("{}", histogram.count()));
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)) {
  assert(std::ranges::is_sorted(bounds_));
  // +Inf is always there, so a caller who names it would make it appear twice.
  while (!bounds_.empty() && std::isinf(bounds_.back())) bounds_.pop_back();
  counts_.resize(bounds_.size() + 1);
}

void Histogram::observe(double v) {
  const auto bucket = std::ranges::lower_bound(bounds_, v);  // a bound belongs to its own bucket ("le")
  counts_[static_cast<std::size_t>(std::distance(bounds_.begin(), bucket))] += 1;
  count_ += 1;
  sum_ += v;
}

struct Metrics::Family {
  std::string help;
  std::string type;
  // By label text, so that the page has one order whatever the order of creation. Nodes never move.
  std::map<std::string, Counter> counters{};
  std::map<std::string, Gauge> gauges{};
  std::map<std::string, Histogram> histograms{};

  /// The key under which a label set lives: its own, or the folded one where the family is full.
  template <class Map>
  static std::string key(const Map& series, const Labels& labels) {
    std::string own = label_text(labels);
    if (series.contains(own) || series.size() < series_per_family_max) return own;
    Labels folded = labels;
    for (auto& [name, value] : folded) value = folded_value;
    return label_text(std::move(folded));
  }
};

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

Metrics::Family& Metrics::family(std::string_view name, std::string_view help, std::string_view type) {
  auto found = families_.find(name);
  if (found == families_.end()) {
    auto made = std::make_unique<Family>(Family{.help = std::string(help), .type = std::string(type)});
    found = families_.emplace(std::string(name), std::move(made)).first;
  }
  assert(found->second->type == type && "one name, two types of metric");
  return *found->second;
}

Counter& Metrics::counter(const MetricFamily& family, LabelValues values) {
  assert(family.type == MetricType::counter);
  return counter(family.name, family.help, labels_of(family, values));
}

Gauge& Metrics::gauge(const MetricFamily& family, LabelValues values) {
  assert(family.type == MetricType::gauge);
  return gauge(family.name, family.help, labels_of(family, values));
}

Histogram& Metrics::histogram(const MetricFamily& family, std::vector<double> bounds, LabelValues values) {
  assert(family.type == MetricType::histogram);
  return histogram(family.name, family.help, std::move(bounds), labels_of(family, values));
}

Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  auto& series = family(name, help, "counter").counters;
  return series[Family::key(series, labels)];
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
  auto& series = family(name, help, "gauge").gauges;
  return series[Family::key(series, labels)];
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, std::vector<double> bounds, Labels labels) {
  auto& series = family(name, help, "histogram").histograms;
  return series.try_emplace(Family::key(series, labels), std::move(bounds)).first->second;
}

void Metrics::before_export(std::function<void()> refresh) {
  refreshes_.push_back(std::move(refresh));
}

std::string Metrics::text() const {
  for (const auto& refresh : refreshes_) refresh();
  std::string out;
  for (const auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escape_help(family->help), name, family->type);
    for (const auto& [labels, counter] : family->counters) {
      append_sample(out, name, "", labels, fmt::format("{}", counter.value()));
    }
    for (const auto& [labels, gauge] : family->gauges) append_sample(out, name, "", labels, number(gauge.value()));
    for (const auto& [labels, histogram] : family->histograms) append_histogram(out, name, labels, histogram);
  }
  return out;
}

std::vector<double> Metrics::latency_bounds_ms() {
  return {0.5,   1,     2.5,   5,      10,     25,     50,      100,     250,    500,
          1'000, 2'500, 5'000, 10'000, 30'000, 60'000, 120'000, 300'000, 600'000};
}

}  // namespace tokenrail::telemetry
