// Counters, gauges and histograms of one process, written out in the Prometheus text format (version 0.0.4).
//
// Everything is touched from the loop's thread only, so nothing is locked or atomic. Series are created once and kept:
// hold on to the reference on hot paths. References stay valid as long as the registry lives. The number of series a
// family may have is bounded; past it new label sets are folded into one series whose labels all say "other".
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/telemetry/metric_family.hpp"

namespace tokenrail::telemetry {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_ += n; }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

class Gauge {
 public:
  void set(double v) { value_ = v; }
  void add(double v) { value_ += v; }
  [[nodiscard]] double value() const { return value_; }

 private:
  double value_ = 0;
};

class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void observe(double v);
  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }  ///< one more than bounds
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// A series of a declared family, with the values of its labels in the order of the declaration.
  using LabelValues = std::initializer_list<std::string_view>;
  Counter& counter(const MetricFamily& family, LabelValues values = {});
  Gauge& gauge(const MetricFamily& family, LabelValues values = {});
  Histogram& histogram(const MetricFamily& family, std::vector<double> bounds, LabelValues values = {});

  /// The same without a declaration, for tests.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds, Labels labels = {});

  /// `refresh` runs before every text(): for gauges that are cheaper to read than to keep.
  void before_export(std::function<void()> refresh);

  [[nodiscard]] std::string text() const;

  /// Bucket bounds in milliseconds that suit anything from a broker round trip to a ten-minute answer.
  static std::vector<double> latency_bounds_ms();

  static constexpr std::size_t series_per_family_max = 1000;
  static constexpr std::size_t label_bytes_max = 200;  ///< of a label value; longer ones are cut

 private:
  struct Family;
  Family& family(std::string_view name, std::string_view help, std::string_view type);
  std::map<std::string, std::unique_ptr<Family>, std::less<>> families_;
  std::vector<std::function<void()>> refreshes_;
};

}  // namespace tokenrail::telemetry
