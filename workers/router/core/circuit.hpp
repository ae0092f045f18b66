// Which deployments have failed so often in a row that others are tried first (circuit breakers), and how many calls
// may be made again (a retry budget). Pure: the time is an argument. One thread.
//
// A breaker never ends a request by itself: it only moves a deployment behind those that work. A request whose route
// has no other deployment calls it all the same.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace tokenrail::router {

struct CircuitRules {
  int failures_to_open = 5;  ///< in a row
  std::chrono::milliseconds open_base{1'000};
  std::chrono::milliseconds open_max{30'000};
  std::size_t entries_max = 10'000;  ///< deployments that failed last; beyond it new ones are not watched
};

class Circuits {
 public:
  explicit Circuits(const CircuitRules& rules = {}) : rules_(rules) {}

  /// Whether a call may go there now. Of an open circuit one call in each open time may: the probe, and asking is
  /// taking it.
  [[nodiscard]] bool admit(std::string_view key, std::chrono::milliseconds now);
  /// A call went well: the circuit is closed. True: it was open.
  bool succeeded(std::string_view key);
  /// True: this failure opened it.
  bool failed(std::string_view key, std::chrono::milliseconds now);
  [[nodiscard]] std::size_t open() const { return open_; }

 private:
  struct State {
    int failures = 0;
    int openings = 0;  ///< in a row; 0: closed
    std::chrono::milliseconds probe_at{0};
  };
  [[nodiscard]] std::chrono::milliseconds open_time(const State& state) const;

  const CircuitRules rules_;
  std::map<std::string, State, std::less<>> failing_{};
  std::size_t open_ = 0;
};

/// Calls that are made again on the same deployment may be at most a share of all calls, beside a small stock, so that
/// retries do not multiply the load of a provider that fails because of its load.
class RetryBudget {
 public:
  explicit RetryBudget(double share = 0.2, double stock = 100) : share_(share), stock_(stock), tokens_(stock) {}

  void call_made() { tokens_ = tokens_ + share_ < stock_ ? tokens_ + share_ : stock_; }
  [[nodiscard]] bool has_one() const { return tokens_ >= 1; }
  void take() { tokens_ -= 1; }

 private:
  const double share_;
  const double stock_;
  double tokens_;
};

}  // namespace tokenrail::router
